/** Twenty ingests of 720p25 at 2 Mbit/s for a minute: not one packet is lost between source and ingest. */
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SfuView } from '../../src/api/protocol.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout } from '../support/lookout.ts';
import { udpSockets } from '../support/procfs.ts';
import { startSimulator } from '../support/simulator.ts';

const seconds = 60;
const ids = Array.from({ length: 20 }, (_, index) => `camera${String(index).padStart(2, '0')}`);
const fps = 25;
/** Of street-720p-main: 2 Mbit/s and a keyframe every 2 s. */
const bitrate = 2_000_000;
const keyframeSeconds = 2;
/** Where Lookout's own sockets are, as configured by default. */
const internalPorts = { min: 20_000, max: 29_999 };

/** UDP sockets in the internal range, and the datagrams that the kernel threw away because one was full. */
function kernelCounts(): { sockets: number; drops: number } {
  const ours = udpSockets().filter(({ port }) => port >= internalPorts.min && port <= internalPorts.max);
  return { sockets: ours.length, drops: ours.reduce((sum, { drops }) => sum + drops, 0) };
}

/** What the ingests received between two looks, by camera. */
function received(before: SfuView, after: SfuView): { camera: string; packets: number; bytes: number; keyframes: number }[] {
  return after.producers.map(({ camera, packetCount, byteCount, keyframeCount }) => {
    const then = before.producers.find((producer) => producer.camera === camera);
    return { camera, packets: packetCount - (then?.packetCount ?? 0), bytes: byteCount - (then?.byteCount ?? 0), keyframes: keyframeCount - (then?.keyframeCount ?? 0) };
  });
}

test(`twenty 720p25 ingests, half of them over UDP, run for ${seconds} s without losing a packet`, async (t) => {
  await using simulator = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'street-720p-main', phase: 'random' as const })) });
  await using lookout = await startLookout();
  for (const [index, id] of ids.entries()) {
    await lookout.add({ id, url: simulator.url(id), transport: index % 2 === 0 ? 'tcp' : 'udp', outputs: { live: { feed: 'always' } } });
  }
  for (const id of ids) await lookout.until(id, 'streaming.live', 60_000);
  await eventually(async () => (await lookout.sfu()).producers.filter(({ keyframeCount }) => keyframeCount > 0).length === ids.length, { timeoutMs: 30_000, what: 'a keyframe in every ingest' });

  const before = await lookout.sfu();
  const began = performance.now();
  // The minute itself is what is tested, not a wait for something.
  await sleep(seconds * 1_000);
  const after = await lookout.sfu();
  const elapsed = (performance.now() - began) / 1_000;

  const lost = after.producers.filter(({ packetsLost }) => packetsLost !== 0).map(({ camera, packetsLost }) => `${camera}: ${packetsLost}`);
  assert.deepEqual(lost, [], 'sequence gaps at the ingests');
  const kernel = kernelCounts();
  assert.ok(kernel.sockets >= ids.length, `${kernel.sockets} sockets`);
  assert.equal(kernel.drops, 0, 'datagrams dropped by the kernel');
  const flows = received(before, after);
  assert.equal(flows.length, ids.length);
  for (const { camera, packets, bytes, keyframes } of flows) {
    assert.ok((bytes * 8) / elapsed > 0.9 * bitrate, `${camera} received ${Math.round((bytes * 8) / elapsed)} bit/s`);
    assert.ok(packets > elapsed * fps, `${camera} received ${packets} packets`);
    assert.ok(Math.abs(keyframes - elapsed / keyframeSeconds) <= 2, `${camera} received ${keyframes} keyframes`);
  }
  const views = await lookout.cameras();
  assert.deepEqual(views.filter(({ state, substate, restarts }) => state !== 'streaming' || substate !== 'live' || restarts > 0).map(({ id }) => id), []);
  t.diagnostic(`${availableParallelism()} cores, ${flows.reduce((sum, { packets }) => sum + packets, 0)} packets in ${elapsed.toFixed(1)} s, 0 lost; receive buffer of an ingest ${after.transports.find(({ kind }) => kind === 'plain')?.recvBufferBytes} bytes`);
});
