/** `lookoutrest`: what nobody reads is kept as it came and counted all the same, and whoever comes gets it as if it had never rested. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openFlightBox } from '../../src/native/flight-box.ts';
import { createHubReader, type HubPacket } from '../../src/native/hub-reader.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { framedRtp } from '../support/framed-rtp.ts';
import { freePort } from '../support/free-port.ts';
import { sequenceGaps } from '../support/hosts.ts';

const plugins = join(import.meta.dirname, '../../.cache/gst');
const frameTicks = 3_600;
const [aud, sps, pps, idr, slice] = [[9, 0xf0], [...Buffer.from('6742c01ed900a02ff97016a0c0c0d4a0000003002000000651e2c5c9', 'hex')], [0x68, 0xcb, 0x8c, 0xb2], [0x65, 0x88, 1, 2, 3, 4], [0x41, 0x9a, 1, 2, 3, 4]];
/** The same for another number of reference frames. */
const otherSps = [...Buffer.from('6742c01ed900a03d6016a0c0c0d4a0000003002000000651e2c5c9', 'hex')];

/** A pipeline from framed RTP, or from `video`, to a hub, with a flight box; what passes `lookoutrest` is counted by what `-v` says of it. */
async function startRest(t: TestContext, { video = 'fdsrc fd=0 ! application/x-rtp-stream,media=video,clock-rate=90000,payload=96,encoding-name=H264 ! rtpstreamdepay ! rtpjitterbuffer mode=none latency=0', properties = '' } = {}) {
  const port = await freePort();
  const box = openFlightBox();
  assert.ok(box);
  const launch = `lookoutbox fd=4  ${video} ! lookoutflight codec=1 ! lookoutrest linger=0 ${properties} ! identity name=passed silent=false ! rtph264depay ! video/x-h264,stream-format=avc,alignment=au ! lookoutcount ! lookouthub port=${port}`;
  const child = spawn('gst-launch-1.0', ['-v', ...launch.split(' ').filter(Boolean)], { stdio: ['pipe', 'pipe', 'ignore', 'ignore', box.fd], env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LC_ALL: 'C', GST_PLUGIN_PATH: plugins, GST_REGISTRY: join(plugins, 'registry.bin') } });
  let said = '';
  child.stdout!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdin!.on('error', () => undefined);
  defer(t, async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    box.close();
  });
  const stream = createStream();
  return {
    counters: () => box.counters(),
    /** Sends frames, and waits until they were counted. */
    async send(...frames: readonly Frame[]) {
      child.stdin!.write(Buffer.concat(frames.map(stream)));
      const sent = stream.frames();
      await eventually(() => box.counters()?.frames === sent, { timeoutMs: 10_000, what: `${sent} frames; ${JSON.stringify(box.counters())}` });
    },
    /** Buffers that went on. */
    passed: () => said.split('last-message = chain').length - 1,
    read() {
      const packets: HubPacket[] = [];
      const socket = connect(port, '127.0.0.1').on('error', () => undefined).on('data', createHubReader((packet) => packets.push(packet)));
      defer(t, async () => void socket.destroy());
      return { packets, leave: () => socket.destroy() };
    },
  };
}

/** NAL units of one frame, a packet each. */
type Frame = readonly (readonly number[])[];
const keyframe: Frame = [sps, pps, idr];
const delta: Frame = [slice];

/** Packets of frame after frame, 40 ms apart; the last one of a frame has the marker. */
function createStream() {
  let [sequence, frames] = [0, 0];
  const packets = (frame: Frame): Buffer => {
    const timestamp = frames++ * frameTicks;
    return Buffer.concat(frame.map((unit, index) => framedRtp({ payload: Uint8Array.from(unit), sequence: sequence++ & 0xffff, timestamp, marker: index === frame.length - 1 })));
  };
  return Object.assign(packets, { frames: () => frames });
}

const types = (packets: readonly HubPacket[]): number[] => packets.map(({ payload }) => payload[0]! & 0x1f);
/** Of each frame, ms since the first. */
const times = (packets: readonly HubPacket[]): number[] => packets.filter(({ marker }) => marker).map(({ timestamp }) => Math.round(((timestamp - packets[0]!.timestamp) | 0) / 90));

test('from a keyframe on nothing goes further while nobody reads, all of it is counted, and a reader gets the running GOP and what follows, once', async (t) => {
  const rest = await startRest(t);
  await rest.send(keyframe, delta, delta);
  await rest.send(keyframe, delta, delta, keyframe, delta);
  await eventually(() => rest.passed() >= 5, { timeoutMs: 5_000, what: 'what came before the second keyframe' });
  await rest.send(delta, delta);
  assert.equal(rest.passed(), 5, 'a packet each for two parameter sets and three frames');
  assert.equal(rest.counters()?.keyframes, 3);
  const { packets } = rest.read();
  await eventually(() => times(packets).length === 4, { timeoutMs: 5_000, what: 'the running GOP' });
  await rest.send(delta, keyframe);
  await eventually(() => times(packets).length === 6, { timeoutMs: 5_000, what: 'what followed' });
  assert.deepEqual(times(packets), [0, 40, 80, 120, 160, 200]);
  assert.deepEqual(types(packets).slice(0, 6), [7, 8, 5, 1, 1, 1]);
  assert.equal(sequenceGaps(packets), 0);
  assert.deepEqual([rest.counters()?.frames, rest.counters()?.keyframes], [12, 4], 'what rested was counted once');
});

test('it rests again behind a reader that left, and the next one finds nothing of before', async (t) => {
  const rest = await startRest(t);
  await rest.send(keyframe, delta, keyframe, delta);
  const first = rest.read();
  await eventually(() => times(first.packets).length === 2, { timeoutMs: 5_000, what: 'the GOP' });
  first.leave();
  // It rests with the first keyframe behind which nothing passes.
  await eventually(async () => {
    const before = rest.passed();
    await rest.send(keyframe, delta);
    return rest.passed() === before;
  }, { timeoutMs: 10_000, what: 'rest' });
  await rest.send(keyframe, delta, delta, delta);
  const second = rest.read();
  await eventually(() => times(second.packets).length >= 4, { timeoutMs: 5_000, what: 'the running GOP' });
  assert.deepEqual(times(second.packets), [0, 40, 80, 120]);
});

test('what stands before the parameter sets of a keyframe, in packets of its own, is kept with it', async (t) => {
  const rest = await startRest(t);
  await rest.send([aud, sps, pps, idr], [aud, slice]);
  await rest.send([aud, sps, pps, idr], [aud, slice], [aud, slice]);
  const { packets } = rest.read();
  await eventually(() => times(packets).length === 3, { timeoutMs: 5_000, what: 'the running GOP' });
  assert.deepEqual(types(packets).filter((type) => type === 9 || type === 5 || type === 1), [9, 5, 9, 1, 9, 1]);
});

test('other parameter sets go through at once, so that who judges them from outside knows', async (t) => {
  const rest = await startRest(t);
  await rest.send(keyframe, delta);
  await rest.send(keyframe, delta);
  const before = rest.counters()?.format?.serial;
  await rest.send([otherSps, pps, idr]);
  await eventually(() => rest.counters()?.format?.serial !== before, { timeoutMs: 5_000, what: 'the other format' });
  assert.ok(Buffer.from(rest.counters()!.format!.data).includes(Buffer.from(otherSps)));
});

test('a GOP above the bound is not kept: a reader begins with the next keyframe', async (t) => {
  const rest = await startRest(t, { properties: 'soft-bytes=2000' });
  await rest.send(keyframe, delta);
  await rest.send(keyframe, [Array.from(slice).concat(Array(1_000).fill(7))], [Array.from(slice).concat(Array(1_000).fill(7))], delta);
  const { packets } = rest.read();
  await rest.send(delta, keyframe, delta);
  await eventually(() => times(packets).length === 2, { timeoutMs: 5_000, what: 'the next GOP' });
  assert.deepEqual(types(packets), [7, 8, 5, 1]);
});

test('readers that come and go at any moment get whole GOPs without a gap', async (t) => {
  const port = await freePort();
  // Over a socket: the times of an encoder's own begin at 1000 hours.
  const rest = await startRest(t, { video: `videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=100/1 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=20 bframes=0 ! h264parse ! rtph264pay mtu=300 config-interval=-1 ! udpsink host=127.0.0.1 port=${port} sync=false async=false  udpsrc address=127.0.0.1 port=${port} caps=application/x-rtp,media=video,clock-rate=90000,payload=96,encoding-name=H264 ! rtpjitterbuffer mode=none latency=0` });
  const keyframes = (): number => rest.counters()?.keyframes ?? 0;
  for (let round = 0; round < 18; round += 1) {
    const awaited = keyframes() + (round === 0 ? 2 : round % 3);
    await eventually(() => keyframes() >= awaited, { timeoutMs: 10_000, what: `keyframe ${awaited} before round ${round}` });
    const { packets, leave } = rest.read();
    const enough = round % 7 * 4 + 1;
    await eventually(() => times(packets).length >= enough, { timeoutMs: 5_000, what: `${enough} frames in round ${round}` });
    leave();
    assert.ok(types(packets).slice(0, 4).includes(7), `round ${round} begins with ${types(packets).slice(0, 4).join()}`);
    assert.equal(sequenceGaps(packets), 0);
    // One tick of 90 kHz rounds to either side.
    assert.ok(times(packets).every((ms, index, all) => index === 0 || Math.abs(ms - all[index - 1]! - 10) <= 5), `round ${round}: ${times(packets).join(' ')}`);
  }
  assert.ok(rest.passed() < rest.counters()!.packets, 'between two readers it rested');
});
