/** What one address may do: wrong credentials in a minute, however many are tried at the same moment; requests in a minute. */
import { isIPv6 } from 'node:net';
import { LookoutError } from '../errors.ts';

const addresses = 10_000;
const minuteMs = 60_000;

/** Counts what each address did within a minute; the book is bounded, its oldest entries go first. */
export type MinuteCounter = { of(key: string): number; count(key: string): void };

/** Makes a counter. */
export function createMinuteCounter(): MinuteCounter {
  const windows = new Map<string, { since: number; count: number }>();
  const current = (key: string) => {
    const entry = windows.get(key);
    return entry !== undefined && performance.now() - entry.since < minuteMs ? entry : undefined;
  };
  return {
    of: (key) => current(key)?.count ?? 0,
    count(key) {
      const entry = current(key) ?? { since: performance.now(), count: 0 };
      entry.count += 1;
      windows.delete(key);
      if (windows.size >= addresses) windows.delete(windows.keys().next().value ?? '');
      windows.set(key, entry);
    },
  };
}

/** True where an error says that the credential is wrong, and not that it could not be looked at. */
export const isRefusal = (error: unknown): boolean => error instanceof LookoutError && error.code === 'LOOKOUT_UNAUTHENTICATED';

/** Looks credentials up that were never seen before. */
export type GuessLimit = {
  /** Runs `look`; undefined from it, or `LOOKOUT_UNAUTHENTICATED`, is a wrong guess. Throws `LOOKOUT_RATE_LIMITED` where the address made too many. */
  guess<T>(address: string, look: () => Promise<T | undefined>): Promise<T | undefined>;
};

/**
 * Wrong credentials of one address within a minute. No more lookups run at the same time than wrong guesses are left,
 * the others wait for them: a hundred guesses sent at once count like a hundred in a row.
 */
export function createGuessLimit(perMinute: number): GuessLimit {
  const wrong = createMinuteCounter();
  const running = new Map<string, { lookups: number; ended: PromiseWithResolvers<void> }>();
  /** Waits for its turn, and takes it before anybody else can. */
  const begin = async (key: string): Promise<{ end(): void }> => {
    for (;;) {
      const left = perMinute - wrong.of(key);
      if (left <= 0) throw new LookoutError('LOOKOUT_RATE_LIMITED', { message: 'Too many wrong tokens from your address. Wait a minute.' });
      const others = running.get(key) ?? { lookups: 0, ended: Promise.withResolvers<void>() };
      if (others.lookups < left) {
        others.lookups += 1;
        running.set(key, others);
        return { end: () => leave(key, others) };
      }
      await others.ended.promise;
    }
  };
  const leave = (key: string, others: { lookups: number; ended: PromiseWithResolvers<void> }): void => {
    others.lookups -= 1;
    const { ended } = others;
    others.ended = Promise.withResolvers<void>();
    if (others.lookups === 0) running.delete(key);
    ended.resolve();
  };
  return {
    async guess(address, look) {
      const key = subscriberOf(address);
      const turn = await begin(key);
      try {
        const found = await look();
        if (found === undefined) wrong.count(key);
        return found;
      } catch (error) {
        if (isRefusal(error)) wrong.count(key);
        throw error;
      } finally {
        turn.end();
      }
    },
  };
}

/** Whom an address stands for: itself, also where IPv4 is written as IPv6, or its /64 of IPv6, which is what one subscriber gets. */
export function subscriberOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/iu, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('%')[0]?.toLowerCase().split('::') ?? [];
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = tail === undefined ? left : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  return `${groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
