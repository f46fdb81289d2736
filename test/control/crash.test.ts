/** An actor that throws: stopped with everything it leased, journaled, started again; siblings never notice. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { AnyActorRef } from 'xstate';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { loadConfig } from '../../src/config.ts';
import { startProgram, type Program } from '../../src/control/program.ts';
import { createLog } from '../../src/log.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CameraView } from '../../src/api/protocol.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

const token = 'a-token-for-this-test-only';
let cameras: SimulatorProcess & AsyncDisposable;
let program: Program;
let dir: string;

const get = async <T>(path: string): Promise<T> => (await fetch(program.url + path, { headers: { authorization: `Bearer ${token}` } })).json() as Promise<T>;
const camera = (id: string): Promise<CameraView> => get<CameraView>(`/api/v1/cameras/${id}`);
const actor = (id: string): AnyActorRef => (program.root.getSnapshot().children as Record<string, AnyActorRef | undefined>)[id] as AnyActorRef;
/** No chart throws by itself; an event whose payload breaks its contract makes it. */
const poison = (id: string): void => actor(id).send({ type: 'camera.update', config: null });

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lookout-crash-'));
  cameras = await startSimulator({ mounts: ['one', 'two'].map((name) => ({ name, video: 'parking-360p-main' })) });
  const config = loadConfig(['--data', dir, '--port', '0', '--no-demo'], { LOOKOUT_TOKEN: token, LOOKOUT_GRPC_PORT: '0' });
  program = await startProgram({ config, instance: randomUUID(), version: 'test', log: createLog({ level: 'info' }) });
  for (const id of ['one', 'two']) {
    await fetch(`${program.url}/api/v1/cameras`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify({ id, url: cameras.url(id) }) });
    await eventually(async () => (await camera(id)).substate === 'live', { timeoutMs: 10_000 });
  }
});

after(async () => {
  await program?.stop();
  await cameras?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

test('a camera actor that throws loses its host, is started again and is live; its sibling keeps its process', async () => {
  const { host } = await camera('one');
  const sibling = await camera('two');
  assert.ok(host);
  poison('camera:one');
  await eventually(async () => {
    const view = await camera('one');
    return view.substate === 'live' && view.host?.pid !== host.pid;
  }, { timeoutMs: 10_000, what: 'the camera with a new host' });
  assert.equal(await isAlive(host.pid), false, 'what it leased is gone');
  const now = await camera('two');
  assert.equal(now.host?.pid, sibling.host?.pid);
  assert.equal(now.since, sibling.since);
  const metrics = await (await fetch(`${program.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text();
  assert.match(metrics, /vms_media_actor_restarts_total\{actor="camera"\} 1/u);
});

test('nothing of the crashed actor runs on: one ingest and one transport for each camera', async () => {
  const sfu = await eventually(async () => {
    const view = await get<{ routers: { camera: string }[]; transports: unknown[] }>('/api/v1/sfu');
    return view.routers.length === 2 ? view : undefined;
  }, { timeoutMs: 5_000 });
  assert.deepEqual(sfu?.routers.map((router) => router.camera).sort(), ['one', 'two']);
});

test('a camera that crashes again and again ends in an escalation with a reason, not in a half-alive program', async () => {
  let reason: string | undefined;
  void program.escalated.then((text) => (reason = text));
  await eventually(() => {
    const ref = actor('camera:one') as AnyActorRef | undefined;
    if (ref?.getSnapshot().status === 'active') ref.send({ type: 'camera.update', config: null });
    return reason;
  }, { timeoutMs: 15_000, what: 'the escalation' });
  assert.match(reason ?? '', /camera:one crashed \d+ times/u);
});
