/** What no depayloader, muxer or rate limiter of GStreamer bears: packets that end before them, and times that are mended before them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { framedRtp } from '../support/framed-rtp.ts';

const plugins = join(import.meta.dirname, '..', '..', '.cache', 'gst');

type Packet = { payload: number[] | Buffer; at?: number; first?: number; marker?: boolean };

/** Framed RTP; `at` in ms. */
function framed(packets: readonly Packet[]): Buffer {
  return Buffer.concat(packets.map(({ payload, at = 0, ...head }, sequence) => framedRtp({ ...head, payload: Buffer.from(payload), sequence, timestamp: at * 90 })));
}

/** What `fakesink` says of each buffer: bytes, its times in ms, that of decoding NaN where it has none, and whether decoding can begin with it. Rejects where the pipeline fails or dies. */
async function through(packets: readonly Packet[], { encoding, rest }: { encoding: string; rest: string }): Promise<{ bytes: number; ms: number; decodedAt: number; begins: boolean }[]> {
  const launch = `fdsrc fd=0 ! application/x-rtp-stream,media=video,clock-rate=90000,payload=96,encoding-name=${encoding} ! rtpstreamdepay ! ${rest} ! fakesink silent=false sync=false`;
  const child = spawn('gst-launch-1.0', ['-v', ...launch.split(' ')], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, GST_PLUGIN_PATH: plugins, GST_REGISTRY: join(plugins, 'registry.bin') } });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => void said.push(chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(framed(packets));
  const [code, signal] = await once(child, 'close') as [number | null, string | null];
  assert.deepEqual([code, signal], [0, null], said.join('').slice(-2_000));
  return [...said.join('').matchAll(/chain\s+\*+ \([^)]*\) \((\d+) bytes, dts: ([^,]+), pts: ([^,]+),.*flags: [0-9a-f]+ ([^,]*),/gu)].map(([, bytes, decodedAt = '', ms = '', flags = '']) => ({ bytes: Number(bytes), ms: Math.round(milliseconds(ms)), decodedAt: milliseconds(decodedAt), begins: !flags.includes('delta-unit') }));
}

/** Of `0:00:01.040000000`; NaN for `none`. */
function milliseconds(time: string): number {
  const [hours, minutes, seconds] = time.split(':').map(Number);
  return hours! * 3_600_000 + minutes! * 60_000 + seconds! * 1_000;
}

const passing = async (codec: number, packets: readonly Packet[], encoding = 'H264'): Promise<number[]> => (await through(packets, { encoding, rest: `lookoutflight codec=${codec}` })).map(({ bytes }) => bytes - 12);

/** Units in one packet (RFC 6184 §5.7.1, RFC 7798 §4.4.2). */
const together = (head: number[], ...units: number[][]): Packet => ({ payload: [...head, ...units.flatMap((unit) => [0, unit.length, ...unit])] });

/** Of the units that go on, whether decoding can begin with each. */
async function beginnings(encoding: 'H264' | 'H265', packets: readonly Packet[]): Promise<boolean[]> {
  const codec = encoding.toLowerCase();
  return (await through(packets.map((packet, index) => ({ ...packet, at: index * 40 })), { encoding, rest: `rtp${codec}depay ! video/x-${codec},stream-format=byte-stream,alignment=au ! lookouttimes` })).map(({ begins }) => begins);
}

describe('beginnings', () => {
  test('of H.264 are IDR pictures and recovery points: parameter sets before another picture make none', async () => {
    const [stap, sps, idr, slice, recovery, other] = [[0x78], [0x67, 66, 0, 30, 1], [0x65, 0x88, 1, 2], [0x41, 0x9a, 1, 2], [0x06, 1, 0, 6, 1, 0x80, 0x80], [0x06, 5, 1, 0x80, 0x80]];
    assert.deepEqual(await beginnings('H264', [
      together(stap, sps, slice), together(stap, sps, idr), { payload: slice }, together(stap, sps, slice), together(stap, sps, other, slice), together(stap, sps, recovery, slice), together(stap, sps, slice, idr), together(stap, sps, idr),
    ]), [true, false, false, false, true, false, true], 'what comes before the first one goes no further, and a message without content hides none behind it');
  });

  test('of H.265 are IRAP pictures', async () => {
    const [packet, vps, idr, cra, slice] = [[0x60, 1], [0x40, 1, 1, 2], [0x26, 1, 0x88, 1], [0x2a, 1, 0x88, 1], [0x02, 1, 0x88, 1]];
    assert.deepEqual(await beginnings('H265', [together(packet, vps, slice), together(packet, vps, idr), together(packet, vps, slice), together(packet, vps, cra)]), [true, false, true]);
  });
});

describe('payloads', () => {
  test('of H.264: what is empty, cut, reserved or no continuation ends before the depayloader; what is whole passes', async () => {
    const good: Packet[] = [{ payload: [0x67, 1, 2] }, { payload: [0x78, 0, 2, 0x65, 1, 0, 3, 0x41, 1, 2] }, { payload: [0x7c, 0x85, 1, 2, 3, 4] }, { payload: [0x7c, 0x05, 1, 2, 3] }, { payload: [0x7c, 0x45, 1, 2] }];
    assert.deepEqual(await passing(1, good), good.map(({ payload }) => payload.length));
    const bad: Packet[] = [
      { payload: [] }, { payload: [0x65] }, { payload: [0x7c, 0x85] }, { payload: [0x7c, 0xc5, 1] }, { payload: [0x7c, 0x05, 1] }, { payload: [0x7c, 0x9c, 1] }, { payload: [0xe5, 1] }, { payload: [0x60, 1] }, { payload: [0x7f, 1] },
      { payload: [0x78, 0, 0] }, { payload: [0x78, 0, 9, 0x65, 1] }, { payload: [0x78, 0, 2, 0x60, 1] }, { payload: [0x79, 0, 0, 1] }, { payload: [0x65, 1, 0], first: 0xa0 }, { payload: [0x65, 1], first: 0x90 },
    ];
    assert.deepEqual(await passing(1, bad), []);
  });

  test('of H.265 and of sound likewise', async () => {
    assert.deepEqual(await passing(2, [{ payload: [0x26, 1, 9] }, { payload: [0x62, 1, 0x93, 1] }, { payload: [0x62, 1, 0x53, 1] }, { payload: [0x60, 1, 0, 3, 0x26, 1, 5] }], 'H265'), [3, 4, 4, 7]);
    assert.deepEqual(await passing(2, [{ payload: [] }, { payload: [0x26, 1] }, { payload: [0x62, 1, 0x93] }, { payload: [0x62, 1, 0x13, 1] }, { payload: [0x60, 1, 0, 9, 0x26] }, { payload: [0x52, 1, 1] }, { payload: [0x26, 0, 1] }], 'H265'), []);
    assert.deepEqual(await passing(4, [{ payload: [] }, { payload: [1] }]), [1]);
    assert.deepEqual(await passing(3, [{ payload: [0, 16, 0, 8] }, { payload: [0, 16, 0, 8, 1] }]), [5], 'what is not AAC-hbr is held to its length alone');
  });

  test('that were refused cost the depayloader nothing: it lives, and gives the units that are whole', async () => {
    const unit = [0x65, ...Array.from({ length: 40 }, (_, index) => index)];
    const units = await through([{ payload: unit, at: 0 }, { payload: [], at: 40 }, { payload: [0x7c, 0x85], at: 80 }, { payload: [0x7c, 0x45], at: 120 }, { payload: unit, at: 160 }], { encoding: 'H264', rest: 'lookoutflight codec=1 ! rtph264depay ! video/x-h264,stream-format=byte-stream,alignment=au' });
    assert.equal(units.length, 2);
  });
});

describe('times', () => {
  const key = [0x65, ...Array.from({ length: 20 }, () => 7)];
  const delta = [0x41, ...Array.from({ length: 20 }, () => 7)];
  const frames = async (times: readonly (number | 'key')[], period = 8): Promise<number[]> => {
    const packets = times.map((at, index) => ({ payload: index % period === 0 ? key : delta, at: at as number }));
    return (await through(packets, { encoding: 'H264', rest: 'rtpjitterbuffer mode=none latency=0 ! rtph264depay ! video/x-h264,stream-format=byte-stream,alignment=au ! lookouttimes' })).map(({ ms }) => ms);
  };

  test('that go on are left alone, those of B-frames too', async () => {
    const steady = Array.from({ length: 24 }, (_, index) => 1_000 + index * 40);
    assert.deepEqual((await frames(steady)).map((ms, _, all) => ms - all[0]!), steady.map((ms) => ms - 1_000));
    const bFrames = [0, 1, 2].flatMap((gop) => [0, 3, 1, 2, 6, 4, 5, 7].map((place) => 1_000 + (gop * 8 + place) * 40));
    assert.deepEqual((await frames(bFrames)).map((ms, _, all) => ms - all[0]!), bFrames.map((ms) => ms - 1_000));
  });

  test('that stand still or go back are mended: each is later than all before, and what follows finds its way back', async () => {
    const steady = Array.from({ length: 40 }, (_, index) => 1_000 + index * 40);
    for (const damage of [(at: number, index: number) => (index >= 18 && index < 28 ? 1_000 + 17 * 40 : at), (at: number, index: number) => (index >= 18 && index < 28 ? at - 400 : at), (at: number, index: number) => (index >= 18 && index < 28 && index % 2 === 0 ? at - 60 : at)]) {
      const mended = await frames(steady.map(damage));
      assert.equal(mended.length, 40);
      assert.ok(mended.every((ms, index) => index === 0 || ms > mended[index - 1]!), mended.join());
      assert.equal(mended.at(-1)! - mended[0]!, 39 * 40);
    }
  });

  test('of decoding are told where asked: they grow, none is later than its presentation, and soon each is a presentation time of one before', async () => {
    const launch = 'rtpjitterbuffer mode=none latency=0 ! rtph264depay ! video/x-h264,stream-format=byte-stream,alignment=au ! lookouttimes decode-times=true';
    const orders = { none: [0, 1, 2, 3, 4, 5, 6, 7], plain: [0, 3, 1, 2, 6, 4, 5, 7], pyramid: [0, 4, 2, 1, 3, 7, 6, 5] };
    for (const [name, order] of Object.entries(orders)) {
      const shown = Array.from({ length: 5 }, (_, gop) => order.map((place) => 1_000 + (gop * 8 + place) * 40)).flat();
      const units = await through(shown.map((at, index) => ({ payload: index % 8 === 0 ? key : delta, at })), { encoding: 'H264', rest: launch });
      assert.deepEqual(units.map(({ ms }) => ms - units[0]!.ms), shown.map((at) => at - 1_000), `${name}: what is shown stays`);
      const decoded = units.map(({ decodedAt }) => decodedAt);
      assert.ok(decoded.every((at, index) => index === 0 || at > decoded[index - 1]!), `${name}: ${decoded.join()}`);
      assert.ok(units.every(({ ms, decodedAt }) => decodedAt <= ms + 0.001), `${name}: nothing is shown before it is decoded`);
      const steps = decoded.slice(8).map((at, index, all) => (index === 0 ? 40 : Math.round(at - all[index - 1]!)));
      assert.ok(steps.every((step) => step === 40), `${name}: ${steps.join()}`);
      if (name === 'none') assert.deepEqual(decoded.map(Math.round), units.map(({ ms }) => ms));
    }
  });

  test('of decoding follow a stream that reorders deeper later on', async () => {
    const order = (gop: number): number[] => (gop < 2 ? [0, 1, 2, 3, 4, 5, 6, 7] : [0, 4, 2, 1, 3, 7, 6, 5]);
    const shown = Array.from({ length: 10 }, (_, gop) => order(gop).map((place) => 1_000 + (gop * 8 + place) * 40)).flat();
    const units = await through(shown.map((at, index) => ({ payload: index % 8 === 0 ? key : delta, at })), { encoding: 'H264', rest: 'rtpjitterbuffer mode=none latency=0 ! rtph264depay ! video/x-h264,stream-format=byte-stream,alignment=au ! lookouttimes decode-times=true' });
    assert.ok(units.every(({ decodedAt }, index) => index === 0 || decodedAt > units[index - 1]!.decodedAt));
    assert.ok(units.slice(-24).every(({ ms, decodedAt }) => decodedAt <= ms + 0.001));
  });

  test('of decoded frames come at most as often as asked, whatever rate the stream claims', async () => {
    const child = spawn('gst-launch-1.0', ['-v', ...'videotestsrc num-buffers=50 ! video/x-raw,width=16,height=16,framerate=25/1 ! capssetter caps=video/x-raw,framerate=(fraction)2147483647/1 join=true ! lookouttimes max-rate=5 ! fakesink silent=false sync=false'.split(' ')], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, GST_PLUGIN_PATH: plugins, GST_REGISTRY: join(plugins, 'registry.bin') } });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => void (text += chunk.toString()));
    assert.deepEqual(await once(child, 'close'), [0, null]);
    // Two seconds, and the frame that is a quarter of an interval early at the end of them.
    assert.equal(text.match(/chain\s+\*+/gu)?.length, 11);
  });
});

test('what a source shows is never more than a second ahead of its arrival, whatever its clock says', async () => {
  const frames = [0, 40, 5_000, 5_040, 5_080].map((at) => ({ payload: [0x65, 0x88, 1, 2], at }));
  const shown = await through([{ payload: Buffer.from('6742c01ed900a02ff97016a0c0c0d4a0000003002000000651e2c5c9', 'hex'), marker: false }, { payload: [0x68, 0xcb, 0x8c, 0xb2], marker: false }, ...frames], { encoding: 'H264', rest: 'rtpjitterbuffer mode=none latency=0 ! rtph264depay ! video/x-h264,stream-format=avc,alignment=au ! lookoutcount' });
  const times = shown.map(({ ms }) => ms);
  assert.equal(times.length, frames.length);
  assert.deepEqual(times.slice(0, 2), [0, 40]);
  assert.ok(times.slice(2).every((ms, index) => ms < 4_000 && ms > times[index + 1]!), String(times));
});
