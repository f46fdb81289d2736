/** An HLS output in a real host on the hub of a real source: its segments, one behind the other, read by ffprobe and GStreamer. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { HlsSegment } from '../../src/native/protocol.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { record, sourceSpec, startPool } from '../support/hosts.ts';
import { decodes, ffprobe, packetTimes } from '../support/media-file.ts';
import { startSimulator } from '../support/simulator.ts';

const frameMs = 40;
const cases = [
  { name: 'tiny', codec: 'H264', gopMs: 1_000, segmentMs: 1_000, container: 'tsdemux' },
  { name: 'hevc', codec: 'H265', gopMs: 2_000, segmentMs: 2_000, container: 'qtdemux' },
] as const;

describe('an HLS output', () => {
  const hosts = startPool();
  let simulator: SimulatorProcess;
  before(async () => {
    simulator = await startSimulator({ mounts: [{ name: 'tiny', video: 'tiny-320x180-main' }, { name: 'hevc', video: 'hevc-360p' }, { name: 'bframes', video: 'bframes-360p-high' }] });
  });
  after(async () => {
    await hosts.close();
    await simulator.close();
  });

  const run = async (t: TestContext, { name, codec, gopMs, segmentMs }: { name: string; codec: 'H264' | 'H265'; gopMs: number; segmentMs: number }, keep: number) => {
    const dir = await mkdtemp(join(tmpdir(), 'lookout-hls-'));
    defer(t, () => rm(dir, { recursive: true, force: true }));
    const source = await hosts.pool.take('camera:cam/source');
    const said = record(source);
    source.send({ type: 'source.start', spec: sourceSpec(simulator.url(name), { video: { codec } }) });
    const { hubPort } = await said.next('source.started');
    await said.next('source.media');
    const host = await hosts.pool.take('camera:cam/hls');
    const told = record(host);
    host.send({ type: 'output.start', spec: { output: 'hls', camera: 'cam', hub: { port: hubPort, codec, gopMs }, dir: join(dir, 'session'), segmentMs, keep } });
    const segments = (): HlsSegment[] => told.events.flatMap((event) => (event.type === 'segment.closed' ? [event.segment] : []));
    return { dir: join(dir, 'session'), source, host, told, segments };
  };

  for (const one of cases) {
    test(`of an ${one.codec} camera makes segments that follow each other on one time line and lose no frame`, async (t) => {
      const hls = await run(t, one, 100);
      await eventually(() => hls.segments().length >= 3, { timeoutMs: 30_000, what: 'three segments' });
      hls.host.send({ type: 'output.finish', drainMs: 0 });
      await hls.told.next('output.finished');
      await Promise.all([hls.host.release(), hls.source.release()]);
      const segments = hls.segments();
      for (const [index, { startAt, durationMs, bytes, name }] of segments.entries()) {
        assert.equal((await readFile(join(hls.dir, name))).length, bytes);
        const next = segments[index + 1];
        if (next) assert.ok(Math.abs(next.startAt - startAt - durationMs) <= frameMs, `${next.startAt - startAt - durationMs} ms between two segments`);
        if (index < segments.length - 1) assert.ok(Math.abs(durationMs - one.segmentMs) <= 2 * frameMs, `${durationMs} ms`);
      }
      assert.equal(new Set(segments.map(({ map }) => map)).size, 1);
      const parts = [...(segments[0]!.map === null ? [] : [segments[0]!.map]), ...segments.map(({ name }) => name)];
      const whole = join(hls.dir, 'whole');
      await writeFile(whole, Buffer.concat(await Promise.all(parts.map((part) => readFile(join(hls.dir, part))))));
      const probed = await ffprobe(whole);
      assert.equal(probed.codec, one.codec === 'H264' ? 'h264' : 'hevc');
      assert.ok(probed.firstIsKeyframe);
      const distances = probed.times.slice(1).map((time, i) => Math.round((time - probed.times[i]!) * 1_000));
      assert.ok(Math.min(...distances) > 0, `frames ${distances.join()} ms apart`);
      const seconds = segments.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1_000;
      assert.ok(Math.abs(probed.frames - seconds * 25) <= 3, `${probed.frames} frames in ${seconds} s`);
      await decodes(whole, one.codec === 'H264' ? 'h264' : 'h265', one.container);
    });
  }

  test('of a camera with B-frames says when each is decoded: no frame is shown before it, over all segments', async (t) => {
    const hls = await run(t, { name: 'bframes', codec: 'H264', gopMs: 2_000, segmentMs: 2_000 }, 100);
    await eventually(() => hls.segments().length >= 3, { timeoutMs: 30_000, what: 'three segments' });
    await Promise.all([hls.host.release(), hls.source.release()]);
    const whole = join(hls.dir, 'whole');
    await writeFile(whole, Buffer.concat(await Promise.all(hls.segments().map(({ name }) => readFile(join(hls.dir, name))))));
    const packets = await packetTimes(whole);
    assert.ok(packets.length >= 149, `${packets.length} frames`);
    assert.ok(packets.every(({ dts, pts }, index) => dts <= pts && (index === 0 || dts > packets[index - 1]!.dts)), JSON.stringify(packets));
    assert.ok(packets.some(({ dts, pts }) => pts - dts > 0.06), 'they are reordered');
    const shown = packets.map(({ pts }) => pts).sort((a, b) => a - b);
    assert.ok(shown.slice(1).every((pts, index) => Math.abs(pts - shown[index]! - frameMs / 1_000) < 0.02), `shown at an even pace: ${shown.map((pts) => Math.round(pts * 1_000)).join()}`);
    await decodes(whole, 'h264', 'tsdemux');
  });

  test('keeps no more segments on the disk than it was told to', async (t) => {
    const hls = await run(t, cases[0], 2);
    await eventually(() => hls.segments().length >= 4, { timeoutMs: 30_000, what: 'four segments' });
    const files = (await readdir(hls.dir)).filter((name) => name.endsWith('.ts'));
    await Promise.all([hls.host.release(), hls.source.release()]);
    assert.ok(files.length <= 3, files.join());
  });
});
