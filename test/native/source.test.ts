/** A source in a real host, pulling from a real RTSP server that is not ours. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGstRtspServer, type GstRtspServer } from '../support/gst-rtsp-server.ts';
import { receiveRtp, record, sequenceGaps, sourceSpec, startPool } from '../support/hosts.ts';
import { boxRuns, boxStart, readRuns } from '../../src/native/flight-box.ts';
import type { Host } from '../../src/native/host.ts';
import { monotonicMs } from '../../src/native/monotonic.ts';
import type { SourceSpec } from '../../src/native/protocol.ts';

/** What a hub sends a new client within 100 ms. */
async function firstBurst(port: number): Promise<number> {
  let bytes = 0;
  const socket = connect(port, '127.0.0.1');
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await once(AbortSignal.timeout(100), 'abort');
  socket.destroy();
  return bytes;
}

/** Whether the newest keyframe of a source with a GOP of 1 s came about half a second ago, by what its flight box says. */
function isHalfway(host: Host): boolean {
  const box = host.flight();
  const began = box && boxStart(box);
  if (box === undefined || began === undefined) return false;
  const newest = readRuns(boxRuns(box, 0), began).findLast(({ keyframe }) => keyframe);
  const age = newest === undefined ? 0 : monotonicMs() - newest.at;
  return age > 400 && age < 700;
}

describe('source', () => {
  let server: GstRtspServer;
  const hosts = startPool();
  before(async () => {
    server = await startGstRtspServer({ mounts: { '/video': 'h264', '/both': 'h264-pcma', '/hevc': 'h265', '/sound': 'pcma', '/high': 'h264-high' } });
  });
  after(async () => {
    await hosts.close();
    await server.close();
  });

  const start = async (spec: SourceSpec) => {
    const host = await hosts.pool.take('camera:test/source');
    const said = record(host);
    host.send({ type: 'source.start', spec });
    return { host, said };
  };

  for (const transport of ['tcp', 'udp'] as const) {
    test(`source over ${transport} feeds RTP with the leased port, the fixed SSRC and no gap`, async () => {
      const receiver = await receiveRtp();
      const port = await hosts.ports.lease('camera:test/ingest');
      const ssrc = 3_735_928_559;
      const { host, said } = await start(sourceSpec(server.url('/video'), { transport, feed: { port: receiver.port, bindPort: port.port, ssrc, payloadType: 101, open: true } }));
      await said.next('source.flowing');
      await eventually(() => receiver.packets.length > 60, { timeoutMs: 8000, what: '60 packets' });
      await host.release();
      const { packets } = receiver;
      assert.equal(sequenceGaps(packets), 0);
      assert.deepEqual([...new Set(packets.map((packet) => packet.ssrc))], [ssrc]);
      assert.deepEqual([...new Set(packets.map((packet) => packet.payloadType))], [101]);
      assert.deepEqual([...new Set(packets.map((packet) => packet.fromPort))], [port.port]);
      assert.ok(packets.every((packet) => packet.bytes <= 1200));
      // The RTP clock is CLOCK_MONOTONIC: the newest packet was stamped within the last second.
      const now = Number((process.hrtime.bigint() / 1000n * 90n / 1000n) % 0x1_0000_0000n);
      const ageMs = ((now - packets.at(-1)!.timestamp) | 0) / 90;
      assert.ok(ageMs > -50 && ageMs < 1000, `stamped ${ageMs} ms ago`);
      await port.release();
      await receiver.close();
    });
  }

  test('feed is silent while its valve is shut and flows once it opens', async () => {
    const receiver = await receiveRtp();
    const port = await hosts.ports.lease('camera:test/ingest');
    const { host, said } = await start(sourceSpec(server.url('/video'), { feed: { port: receiver.port, bindPort: port.port, ssrc: 7, payloadType: 96, open: false } }));
    const { stats } = await said.next('source.stats');
    assert.ok(stats.packets > 0);
    assert.equal(stats.feedBytes, 0);
    assert.equal(receiver.packets.length, 0);
    host.send({ type: 'feed.set', open: true });
    await eventually(() => receiver.packets.length > 10, { what: 'packets after opening' });
    host.send({ type: 'feed.set', open: false });
    let before = -1;
    await eventually(async () => {
      const same = before === receiver.packets.length;
      before = receiver.packets.length;
      await once(AbortSignal.timeout(200), 'abort');
      return same && before === receiver.packets.length;
    }, { what: 'silence after shutting' });
    await host.release();
    await port.release();
    await receiver.close();
  });

  test('a feed that opens after its source rested begins live, and the hub with the running GOP', async () => {
    const receiver = await receiveRtp();
    const port = await hosts.ports.lease('camera:test/ingest');
    const { host, said } = await start(sourceSpec(server.url('/video'), { feed: { port: receiver.port, bindPort: port.port, ssrc: 7, payloadType: 96, open: false } }));
    const { hubPort } = await said.next('source.started');
    const frames = (): number => said.events.findLast((event) => event.type === 'source.stats')?.stats.frames ?? 0;
    // It rests from the first keyframe on after 5 s.
    await eventually(() => frames() > 25 * 7 && isHalfway(host), { timeoutMs: 15_000, what: 'half of a GOP after 7 s' });
    const now = (): number => Number((process.hrtime.bigint() / 1000n * 90n / 1000n) % 0x1_0000_0000n);
    const asked = now();
    host.send({ type: 'feed.set', open: true });
    await eventually(() => receiver.packets.length > 0, { what: 'a packet' });
    assert.ok(((receiver.packets[0]!.timestamp - asked) | 0) / 90 > -200, 'nothing of the GOP that ran');
    host.send({ type: 'feed.set', open: false });
    assert.ok(await firstBurst(hubPort) > 1_000);
    await eventually(() => said.events.findLast((event) => event.type === 'source.stats')!.stats.keyframes > 9, { what: 'two more keyframes' });
    const { stats } = said.events.findLast((event) => event.type === 'source.stats')!;
    assert.ok(Math.abs(stats.fps! - 25) < 2.5 && Math.abs(stats.keyframeIntervalMs! - 1_000) <= 300, JSON.stringify(stats));
    await host.release();
    await port.release();
    await receiver.close();
  });

  test('source tells codec, profile and size as the SPS says, and counts frames and keyframes', async () => {
    const { host, said } = await start(sourceSpec(server.url('/high')));
    const { media } = await said.next('source.media');
    assert.deepEqual({ ...media, profileLevelId: media.profileLevelId?.slice(0, 2) }, { codec: 'H264', profile: 'high', profileLevelId: '64', width: 320, height: 240, fps: 25 });
    await eventually(() => said.events.filter((event) => event.type === 'source.stats').length >= 4, { what: 'four statistics' });
    const last = said.events.findLast((event) => event.type === 'source.stats')!.stats;
    assert.ok(last.frames >= 75 && last.keyframes >= 3, JSON.stringify(last));
    assert.ok(Math.abs(last.fps! - 25) < 2.5, `${last.fps} fps`);
    assert.ok(Math.abs(last.keyframeIntervalMs! - 1000) <= 300, `${last.keyframeIntervalMs} ms`);
    assert.ok(last.packetAgeMs! < 500 && last.keyframeAgeMs! <= 1300);
    await host.release();
  });

  test('source with a second, audio track plays on and no unlinked pad ends it', async () => {
    const { host, said } = await start(sourceSpec(server.url('/both')));
    await eventually(() => said.events.filter((event) => event.type === 'source.stats').length >= 3, { what: 'three statistics' });
    assert.equal(said.events.some((event) => event.type === 'source.failed'), false);
    const seen = said.events.findLast((event) => event.type === 'source.stats')!.stats;
    assert.ok(seen.frames > 45, JSON.stringify(seen));
    await host.release();
  });

  test('camera that offers only audio is media-changed at once, for a probe had seen video', async () => {
    const { host, said } = await start(sourceSpec(server.url('/sound')));
    const { failure } = await said.next('source.failed');
    assert.equal(failure.class, 'media-changed');
    await host.release();
  });

  for (const { codec, mount, player } of [
    { codec: 'H264', mount: '/video', player: (port: number) => ['gst-launch-1.0', '-q', 'tcpclientsrc', 'host=127.0.0.1', `port=${port}`, '!', 'application/x-rtp-stream,media=video,clock-rate=90000,payload=96,encoding-name=H264', '!', 'rtpstreamdepay', '!', 'rtph264depay', '!', 'h264parse', '!', 'identity', 'eos-after=20', '!', 'avdec_h264', '!', 'fakesink'] },
    { codec: 'H265', mount: '/hevc', player: (port: number) => ['ffmpeg', '-v', 'error', '-f', 'matroska', '-i', `tcp://127.0.0.1:${port}`, '-frames:v', '20', '-f', 'null', '-'] },
  ] as const) {
    test(`hub of an ${codec} source begins with the latest keyframe, whatever the client's moment`, async () => {
      const { host, said } = await start(sourceSpec(server.url(mount), { video: { codec } }));
      const { hubPort } = await said.next('source.started');
      await said.next('source.media');
      // A second GOP of 1 s is under way when these two join: waiting for the next keyframe would show.
      for (let client = 0; client < 2; client += 1) {
        await eventually(() => said.events.some((event) => event.type === 'source.stats' && event.stats.frames > 30 + 12 * client), { what: 'a second GOP' });
        await eventually(() => isHalfway(host), { timeoutMs: 15_000, what: 'half a GOP' });
        const began = performance.now();
        const bytes = await firstBurst(hubPort);
        assert.ok(bytes > 3000, `${bytes} bytes at once are less than a keyframe`);
        assert.ok(performance.now() - began < 300);
      }
      const [program = '', ...args] = player(hubPort);
      const [code] = await once(spawn(program, args, { stdio: 'ignore' }), 'exit') as [number];
      assert.equal(code, 0);
      await host.release();
    });
  }

  test('client that never reads slows down neither the source nor another client', async () => {
    const { host, said } = await start(sourceSpec(server.url('/video')));
    const { hubPort } = await said.next('source.started');
    await said.next('source.flowing');
    const mute = connect(hubPort, '127.0.0.1').pause();
    let received = 0;
    const reader = connect(hubPort, '127.0.0.1').on('data', (chunk: Buffer) => (received += chunk.length));
    await eventually(() => said.events.filter((event) => event.type === 'source.stats').length >= 4, { what: 'four statistics' });
    const { stats } = said.events.findLast((event) => event.type === 'source.stats')!;
    assert.ok(Math.abs(stats.fps! - 25) < 3, `${stats.fps} fps`);
    assert.ok(received > 0.7 * stats.bytes, `${received} of ${stats.bytes} bytes`);
    mute.destroy();
    reader.destroy();
    await host.release();
  });

  test('snapshot of a running camera is a JPEG of the wanted width', async () => {
    const source = await start(sourceSpec(server.url('/video')));
    const { hubPort } = await source.said.next('source.started');
    await source.said.next('source.media');
    const taker = await hosts.pool.take('camera:test/snapshot');
    const said = record(taker);
    const began = performance.now();
    taker.send({ type: 'snapshot.take', hubPort, codec: 'H264', width: 160, quality: 80 });
    const picture = await said.next('snapshot.taken');
    console.log(`snapshot ${Math.round(performance.now() - began)} ms, ${picture.jpeg.length} bytes`);
    assert.deepEqual([picture.width, picture.height], [160, 120]);
    assert.deepEqual([...picture.jpeg.subarray(0, 3)], [0xff, 0xd8, 0xff]);
    assert.deepEqual([...picture.jpeg.subarray(-2)], [0xff, 0xd9]);
    await Promise.all([taker.release(), source.host.release()]);
  });

  test('snapshot from a port where no hub is fails within the second', async () => {
    const taker = await hosts.pool.take('camera:test/snapshot');
    const said = record(taker);
    taker.send({ type: 'snapshot.take', hubPort: 9, codec: 'H264', width: 0, quality: 80 });
    await eventually(() => said.events.some((event) => event.type === 'snapshot.failed'), { timeoutMs: 3000 });
    await taker.release();
  });

  test('host with a playing source keeps less than 24 MB of private memory', async () => {
    const { host, said } = await start(sourceSpec(server.url('/video')));
    await said.next('source.stats');
    const rollup = readFileSync(`/proc/${host.pid}/smaps_rollup`, 'utf8');
    const kilobytes = [...rollup.matchAll(/^Private_\w+:\s+(\d+) kB$/gmu)].reduce((sum, match) => sum + Number(match[1]), 0);
    console.log(`private memory of a host: ${(kilobytes / 1024).toFixed(1)} MB`);
    assert.ok(kilobytes < 24 * 1024, `${kilobytes} kB`);
    await host.release();
  });

  test('ten sources in turn leave the leases where they were', async () => {
    const baseline = hosts.registry.leases().length;
    for (let i = 0; i < 10; i += 1) {
      const port = await hosts.ports.lease('camera:test/ingest');
      const { host, said } = await start(sourceSpec(server.url('/video'), { feed: { port: 9, bindPort: port.port, ssrc: 7, payloadType: 96, open: true } }));
      await said.next('source.flowing');
      await hosts.registry.revoke('camera:test');
      assert.equal((await host.exited).reason, 'asked');
    }
    assert.equal(hosts.registry.leases().length, baseline);
  });
});
