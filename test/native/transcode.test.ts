/** Transcodes in a real host: what leaves for the ingest is H.264 that every browser decodes, from a keyframe on, of the present, and on one time line. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { transcodeForm } from '../../src/carriage.ts';
import type { VideoFormat } from '../../src/media.ts';
import { aggregated } from '../../src/native/hub-reader.ts';
import { parseH264Sps } from '../../src/native/sps.ts';
import { temporaryDir } from '../support/api.ts';
import { eventually } from '../support/eventually.ts';
import { record, sourceSpec, startPool } from '../support/hosts.ts';
import { startSimulator } from '../support/simulator.ts';

const run = promisify(execFile);
const fourCc = Buffer.of(0, 0, 0, 1);

type Packet = { sequence: number; timestamp: number; marker: boolean; payload: Buffer; at: number };

/** RTP as it arrives, and the byte stream in it. */
async function receive() {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  const packets: Packet[] = [];
  socket.on('message', (data) => packets.push({ sequence: data.readUInt16BE(2), timestamp: data.readUInt32BE(4), marker: (data.readUInt8(1) & 0x80) !== 0, payload: data.subarray(12), at: performance.now() }));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { port: socket.address().port, packets, close: () => new Promise<void>((resolve) => socket.close(() => resolve())) };
}

/** NAL units of RTP payloads (RFC 6184 §5.6 to §5.8). */
function unitsOf(packets: Packet[]): Buffer[] {
  const units: Buffer[] = [];
  let parts: Buffer[] = [];
  for (const { payload } of packets) {
    const kind = payload.readUInt8(0) & 0x1f;
    if (kind === 24) units.push(...aggregated(payload));
    else if (kind !== 28) units.push(payload);
    else {
      if ((payload.readUInt8(1) & 0x80) !== 0) parts = [Buffer.of((payload.readUInt8(0) & 0xe0) | (payload.readUInt8(1) & 0x1f))];
      parts.push(payload.subarray(2));
      if ((payload.readUInt8(1) & 0x40) !== 0) units.push(Buffer.concat(parts));
    }
  }
  return units;
}

const kinds = (units: Buffer[]): number[] => units.map((unit) => unit.readUInt8(0) & 0x1f);
const [idr, sps, delimiter] = [5, 7, 9];
/** Packets that may be on their way through a gate. */
const lateMost = 40;

describe('a transcode', () => {
  const hosts = startPool();
  let simulator: SimulatorProcess;
  before(async () => {
    simulator = await startSimulator({ mounts: [{ name: 'hevc', video: 'hevc-360p' }, { name: 'bframes', video: 'bframes-360p-high' }] });
  });
  after(async () => {
    await hosts.close();
    await simulator.close();
  });

  /** A source and a transcode of it; `feed` is where it goes. */
  async function start(t: TestContext, { mount, codec, sequence = 100, maxHeight = 1_080 }: { mount: string; codec: 'H264' | 'H265'; sequence?: number; maxHeight?: number }) {
    const source = await hosts.pool.take('camera:cam/source');
    source.send({ type: 'source.start', spec: sourceSpec(simulator.url(mount), { video: { codec } }) });
    const said = record(source);
    const { hubPort } = await said.next('source.started');
    const { media } = await said.next('source.media');
    const receiver = await receive();
    const bind = await hosts.ports.lease('camera:cam/transcode');
    const host = await hosts.pool.take('camera:cam/transcode');
    t.after(async () => {
      await Promise.all([source.kill(), host.kill(), receiver.close()]);
      await bind.release();
    });
    const told = record(host);
    host.send({ type: 'output.start', spec: {
      output: 'transcode', camera: 'cam', hub: { port: hubPort, codec, gopMs: null }, form: transcodeForm(media as VideoFormat, maxHeight),
      feed: { port: receiver.port, bindPort: bind.port, ssrc: 3_735_928_559, payloadType: 96, sequence },
    } });
    return { host, told, receiver, said };
  }

  for (const { mount, codec } of [{ mount: 'hevc', codec: 'H265' }, { mount: 'bframes', codec: 'H264' }] as const) {
    test(`of ${mount} waits for the ingest behind its gate, then sends constrained baseline from a keyframe on, without B-frames, that ffmpeg decodes`, async (t) => {
      const { host, told, receiver } = await start(t, { mount, codec });
      await told.next('gate.ready', 15_000);
      assert.equal(receiver.packets.length, 0, 'nothing leaves before the gate is open');
      host.send({ type: 'gate.open' });
      const { packets } = receiver;
      await eventually(() => packets.filter(({ marker }) => marker).length >= 40, { timeoutMs: 20_000, what: '40 pictures' });
      // What was still on its way through the gate when the feed was aimed past it comes a moment late (`host/gate.ts`). Numbers begin at 100: none wraps.
      const seen = packets.toSorted((a, b) => a.sequence - b.sequence);
      assert.ok(packets.every((packet, index) => Math.abs(seen.indexOf(packet) - index) < lateMost), 'in order, but for what was late');
      assert.deepEqual(kinds(unitsOf(seen.slice(0, 1))), [delimiter], 'first the packet that mediasoup drops');
      for (const [index, { sequence }] of seen.slice(1).entries()) assert.equal(sequence, (seen[index]!.sequence + 1) & 0xffff, `packet ${index + 1}`);
      // Presentation times in decoding order that only grow: no B-frames.
      for (const [index, { timestamp }] of seen.slice(1).entries()) assert.ok(((timestamp - seen[index]!.timestamp) | 0) >= 0, `packet ${index + 1} goes back in time`);
      const units = unitsOf(seen);
      const parameters = parseH264Sps(units.find((unit) => (unit.readUInt8(0) & 0x1f) === sps)!);
      assert.deepEqual([parameters?.profile, parameters?.width, parameters?.height], ['constrained-baseline', 640, 360]);
      assert.ok(kinds(units).filter((kind) => kind === idr).length >= 2, 'a keyframe each second');
      const path = join(await temporaryDir(t), 'out.h264');
      await writeFile(path, Buffer.concat(units.flatMap((unit) => [fourCc, unit])));
      const { stdout, stderr } = await run('ffprobe', ['-v', 'error', '-f', 'h264', '-count_frames', '-show_entries', 'stream=nb_read_frames,has_b_frames,profile', '-of', 'json', path]);
      const { streams: [stream] } = JSON.parse(stdout) as { streams: { nb_read_frames: string; has_b_frames: number; profile: string }[] };
      assert.equal(stream?.has_b_frames, 0);
      assert.ok(Number(stream?.nb_read_frames) > 36, `${stream?.nb_read_frames} frames decoded`);
      assert.doesNotMatch(stderr, /error|corrupt|invalid/iu);
      // The GOP that the hub had cached is not shown at its pace: what leaves is of now, on CLOCK_MONOTONIC.
      const last = packets.at(-1)!;
      const nowTicks = Number((process.hrtime.bigint() * 9n / 100_000n) % 0x1_0000_0000n);
      assert.ok(Math.abs((nowTicks - last.timestamp) | 0) < 90 * 2_000, `the newest picture is ${((nowTicks - last.timestamp) | 0) / 90} ms old`);
      await eventually(() => told.events.some((event) => event.type === 'output.stats' && event.stats.frames > 0 && event.stats.sequence !== undefined), { timeoutMs: 5_000, what: 'figures' });
    });
  }

  test('of a picture that is too high is smaller, and one whose source ends is finished', async (t) => {
    const { host, told, receiver, said } = await start(t, { mount: 'hevc', codec: 'H265', maxHeight: 180 });
    await told.next('gate.ready', 15_000);
    host.send({ type: 'gate.open' });
    await eventually(() => kinds(unitsOf(receiver.packets)).includes(sps), { timeoutMs: 10_000, what: 'parameter sets' });
    const parameters = parseH264Sps(unitsOf(receiver.packets).find((unit) => (unit.readUInt8(0) & 0x1f) === sps)!);
    assert.deepEqual([parameters?.width, parameters?.height], [320, 180]);
    assert.ok(said.events.some((event) => event.type === 'source.media'));
    await hosts.pool.find('camera:cam/source')?.release();
    await told.next('output.finished');
  });
});
