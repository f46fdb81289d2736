/** Raw frames out of a real host: every format over both transports, beside readers that stall, crash and come again. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readFrames, type Frame, type FramesAddress } from '../../clients/typescript/frames.ts';
import type { FrameForm } from '../../src/camera-config.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from '../support/eventually.ts';
import { readInGStreamer, readInPython } from '../support/frame-readers.ts';
import { smallForm, startFramesHosts } from '../support/frames-host.ts';
import { record, sourceSpec } from '../support/hosts.ts';
import { startSimulator } from '../support/simulator.ts';

const bytesOf = ({ width, height, format }: FrameForm): number => width * height * { RGB: 3, I420: 1.5, NV12: 1.5, GRAY8: 1 }[format];

describe('raw frames', () => {
  const hosts = startFramesHosts();
  let simulator: SimulatorProcess;
  let hub = 0;
  before(async () => {
    simulator = await startSimulator({ mounts: [{ name: 'tiny', video: 'tiny-320x180-main' }, { name: 'hevc', video: 'hevc-360p' }] });
    hub = await source('tiny');
  });
  after(async () => {
    await hosts.close();
    await simulator.close();
  });
  const source = async (name: string, codec: 'H264' | 'H265' = 'H264'): Promise<number> => {
    const host = await hosts.pool.take('camera:cam/source');
    host.send({ type: 'source.start', spec: sourceSpec(simulator.url(name), { video: { codec } }) });
    return (await record(host).next('source.started')).hubPort;
  };

  for (const format of ['RGB', 'I420', 'NV12', 'GRAY8'] as const) {
    test(`come as ${format} in the size that was asked for, over TCP and through shared memory alike`, async () => {
      const form = { ...smallForm, format };
      const { port, socket, host, run, camera } = await hosts.serve({ port: hub, form });
      const [tcp, shared] = await Promise.all([collect({ port }, 12), collect({ socket }, 12)]);
      for (const frames of [tcp, shared]) {
        for (const frame of frames) assert.deepEqual([frame.format, frame.width, frame.height, frame.data.length, frame.run], [format, 160, 90, bytesOf(form), `${camera}/${run}`]);
        assert.deepEqual(gaps(frames), []);
      }
      const same = tcp.flatMap((frame) => shared.filter(({ sequence }) => sequence === frame.sequence).map((other) => [frame, other] as const));
      assert.ok(same.length > 5);
      for (const [frame, other] of same) assert.ok(frame.data.equals(other.data) && frame.takenAt === other.takenAt);
      assert.ok(new Set(tcp[0]!.data).size > 8, 'a picture, not a colour');
      await host.kill();
    });
  }

  test('of H.265 come as well, and say when they were taken', async () => {
    const { port, host } = await hosts.serve({ port: await source('hevc', 'H265'), codec: 'H265' });
    const frames = await collect({ port }, 30);
    const age = Date.now() - Number(frames.at(-1)!.takenAt / 1_000_000n);
    assert.ok(age > -50 && age < 3_000, `the newest frame is ${age} ms old`);
    for (const [index, { takenAt }] of frames.slice(1).entries()) assert.ok(takenAt > frames[index]!.takenAt, 'time only grows');
    await host.kill();
  });

  test('come at most as often as was asked for, and none twice where the camera is slower', async () => {
    const [slow, fast] = await Promise.all([hosts.serve({ port: hub, form: { fps: 5 } }), hosts.serve({ port: hub, form: { fps: 60 } })]);
    const [few, all] = await Promise.all([collect({ port: slow.port }, 9), collect({ port: fast.port }, 50)]);
    const spacing = (frames: Frame[]): number => Number(frames.at(-1)!.takenAt - frames[0]!.takenAt) / 1e6 / (frames.length - 1);
    assert.ok(Math.abs(spacing(few) - 200) < 20, `${spacing(few)} ms apart, 200 wanted`);
    assert.ok(Math.abs(spacing(all) - 40) < 4, `${spacing(all)} ms apart, 40 is what the camera gives`);
    assert.equal(new Set(all.map(({ takenAt }) => takenAt)).size, all.length);
    await Promise.all([slow.host.kill(), fast.host.kill()]);
  });

  for (const transport of ['tcp', 'socket'] as const) {
    test(`cost a reader no frame while others ${transport === 'tcp' ? 'over TCP' : 'in shared memory'} stand still, crash and come`, async (t) => {
      const served = await hosts.serve({ port: hub, form: { width: 640, height: 360 } });
      const address: FramesAddress = transport === 'tcp' ? { port: served.port } : { socket: served.socket };
      const good: Frame[] = [];
      const reading = (async () => {
        for await (const frame of readFrames(address)) if (good.push({ ...frame, data: Buffer.alloc(0) }) === 130) break;
      })();
      const others = [readInPython(t, address), readInGStreamer(t, address), readInPython(t, address), readInPython(t, address)];
      await eventually(() => others.every(({ lines }) => lines.length > 3), { timeoutMs: 10_000, what: 'all readers to read' });
      for (const other of others.slice(0, 3)) other.signal('SIGSTOP');
      const stoppedAt = good.length;
      await eventually(() => good.length >= stoppedAt + 50, { timeoutMs: 10_000, what: 'two seconds of frames beside readers that stand still' });
      await others[3]!.stop('SIGKILL');
      const late = readInPython(t, address);
      await eventually(() => late.lines.length > 3, { timeoutMs: 10_000, what: 'a reader that came late' });
      const before = others[0]!.lines.length;
      others[0]!.signal('SIGCONT');
      await eventually(() => others[0]!.lines.slice(before).map(numberOf).find((sequence) => sequence >= stoppedAt + 40), { timeoutMs: 10_000, what: 'the first one to go on' });
      await others[1]!.stop('SIGKILL');
      await reading;
      assert.deepEqual(gaps(good), []);
      assert.ok(gapsOf(others[0]!.lines.map(numberOf)).length === 1, 'the one that stood still missed frames, at one place');
      await eventually(() => (served.stats()?.readers?.missed ?? 0) > 25, { what: 'missed frames to be counted' });
      await served.host.kill();
    });
  }

  test('held by more and more readers that stand still are let go of: the one that was silent longest is cut', async (t) => {
    const served = await hosts.serve({ port: hub });
    const address = { socket: served.socket };
    const good: Frame[] = [];
    const reading = (async () => {
      for await (const frame of readFrames(address)) if (good.push(frame) === 100) break;
    })();
    const stalled = Array.from({ length: 5 }, () => readInGStreamer(t, address));
    await eventually(() => stalled.every(({ lines }) => lines.some((line) => line.includes('chain'))), { timeoutMs: 15_000, what: 'all of them to read' });
    // One after the other, so that each holds frames of its own.
    for (const reader of stalled) {
      reader.signal('SIGSTOP');
      const from = good.length;
      await eventually(() => good.length >= from + 12, { what: 'the reader to hold what it may' });
    }
    await eventually(() => (served.stats()?.readers?.cut ?? 0) >= 1, { timeoutMs: 10_000, what: 'a reader to be cut' });
    await reading;
    assert.deepEqual(gaps(good), []);
    assert.ok(hosts.left().length < 50, `${hosts.left().length} files`);
    await served.host.kill();
  });

  test('leave nothing behind when their host is killed, and the next run has the same socket and port', async (t) => {
    const first = await hosts.serve({ port: hub, camera: 'stays' });
    const reader = readInPython(t, { socket: first.socket });
    await eventually(() => reader.lines.length > 2, { what: 'frames' });
    await first.host.kill();
    await reader.stop('SIGCONT');
    await eventually(() => hosts.left().every((name) => !name.includes('stays')), { what: 'shared memory to be free' });
    assert.deepEqual(hosts.registry.leases().filter(({ owner, kind }) => owner === 'camera:stays/frames' && kind !== 'pid'), []);
    const second = await hosts.serve({ port: hub, camera: 'stays' });
    assert.deepEqual([second.port, second.socket], [first.port, first.socket]);
    const [frame] = await collect({ socket: second.socket }, 1);
    assert.equal(frame!.run, `stays/${second.run}`);
    await second.host.kill();
  });
});

const numberOf = (line: string): number => Number(line.split(' ')[1]);

async function collect(address: FramesAddress, count: number): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of readFrames(address)) if (frames.push(frame) === count) break;
  return frames;
}

function gaps(frames: readonly Frame[]): number[] {
  return gapsOf(frames.map(({ sequence }) => sequence));
}

/** Numbers that do not follow the one before. */
function gapsOf(numbers: readonly number[]): number[] {
  return numbers.slice(1).filter((number, i) => number !== numbers[i]! + 1);
}
