/** Live sound in a real host: what leaves for the SFU, as RTP. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import type { SoundFormat } from '../../src/media.ts';
import { eventually } from '../support/eventually.ts';
import { receiveRtp, record, sourceSpec, startPool } from '../support/hosts.ts';
import { startSimulator } from '../support/simulator.ts';

describe('live sound', () => {
  const hosts = startPool();
  let simulator: SimulatorProcess;
  before(async () => {
    simulator = await startSimulator({ mounts: ['aac', 'pcmu', 'pcma'].map((name) => ({ name, video: 'tiny-320x180-main', audio: `beep-${name}` })) });
  });
  after(async () => {
    await hosts.close();
    await simulator.close();
  });

  for (const { sound, payloadType, ticks, bytes } of [
    { sound: { codec: 'PCMU', rate: 8_000, channels: 1, config: null }, payloadType: 0, ticks: 160, bytes: 172 },
    { sound: { codec: 'PCMA', rate: 8_000, channels: 1, config: null }, payloadType: 8, ticks: 160, bytes: 172 },
    { sound: { codec: 'AAC', rate: 16_000, channels: 1, config: '1408' }, payloadType: 111, ticks: 960, bytes: null },
  ] as const satisfies { sound: SoundFormat; payloadType: number; ticks: number; bytes: number | null }[]) {
    test(`${sound.codec} leaves ${bytes === null ? 'as Opus' : 'as it came'}, packet after packet of 20 ms, from where it began on`, async () => {
      const source = await hosts.pool.take('camera:cam/source');
      const said = record(source);
      source.send({ type: 'source.start', spec: sourceSpec(simulator.url(sound.codec.toLowerCase()), { sound }) });
      const { soundPort } = await said.next('source.started');
      await said.next('source.media');
      const receiver = await receiveRtp();
      const bind = await hosts.ports.lease('camera:cam/sound');
      const output = await hosts.pool.take('camera:cam/sound');
      const told = record(output);
      output.send({ type: 'output.start', spec: { output: 'sound', camera: 'cam', sound: { ...sound, port: soundPort! }, feed: { port: receiver.port, bindPort: bind.port, ssrc: 3_735_928_559, payloadType } } });
      await told.next('output.started');
      await eventually(() => receiver.packets.length >= 60, { timeoutMs: 15_000, what: '60 packets' });
      const { packets } = receiver;
      assert.ok(packets.every((packet) => packet.payloadType === payloadType && packet.ssrc === 3_735_928_559 && packet.fromPort === bind.port));
      // The first may be what an encoder puts before its first frame.
      for (const [index, packet] of packets.entries()) {
        if (index < 3) continue;
        assert.equal((packet.sequence - packets[index - 1]!.sequence) & 0xffff, 1);
        assert.equal((packet.timestamp - packets[index - 1]!.timestamp) >>> 0, ticks, `packet ${index}`);
        if (bytes !== null) assert.equal(packet.bytes, bytes);
      }
      await eventually(() => told.events.some((event) => event.type === 'output.stats' && event.stats.frames > 0 && event.stats.bytes > 0), { timeoutMs: 5_000, what: 'figures' });
      // The source ends: so does its sound, by itself.
      await source.release();
      await told.next('output.finished');
      await output.release();
      await receiver.close();
      await bind.release();
    });
  }
});
