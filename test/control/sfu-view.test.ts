/** What the interfaces show of the SFU is what mediasoup holds, by its own dumps: cameras, viewers, edges and primers. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Router } from 'mediasoup/types';
import { createEdges } from '../../src/actors/edges.ts';
import { createMediaPlane } from '../../src/actors/media-plane.ts';
import { createViewerMedia } from '../../src/actors/viewer-media.ts';
import type { SfuView } from '../../src/api/protocol.ts';
import { sfuView } from '../../src/control/sfu-view.ts';
import { createIngest } from '../../src/native/ingest.ts';
import { startMediaWorker, type MediaWorker } from '../../src/native/mediasoup-worker.ts';
import { createPorts } from '../../src/native/ports.ts';
import { createPrimerPath } from '../../src/native/primer-path.ts';
import { createRegistry } from '../../src/native/registry.ts';
import { eventually } from '../support/eventually.ts';
import { defer } from '../support/defer.ts';

const recvBufferBytes = 262_144;
const events = { connected() {}, disconnected() {}, paused() {}, resumed() {}, gone() {} };
const idsOf = (list: { id: string }[]): string[] => list.map(({ id }) => id).toSorted();

/** Everything that the worker process itself says that it holds. */
async function dumped(worker: MediaWorker, routers: Map<string, Router>): Promise<Record<'routers' | 'transports' | 'producers' | 'consumers', string[]>> {
  const { routerIds } = await worker.worker.dump();
  const dumps = await Promise.all(routerIds.map((id) => routers.get(id)?.dump() ?? Promise.reject(new Error(`a router that nobody knows: ${id}`))));
  return {
    routers: routerIds.toSorted(),
    transports: dumps.flatMap(({ transportIds }) => transportIds).toSorted(),
    producers: dumps.flatMap(({ mapProducerIdConsumerIds }) => mapProducerIdConsumerIds.map(({ key }) => key)).toSorted(),
    consumers: dumps.flatMap(({ mapConsumerIdProducerId }) => mapConsumerIdProducerId.map(({ key }) => key)).toSorted(),
  };
}

const shown = ({ routers, transports, producers, consumers }: SfuView) => ({ routers: idsOf(routers), transports: idsOf(transports), producers: idsOf(producers), consumers: idsOf(consumers) });

test('routers, transports, producers and consumers are those of worker.dump() and router.dump(), while they live and when they went', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'lookout-sfu-'));
  defer(t, () => rm(directory, { recursive: true, force: true }));
  const registry = createRegistry();
  const ports = createPorts({ registry });
  const plane = createMediaPlane();
  const worker = await startMediaWorker({ index: 0, registry, stateDir: directory, portMin: 41_000, portMax: 41_999, listenIp: '127.0.0.1', announcedAddress: undefined, requestMs: 20_000, onLog: () => undefined });
  defer(t, () => worker.close());
  plane.addWorker(worker);
  const known = new Map<string, Router>();
  worker.worker.observer.on('newrouter', (router) => known.set(router.id, router));
  const view = () => sfuView([], plane, []);
  const agrees = async (): Promise<SfuView> => {
    const seen = await view();
    assert.deepEqual(shown(seen), await dumped(worker, known));
    return seen;
  };

  const [near, far] = [await ports.lease('t'), await ports.lease('t')];
  const ingest = await createIngest(worker, { camera: 'gate', feed: { port: near.port, bindPort: far.port, ssrc: 4711, payloadType: 101 }, profileLevelId: '42e01f', recvBufferBytes });
  plane.addIngest(ingest);
  await agrees();

  const viewer = await createViewerMedia(ingest, { viewer: 'page', rtpCapabilities: ingest.router.rtpCapabilities, events });
  await viewer.consume();
  const primer = await createPrimerPath(ingest, { viewer: 'page', port: (await ports.lease('t')).port, from: (await ports.lease('t')).port, ssrc: 12, recvBufferBytes });
  const loan = await createEdges({ ports, recvBufferBytes }).borrow(ingest, 111);
  const whep = await createViewerMedia(ingest, { viewer: 'player', rtpCapabilities: loan.edge.router.rtpCapabilities, events, loan });
  await whep.consume();

  const all = await agrees();
  assert.deepEqual(all.routers.map(({ role, camera }) => `${role} ${camera}`), ['ingest gate', 'edge gate']);
  assert.deepEqual(all.transports.map(({ role, kind }) => `${role} ${kind}`).toSorted(), ['edge pipe', 'edge pipe', 'ingest plain', 'primer plain', 'viewer webrtc', 'viewer webrtc']);
  assert.deepEqual(all.producers.map(({ role }) => role), ['ingest', 'primer', 'edge'], 'the camera’s own is the first');
  assert.deepEqual(all.consumers.map(({ role, viewer: of }) => `${role} ${of}`).toSorted(), ['edge null', 'viewer page', 'viewer player']);

  primer.close();
  whep.close();
  await eventually(async () => (await view()).routers.length === 1, { what: 'the edge to go with its last viewer' });
  await agrees();
  ingest.close();
  assert.deepEqual(shown(await agrees()), { routers: [], transports: [], producers: [], consumers: [] });

  const again = await createIngest(worker, { camera: 'gate', feed: { port: near.port, bindPort: far.port, ssrc: 4711, payloadType: 101 }, profileLevelId: '42e01f', recvBufferBytes });
  assert.equal((await view()).routers.length, 1);
  process.kill(worker.pid, 'SIGKILL');
  await worker.ended;
  assert.ok(again.router.closed);
  assert.deepEqual(shown(await view()), { routers: [], transports: [], producers: [], consumers: [] }, 'a dead worker holds nothing');
});
