/** Raw frames out of a real host: every format over both transports, beside readers that stall, crash and come again. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readFrames, type Frame, type FramesAddress } from '../../clients/typescript/frames.ts';
import type { FrameForm } from '../../src/camera-config.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
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
});

async function collect(address: FramesAddress, count: number): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of readFrames(address)) if (frames.push(frame) === count) break;
  return frames;
}

function gaps(frames: readonly Frame[]): number[] {
  return frames.slice(1).flatMap(({ sequence }, i) => (sequence === frames[i]!.sequence + 1 ? [] : [sequence]));
}
