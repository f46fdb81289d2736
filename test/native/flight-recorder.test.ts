/** The flight recorder's bounds in time and bytes, and the box it shares with a host, on real GStreamer. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CameraUrl } from '../../src/camera-url.ts';
import { boxMessages, boxRuns, boxStart, openFlightBox, readRuns } from '../../src/native/flight-box.ts';
import { createFlightRecorder, readFlight } from '../../src/native/flight-recorder.ts';

const plugins = join(import.meta.dirname, '../../.cache/gst');
const url = CameraUrl.parse('rtsp://operator:c4n4ry-pass@10.0.0.1/live');
const failure = { class: 'reset', code: 'connection-reset' } as const;
const row = { camera: 'gate', seq: 7 };

/** A recorder on a clock of the test's; wall and monotonic clock are the same. */
function bench() {
  const time = { now: 100_000 };
  const clock = () => time.now;
  return { time, recorder: createFlightRecorder({ now: clock, monotonic: clock }) };
}

/** A host that runs. */
const hostWith = (box: Buffer) => ({ flight: () => box, exited: new Promise<never>(() => undefined) });

/** A box as the plugin would leave it: `startedAt` on the monotonic clock, runs by their times, messages in both areas. */
function writtenBox({ startedAt, runs = [], start = [], later = [] }: { startedAt: number; runs?: number[]; start?: [at: number, text: string][]; later?: [at: number, text: string][] }): Buffer {
  const box = Buffer.alloc(65_536);
  box.write('LKFLGHT2', 'latin1');
  box.writeBigUInt64LE(BigInt(startedAt), 8);
  box.writeUInt32LE(runs.length, 16);
  runs.forEach((at, index) => {
    const offset = 17_408 + (index % 1504) * 32;
    for (const [value, place] of [[index + 1, 0], [at, 4], [0xdecafbad, 8], [(index * 3600) >>> 0, 12], [0, 16], [1000, 20]] as const) box.writeUInt32LE(value, offset + place);
    for (const [value, place] of [[(index * 2) & 0xffff, 24], [2, 26], [5, 28]] as const) box.writeUInt16LE(value, offset + place);
    box[offset + 30] = 0x80 | 96;
  });
  let end = 1024;
  const write = (place: number, serial: number, [at, text]: [number, string]): void => {
    box.writeUInt32LE(serial, place);
    box.writeUInt32LE(at, place + 4);
    box.writeUInt16LE(text.length, place + 8);
    box[place + 10] = text.startsWith('RTSP') ? 1 : 0;
    box.write(text, place + 12);
  };
  start.forEach((message, index) => {
    write(end, index + 1, message);
    end += Math.ceil((12 + message[1].length) / 4) * 4;
  });
  box.writeUInt32LE(end - 1024, 20);
  later.forEach((message, index) => write(13_312 + (index % 8) * 512, start.length + index + 1, message));
  return box;
}

describe('flight recorder', () => {
  test('a recording has the start of the session whatever its age, and of the rest the last 30 s', () => {
    const { time, recorder } = bench();
    recorder.probing('gate', url);
    time.now = 200_000;
    const box = writtenBox({ startedAt: 100_000, runs: [1000, 69_000, 69_996, 80_000, 99_000], start: [[10, 'PLAY rtsp://10.0.0.1/live RTSP/1.0'], [20, 'RTSP/1.0 200 OK']], later: [[60_000, 'GET_PARAMETER old'], [90_000, 'GET_PARAMETER new']] });
    recorder.boarding('gate', hostWith(box));
    const copy = recorder.copy('gate', failure);
    assert.ok(copy);
    const recording = readFlight(copy, row);
    assert.deepEqual([recording.from, recording.to], [new Date(100_010).toISOString(), new Date(200_000).toISOString()]);
    assert.deepEqual(recording.dialogue.map(({ at, text }) => [at, text.split(' ')[0]]), [[0, 'PLAY'], [10, 'RTSP/1.0'], [89_990, 'GET_PARAMETER']]);
    assert.deepEqual(recording.rtp.map(({ at }) => at), [69_986, 79_990, 98_990]);
    assert.deepEqual([recording.class, recording.code, recording.camera, recording.seq], ['reset', 'connection-reset', 'gate', 7]);
  });

  test('a camera keeps at most 64 kB of its host and 16 kB of its probe, however much there was', () => {
    const { time, recorder } = bench();
    const hear = recorder.probing('gate', url);
    for (let index = 0; index < 1000; index += 1) hear('received', `RTSP/1.0 200 OK\r\n\r\n${'x'.repeat(500)}`);
    const box = writtenBox({ startedAt: time.now, runs: Array.from({ length: 5000 }, (_, index) => index) });
    time.now += 5000;
    recorder.boarding('gate', hostWith(box));
    const copy = recorder.copy('gate', failure);
    assert.ok(copy && copy.runs.length === 1504 * 32 && copy.head.length < 20_000, `${copy?.runs.length} ${copy?.head.length}`);
    assert.deepEqual(readFlight(copy, row).rtp.map(({ sequence }) => sequence).slice(0, 2), [(5000 - 1504) * 2, (5000 - 1503) * 2]);
  });

  test('no credential is in a copy, whoever said it', () => {
    const { time, recorder } = bench();
    const hear = recorder.probing('gate', url);
    hear('sent', 'DESCRIBE rtsp://10.0.0.1/live RTSP/1.0\r\nAuthorization: Basic b3BlcmF0b3I6YzRuNHJ5LXBhc3M=\r\n\r\n');
    hear('received', 'RTSP/1.0 200 OK\r\nWWW-Authenticate: Digest realm="x", nonce="n0nce"\r\n\r\ns=rtsp://operator:c4n4ry-pass@10.0.0.1/');
    const box = writtenBox({ startedAt: time.now, start: [[1, 'OPTIONS rtsp://operator:c4n4ry-pass@10.0.0.1/ RTSP/1.0\r\nX: c4n4ry-pass\r\n\r\n'], [2, 'RTSP/1.0 401 No\r\nWWW-Authenticate: Digest nonce="n0nce"\r\n\r\n']] });
    time.now += 10;
    recorder.boarding('gate', hostWith(box));
    const text = JSON.stringify(recorder.copy('gate', failure));
    assert.doesNotMatch(text, /c4n4ry-pass|b3BlcmF0b3I6|n0nce/u);
    assert.match(text, /Digest \[removed\]/u);
  });

  test('a message that was cut loses its last line, which may be half a password', () => {
    const { time, recorder } = bench();
    recorder.probing('gate', url);
    const box = writtenBox({ startedAt: time.now, later: [[1, `SET_PARAMETER x\r\nX-Note: ${'y'.repeat(464)}\r\nZ: c4n4ry`]] });
    time.now += 10;
    recorder.boarding('gate', hostWith(box));
    assert.equal(box.readUInt16LE(13_312 + 8), 500);
    const copy = recorder.copy('gate', failure);
    assert.ok(copy && /SET_PARAMETER/u.test(copy.head) && !copy.head.includes('c4n4'), copy?.head);
  });

  test('a new attempt forgets the one before, and a camera that never spoke has nothing to tell', () => {
    const { recorder } = bench();
    assert.equal(recorder.copy('gate', failure), undefined);
    recorder.probing('gate', url)('sent', 'DESCRIBE first');
    recorder.probing('gate', url);
    assert.equal(recorder.copy('gate', failure), undefined);
    recorder.probing('gate', url)('sent', 'DESCRIBE second');
    assert.match(recorder.copy('gate', failure)?.head ?? '', /second/u);
    recorder.forget('gate');
    assert.equal(recorder.copy('gate', failure), undefined);
  });
});

describe('two sources of one camera', () => {
  test('a successor is recorded beside the source that runs, and in its place once it took over', async () => {
    const { time, recorder } = bench();
    const texts = (whose: 'running' | 'successor'): string[] => {
      const copy = recorder.copy('gate', failure, whose);
      return copy ? readFlight(copy, row).dialogue.map(({ text }) => text) : [];
    };
    const board = (name: string): (() => void) => {
      recorder.probing('gate', url)('sent', `DESCRIBE ${name}`);
      const { promise, resolve } = Promise.withResolvers<never>();
      recorder.boarding('gate', { flight: () => writtenBox({ startedAt: time.now, start: [[0, `PLAY ${name}`]] }), exited: promise });
      return () => resolve(undefined as never);
    };
    const endFirst = board('first');
    const endSecond = board('second');
    assert.deepEqual([texts('running'), texts('successor')], [['DESCRIBE first', 'PLAY first'], ['DESCRIBE second', 'PLAY second']]);
    recorder.succeeded('gate');
    endFirst();
    assert.deepEqual([texts('running'), texts('successor')], [['DESCRIBE second', 'PLAY second'], []]);
    endSecond();
    await Promise.resolve();
    board('third');
    assert.deepEqual([texts('running'), texts('successor')], [['DESCRIBE third', 'PLAY third'], []]);
  });
});

describe('flight box', () => {
  /** Runs a pipeline with a box and gives back what it noted. */
  const fly = (launch: string): Buffer => {
    const box = openFlightBox();
    assert.ok(box);
    const { status, stderr } = spawnSync('gst-launch-1.0', ['-q', 'lookoutbox', 'fd=4', ...launch.split(' ')], {
      stdio: ['ignore', 'ignore', 'pipe', 'ignore', box.fd], timeout: 20_000,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LC_ALL: 'C', GST_PLUGIN_PATH: plugins, GST_REGISTRY: join(plugins, 'registry.bin') },
    });
    assert.equal(status, 0, String(stderr));
    const copy = box.read();
    box.close();
    return copy;
  };

  test('every packet of a video track is in a run, with its numbers, marker and keyframe', () => {
    const box = fly('videotestsrc num-buffers=50 ! video/x-raw,width=320,height=240,framerate=25/1 ! x264enc key-int-max=10 bframes=0 ! rtph264pay mtu=400 seqnum-offset=65500 timestamp-offset=4294960000 ssrc=77 pt=99 config-interval=-1 ! lookoutflight codec=1 ! fakesink');
    assert.ok((boxStart(box) ?? 0) > 0);
    const runs = readRuns(boxRuns(box, 0), 0);
    assert.equal(runs[0]?.sequence, 65_500);
    assert.deepEqual(new Set(runs.map(({ ssrc, payloadType, track, missing }) => `${ssrc} ${payloadType} ${track} ${missing}`)), new Set(['77 99 video 0']));
    const last = runs.at(-1);
    assert.ok(last);
    assert.equal(runs.reduce((sum, { count }) => sum + count, 0), ((last.sequence + last.count - 65_500) & 0xffff));
    const units = runs.reduce((sum, { step, count }) => sum + (step === 0 ? 1 : count), 0);
    assert.ok(units >= 50, `${units} units`);
    assert.equal(runs.filter(({ keyframe }) => keyframe).length, 5);
    assert.ok(runs.some(({ count, step }) => step === 0 && count > 1));
  });

  test('lost packets cut a run and are counted as missing', () => {
    const box = fly('videotestsrc num-buffers=100 ! video/x-raw,width=320,height=240,framerate=25/1 ! x264enc bframes=0 ! rtph264pay mtu=300 ! identity drop-probability=0.2 ! lookoutflight codec=1 ! fakesink');
    const runs = readRuns(boxRuns(box, 0), 0);
    const missing = runs.reduce((sum, run) => sum + run.missing, 0);
    const came = runs.reduce((sum, run) => sum + run.count, 0);
    const [first, last] = [runs[0], runs.at(-1)];
    assert.ok(first && last && missing > 0);
    assert.equal(came + missing, (last.sequence + last.count - first.sequence) & 0xffff);
  });

  test('sound of one packet a unit is one run a second, exact to the last timestamp', () => {
    const box = fly('audiotestsrc num-buffers=200 samplesperbuffer=160 ! audio/x-raw,rate=8000 ! mulawenc ! rtppcmupay min-ptime=20000000 max-ptime=20000000 timestamp-offset=5 ! lookoutflight track=1 ! fakesink');
    const runs = readRuns(boxRuns(box, 0), 0);
    assert.ok(runs.length > 0 && runs.length < 8, `${runs.length} runs`);
    assert.ok(runs.every(({ track }) => track === 'audio'));
    const last = runs.at(-1)!;
    assert.equal(last.timestamp + last.step * (last.count - 1), 5 + 199 * 160);
    assert.deepEqual(boxMessages(box), { start: [], later: [] });
  });

  test('an element without a box passes on what comes', () => {
    const { status } = spawnSync('gst-launch-1.0', ['-q', ...'videotestsrc num-buffers=5 ! lookoutflight ! fakesink'.split(' ')], { stdio: 'ignore', timeout: 20_000, env: { PATH: process.env['PATH'], HOME: process.env['HOME'], GST_PLUGIN_PATH: plugins, GST_REGISTRY: join(plugins, 'registry.bin') } });
    assert.equal(status, 0);
  });
});
