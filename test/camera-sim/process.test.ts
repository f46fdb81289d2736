/** The simulator as a process: it ends with its parent, whatever happens to either, and takes requests line by line too. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { episodes, startDemoCameras } from '../../src/camera-sim/demo.ts';
import { healthy } from '../../src/camera-sim/types.ts';
import { eventually } from '../support/eventually.ts';
import { RtspPlayer } from '../support/rtsp-player.ts';
import { startSimulator } from '../support/simulator.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const gone = (pid: number): boolean => !existsSync(`/proc/${pid}`) || / [ZX] /u.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

/** First packet of a GOP: the parameter sets travel in a STAP-A. */
const isParameterSet = ({ payload }: { payload: Buffer }): boolean => (payload[0]! & 0x1f) === 24;

/** A parent that spawns a simulator, prints its pid, and waits. */
const parentScript = `
  const { spawnSimulator } = await import(${JSON.stringify(path('../../src/camera-sim/process.ts'))});
  const simulator = await spawnSimulator({ port: 'per-mount', mounts: [{ name: 'cam', video: 'tiny-320x180-main' }] });
  console.log(simulator.pid);
`;

for (const frozen of [false, true]) {
  test(`a ${frozen ? 'frozen' : 'running'} simulator dies within 2 s when its parent is killed`, async () => {
    const parent = spawn(process.execPath, ['--input-type=module', '-e', parentScript], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(createInterface({ input: parent.stdout }), 'line') as [string];
    const pid = Number(line);
    assert.equal(gone(pid), false);
    if (frozen) process.kill(pid, 'SIGSTOP');
    parent.kill('SIGKILL');
    await eventually(() => gone(pid), { timeoutMs: 2000, what: 'the simulator to die' });
  });
}

test('a simulator that is killed rejects what was asked of it and has exited', async () => {
  const simulator = await startSimulator({ mounts: [{ name: 'cam', video: 'tiny-320x180-main' }] });
  process.kill(simulator.pid, 'SIGKILL');
  await simulator.exited;
  await assert.rejects(simulator.stats('cam'), /ended/u);
  await simulator.close();
});

test('a simulator with an impossible configuration says so instead of starting', async () => {
  await assert.rejects(startSimulator({ mounts: [{ name: 'cam', video: '../../package' }] }), /ended before it listened/u);
});

test('a simulator on a command line prints where it listens and takes requests line by line', async () => {
  const child = spawn(process.execPath, [path('../../src/camera-sim/main.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown>> => JSON.parse((await lines.next()).value as string) as Record<string, unknown>;
  const ask = async (line: string): Promise<Record<string, unknown>> => {
    child.stdin.write(`${line}\n`);
    return next();
  };
  const { urls } = await next() as { urls: Record<string, string> };
  assert.deepEqual(await ask('{"id":1,"call":"script","mount":"entrance","change":{"status":{"code":404}}}'), { id: 1, ok: true });
  await assert.rejects(RtspPlayer.play(urls['entrance']!), /404/u);
  assert.partialDeepStrictEqual(await ask('{"id":2,"call":"stats","mount":"entrance"}'), { id: 2, ok: true, stats: { statuses: { 404: 1 } } });
  assert.partialDeepStrictEqual(await ask('{"id":3,"call":"explode","mount":"entrance"}'), { id: 3, ok: false });
  assert.partialDeepStrictEqual(await ask('not json'), { ok: false });
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('the demo has four cameras that play, and nothing of it is left when it closes', async () => {
  const secret = 'LOOKOUT_TOKEN';
  process.env[secret] = 'must-not-be-inherited';
  process.env['LOOKOUT_INSTANCE'] = 'camera-sim-test';
  const demo = await startDemoCameras();
  delete process.env[secret];
  delete process.env['LOOKOUT_INSTANCE'];
  const environment = readFileSync(`/proc/${demo.pid}/environ`, 'utf8');
  assert.match(environment, /LOOKOUT_INSTANCE=camera-sim-test/u);
  assert.doesNotMatch(environment, /must-not-be-inherited/u);
  assert.deepEqual(demo.cameras.map(({ name }) => name), ['Entrance', 'Parking', 'Loading dock', 'Server room']);
  for (const { url } of demo.cameras) {
    await using player = await RtspPlayer.play(url);
    await eventually(() => player.video.length > 3, { what: `packets of ${url}` });
  }
  await demo.close();
  await eventually(() => gone(demo.pid), { what: 'the process to end' });
});

test('every episode of the demo disturbs a watching client, and the camera plays again after it', async () => {
  const names = episodes.map((_, index) => `camera${index}`);
  await using simulator = await startSimulator({ mounts: names.map((name) => ({ name, video: 'tiny-320x180-main' })) });
  await Promise.all(episodes.map(async ({ change = {}, incident }, index) => {
    const name = names[index]!;
    await using player = await RtspPlayer.play(simulator.url(name));
    await eventually(() => player.video.some(isParameterSet), { what: 'a keyframe' });
    await simulator.script(name, change);
    // A reboot of 8 s is cut to half a second: its course has a test of its own.
    if (incident) await simulator.act(name, incident.type === 'reboot' ? { ...incident, seconds: 0.5, unavailableMs: 0 } : incident);
    const from = player.video.length;
    await eventually(() => {
      const recent = player.video.slice(from + 1);
      const silentMs = performance.now() - player.video.at(-1)!.atMs;
      const withoutKeyframe = recent.length > 40 && !recent.some(isParameterSet);
      const frozen = recent.length > 10 && new Set(recent.map(({ timestamp }) => timestamp)).size === 1;
      return player.ended !== undefined || silentMs > 1500 || withoutKeyframe || frozen;
    }, { timeoutMs: 15_000, what: `episode ${index} to be noticed` });
    await simulator.script(name, healthy);
    await using again = await eventually(() => RtspPlayer.play(simulator.url(name)), { what: `the end of episode ${index}` });
    await eventually(() => again.video.some(isParameterSet), { what: `a keyframe after episode ${index}` });
  }));
});
