/** A catch-up in a real host: what its hub gives begins with a keyframe of now, though the camera's own is seconds old, and every browser decodes it. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test, type TestContext } from 'node:test';
import { createCatchUps, type CatchUps } from '../../src/actors/catch-ups.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { createHubReader, type HubPacket } from '../../src/native/hub-reader.ts';
import { createUnitJoiner } from '../../src/native/hub-units.ts';
import { parseH264Sps } from '../../src/native/sps.ts';
import { eventually } from '../support/eventually.ts';
import { record, sourceSpec, startPool } from '../support/hosts.ts';
import { startSimulator } from '../support/simulator.ts';

const form = { kbps: 800, keyframeEvery: 25 };
const [idr, sps] = [5, 7];
type Unit = { timestamp: number; nals: Buffer[] };

/** Access units of a hub, and whether it closed. */
function read(t: TestContext, port: number): { units: Unit[]; closed: () => boolean } {
  const units: Unit[] = [];
  const join = createUnitJoiner();
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.on('data', createHubReader((packet: HubPacket) => {
    const nals = join(packet);
    if (nals !== null) units.push({ timestamp: packet.timestamp, nals });
  }));
  t.after(() => socket.destroy());
  return { units, closed: () => socket.closed };
}

const kinds = ({ nals }: Unit): number[] => nals.map((nal) => nal.readUInt8(0) & 0x1f);
/** How long ago a unit was taken, by the time line of all hubs. */
const ageMs = ({ timestamp }: Unit): number => ((Number((process.hrtime.bigint() * 9n / 100_000n) % 0x1_0000_0000n) - timestamp) | 0) / 90;

describe('a catch-up', () => {
  const hosts = startPool();
  let simulator: SimulatorProcess;
  let hubPort: number;
  before(async () => {
    simulator = await startSimulator({ mounts: [{ name: 'slow', video: 'gop10s-360p-main' }] });
    const source = await hosts.pool.take('camera:cam/source');
    const said = record(source);
    source.send({ type: 'source.start', spec: sourceSpec(simulator.url('slow')) });
    ({ hubPort } = await said.next('source.started'));
    await eventually(() => said.events.some((event) => event.type === 'source.stats' && (event.stats.keyframeAgeMs ?? 0) > 3_000), { timeoutMs: 20_000, what: 'a keyframe that is 3 s old' });
  });
  after(async () => {
    await hosts.close();
    await simulator.close();
  });
  const pids = (): number[] => hosts.pool.hosts().filter(({ owner }) => owner === 'camera:cam/catch-up').map(({ pid }) => pid);
  const join = (catchUps: CatchUps, port = hubPort) => catchUps.join({ camera: 'cam', hubPort: port, form });

  test('begins with a keyframe in constrained baseline that is of now, and goes on', async (t) => {
    const catchUps = createCatchUps({ pool: hosts.pool, most: 1, spareMs: 0 });
    const share = join(catchUps)!;
    t.after(() => share.release());
    const { units } = read(t, (await share.port)!);
    await eventually(() => units.length > 0, { timeoutMs: 15_000, intervalMs: 5, what: 'its first unit' });
    const [first] = units;
    assert.ok(ageMs(first!) < 2_000, `its first picture is ${ageMs(first!)} ms old`);
    assert.ok(kinds(first!).includes(idr));
    const parameters = parseH264Sps(first!.nals.find((nal) => (nal.readUInt8(0) & 0x1f) === sps)!);
    assert.deepEqual([parameters?.profile, parameters?.width, parameters?.height], ['constrained-baseline', 640, 360]);
    await eventually(() => units.length >= 30, { timeoutMs: 15_000, what: 'a second of pictures' });
    const times = units.map(({ timestamp }) => timestamp);
    assert.ok(times.slice(1).every((time, index) => ((time - times[index]!) | 0) > 0), 'time goes on');
    assert.ok(units.slice(1).some((unit) => kinds(unit).includes(idr)), 'who comes later finds a keyframe of its last second');
  });

  test('is shared by those who join a camera, ends with the last, leaves a process for the next, and is refused to more cameras than may have one', async () => {
    const catchUps = createCatchUps({ pool: hosts.pool, most: 1, spareMs: 1_000 });
    const [one, two] = [join(catchUps)!, join(catchUps)!];
    assert.equal(await one.port, await two.port);
    assert.equal(pids().length, 1);
    assert.equal(catchUps.join({ camera: 'other', hubPort, form }), undefined);
    assert.deepEqual(catchUps.figures(), { active: 1, started: 1, refused: 1, failed: 0 });
    one.release();
    one.release();
    assert.equal(pids().length, 1);
    two.release();
    await eventually(() => pids().length === 0, { timeoutMs: 15_000, what: 'its process to be gone' });
    assert.deepEqual(catchUps.figures(), { active: 0, started: 1, refused: 1, failed: 0 });
    // The next one finds a process that is prepared, and that goes with it.
    const spares = (): number[] => hosts.pool.hosts().filter(({ owner }) => owner === 'pool/catch-up').map(({ pid }) => pid);
    const [spare] = await eventually(() => (spares().length > 0 ? spares() : undefined), { timeoutMs: 15_000, what: 'a process for the next one' }) as number[];
    const next = join(catchUps)!;
    assert.notEqual(await next.port, null);
    assert.deepEqual(pids(), [spare]);
    next.release();
    await eventually(() => pids().length + spares().length === 0, { timeoutMs: 15_000, what: 'none to be left when none comes' });
  });

  test('that is left before its process is there leaves none', async () => {
    const catchUps = createCatchUps({ pool: hosts.pool, most: 1, spareMs: 0 });
    const share = join(catchUps)!;
    share.release();
    assert.equal(await share.port, null);
    await eventually(() => pids().length === 0, { timeoutMs: 15_000, what: 'its process to be gone' });
  });

  test('whose process dies, or whose hub cannot be read, is told to those who wait, and the next one begins anew', async (t) => {
    const catchUps = createCatchUps({ pool: hosts.pool, most: 1, spareMs: 0 });
    const killed = join(catchUps)!;
    const { closed } = read(t, (await killed.port)!);
    process.kill(pids()[0]!, 'SIGKILL');
    await eventually(closed, { timeoutMs: 15_000, what: 'its hub to be closed' });
    await eventually(() => catchUps.figures().failed === 1, { timeoutMs: 15_000, what: 'its end to be counted' });
    killed.release();

    const deaf = join(catchUps, 1)!;
    const port = await deaf.port;
    const nothing = port === null ? undefined : read(t, port);
    await eventually(() => nothing?.closed() ?? true, { timeoutMs: 15_000, what: 'the end of one without a hub' });
    assert.deepEqual(nothing?.units ?? [], []);
    await eventually(() => catchUps.figures().failed === 2, { timeoutMs: 15_000, what: 'its end to be counted' });
    deaf.release();

    const again = join(catchUps)!;
    assert.notEqual(await again.port, null);
    again.release();
    await eventually(() => pids().length === 0, { timeoutMs: 15_000, what: 'no process to be left' });
  });
});
