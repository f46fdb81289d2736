/** Cameras in `lookout.yaml` on the real program: made at start, changed with the file without disturbing others, refused to the API. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { stringify } from 'yaml';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

test('the file makes, changes and removes its cameras; the others and those that did not change go on', async (t) => {
  const cameras = await startSimulator({ mounts: ['one', 'two', 'three'].map((name) => ({ name, video: 'parking-360p-main' })) });
  defer(t, () => cameras.close());
  const login = 'CAMERA_ONE_OF_THIS_TEST';
  const one = { id: 'one', url: `\${${login}}` };
  const lookout = await startLookout({ config: { cameras: [one, { id: 'two', url: cameras.url('two'), name: 'Two' }] }, env: { [login]: cameras.url('one') } });
  defer(t, () => lookout[Symbol.asyncDispose]());
  const write = (list: object[], more: object = {}) => writeFile(join(lookout.dataDir, 'lookout.yaml'), stringify({ ...more, cameras: list }));
  for (const id of ['one', 'two']) await lookout.until(id, 'streaming.live');
  await lookout.add({ id: 'own', url: cameras.url('three') });
  const own = await lookout.until('own', 'streaming.live');
  const before = await lookout.camera('one');
  assert.deepEqual([before.declared, own.declared], [true, false]);
  for (const { pid } of await lookout.children()) {
    assert.ok(!(await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).includes(login), 'a child inherits no address');
  }

  for (const [method, body] of [['PATCH', { name: 'x' }], ['DELETE', undefined]] as const) assert.equal((await lookout.api<{ code: string }>(method, '/api/v1/cameras/one', { body, expect: 409 })).code, 'LOOKOUT_CAMERA_DECLARED');
  assert.equal((await lookout.api<{ code: string }>('POST', '/api/v1/cameras', { body: { id: 'one', url: cameras.url('two') }, expect: 409 })).code, 'LOOKOUT_CAMERA_EXISTS');

  await write([one, { id: 'three', url: cameras.url('three') }]);
  await lookout.until('three', 'streaming.live');
  await lookout.api('GET', '/api/v1/cameras/two', { expect: 404 });
  const after = [await lookout.camera('one'), await lookout.camera('own')];
  assert.deepEqual(after.map(({ host, since }) => [host?.pid, since]), [[before.host?.pid, before.since], [own.host?.pid, own.since]], 'nobody else was disturbed');

  await write([{ ...one, name: 'Front door' }, { id: 'three', url: cameras.url('three') }]);
  await eventually(async () => (await lookout.camera('one')).name === 'Front door', { what: 'the new name' });
  assert.equal((await lookout.camera('one')).host?.pid, before.host?.pid, 'a name disturbs no stream');

  await write([{ id: 'one', url: 'http://nowhere/' }], { sfu: { workers: 'many' } });
  await eventually(() => lookout.lines.some((line) => line.includes('the configuration is refused') && line.includes('must be integer') && line.includes('is no address')), { what: 'the refusal' });
  assert.equal((await lookout.cameras()).length, 3);
  const told = async (query: string) => (await lookout.api<{ events: { type: string; camera: string }[] }>('GET', `/api/v1/events?${query}`)).events.map(({ type, camera }) => `${type} ${camera}`);
  assert.equal((await told('kind=config'))[0], 'config.refused ', 'what concerns no camera is in the journal of all');
  assert.ok((await told('kind=camera.transition&limit=500')).some((row) => row.endsWith(' three')));
  const ofThree = await lookout.api<{ events: { type: string }[] }>('GET', '/api/v1/cameras/three/events?kind=camera.transition');
  assert.deepEqual([...new Set(ofThree.events.map(({ type }) => type))], ['camera.transition']);

  await lookout.api('POST', '/api/v1/cameras/one/stop');
  await lookout.until('one', 'stopped');
  await write([{ ...one, name: 'Front door' }], {});
  process.kill(lookout.pid, 'SIGHUP');
  await eventually(async () => (await lookout.cameras()).length === 2, { what: 'the third to be removed' });
  assert.equal((await lookout.camera('one')).state, 'stopped', 'its entry did not change, so nobody starts it again');
});

test('a declared camera takes the place of one that was managed over the API, and is not stored', async (t) => {
  const cameras = await startSimulator({ mounts: [{ name: 'one', video: 'parking-360p-main' }] });
  defer(t, () => cameras.close());
  const lookout = await startLookout();
  defer(t, () => lookout[Symbol.asyncDispose]());
  await lookout.add({ id: 'gate', url: cameras.url('one'), name: 'Old' });
  const file = join(lookout.dataDir, 'lookout.yaml');
  await writeFile(file, stringify({ cameras: [{ id: 'gate', url: cameras.url('one'), name: 'New' }] }));
  await eventually(async () => (await lookout.camera('gate')).name === 'New', { timeoutMs: 10_000, what: 'the declared one' });
  assert.equal((await lookout.camera('gate')).declared, true);
  await lookout.stop();
  const again = await startLookout({ dataDir: lookout.dataDir });
  defer(t, () => again[Symbol.asyncDispose]());
  assert.deepEqual(await again.cameras(), [], 'started with a file that declares nothing, there is nothing left of it');
});
