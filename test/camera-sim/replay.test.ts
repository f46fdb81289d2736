/** A camera made of a flight recording: it says and sends what was recorded, to any client, from a file too. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FlightMessage, FlightRecording, FlightRun } from '../../src/media.ts';
import { headerValues } from '../../src/rtsp/message.ts';
import { temporaryDir } from '../support/api.ts';
import { eventually } from '../support/eventually.ts';
import { RtspPlayer } from '../support/rtsp-player.ts';
import { startSimulator } from '../support/simulator.ts';

const sdp = (codec: 'H264' | 'H265'): string => ['v=0', 'o=- 1 1 IN IP4 10.0.0.1', 's=Vendor cam', 't=0 0', 'a=control:rtsp://10.0.0.1/live/',
  'm=application 0 RTP/AVP 107', 'a=rtpmap:107 vnd.onvif.metadata/90000', 'a=control:rtsp://10.0.0.1/live/meta',
  'm=video 0 RTP/AVP 99', `a=rtpmap:99 ${codec}/90000`, 'a=fmtp:99 profile-level-id=640028', 'a=control:rtsp://10.0.0.1/live/video',
  'm=audio 0 RTP/AVP 8', 'a=rtpmap:8 PCMA/8000', 'a=control:rtsp://10.0.0.1/live/audio', ''].join('\r\n');

const run = (changes: Partial<FlightRun>): FlightRun => ({ at: 0, ms: 0, track: 'video', ssrc: 0xcafe, payloadType: 99, sequence: 65_534, timestamp: 4_294_960_000, step: 0, count: 4, marker: true, keyframe: false, bytes: 4000, missing: 0, ...changes });

/** Two units, one of them with a hole, a pause of 600 ms, then sound; it was silent when it ended. */
const packets: FlightRun[] = [
  run({ at: 100, keyframe: true, count: 9 }),
  run({ at: 140, sequence: 7, timestamp: 4_294_963_600, count: 2, marker: false }),
  run({ at: 141, sequence: 12, timestamp: 4_294_963_600, count: 1, missing: 3 }),
  run({ at: 741, sequence: 13, timestamp: 56_304, count: 1 }),
  run({ at: 742, ms: 40, track: 'audio', ssrc: 0xbeef, payloadType: 8, sequence: 5, timestamp: 160, step: 160, count: 3, marker: false }),
];

function recording(changes: Partial<FlightRecording> & { codec?: 'H264' | 'H265'; answer?: string } = {}): FlightRecording {
  const { codec = 'H264', answer = 'RTSP/1.0 200 OK\r\nSession: 1\r\n\r\n', ...rest } = changes;
  const exchange = (at: number, request: string, response: string): FlightMessage[] => [
    { at, by: 'source', direction: 'sent', text: `${request} RTSP/1.0\r\n\r\n` }, ...(response === '' ? [] : [{ at: at + 2, by: 'source' as const, direction: 'received' as const, text: response }]),
  ];
  return {
    camera: 'gate', seq: 1, class: 'silent', code: 'x', from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T00:00:03.000Z', rtp: packets,
    dialogue: [
      ...exchange(0, 'OPTIONS rtsp://10.0.0.1/live', 'RTSP/1.0 200 OK\r\nPublic: DESCRIBE\r\nPublic: SETUP, PLAY\r\nServer: Vendor/1.0\r\n\r\n'),
      ...exchange(10, 'DESCRIBE rtsp://10.0.0.1/live', 'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest [removed]\r\n\r\n'),
      ...exchange(20, 'DESCRIBE rtsp://10.0.0.1/live', `RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Base: rtsp://10.0.0.1/live/\r\n\r\n${sdp(codec)}`),
      ...exchange(40, 'SETUP rtsp://10.0.0.1/live/video', 'RTSP/1.0 200 OK\r\nSession: 1\r\n\r\n'),
      ...exchange(60, 'PLAY rtsp://10.0.0.1/live', answer),
    ],
    ...rest,
  };
}

const startReplay = (replay: FlightRecording) => startSimulator({ mounts: [{ name: 'replay', replay }] });
const numbers = (player: RtspPlayer, kind: 'video' | 'audio'): (number | boolean)[][] => player.packets.filter(({ payloadType }) => payloadType === (kind === 'video' ? 99 : 8)).map(({ sequence, timestamp, ssrc, marker }) => [sequence, timestamp, ssrc, marker]);

for (const codec of ['H264', 'H265'] as const) {
  test(`a replay of ${codec} sends every packet with its numbers, leaves out what was lost, and keeps the pause`, async () => {
    await using simulator = await startReplay(recording({ codec }));
    await using player = await RtspPlayer.play(simulator.url('replay'));
    await eventually(() => player.packets.length >= 16, { what: 'all packets' });
    const [first, second, third] = [4_294_960_000, 4_294_963_600, 56_304];
    assert.deepEqual(numbers(player, 'video'), [
      ...[65_534, 65_535, 0, 1, 2, 3, 4, 5].map((sequence) => [sequence, first, 0xcafe, false]), [6, first, 0xcafe, true],
      [7, second, 0xcafe, false], [8, second, 0xcafe, false], [12, second, 0xcafe, true],
      [13, third, 0xcafe, true],
    ]);
    assert.deepEqual(numbers(player, 'audio'), [160, 320, 480].map((timestamp, index) => [5 + index, timestamp, 0xbeef, false]));
    const at = (sequence: number): number => player.packets.find((packet) => packet.sequence === sequence)?.atMs ?? Number.NaN;
    const pause = at(13) - at(12);
    assert.ok(pause > 550 && pause < 900, `a pause of ${pause} ms`);
    assert.deepEqual(player.sdp.media.map(({ kind, control }) => `${kind} ${control}`), ['video trackID=0', 'audio trackID=1']);
  });
}

test('a replay answers what was recorded and asks for no password that nobody has', async () => {
  await using simulator = await startReplay(recording());
  await using player = await RtspPlayer.connect(simulator.url('replay'));
  const options = await player.request('OPTIONS');
  assert.deepEqual([headerValues(options, 'public'), headerValues(options, 'server')], [['DESCRIBE, SETUP, PLAY'], ['Vendor/1.0']]);
  assert.equal((await player.request('DESCRIBE')).status, 200);
});

test('a refusal is answered to every client, after the time it took', async () => {
  await using simulator = await startReplay(recording({ class: 'busy', answer: 'RTSP/1.0 453 Not Enough Bandwidth\r\nRetry-After: 9\r\n\r\n', rtp: [] }));
  for (const attempt of [1, 2]) await assert.rejects(RtspPlayer.play(simulator.url('replay')), /PLAY: 453/u, `attempt ${attempt}`);
});

for (const [cls, ended] of [['reset', 'reset'], ['eos', 'fin']] as const) {
  test(`a replay of "${cls}" ends its connection as the camera did`, async () => {
    await using simulator = await startReplay(recording({ class: cls, to: '2026-01-01T00:00:00.850Z' }));
    await using player = await RtspPlayer.play(simulator.url('replay'));
    await eventually(() => player.ended, { what: 'the end' });
    assert.deepEqual([player.ended, player.packets.length], [ended, 16]);
  });
}

test('a request that was never answered is not answered again', async () => {
  await using simulator = await startReplay(recording({ class: 'timeout', answer: '', rtp: [] }));
  const rejected = assert.rejects(RtspPlayer.play(simulator.url('replay')), /before PLAY was answered/u);
  await eventually(async () => (await simulator.stats('replay')).requests['PLAY'] === 1, { what: 'PLAY' });
  await using other = await RtspPlayer.connect(simulator.url('replay'));
  assert.equal((await other.request('OPTIONS')).status, 200);
  assert.equal((await simulator.stats('replay')).playing, 0);
  await simulator.close();
  await rejected;
});

test('a stream whose recorder was to blame goes on after the recording, without a break in its numbers', async () => {
  await using simulator = await startReplay(recording({ class: 'host-crash', rtp: packets.slice(0, 1).concat(run({ at: 140, sequence: 7, timestamp: 4_294_963_600, count: 1 })) }));
  await using player = await RtspPlayer.play(simulator.url('replay'));
  await eventually(() => player.packets.length >= 40, { what: 'four rounds' });
  const sequences = player.packets.map(({ sequence }) => sequence);
  assert.ok(sequences.slice(1).every((sequence, index) => sequence === ((sequences[index]! + 1) & 0xffff)), sequences.join());
  const times = [...new Set(player.packets.map(({ timestamp }) => timestamp))];
  assert.ok(times.slice(1).every((time, index) => ((time - times[index]!) >>> 0) === 3600), times.join());
});

test('a camera that nobody could reach refuses connections', async () => {
  await using simulator = await startReplay(recording({ class: 'refused', dialogue: [], rtp: [] }));
  await assert.rejects(RtspPlayer.connect(simulator.url('replay')), /ECONNREFUSED/u);
});

async function fromFile(t: TestContext, content: unknown) {
  const file = join(await temporaryDir(t), 'recording.json');
  await writeFile(file, JSON.stringify(content));
  return spawn(process.execPath, [fileURLToPath(new URL('../../src/camera-sim/main.ts', import.meta.url)), '--replay', file], { stdio: ['pipe', 'pipe', 'pipe'] });
}

test('a recording is played from a file on the command line', async (t) => {
  const child = await fromFile(t, recording());
  const [line] = await once(createInterface({ input: child.stdout }), 'line') as [string];
  const { urls } = JSON.parse(line) as { urls: Record<string, string> };
  await using player = await RtspPlayer.play(urls['replay']!);
  await eventually(() => player.packets.length >= 16, { what: 'all packets' });
  player.vanish();
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('a file that is no recording is refused with a sentence', async (t) => {
  const child = await fromFile(t, { events: [] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  assert.deepEqual(await once(child, 'exit'), [2, null]);
  assert.match(said, /This is no flight recording/u);
});
