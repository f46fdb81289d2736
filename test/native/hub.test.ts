/** `lookouthub` by itself, in a pipeline of GStreamer's own launcher: what its readers get, and what they cannot do to each other. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { beginsKeyframe, carriesParameterSets, createHubReader, type HubPacket } from '../../src/native/hub-reader.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { framedRtp } from '../support/framed-rtp.ts';
import { freePort } from '../support/free-port.ts';
import { sequenceGaps } from '../support/hosts.ts';

const plugins = join(import.meta.dirname, '../../.cache/gst');
const noisy = (size: string, fps = 25): string => `videotestsrc is-live=true pattern=snow ! video/x-raw,${size},framerate=${fps}/1 ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=40000 key-int-max=${fps} bframes=0 ! h264parse`;

/** A pipeline that ends in a hub; ends with the test. `input` is what it reads from `fdsrc`. */
async function startHub(t: TestContext, video: string, properties = '', input = Buffer.alloc(0)): Promise<number> {
  const port = await freePort();
  const launch = `${video} ! video/x-h264,stream-format=avc,alignment=au ! lookouthub port=${port} timestamp-offset=4294900000 ${properties}`.trim().split(' ');
  const child: ChildProcess = spawn('gst-launch-1.0', ['-q', ...launch], { stdio: ['pipe', 'ignore', 'ignore'], env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LC_ALL: 'C', GST_PLUGIN_PATH: plugins, GST_REGISTRY: join(plugins, 'registry.bin') } });
  child.stdin!.on('error', () => undefined).write(input);
  defer(t, async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  await eventually(async () => {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } finally {
      socket.destroy();
    }
  }, { timeoutMs: 20_000, what: 'the hub to listen' });
  return port;
}

/** A reader that keeps every packet. */
function read(t: TestContext, port: number): { packets: HubPacket[]; socket: Socket } {
  const packets: HubPacket[] = [];
  const socket = connect(port, '127.0.0.1').on('error', () => undefined).on('data', createHubReader((packet) => packets.push(packet)));
  defer(t, async () => void socket.destroy());
  return { packets, socket };
}

const frames = (packets: HubPacket[]): number => packets.filter(({ marker }) => marker).length;
const firstFrame = (packets: HubPacket[]): HubPacket[] => packets.slice(0, packets.findIndex(({ marker }) => marker) + 1);
/** Parameter sets come before the slices that need them. */
const isWholeKeyframe = (frame: HubPacket[]): boolean => {
  const [sets, slice] = [frame.findIndex(({ payload }) => carriesParameterSets(payload)), frame.findIndex(({ payload }) => beginsKeyframe(payload))];
  return sets >= 0 && slice > sets;
};
/** Timestamps of access units, with the wrap of 32 bits undone. */
const times = (packets: HubPacket[]): number[] => packets.filter(({ marker }) => marker).map(({ timestamp }) => (timestamp - packets[0]!.timestamp) | 0);

test('a reader gets parameter sets, the keyframe, and then every frame once, across the wrap of the timestamps', async (t) => {
  const port = await startHub(t, noisy('width=320,height=240'));
  const { packets } = read(t, port);
  await eventually(() => frames(packets) > 60, { timeoutMs: 30_000, what: '60 frames' });
  assert.ok(isWholeKeyframe(firstFrame(packets)), 'begins with an SPS and a keyframe');
  assert.equal(sequenceGaps(packets), 0);
  const at = times(packets);
  assert.ok(at.every((time, index) => index === 0 || Math.abs(time - at[index - 1]! - 3_600) <= 2), 'a frame every 40 ms');
  assert.ok(new Set(packets.map(({ timestamp }) => timestamp > 2 ** 31)).size === 2, 'the timestamps wrapped');
  assert.equal(new Set(packets.filter(({ payload }) => carriesParameterSets(payload)).map(({ timestamp }) => timestamp)).size, new Set(packets.filter(({ payload }) => beginsKeyframe(payload)).map(({ timestamp }) => timestamp)).size, 'parameter sets before each keyframe');
});

test('a frame that is larger than a packet comes in parts, and a decoder takes them', async (t) => {
  const port = await startHub(t, noisy('width=1280,height=720', 5));
  const { packets } = read(t, port);
  await eventually(() => packets.some(({ payload }) => (payload[0]! & 0x1f) === 28 && (payload[1]! & 0x40) !== 0), { timeoutMs: 30_000, what: 'the end of a frame in parts' });
  assert.equal(sequenceGaps(packets), 0);
  const client = `tcpclientsrc host=127.0.0.1 port=${port} ! application/x-rtp-stream,media=video,clock-rate=90000,payload=96,encoding-name=H264 ! rtpstreamdepay ! rtph264depay ! h264parse ! avdec_h264 ! identity eos-after=4 ! fakesink`;
  const decoder = spawn('gst-launch-1.0', ['-q', ...client.split(' ')], { stdio: 'ignore', timeout: 30_000 });
  const [code] = await once(decoder, 'exit') as [number | null];
  assert.equal(code, 0);
});

test('a reader that stands still goes on at a keyframe, and costs another one nothing', async (t) => {
  const port = await startHub(t, noisy('width=1280,height=720'), 'soft-bytes=4000000');
  const mute = read(t, port);
  mute.socket.pause();
  const steady = read(t, port);
  const bytes = (): number => steady.packets.reduce((sum, { payload }) => sum + payload.length, 0);
  // More than the bound and what sockets hold for the one that does not read.
  await eventually(() => bytes() > 24_000_000, { timeoutMs: 45_000, intervalMs: 100, what: '24 MB' });
  assert.equal(sequenceGaps(steady.packets), 0);
  const before = mute.packets.length;
  mute.socket.resume();
  await eventually(() => mute.packets.length > before + 40 && frames(mute.packets) > 30, { timeoutMs: 30_000, what: 'the reader that stood still to go on' });
  assert.equal(sequenceGaps(mute.packets), 0, 'its own packets are numbered for it');
  const at = times(mute.packets);
  const jump = at.findIndex((time, index) => index > 0 && time - at[index - 1]! > 4_000);
  assert.ok(jump > 0, 'something was left out');
  const afterJump = mute.packets.filter(({ timestamp }) => ((timestamp - mute.packets[0]!.timestamp) | 0) === at[jump]);
  assert.ok(afterJump.some(({ payload }) => beginsKeyframe(payload)), 'it goes on with a keyframe');
});

test('a reader that leaves is forgotten, and the next one begins at the latest keyframe', async (t) => {
  const port = await startHub(t, noisy('width=320,height=240'));
  for (let round = 0; round < 10; round += 1) {
    const { packets, socket } = read(t, port);
    await eventually(() => frames(packets) >= 1, { timeoutMs: 10_000, what: 'a frame' });
    assert.ok(isWholeKeyframe(firstFrame(packets)));
    socket.destroy();
  }
});

test('a parameter set that no picture refers to reaches no reader: a parser would take size and rate from it', async (t) => {
  const [sps, damaged, pps, idr] = ['6742c01ed900a02ff97016a0c0c0d4a0000003002000000651e2c5c9', '6742861e5700942ff95f1649bac02ca0005abb7b205700ba58a12107', '68cb8cb2', '65b8408001020304'].map((hex) => Buffer.from(hex, 'hex'));
  const input = Buffer.concat([sps!, damaged!, pps!, idr!].map((payload, sequence) => framedRtp({ payload, sequence, marker: payload === idr })));
  const port = await startHub(t, 'fdsrc fd=0 ! application/x-rtp-stream,media=video,clock-rate=90000,payload=96,encoding-name=H264 ! rtpstreamdepay ! rtph264depay', '', input);
  const { packets } = read(t, port);
  await eventually(() => frames(packets) > 0, { timeoutMs: 10_000, what: 'the latest keyframe' });
  assert.deepEqual(firstFrame(packets).map(({ payload }) => payload.toString('hex')), [sps, pps, idr].map((nal) => nal!.toString('hex')));
});
