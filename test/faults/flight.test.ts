/** A failure, its recording, and the recording played against Lookout again: the same failure. Real program, real hosts, Digest authentication. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { EventView, FlightView } from '../../src/api/protocol.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

const credentials = { username: 'operator', password: 'c4n4ry-p4ss' };
const secrets = /c4n4ry|nonce=|response=|realm=/u;
const ids = ['reset', 'silence', 'setup-453', 'describe-453', 'killed', 'frozen', 'closed', 'jump', 'no-keyframe', 'audio-only', 'successor', 'refusing'] as const;
type Id = (typeof ids)[number];

let cameras: SimulatorProcess & AsyncDisposable;
let lookout: Lookout;

before(async () => {
  cameras = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'tiny-320x180-main', audio: 'beep-pcmu', auth: { scheme: 'digest-md5', credentials } })) });
  lookout = await startLookout({ config: { faults: { enabled: true }, supervision: { health: { keyframeMs: 3_500 } } } });
});
after(async () => {
  await lookout?.[Symbol.asyncDispose]();
  await cameras?.[Symbol.asyncDispose]();
});

const failures = async (id: string): Promise<EventView[]> => (await lookout.events(id)).filter(({ to, class: cls }) => to === 'teardown' && cls !== null).toReversed();
const firstFailure = (id: string, timeoutMs = 15_000): Promise<EventView> => eventually(async () => (await failures(id))[0], { timeoutMs, what: `${id} to fail` }) as Promise<EventView>;
const recordingOf = ({ camera, seq }: EventView): Promise<FlightView> => lookout.api<FlightView>('GET', `/api/v1/cameras/${camera}/events/${seq}/recording`);

/** Live, with packets of some seconds. */
async function play(id: Id): Promise<void> {
  await lookout.add({ id, url: cameras.url(id), transport: 'tcp' });
  await lookout.until(id, 'streaming.live');
  const packets = async (): Promise<number> => (await cameras.stats(id)).packets;
  await eventually(async () => (await packets()) > 150, { timeoutMs: 10_000, what: `packets of ${id}` });
}

/** Methods that were sent, in order, those of the probe first. */
const methods = ({ dialogue }: FlightView, by: 'probe' | 'source'): string[] => dialogue.filter((message) => message.by === by && message.direction === 'sent').map(({ text }) => text.slice(0, text.indexOf(' ')));
const packetsOf = ({ rtp }: FlightView): number => rtp.reduce((sum, { count }) => sum + count, 0);

/** What every recording of a camera that played must hold. */
function assertWhole(recording: FlightView): void {
  assert.deepEqual(methods(recording, 'probe'), ['DESCRIBE', 'DESCRIBE']);
  assert.deepEqual(methods(recording, 'source').slice(0, 6), ['OPTIONS', 'DESCRIBE', 'DESCRIBE', 'SETUP', 'SETUP', 'PLAY']);
  assert.ok(recording.dialogue.some(({ direction, text }) => direction === 'received' && /^RTSP\/1\.0 200 OK\r\n[\s\S]*m=video/u.test(text)), 'the description is there');
  assert.ok(recording.dialogue.some(({ text }) => text.includes('Digest [removed]')), 'the challenge is there, without its content');
  assert.ok(packetsOf(recording) > 100, `${packetsOf(recording)} packets`);
  assert.deepEqual(new Set(recording.rtp.map(({ track, missing }) => `${track} ${missing}`)), new Set(['video 0', 'audio 0']));
  assert.ok(recording.rtp.some(({ keyframe }) => keyframe));
  assert.deepEqual(recording.dialogue.map(({ at }) => at), recording.dialogue.map(({ at }) => at).toSorted((a, b) => a - b));
  assert.doesNotMatch(JSON.stringify(recording), secrets);
}

/** Plays a recording against Lookout and gives back how the camera failed. */
async function replayed(recording: FlightView, id: string): Promise<{ row: EventView; recording: FlightView }> {
  await using simulator = await startSimulator({ mounts: [{ name: 'replay', replay: recording }] });
  await lookout.add({ id, url: simulator.url('replay'), transport: 'tcp' });
  const row = await firstFailure(id);
  const again = await recordingOf(row);
  await lookout.api('DELETE', `/api/v1/cameras/${id}`);
  return { row, recording: again };
}

/** Sequence numbers, timestamps and SSRC of a track, as far as both recordings have them: Lookout gives up a fraction of a second sooner or later. */
function assertSamePackets(first: FlightView, second: FlightView): void {
  for (const track of ['video', 'audio'] as const) {
    const [a, b] = [first, second].map(({ rtp }) => rtp.filter((run) => run.track === track).flatMap(({ sequence, timestamp, step, count, ssrc, payloadType }) =>
      Array.from({ length: count }, (_, index) => `${ssrc} ${payloadType} ${(sequence + index) & 0xffff} ${(timestamp + step * index) >>> 0}`)));
    assert.ok(a && b && b.length > 10, `${track}: ${b?.length} packets`);
    assert.deepEqual(b, a.slice(0, b.length), track);
    assert.ok(b.length >= a.length * 0.7, `${track}: ${b.length} of ${a.length}`);
  }
}

suite('flight recordings', { concurrency: 4 }, () => {
  for (const { id, cls, fault } of [
    { id: 'reset', cls: 'reset', fault: () => cameras.act('reset', { type: 'reset' }) },
    { id: 'closed', cls: 'eos', fault: () => cameras.act('closed', { type: 'close' }) },
    { id: 'silence', cls: 'silent', fault: () => cameras.script('silence', { media: 'none' }) },
    { id: 'jump', cls: 'timestamps', fault: () => cameras.act('jump', { type: 'jump', seconds: 7_200 }) },
    { id: 'no-keyframe', cls: 'no-keyframe', fault: () => cameras.script('no-keyframe', { keyframes: false }) },
    { id: 'audio-only', cls: 'video-missing', fault: () => cameras.script('audio-only', { media: 'audio-only' }) },
  ] as const) {
    test(`a camera that fails by "${cls}" leaves a recording, which fails the same way when it is played`, async () => {
      await play(id);
      await fault();
      const row = await firstFailure(id);
      assert.deepEqual([row.class, row.recording], [cls, true], `${row.code}: ${row.evidence}\n${lookout.lines.filter((line) => line.includes('stderr')).join('\n')}`);
      const recording = await recordingOf(row);
      assertWhole(recording);
      assert.deepEqual([recording.camera, recording.seq, recording.class], [id, row.seq, cls]);
      const again = await replayed(recording, `again-${id}`);
      assert.equal(again.row.class, cls);
      assertSamePackets(recording, again.recording);
    });
  }

  for (const [id, method, probe, source] of [['describe-453', 'DESCRIBE', ['DESCRIBE'], []], ['setup-453', 'SETUP', ['DESCRIBE', 'DESCRIBE'], ['OPTIONS', 'DESCRIBE', 'DESCRIBE', 'SETUP']]] as const) {
    test(`a 453 to ${method} is recorded as far as the dialogue went, and answered again when it is played`, async () => {
      await cameras.script(id, { status: { code: 453, methods: [method] } });
      await lookout.add({ id, url: cameras.url(id), transport: 'tcp' });
      const row = await firstFailure(id);
      assert.deepEqual([row.class, row.recording], ['busy', true]);
      const recording = await recordingOf(row);
      assert.deepEqual([methods(recording, 'probe'), methods(recording, 'source').slice(0, source.length)], [probe, source]);
      assert.ok(recording.dialogue.some(({ text }) => text.startsWith('RTSP/1.0 453')));
      assert.equal(packetsOf(recording), 0);
      assert.doesNotMatch(JSON.stringify(recording), secrets);
      assert.equal((await replayed(recording, `again-${id}`)).row.class, 'busy');
    });
  }

  test('a host that is killed leaves its recording up to the last packets, which plays on when it is over', async () => {
    await play('killed');
    const { packets: sent } = await cameras.stats('killed');
    await lookout.api('POST', '/api/v1/cameras/killed/faults', { body: { fault: 'kill-host' } });
    const row = await firstFailure('killed');
    assert.deepEqual([row.class, row.code, row.recording], ['host-crash', 'sigkill', true]);
    const recording = await recordingOf(row);
    assertWhole(recording);
    // 75 a second: what a host would only tell every second would be missing.
    assert.ok(packetsOf(recording) >= sent - 20, `${packetsOf(recording)} of ${sent} packets`);
    await using simulator = await startSimulator({ mounts: [{ name: 'replay', replay: recording }] });
    await lookout.add({ id: 'again-killed', url: simulator.url('replay'), transport: 'tcp' });
    await lookout.until('again-killed', 'streaming.live');
    await eventually(async () => (await simulator.stats('replay')).packets > packetsOf(recording) * 1.5, { timeoutMs: 20_000, what: 'the stream to go on' });
    assert.deepEqual(await failures('again-killed'), []);
  });

  test('a successor that cannot take over leaves a recording of its own dialogue', async () => {
    await play('successor');
    await cameras.script('refusing', { status: { code: 404, methods: ['DESCRIBE'] } });
    await lookout.api('PATCH', '/api/v1/cameras/successor', { body: { url: cameras.url('refusing') } });
    const row = await eventually(async () => (await lookout.events('successor')).find(({ type }) => type === 'source.notReplaced'), { what: 'the end of the succession' }) as EventView;
    assert.deepEqual([row.class, row.recording], ['not-found', true]);
    const recording = await recordingOf(row);
    assert.ok(recording.dialogue.some(({ text }) => text.startsWith('RTSP/1.0 404')));
    assert.deepEqual(recording.rtp, []);
  });

  test('a host that is frozen leaves its recording, too', async () => {
    await play('frozen');
    await lookout.api('POST', '/api/v1/cameras/frozen/faults', { body: { fault: 'freeze-host' } });
    const row = await firstFailure('frozen');
    assert.deepEqual([row.class, row.recording], ['native-frozen', true]);
    assertWhole(await recordingOf(row));
  });
});

test('a row that is no failure has no recording, and a removed camera leaves none', async () => {
  const id = 'again';
  await lookout.add({ id, url: cameras.url('killed'), transport: 'tcp' });
  await lookout.until(id, 'streaming.live');
  const [live] = await lookout.events(id);
  assert.equal(live?.recording, false);
  const refused = await lookout.api<{ code: string }>('GET', `/api/v1/cameras/${id}/events/${live?.seq}/recording`, { expect: 404 });
  assert.equal(refused.code, 'LOOKOUT_FLIGHT_NOT_FOUND');
  await cameras.act('killed', { type: 'reset' });
  const row = await firstFailure(id);
  await recordingOf(row);
  await lookout.api('DELETE', `/api/v1/cameras/${id}`);
  await lookout.add({ id, url: cameras.url('killed'), transport: 'tcp' });
  await lookout.api('GET', `/api/v1/cameras/${id}/events/${row.seq}/recording`, { expect: 404 });
});
