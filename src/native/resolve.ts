/** Names to addresses with a cache and a deadline of our own, off libuv's thread pool. */
import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { failure, FailureError } from '../errors.ts';

/** Resolves names. One per program: the cache is the point. */
export type NameResolver = {
  /** Addresses, IPv4 first. Rejects with a `dns` failure; a name that resolved before survives a dead resolver. */
  resolve(name: string, options?: { deadlineMs?: number }): Promise<string[]>;
};

type Entry = { addresses: string[]; until: number };
/** A name server's answer: addresses for `ttl` seconds, or the certainty that there are none. */
type Answer = { addresses: string[]; ttl: number };

const defaultDeadlineMs = 3000;
const [minTtl, maxTtl] = [5, 300];
const negativeMs = 2000;
const absent = new Set(['ENOTFOUND', 'ENODATA']);

/** Makes a resolver. `servers` replaces what resolv.conf says. */
export function createResolver({ servers }: { servers?: string[] } = {}): NameResolver {
  const known = new Map<string, Entry>();
  const refused = new Map<string, { error: FailureError; until: number }>();
  const pending = new Map<string, Promise<string[]>>();

  const ask = async (name: string, deadlineMs: number): Promise<string[]> => {
    try {
      const { addresses, ttl } = (await fromHosts(name)) ?? (await fromServers(name, { servers, deadlineMs }));
      known.set(name, { addresses, until: performance.now() + 1000 * Math.min(maxTtl, Math.max(minTtl, ttl)) });
      return addresses;
    } catch (error) {
      const code = (error as { code?: string }).code ?? 'unknown';
      const stale = known.get(name);
      if (stale !== undefined && !absent.has(code)) return stale.addresses;
      known.delete(name);
      const refusal = new FailureError(failure('dns', code.toLowerCase(), `The name ${name} does not resolve.`, code), error);
      refused.set(name, { error: refusal, until: performance.now() + negativeMs });
      throw refusal;
    }
  };

  return {
    async resolve(given, { deadlineMs = defaultDeadlineMs } = {}) {
      if (isIP(given) !== 0) return [given];
      const name = given.toLowerCase().replace(/\.$/u, '');
      // RFC 6761 §6.3: localhost never leaves the machine.
      if (name === 'localhost' || name.endsWith('.localhost')) return ['127.0.0.1', '::1'];
      const entry = known.get(name);
      if (entry !== undefined && entry.until > performance.now()) return entry.addresses;
      const refusal = refused.get(name);
      if (refusal !== undefined && refusal.until > performance.now()) throw refusal.error;
      refused.delete(name);
      const asked = pending.get(name) ?? ask(name, deadlineMs).finally(() => pending.delete(name));
      pending.set(name, asked);
      return asked;
    },
  };
}

async function fromHosts(name: string): Promise<Answer | undefined> {
  const text = await readFile('/etc/hosts', 'utf8').catch(() => '');
  const addresses = text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/u, '').trim().split(/\s+/u);
    return isIP(address) !== 0 && names.some((each) => each.toLowerCase() === name) ? [address] : [];
  });
  return addresses.length === 0 ? undefined : { addresses, ttl: minTtl };
}

/** A fresh c-ares channel for each question reads resolv.conf anew: DHCP may have changed it since. */
async function fromServers(name: string, { servers, deadlineMs }: { servers: string[] | undefined; deadlineMs: number }): Promise<Answer> {
  const resolver = new Resolver({ timeout: Math.max(200, Math.floor(deadlineMs / 3)), tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  const deadline = setTimeout(() => resolver.cancel(), deadlineMs);
  try {
    let last: unknown;
    for (const candidate of await candidates(name)) {
      const [v4, v6] = await Promise.allSettled([resolver.resolve4(candidate, { ttl: true }), resolver.resolve6(candidate, { ttl: true })]);
      const records = [v4, v6].flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
      if (records.length > 0) return { addresses: records.map(({ address }) => address), ttl: Math.min(...records.map(({ ttl }) => ttl)) };
      last = v4.status === 'rejected' ? v4.reason : last;
    }
    throw last;
  } finally {
    clearTimeout(deadline);
  }
}

/** A name without a dot is looked for in the search domains, as the C library would. */
async function candidates(name: string): Promise<string[]> {
  if (name.includes('.')) return [name];
  const text = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
  const domains = /^\s*(?:search|domain)\s+(.+)$/mu.exec(text)?.[1]?.trim().split(/\s+/u) ?? [];
  return [...domains.map((domain) => `${name}.${domain}`), name];
}
