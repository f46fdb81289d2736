/** Everything a simulated camera can be told to do, seen by a client that really talks to it. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { healthy } from '../../src/camera-sim/types.ts';
import type { Behaviour } from '../../src/camera-sim/types.ts';
import { nalKind } from '../../src/rtp/nal.ts';
import { eventually } from '../support/eventually.ts';
import { RtspPlayer, StatusError } from '../support/rtsp-player.ts';
import type { Received } from '../support/rtsp-player.ts';
import { startSimulator } from '../support/simulator.ts';

let simulator: SimulatorProcess;

/** Each test has cameras of its own, so that they run side by side. */
const small = Array.from({ length: 24 }, (_, index) => `small${index}`);
const big = Array.from({ length: 6 }, (_, index) => `big${index}`);

before(async () => {
  simulator = await startSimulator({
    mounts: [
      { name: 'neighbour', video: 'tiny-320x180-main' },
      ...small.map((name) => ({ name, video: 'tiny-320x180-main', audio: 'beep-pcmu' })),
      ...big.map((name) => ({ name, video: 'street-720p-main' })),
    ],
  });
});
after(() => simulator.close());

async function playing(name: string, transport: 'tcp' | 'udp' = 'tcp'): Promise<RtspPlayer> {
  const player = await RtspPlayer.play(simulator.url(name), { transport });
  await eventually(() => player.video.length > 5, { what: 'the first packets' });
  return player;
}

/** Packets that came after a point, once there are some. */
async function next(player: RtspPlayer, count: number): Promise<Received[]> {
  const from = player.video.length;
  await eventually(() => player.video.length >= from + count, { what: `${count} packets` });
  return player.video.slice(from);
}

/** Media time gone by on a healthy neighbour: the clock by which silence is measured. */
async function neighbourSends(packets: number): Promise<void> {
  await using neighbour = await RtspPlayer.play(simulator.url('neighbour'));
  await eventually(() => neighbour.packets.length >= packets, { what: 'the neighbour' });
}

const isKeyframe = ({ payload }: Received): boolean => payload.length > 0 && ((payload[0]! & 0x1f) === 24 || nalKind('H264', payload) !== 'frame') && (payload[0]! & 0x1f) !== 28;

const gaps = (packets: Received[]): number => packets.slice(1).filter((packet, index) => ((packet.sequence - packets[index]!.sequence) & 0xffff) !== 1).length;

suite('behaviours of a simulated camera', { concurrency: 8 }, () => {
  for (const code of [401, 403, 404, 453, 454, 500, 503]) {
    test(`a camera scripted to answer ${code} does so as often as asked, then serves`, async () => {
      const cam = small.pop()!;
      await simulator.script(cam, { status: { code, count: 2, methods: ['DESCRIBE'] } });
      for (const attempt of [1, 2]) {
        await assert.rejects(RtspPlayer.play(simulator.url(cam)), (error: unknown) => error instanceof StatusError && error.response.status === code, `attempt ${attempt}`);
      }
      await using player = await RtspPlayer.play(simulator.url(cam));
      await next(player, 3);
    });
  }

  test('a camera whose port is closed refuses, its neighbours serve, and it comes back on the same port', async () => {
    const cam = small.pop()!;
    await simulator.script(cam, { listen: 'closed' });
    await assert.rejects(RtspPlayer.connect(simulator.url(cam)), { code: 'ECONNREFUSED' });
    await neighbourSends(3);
    await simulator.script(cam, { listen: 'open' });
    await using player = await playing(cam);
    await next(player, 3);
  });

  test('a camera that does not answer accepts the connection and says nothing', async () => {
    const cam = small.pop()!;
    await simulator.script(cam, { answer: false });
    await using player = await RtspPlayer.connect(simulator.url(cam));
    let answered = false;
    player.request('DESCRIBE').then(() => (answered = true), () => undefined);
    await neighbourSends(20);
    assert.deepEqual([answered, player.ended], [false, undefined]);
  });

  test('close ends the connection with FIN, reset with RST', async () => {
    const cam = small.pop()!;
    for (const [type, expected] of [['close', 'fin'], ['reset', 'reset']] as const) {
      await using player = await playing(cam);
      await simulator.act(cam, { type });
      await eventually(() => player.ended !== undefined, { what: type });
      assert.equal(player.ended, expected);
      assert.equal((await simulator.stats(cam)).sessions, 0);
    }
  });

  test('a silent camera sends neither packets nor reports but answers requests', async () => {
    const cam = small.pop()!;
    await using player = await playing(cam);
    await simulator.script(cam, { media: 'none' });
    const [packets, reports] = [player.packets.length, player.reports.length];
    await neighbourSends(60);
    // What was on its way when the answer to `script` came may still arrive.
    assert.ok(player.packets.length - packets <= 2 && player.reports.length === reports);
    assert.equal((await player.request('GET_PARAMETER')).status, 200);
    await simulator.script(cam, healthy);
    await next(player, 3);
  });

  test('an audio-only camera announces video and sends none', async () => {
    const cam = small.pop()!;
    await using player = await playing(cam);
    await simulator.script(cam, { media: 'audio-only' });
    const video = player.video.length;
    const audio = player.packets.length - video;
    await eventually(() => player.packets.length - player.video.length > audio + 50, { what: 'audio' });
    assert.ok(player.video.length - video <= 2);
    assert.deepEqual(player.sdp.media.map(({ kind }) => kind), ['video', 'audio']);
  });

  test('a camera without keyframes sends neither parameter sets nor IDR, and unbroken sequence numbers', async () => {
    const cam = small.pop()!;
    await using player = await playing(cam);
    await eventually(() => player.video.some(isKeyframe), { what: 'a keyframe while healthy' });
    await simulator.script(cam, { keyframes: false });
    await next(player, 1);
    const packets = await next(player, 60);
    assert.equal(packets.filter(isKeyframe).length, 0);
    assert.equal(gaps(packets), 0);
  });

  for (const transport of ['tcp', 'udp'] as const) {
    test(`dropped packets leave gaps in the sequence numbers over ${transport}`, async () => {
      const cam = big.pop()!;
      await using player = await playing(cam, transport);
      await next(player, 100);
      assert.equal(gaps(player.video), 0);
      await simulator.script(cam, { drop: 0.2 });
      const packets = await next(player, 300);
      const sent = ((packets.at(-1)!.sequence - packets[0]!.sequence) & 0xffff) + 1;
      assert.ok(Math.abs(1 - packets.length / sent - 0.2) < 0.1, `${packets.length} of ${sent} arrived`);
    });
  }

  test('corrupted packets keep their headers and lose their contents', async () => {
    const cam = big.pop()!;
    await using player = await playing(cam);
    await simulator.script(cam, { corrupt: 1 });
    await next(player, 50);
    const packets = await next(player, 100);
    assert.equal(gaps(packets), 0);
    // A loop of the clip in good health has every payload there is; a spoiled one is not among them.
    await simulator.script(cam, { corrupt: 0 });
    const intact = await next(player, 600);
    const known = new Set(intact.map(({ payload }) => payload.toString('base64')));
    assert.equal(packets.filter(({ payload }) => known.has(payload.toString('base64'))).length, 0);
  });

  test('reordered packets arrive all, out of order', async () => {
    const cam = big.pop()!;
    await using player = await playing(cam, 'udp');
    await simulator.script(cam, { reorder: 0.3 });
    await next(player, 50);
    const packets = await next(player, 300);
    assert.ok(gaps(packets) > 20);
    const sequences = packets.map(({ sequence }) => sequence);
    const unwrapped = sequences.map((sequence) => (sequence - sequences[0]! + 32_768) & 0xffff).toSorted((a, b) => a - b);
    assert.ok(unwrapped.slice(2, -2).every((sequence, index) => sequence === unwrapped[index + 1]! + 1));
  });

  test('a delayed camera sends what it captured that much earlier', async () => {
    const cam = small.pop()!;
    await using player = await playing(cam);
    const lateness = ({ timestamp }: Received): number => {
      const report = player.reports.findLast(({ type, track }) => type === 'sender-report' && track === 0);
      assert.ok(report?.type === 'sender-report');
      return Date.now() - report.wallClockMs - ((timestamp - report.rtpTimestamp) | 0) / 90;
    };
    const [prompt] = await next(player, 1);
    assert.ok(lateness(prompt!) < 300, `${lateness(prompt!)} ms when healthy`);
    await simulator.script(cam, { delayMs: 1500 });
    await next(player, 2);
    const [late] = await next(player, 1);
    assert.ok(Math.abs(lateness(late!) - 1500) < 300, `${lateness(late!)} ms`);
  });

  test('timestamps jump by hours, forward and back, and stand still when frozen', async () => {
    const cam = small.pop()!;
    await using player = await playing(cam);
    for (const seconds of [7200, -7200]) {
      const last = player.video.at(-1)!;
      await simulator.act(cam, { type: 'jump', seconds });
      await eventually(() => Math.abs(((player.video.at(-1)!.timestamp - last.timestamp) | 0) / 90_000 - seconds) < 10, { what: `a jump of ${seconds} s` });
    }
    await simulator.script(cam, { timestamps: 'frozen' });
    await next(player, 2);
    const frozen = await next(player, 20);
    assert.equal(new Set(frozen.map(({ timestamp }) => timestamp)).size, 1);
  });

  test('a slowed camera sends fewer frames, with timestamps that keep to the clock', async () => {
    const cam = small.pop()!;
    await using player = await playing(cam);
    await simulator.script(cam, { speed: 0.2 } satisfies Partial<Behaviour>);
    await next(player, 2);
    const stamps = [...new Set((await next(player, 6)).map(({ timestamp }) => timestamp))];
    assert.ok(stamps.slice(1).every((stamp, index) => ((stamp - stamps[index]!) >>> 0) === 5 * 3600));
  });

  test('a changed clip goes on in-band with unbroken sequence numbers, or ends the session so that the client asks again', async () => {
    const cam = small.pop()!;
    await using player = await playing(cam);
    const old = player.sdp.media[0]!.formats[0]!.parameters.get('sprop-parameter-sets')!.split(',')[0]!;
    await simulator.act(cam, { type: 'change', video: 'dock-360p-high', reconnect: false });
    await eventually(() => player.video.some(({ payload }) => (payload[0]! & 0x1f) === 24 && payload.readUInt8(4) === 0x64), { what: 'the High profile SPS in-band' });
    assert.equal(gaps(player.video), 0);
    await simulator.act(cam, { type: 'change', video: 'hevc-360p', reconnect: true });
    await eventually(() => player.ended === 'fin', { what: 'the end of the session' });
    await using again = await RtspPlayer.play(simulator.url(cam));
    assert.equal(again.sdp.media[0]?.formats[0]?.encoding, 'H265');
    await simulator.act(cam, { type: 'change', video: 'tiny-320x180-main', reconnect: true });
    await using restored = await RtspPlayer.play(simulator.url(cam));
    assert.ok(restored.sdp.media[0]?.formats[0]?.parameters.get('sprop-parameter-sets')?.startsWith(old));
  });

  test('a regular end of stream is RTCP BYE for each track, then FIN', async () => {
    const cam = small.pop()!;
    await using player = await playing(cam);
    await simulator.act(cam, { type: 'bye', close: true });
    await eventually(() => player.ended === 'fin', { what: 'FIN' });
    assert.deepEqual(player.reports.filter(({ type }) => type === 'bye').map(({ track }) => track), [0, 1]);
  });

  test('a rebooting camera resets, refuses, answers 503, then serves anew', async () => {
    const cam = small.pop()!;
    await using player = await playing(cam);
    await simulator.act(cam, { type: 'reboot', seconds: 0.6, unavailableMs: 600 });
    await eventually(() => player.ended === 'reset', { what: 'the reset' });
    const outcomes: string[] = [];
    await using back = await eventually(async () => {
      try {
        return await RtspPlayer.play(simulator.url(cam));
      } catch (error) {
        const outcome = error instanceof StatusError ? String(error.response.status) : (error as NodeJS.ErrnoException).code ?? '';
        if (outcomes.at(-1) !== outcome) outcomes.push(outcome);
        return undefined;
      }
    }, { what: 'the camera to come back' });
    assert.deepEqual(outcomes, ['ECONNREFUSED', '503']);
    assert.ok(back);
    await eventually(() => back.video.length > 0, { what: 'its first packet' });
  });
});
