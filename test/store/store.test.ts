/** The store on a real disk: what it keeps, how it keeps it, and what happens when it cannot. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test, { type TestContext } from 'node:test';
import { createLog } from '../../src/log.ts';
import { openStore, type StoreOptions } from '../../src/store/index.ts';
import type { NewEvent, Store, StoredCamera } from '../../src/store/types.ts';
import { temporaryDir } from '../support/api.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';

const camera = (id: string): StoredCamera => ({ id, name: `Camera ${id}`, url: `rtsp://user:s3cr3t-word@10.0.0.1/${id}`, sub: { url: `rtsp://user:s3cr3t-word@10.0.0.1/${id}/small` }, enabled: true });
const event = (name: string, n: number): NewEvent => ({ at: 1_700_000_000_000 + n, camera: name, type: 'camera.transition', from: 'streaming', to: 'backoff', class: 'reset', code: 'econnreset', message: `event ${n}`, evidence: 'RST', attempt: n, delayMs: 0 });

async function bench(t: TestContext, options: Partial<StoreOptions> = {}): Promise<{ store: Store; dir: string; lines: string[]; reopen: () => Promise<Store> }> {
  const dir = options.dir ?? await temporaryDir(t);
  const lines: string[] = [];
  const log = createLog({ level: 'info', destination: { write: (line: string) => void lines.push(line) } });
  const reopen = async () => {
    const store = await openStore({ dir, log, ...options });
    defer(t, () => store.close());
    return store;
  };
  return { store: await reopen(), dir, lines, reopen };
}

test('cameras come back after a restart, complete and in the order of their creation', async (t) => {
  const { store, reopen } = await bench(t);
  for (const id of ['z', 'a', 'm']) await store.cameras.put(camera(id));
  await store.cameras.put({ ...camera('z'), name: 'Renamed' });
  await store.cameras.remove('a');
  await store.close();
  const again = await reopen();
  assert.deepEqual(await again.cameras.list(), [{ ...camera('z'), name: 'Renamed' }, camera('m')]);
});

test('no address, password or token can be read from the files, which belong to their owner alone', async (t) => {
  const { store, dir } = await bench(t);
  await store.cameras.put(camera('a'));
  await store.tokens.put({ name: 'admin', role: 'admin', hash: 'hash-of-token' });
  await store.close();
  for (const name of await readdir(dir)) {
    const bytes = (await readFile(join(dir, name))).toString('latin1');
    assert.ok(!/s3cr3t-word|10\.0\.0\.1/u.test(bytes), name);
    assert.equal((await stat(join(dir, name))).mode & 0o077, 0, `${name} is readable by others`);
  }
});

test('a row moved to another camera does not open', async (t) => {
  const { store, dir, reopen } = await bench(t);
  await store.cameras.put(camera('a'));
  await store.close();
  const db = new DatabaseSync(join(dir, 'lookout.db'));
  db.exec("UPDATE cameras SET id = 'b'");
  db.close();
  const again = await reopen();
  await assert.rejects(again.cameras.list(), { code: 'LOOKOUT_STORE_UNAVAILABLE' });
});

test('a wrong key is refused at once, and says which file', async (t) => {
  const { store, dir, reopen } = await bench(t);
  await store.close();
  await writeFile(join(dir, 'secret.key'), 'another-key-of-enough-length');
  await assert.rejects(reopen(), (error: { code: string; message: string }) => error.code === 'LOOKOUT_STORE_UNAVAILABLE' && error.message.includes(join(dir, 'secret.key')));
});

test('a key file of the operator is used, a readable one is warned about, a short one refused', async (t) => {
  const dir = await temporaryDir(t);
  const secretFile = join(dir, 'given.key');
  await writeFile(secretFile, 'a-key-given-by-the-operator', { mode: 0o644 });
  await chmod(secretFile, 0o644);
  const { store, lines } = await bench(t, { dir, secretFile });
  await store.cameras.put(camera('a'));
  assert.ok(lines.some((line) => line.includes('chmod 600')));
  assert.ok(!(await readdir(dir)).includes('secret.key'));
  await writeFile(join(dir, 'short.key'), 'short');
  await assert.rejects(bench(t, { dir: join(dir, 'other'), secretFile: join(dir, 'short.key') }), /less than 16 characters/u);
});

test('a damaged database is moved aside and said so, and a new one works', async (t) => {
  const { store, dir, lines, reopen } = await bench(t);
  await store.cameras.put(camera('a'));
  await store.close();
  await writeFile(join(dir, 'lookout.db'), Buffer.alloc(20_000, 'not a database '));
  const again = await reopen();
  assert.deepEqual(await again.cameras.list(), []);
  await again.cameras.put(camera('b'));
  assert.ok((await readdir(dir)).some((name) => name.startsWith('lookout.db.damaged-')));
  assert.ok(lines.some((line) => line.includes('damaged') && line.includes('lookout.db.damaged-')));
});

test('a database with a torn page is found by the check at opening', async (t) => {
  const { store, dir, reopen } = await bench(t);
  for (let n = 0; n < 500; n += 1) store.journal.append(event('gate', n));
  await store.close();
  const file = join(dir, 'lookout.db');
  const bytes = await readFile(file);
  bytes.fill(0xa5, 4096 * 2, 4096 * 6);
  await writeFile(file, bytes);
  await reopen();
  assert.ok((await readdir(dir)).some((name) => name.startsWith('lookout.db.damaged-')));
});

test('a database of a newer program is left alone and refused', async (t) => {
  const { store, dir, reopen } = await bench(t);
  await store.close();
  const db = new DatabaseSync(join(dir, 'lookout.db'));
  db.exec('PRAGMA user_version = 999');
  db.close();
  await assert.rejects(reopen(), /newer Lookout/u);
  assert.ok(!(await readdir(dir)).some((name) => name.includes('damaged')));
});

test('journal rows are numbered at once, readable before they are written, and go on after a restart', async (t) => {
  const { store, reopen } = await bench(t);
  assert.deepEqual([1, 2, 3].map((n) => store.journal.append(event('gate', n)).seq), [1, 2, 3]);
  store.journal.append(event('yard', 4));
  const rows = await store.journal.list({ camera: 'gate', limit: 2 });
  assert.deepEqual(rows.map(({ seq, message }) => [seq, message]), [[3, 'event 3'], [2, 'event 2']]);
  await store.journal.flush();
  assert.equal(store.status().pendingEvents, 0);
  assert.deepEqual(await store.journal.list({ camera: 'gate', limit: 2 }), rows, 'written rows are the same rows');
  assert.deepEqual((await store.journal.list({ camera: 'gate', limit: 9, before: 2 })).map(({ seq }) => seq), [1]);
  store.journal.append(event('gate', 5));
  await store.close();
  const again = await reopen();
  assert.equal(again.journal.append(event('gate', 6)).seq, 6);
  assert.deepEqual((await again.journal.list({ camera: 'gate', limit: 9 })).map(({ seq }) => seq), [6, 5, 3, 2, 1]);
});

test('rows are asked for by type, by group of types, of one camera or of all, written or not', async (t) => {
  const { store } = await bench(t);
  const add = (camera: string, type: string) => store.journal.append({ ...event(camera, 1), type });
  for (const [camera, type] of [['gate', 'camera.transition'], ['gate', 'output.failed'], ['yard', 'output.started'], ['', 'config.applied'], ['gate', 'outputs.other']] as const) add(camera, type);
  const ask = async (query: { camera?: string; kind?: string; before?: number; limit?: number }) => (await store.journal.list({ limit: 9, ...query })).map(({ seq }) => seq);
  const asked = async () => [await ask({}), await ask({ kind: 'output' }), await ask({ kind: 'output.failed' }), await ask({ camera: 'gate', kind: 'output' }), await ask({ camera: '' }), await ask({ kind: 'output', before: 3 }), await ask({ limit: 2 }), await ask({ kind: "x' OR '1'='1" })];
  const expected = [[5, 4, 3, 2, 1], [3, 2], [2], [2], [4], [2], [5, 4], []];
  assert.deepEqual(await asked(), expected);
  await store.journal.flush();
  assert.deepEqual(await asked(), expected, 'written rows are found the same way');
});

test('rows are asked for by their moment and by having a class, written or not', async (t) => {
  const { store } = await bench(t);
  for (const [n, cls] of ['reset', null, 'timeout', null, 'reset'].entries()) store.journal.append({ ...event('gate', n), at: 1_000 + n * 10, class: cls as 'reset' | 'timeout' | null });
  const ask = async (query: { from?: number; to?: number; failures?: boolean }) => (await store.journal.list({ camera: 'gate', limit: 9, ...query })).map(({ seq }) => seq);
  const asked = async () => [await ask({ from: 1_010, to: 1_040 }), await ask({ failures: true }), await ask({ failures: false, from: 1_030 }), await ask({ failures: true, to: 1_020 })];
  const expected = [[4, 3, 2], [5, 3, 1], [5, 4], [1]];
  assert.deepEqual(await asked(), expected);
  await store.journal.flush();
  assert.deepEqual(await asked(), expected, 'written rows are found the same way');
});

test('each camera keeps its newest rows up to the limit, whatever the others write', async (t) => {
  const { store } = await bench(t, { rowsPerCamera: 100 });
  for (let n = 0; n < 5; n += 1) store.journal.append(event('quiet', n));
  for (let n = 0; n < 3000; n += 1) store.journal.append(event('noisy', n));
  await store.journal.flush();
  assert.equal((await store.journal.list({ camera: 'quiet', limit: 1000 })).length, 5);
  const noisy = await store.journal.list({ camera: 'noisy', limit: 1000 });
  assert.equal(noisy.length, 100);
  assert.equal(noisy[0]?.message, 'event 2999');
});

test('ten thousand appended rows hold the caller up for less than a second altogether', async (t) => {
  const { store } = await bench(t);
  const began = performance.now();
  for (let n = 0; n < 10_000; n += 1) store.journal.append(event('gate', n));
  const took = performance.now() - began;
  t.diagnostic(`10,000 appends: ${took.toFixed(0)} ms`);
  assert.ok(took < 1000, `${took} ms`);
});

test('a database that another program locks loses nothing, shows in the status, and heals by itself', async (t) => {
  const { store, dir, lines } = await bench(t);
  const intruder = new DatabaseSync(join(dir, 'lookout.db'));
  defer(t, () => intruder.isOpen && intruder.close());
  intruder.exec('BEGIN EXCLUSIVE');
  store.journal.append(event('gate', 1));
  await eventually(() => !store.status().ok, { what: 'the status to tell' });
  assert.match(store.status().reason ?? '', /locked/u);
  await assert.rejects(store.cameras.put(camera('a')), { code: 'LOOKOUT_STORE_UNAVAILABLE' });
  assert.ok(lines.some((line) => line.includes('journal cannot be written')));
  intruder.exec('ROLLBACK');
  await eventually(() => store.status().ok && store.status().pendingEvents === 0, { what: 'the rows to be written' });
  assert.equal((await store.journal.list({ camera: 'gate', limit: 9 })).length, 1);
  assert.equal(store.status().droppedEvents, 0);
});

test('a full disk drops the oldest rows beyond the bound, counts them, logs once a second, and heals when there is room', async (t) => {
  const disk = await fullDisk(t);
  if (disk === undefined) return;
  const { store, dir, lines } = disk;
  for (let n = 0; n < 25_000; n += 1) store.journal.append({ ...event('gate', n), message: `event ${n} ${'x'.repeat(200)}` });
  await eventually(() => !store.status().ok, { timeoutMs: 20_000, what: 'the disk to be full' });
  const { droppedEvents, pendingEvents } = store.status();
  assert.ok(droppedEvents >= 10_000 && pendingEvents <= 12_000, `${droppedEvents} dropped, ${pendingEvents} pending`);
  assert.ok(lines.filter((line) => line.includes('journal cannot be written')).length <= 3);
  const row = store.journal.append(event('gate', 25_000));
  assert.equal(row.seq, 25_001, 'the supervisor goes on');
  await rm(join(dir, 'ballast'));
  await eventually(() => store.status().ok && store.status().pendingEvents === 0, { timeoutMs: 20_000, what: 'the rows to be written' });
  assert.equal((await store.journal.list({ camera: 'gate', limit: 1 }))[0]?.seq, row.seq);
});

/** A small file system of its own, full up to 1 MB; where mounting is not allowed, the test says that it proved nothing. */
async function fullDisk(t: TestContext) {
  const dir = join(await temporaryDir(t), 'disk');
  await mkdir(dir);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', dir], { stdio: 'pipe' });
  } catch {
    return void t.diagnostic('This machine does not allow mounting: the full disk was NOT tested.');
  }
  defer(t, () => execFileSync('umount', ['-l', dir]));
  await writeFile(join(dir, 'ballast'), Buffer.alloc(11 * 1024 * 1024));
  return bench(t, { dir });
}

test('a copied data directory with its key is a backup', async (t) => {
  const { store, dir } = await bench(t);
  await store.cameras.put(camera('a'));
  await store.close();
  const copy = await temporaryDir(t);
  for (const name of await readdir(dir)) await copyFile(join(dir, name), join(copy, name));
  const { store: restored } = await bench(t, { dir: copy });
  assert.deepEqual(await restored.cameras.list(), [camera('a')]);
});

test('tokens come back after a restart with role, cameras and end, and revoking one names its sessions', async (t) => {
  const { store, reopen } = await bench(t);
  const token = { id: 't1', name: 'guest', role: 'viewer' as const, cameras: ['gate'], createdAt: 1000, expiresAt: Date.now() + 60_000 };
  assert.equal(await store.tokens.add({ ...token, hash: 'h1' }), true);
  assert.equal(await store.tokens.add({ ...token, id: 't2', hash: 'h2' }), false, 'the name is taken');
  await store.sessions.put({ hash: 's1', name: 'guest', role: 'viewer', cameras: ['gate'], token: 't1', expiresAt: token.expiresAt });
  await store.close();
  const again = await reopen();
  assert.deepEqual(await again.tokens.find('h1'), token);
  assert.deepEqual(await again.sessions.find('s1'), { name: 'guest', role: 'viewer', cameras: ['gate'], token: 't1', expiresAt: token.expiresAt });
  assert.deepEqual(await again.tokens.remove('t1'), { token, hashes: ['h1', 's1'] });
  assert.deepEqual([await again.tokens.find('h1'), await again.sessions.find('s1'), await again.tokens.remove('t1'), await again.tokens.list()], [undefined, undefined, undefined, []]);
});

test('a token that was replaced keeps its sessions, an expired one is listed but not found', async (t) => {
  const { store } = await bench(t);
  await store.tokens.put({ name: 'login-link', role: 'admin', hash: 'first' });
  const before = await store.tokens.find('first');
  await store.tokens.put({ name: 'login-link', role: 'admin', hash: 'second' });
  assert.equal((await store.tokens.find('second'))?.id, before?.id);
  await store.tokens.put({ name: 'admin', role: 'admin', hash: 'second' });
  assert.deepEqual((await store.tokens.list()).map(({ name }) => name), ['admin'], 'one text stands for one name');
  await store.tokens.add({ id: 'old', name: 'old', role: 'viewer', cameras: null, createdAt: 1, expiresAt: 2, hash: 'old' });
  assert.equal(await store.tokens.find('old'), undefined);
  assert.equal((await store.tokens.list())[0]?.name, 'old');
});

test('tokens and sessions of the first version go on after the migration', async (t) => {
  const { store, dir, reopen } = await bench(t);
  await store.close();
  const db = new DatabaseSync(join(dir, 'lookout.db'));
  db.exec(`DROP TABLE tokens; DROP TABLE sessions; DROP TABLE flights; DROP TABLE segments;
    CREATE TABLE tokens (hash TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL) STRICT;
    CREATE TABLE sessions (hash TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT;
    INSERT INTO tokens VALUES ('h', 'admin', 'admin'); INSERT INTO sessions VALUES ('s', 'admin', 'admin', ${Date.now() + 60_000}); PRAGMA user_version = 1;`);
  db.close();
  const again = await reopen();
  const { id, createdAt, ...rest } = await again.tokens.find('h') ?? { id: '', createdAt: 0 };
  assert.deepEqual(rest, { name: 'admin', role: 'admin', cameras: null, expiresAt: null });
  assert.match(id, /^[0-9a-f]{16}$/u);
  assert.ok(Math.abs(createdAt - Date.now()) < 60_000);
  assert.equal((await again.sessions.find('s'))?.role, 'admin');
});
