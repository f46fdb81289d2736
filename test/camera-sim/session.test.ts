/** RTSP sessions of a simulated camera: authentication, limits, life signs, transports, reports, slow clients. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { header, headerValues } from '../../src/rtsp/message.ts';
import { eventually } from '../support/eventually.ts';
import { testCertificate } from '../support/certificate.ts';
import { RtspPlayer, StatusError } from '../support/rtsp-player.ts';
import { startSimulator } from '../support/simulator.ts';

const video = 'tiny-320x180-main';
const credentials = { username: 'admin', password: 'a:b/c d' };
const schemes = ['basic', 'digest-md5', 'digest-sha256'] as const;
let simulator: SimulatorProcess;

before(async () => {
  simulator = await startSimulator({
    mounts: [
      { name: 'plain', video, audio: 'beep-aac' },
      ...schemes.map((scheme) => ({ name: scheme, video, auth: { scheme, credentials } })),
      { name: 'old', video, auth: { scheme: 'digest-md5', credentials, qop: 'none' } },
      { name: 'paused', video },
      { name: 'single', video, maxSessions: 1 },
      { name: 'lingering', video, maxSessions: 1, linger: true, sessionTimeoutSeconds: 2 },
      { name: 'strict', video, sessionTimeoutSeconds: 2, keepAlive: 'rtsp' },
      { name: 'tcp-only', video, transports: ['tcp'] },
      { name: 'street', video: 'street-720p-main' },
      { name: 'gop10s', video: 'gop10s-360p-main' },
    ],
  });
});
after(() => simulator.close());

const refusedWith = (status: number) => (error: unknown): boolean => error instanceof StatusError && error.response.status === status;

suite('sessions of a simulated camera', { concurrency: 8 }, () => {
  for (const name of [...schemes, 'old']) {
    test(`${name} lets the right password in and answers 401 with a challenge to any other`, async () => {
      await using player = await RtspPlayer.play(simulator.url(name));
      await eventually(() => player.video.length > 3, { what: 'packets' });
      const wrong = simulator.url(name).replace(/\/\/.*@/u, '//admin:wrong@');
      await assert.rejects(RtspPlayer.play(wrong), refusedWith(401));
      await using anonymous = await RtspPlayer.connect(simulator.url(name).replace(/\/\/.*@/u, '//'));
      const refusal = await anonymous.request('DESCRIBE');
      assert.equal(headerValues(refusal, 'www-authenticate').length, 1);
      assert.equal((await anonymous.request('OPTIONS')).status, 200);
    });
  }

  test('a second session beyond the limit gets 453 until the first is torn down', async () => {
    await using first = await RtspPlayer.play(simulator.url('single'));
    await assert.rejects(RtspPlayer.play(simulator.url('single')), refusedWith(453));
    await first.demand('TEARDOWN');
    await using second = await RtspPlayer.play(simulator.url('single'));
    await eventually(() => second.video.length > 0, { what: 'packets' });
  });

  test('a lingering session of a client that vanished keeps its place until it times out', async () => {
    const first = await RtspPlayer.play(simulator.url('lingering'));
    first.vanish();
    await eventually(async () => (await simulator.stats('lingering')).connections === 0, { what: 'the disconnect' });
    await assert.rejects(RtspPlayer.play(simulator.url('lingering')), refusedWith(453));
    await using second = await eventually(() => RtspPlayer.play(simulator.url('lingering')), { what: 'the place' });
    assert.equal((await simulator.stats('lingering')).timedOut, 1);
    await eventually(() => second.video.length > 0, { what: 'packets' });
  });

  test('a strict camera closes a session without keep-alive and leaves the one that sends it', async () => {
    await using silent = await RtspPlayer.play(simulator.url('strict'));
    await using polite = await RtspPlayer.play(simulator.url('strict'));
    await eventually(async () => {
      await polite.demand('GET_PARAMETER');
      return silent.ended;
    }, { what: 'the end of the silent session' });
    assert.deepEqual([silent.ended, polite.ended], ['fin', undefined]);
  });

  test('UDP is refused with 461 where the camera offers TCP only', async () => {
    await assert.rejects(RtspPlayer.play(simulator.url('tcp-only'), { transport: 'udp' }), refusedWith(461));
    await using player = await RtspPlayer.play(simulator.url('tcp-only'));
    await eventually(() => player.video.length > 0, { what: 'packets over TCP' });
  });

  for (const transport of ['tcp', 'udp'] as const) {
    test(`PLAY over ${transport} announces where its streams begin, and a report that maps its time comes before it`, async () => {
      await using player = await RtspPlayer.play(simulator.url('plain'), { transport });
      await eventually(() => [0, 1].every((track) => player.packets.some((packet) => packet.track === track) && player.reports.some((report) => report.track === track)), { what: 'both tracks' });
      const info = header(player.playing!, 'rtp-info')!.split(',').map((entry) => /trackID=(\d);seq=(\d+);rtptime=(\d+)$/u.exec(entry)!.slice(1).map(Number));
      for (const [track, seq, rtptime] of info) {
        const first = player.packets.find((packet) => packet.track === track)!;
        const report = player.reports.find((one) => one.track === track)!;
        assert.equal(first.sequence, seq);
        assert.ok(report.type === 'sender-report' && report.ssrc === first.ssrc);
        assert.ok(Math.abs(report.wallClockMs - report.wallMs) < 250, 'NTP time is now');
        const { clockRate } = player.sdp.media[track!]!.formats[0]!;
        const behind = ((first.timestamp - rtptime!) | 0) / clockRate;
        assert.ok(behind >= 0 && behind < 0.2, `the first packet is ${behind} s behind the start of the range`);
        assert.ok(Math.abs((first.timestamp - report.rtpTimestamp) | 0) / clockRate < 0.3, 'RTP time of the report is near the first packet');
      }
    });
  }

  test('reports keep coming and count what was sent', async () => {
    await using player = await RtspPlayer.play(simulator.url('plain'));
    const reports = await eventually(() => {
      const seen = player.reports.filter((report) => report.type === 'sender-report' && report.track === 0);
      return seen.length >= 3 && seen;
    }, { timeoutMs: 8000, what: 'three reports' });
    const [, second, third] = reports as Extract<typeof reports, unknown[]>;
    assert.ok(second?.type === 'sender-report' && third?.type === 'sender-report');
    const between = (third.rtpTimestamp - second.rtpTimestamp) >>> 0;
    assert.ok(Math.abs(between / 90 - (third.wallClockMs - second.wallClockMs)) < 15, 'media clock and wall clock agree');
    const sent = player.video.filter(({ timestamp }) => ((timestamp - second.rtpTimestamp) | 0) > 0 && ((timestamp - third.rtpTimestamp) | 0) <= 0).length;
    assert.ok(Math.abs(third.packets - second.packets - sent) <= 3);
  });

  test('PAUSE stops the packets, PLAY goes on with the sequence number it announces', async () => {
    await using player = await RtspPlayer.play(simulator.url('paused'));
    await eventually(() => player.video.length > 3, { what: 'packets' });
    await player.demand('PAUSE');
    const paused = player.video.length;
    const last = player.video.at(-1)!;
    assert.equal((await simulator.stats('paused')).playing, 0);
    await player.demand('PLAY');
    await eventually(() => player.video.length > paused, { what: 'packets again' });
    assert.equal(player.video[paused]!.sequence, (last.sequence + 1) & 0xffff);
  });

  test('requests for another session, method or track get 454, 501 and 404', async () => {
    await using player = await RtspPlayer.play(simulator.url('plain'));
    assert.equal((await player.request('PLAY', undefined, { Session: 'nonsense' })).status, 454);
    assert.equal((await player.request('ANNOUNCE')).status, 501);
    assert.equal((await player.request('SETUP', `${simulator.url('plain')}/trackID=7`, { Transport: 'RTP/AVP/TCP;unicast;interleaved=4-5' })).status, 404);
    assert.equal((await player.request('DESCRIBE', simulator.url('plain').replace(/\w+$/u, 'nobody'))).status, 404);
  });

  test('a client that does not read makes the camera drop whole access units, and it goes on at a keyframe', async () => {
    await using player = await RtspPlayer.play(simulator.url('street'));
    await eventually(() => player.video.length > 0, { what: 'packets' });
    // Ten times the clip's rate fills the kernel's buffers sooner; its frames are 360 ticks apart.
    await simulator.script('street', { speed: 10 });
    const step = (index: number): number => (player.video[index]!.timestamp - player.video[index - 1]!.timestamp) >>> 0;
    await eventually(() => player.video.some((_, index) => index > 0 && step(index) === 360), { what: 'frames at ten times the rate' });
    const fast = player.video.length;
    player.pause(true);
    await eventually(async () => (await simulator.stats('street')).unitsDropped > 0, { timeoutMs: 60_000, what: 'units to be dropped' });
    const { sequence: before } = player.video.at(-1)!;
    player.pause(false);
    const first = await eventually(() => player.video.find((_, index) => index >= fast && step(index) > 360), { timeoutMs: 20_000, what: 'the gap' });
    assert.equal(first!.payload[0]! & 0x1f, 24, 'the first packet after the gap holds parameter sets');
    assert.notEqual(first!.sequence, before);
  });

  test('a clip with a GOP of 10 s has one keyframe in 10 s', async () => {
    await using player = await RtspPlayer.play(simulator.url('gop10s'));
    await simulator.act('gop10s', { type: 'change', video: 'gop10s-360p-main', reconnect: false });
    const stamps = (): number[] => player.video.filter(({ payload }) => (payload[0]! & 0x1f) === 24 && (payload[3]! & 0x1f) === 7).map(({ timestamp }) => timestamp);
    await eventually(() => stamps().length >= 2, { timeoutMs: 15_000, what: 'two keyframes' });
    assert.equal((stamps().at(-1)! - stamps().at(-2)!) >>> 0, 900_000);
  });

  test('cameras behind one port are told apart by path, and none of them can close it', async () => {
    await using shared = await startSimulator({ port: 0, mounts: [{ name: 'a', video, phase: 'random' }, { name: 'b', video: 'odd-504x282-baseline' }] });
    assert.equal(new URL(shared.url('a')).port, new URL(shared.url('b')).port);
    await using player = await RtspPlayer.play(shared.url('b'));
    assert.equal(player.sdp.name, 'b');
    await eventually(() => player.video.length > 0, { what: 'packets' });
    await assert.rejects(shared.script('a', { listen: 'closed' }), /per-mount/u);
    await assert.rejects(shared.script('c', {}), /no camera "c"/u);
  });

  test('cameras with a certificate speak rtsps, and a reset reaches the client through TLS', async () => {
    await using secure = await startSimulator({ tls: testCertificate, mounts: [{ name: 'cam', video, auth: { scheme: 'digest-md5', credentials } }] });
    assert.match(secure.url('cam'), /^rtsps:/u);
    await using player = await RtspPlayer.play(secure.url('cam'));
    await eventually(() => player.video.length > 5, { what: 'packets over TLS' });
    await secure.act('cam', { type: 'reset' });
    await eventually(() => player.ended === 'reset', { what: 'the reset' });
    await using again = await RtspPlayer.play(secure.url('cam'));
    await secure.act('cam', { type: 'close' });
    await eventually(() => again.ended === 'fin', { what: 'FIN' });
    await assert.rejects(RtspPlayer.play(secure.url('cam').replace('rtsps:', 'rtsp:')));
  });
});
