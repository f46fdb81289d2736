/**
 * A real run through every failure class with passwords that must never be seen: a camera's, the internal secret, a token's.
 * Searched for in every line of the log, every answer, metric, frame of Socket.IO and of the inspector, journal row, flight
 * recording, error, file of the data directory and command line of every process.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { routeRoles } from '../../src/api/access-table.ts';
import type { FaultRequest } from '../../src/api/faults.ts';
import { failureClasses } from '../../src/errors.ts';
import { eventually } from '../support/eventually.ts';
import { allFaults, type FaultCase } from '../support/fault-table.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { commandOf, tree } from '../support/procfs.ts';
import { startSimulator } from '../support/simulator.ts';
import { ask, connectSocket } from '../support/socket-client.ts';

const password = 'c4n4ry%pass+w0rd';
const canaries = [password, encodeURIComponent(password), Buffer.from(`operator:${password}`).toString('base64'), 'c4n4ry-internal-secret', 'c4n4ry-token-secret'];
const credentials = { username: 'operator', password };
const victim = 'victim';

/** Short limits, as the fault matrix has them. */
const config = {
  faults: { enabled: true }, recordings: { minFreeBytes: 0 }, rtsp: { connectMs: 1_000, answerMs: 1_000 },
  supervision: {
    backoff: Object.fromEntries(['auth', 'not-found', 'busy', 'local', 'server-error', 'storage'].map((cls) => [cls, { minMs: 500, maxMs: 1_000 }])),
    health: { keyframeMs: 2_000, ptsJumpMs: 2_000 }, quarantineProbeMs: 5_000, intensity: { failures: 10_000 }, authLimit: 100, actors: { restarts: 100 },
  },
};

/** One way to each class that a camera or Lookout's own parts can fail by. */
const rows = [...new Map(allFaults.filter((row) => row.class !== null).toReversed().map((row) => [row.class, row])).values()] as (FaultCase & { class: NonNullable<FaultCase['class']> })[];
/** What only an address can do: a name that nobody knows, a network without a route. */
const elsewhere = { dns: 'nobody.invalid', unreachable: '[2001:db8::1]' } as const;

class Witness {
  readonly #seen: string[] = [];

  note(what: string, value: unknown): void {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    this.#seen.push(`${what}: ${text}`);
  }

  get count(): number {
    return this.#seen.length;
  }

  /** The first line that holds a canary, cut around it. */
  betrayal(): string | undefined {
    for (const text of this.#seen) {
      const canary = canaries.find((each) => text.includes(each));
      if (canary !== undefined) return `${text.slice(0, 80)} … ${text.slice(Math.max(0, text.indexOf(canary) - 120), text.indexOf(canary) + 60)}`;
    }
    return undefined;
  }
}

/** Every GET route, asked about a camera and its newest failure. */
async function askEverything({ url, api }: Lookout, witness: Witness, id: string): Promise<void> {
  const { events } = await api<{ events: { seq: number; recording: boolean }[] }>('GET', `/api/v1/cameras/${id}/events?limit=500`);
  const flights = events.filter(({ recording }) => recording).slice(0, 5).map(({ seq }) => seq);
  const paths = Object.keys(routeRoles).filter((route) => route.startsWith('GET ')).map((route) => route.slice(4).replace(/\{(id|camera)\}/u, id))
    .flatMap((path) => (path.includes('{seq}') ? flights.map((seq) => path.replace('{seq}', String(seq))) : [path])).filter((path) => !path.includes('{'));
  for (const path of paths) {
    const response = await fetch(url + path, { headers: { authorization: 'Bearer test-admin-token-of-this-run', 'x-internal-auth': 'c4n4ry-internal-secret' } });
    const text = Buffer.from(await response.arrayBuffer()).toString('latin1');
    witness.note(`GET ${path} ${response.status} ${JSON.stringify([...response.headers])}`, text);
  }
}

test('no password, secret or token comes out of a run through every failure class', { timeout: 420_000 }, async (t) => {
  const witness = new Witness();
  await using cameras = await startSimulator({ mounts: ['basic', 'digest-md5'].map((scheme) => ({ name: scheme === 'basic' ? victim : 'neighbour', video: 'tiny-320x180-main', audio: 'beep-pcmu', auth: { scheme: scheme as 'basic', credentials } })) });
  await using lookout = await startLookout({ config, env: { LOOKOUT_LOG_LEVEL: 'trace', LOOKOUT_INTERNAL_SECRET: 'c4n4ry-internal-secret' } });
  const addressOf = (host: string): string => `rtsp://operator:${encodeURIComponent(password)}@${host}/stream`;
  const withPassword = (id: string): string => {
    const address = new URL(cameras.url(id));
    return `rtsp://operator:${encodeURIComponent(password)}@${address.host}${address.pathname}`;
  };
  const add = (id: string): Promise<unknown> => lookout.add({ id, url: withPassword(id), transport: 'tcp', outputs: { live: { feed: 'always' } } });
  const auth = { token: 'test-admin-token-of-this-run' };
  for (const namespace of ['status', 'viewer', 'inspect']) (await connectSocket(t, `${lookout.url}/${namespace}`, { auth })).onAny((...frame) => witness.note(`/${namespace}`, frame));
  const inspector = await connectSocket(t, `${lookout.url}/inspect`, { auth });
  inspector.onAny((...frame) => witness.note('/inspect', frame));
  await ask(inspector, 'sequence', { below: null });
  const commands = setInterval(() => tree(lookout.pid).forEach((pid) => witness.note('command line', commandOf(pid))), 100);
  t.after(() => clearInterval(commands));

  for (const id of [victim, 'neighbour']) await add(id);
  for (const id of [victim, 'neighbour']) await lookout.until(id, 'streaming.live');
  for (const [cls, host] of Object.entries(elsewhere)) await lookout.add({ id: `is-${cls}`, url: addressOf(host) });
  await ask(inspector, 'watch', { actor: `camera:${victim}` });

  const met = new Set<string>();
  const note = async (id: string): Promise<void> => (await lookout.events(id)).forEach((event) => event.class && met.add(event.class));
  for (const row of rows) {
    const scene = { id: victim, cameras, inject: (body: FaultRequest) => lookout.api('POST', `/api/v1/cameras/${victim}/faults`, { body }), command: (verb: string) => lookout.api('POST', `/api/v1/cameras/${victim}/${verb}`) };
    if (row.recorded) await lookout.api('PATCH', `/api/v1/cameras/${victim}`, { body: { outputs: { record: { mode: 'continuous', segmentSeconds: 2 } } } });
    if (row.recorded) await eventually(async () => (await lookout.camera(victim)).outputs.record.state === 'running', { timeoutMs: 20_000, what: 'a recording' });
    if (row.fresh) await lookout.api('DELETE', `/api/v1/cameras/${victim}`);
    await row.begin(scene);
    if (row.fresh) await add(victim);
    await eventually(async () => (await lookout.events(victim)).some((event) => event.class === row.class), { timeoutMs: 30_000, what: `"${row.class}" in the journal` })
      .catch(async () => assert.fail(`no "${row.class}" after "${row.fault}"; journal: ${(await lookout.events(victim)).slice(0, 12).map((event) => `${event.at} ${event.type} ${event.to ?? ''} ${event.class ?? ''}/${event.code ?? ''}`).join(', ')}`));
    await askEverything(lookout, witness, victim);
    await note(victim);
    await row.end?.(scene);
    await lookout.until(victim, 'streaming.live', 40_000);
  }
  for (const cls of Object.keys(elsewhere)) {
    await eventually(async () => (await lookout.events(`is-${cls}`)).some((event) => event.class === cls), { timeoutMs: 30_000, what: `"${cls}" in the journal` });
    await note(`is-${cls}`);
    await askEverything(lookout, witness, `is-${cls}`);
  }
  assert.deepEqual(failureClasses.filter((cls) => !met.has(cls)), [], 'every class was met');

  // Errors that quote what they were given.
  for (const [path, body] of [['/api/v1/cameras', { id: 'x', url: `http://operator:${password}@192.0.2.1/` }], ['/api/v1/cameras', { id: 'X X', url: withPassword(victim) }], ['/api/v1/probe', { url: withPassword('neighbour'), seconds: -1 }]] as const) {
    const response = await fetch(lookout.url + path, { method: 'POST', headers: { authorization: 'Bearer test-admin-token-of-this-run', 'content-type': 'application/json' }, body: JSON.stringify(body) });
    witness.note(`POST ${path} ${response.status}`, await response.text());
  }
  witness.note('probe', await lookout.api('POST', '/api/v1/probe', { body: { url: withPassword('neighbour'), seconds: 1 } }));
  for (const secret of ['c4n4ry-token-secret']) witness.note('login', await (await fetch(`${lookout.url}/api/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token: secret }) })).text());
  clearInterval(commands);
  await lookout.stop();
  lookout.lines.forEach((line) => witness.note('log', line));
  for (const file of await readdir(lookout.dataDir, { recursive: true, withFileTypes: true })) {
    if (file.isFile()) witness.note(`file ${file.name}`, (await readFile(join(file.parentPath, file.name))).toString('latin1'));
  }
  t.diagnostic(`${witness.count} lines, answers, frames, files and command lines, ${met.size} failure classes`);
  assert.equal(witness.betrayal(), undefined);
});
