/** What watches over Lookout itself: `/healthz`, `/readyz`, `/metrics`, `/stats`, and the SFU's inventory. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type, { type Static } from 'typebox';
import type { Certificates } from '../certificates.ts';
import type { Store } from '../../store/types.ts';
import type { ControlPlane } from '../control.ts';
import type { Metrics } from '../metrics.ts';
import type { CameraView, SfuView } from '../protocol.ts';
import { readinessOf } from '../readiness.ts';
import { answers, SfuSchema, WorkerSchema } from '../schemas.ts';
import { visibleSfu } from '../visible.ts';

type Options = { control: ControlPlane; store: Store; metrics: Metrics; certificates?: Certificates | undefined };

const Readiness = Type.Object({ ready: Type.Boolean(), reasons: Type.Array(Type.String()), warnings: Type.Array(Type.String(), { description: 'What works, but not as it should' }) }, { title: 'Readiness' });
const number = Type.Number();
const Room = Type.Object({
  camera: Type.String(), state: Type.String(), viewers: number, routers: number, transports: number, producers: number, consumers: number,
  packetCount: number, byteCount: number, keyframeCount: number, packetsLost: number,
});
const Stats = Type.Object({
  instance: Type.String(), version: Type.String(), startedAt: Type.String(), uptimeSeconds: number,
  control: Type.Object({ cpu: number, rssBytes: number, heapBytes: number, eventLoopDelayMs: number, passed: Type.Array(Type.String(), { description: 'Limits of the watchdog that are passed now' }), cameras: number, live: number, viewers: number }),
  media: Type.Object({ hosts: Type.Array(Type.Object({ camera: Type.String(), role: Type.String(), pid: Type.Integer(), rssBytes: number, sharedBy: Type.Integer({ description: 'How many have this process together' }) })), rssBytes: number, orphans: number }),
  grpc: Type.Object({ port: Type.Union([Type.Integer(), Type.Null()], { description: 'Where it listens; null while it does not' }) }),
  sfu: Type.Object({ workers: Type.Array(WorkerSchema), transports: number, producers: number, consumers: number }),
  rooms: Type.Array(Room),
  held: Type.Object({ actors: number, leases: Type.Array(Type.Object({ kind: Type.String(), owner: Type.String(), value: Type.String() })), admission: Type.Object({ holding: number, waiting: number, peak: number }) }, { description: 'Actors that run, every lease on a process, port, socket or file, and the slots for connecting: held, waited for, and the most that were ever held at once' }),
  tls: Type.Union([Type.Object({ fingerprint: Type.String(), notAfter: Type.String(), refused: Type.Union([Type.String(), Type.Null()], { description: 'Why the files that lie there now are not served' }) }), Type.Null()], { description: 'The certificate that is served; null without TLS' }),
  store: Type.Object({ ok: Type.Boolean(), reason: Type.Union([Type.String(), Type.Null()]), droppedEvents: number, pendingEvents: number }),
}, { title: 'Stats' });

/** Routes under no prefix. */
export const operationRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { control, store, metrics, certificates }) => {
  const tags = ['operations'];

  app.get('/healthz', { config: { role: 'public', rateLimit: false }, schema: { tags, summary: 'The process answers', response: answers({ 200: Type.Object({ status: Type.Literal('ok') }) }) } },
    () => ({ status: 'ok' as const }));

  app.get('/readyz', { config: { role: 'public', rateLimit: false }, schema: { tags, summary: 'It can do its work; 503 with the reasons where it cannot', response: { 200: Readiness, 503: Readiness } } },
    async (request, reply) => {
      const refused = certificates?.status().refused ?? null;
      const readiness = { ...readinessOf(control, store), warnings: refused === null ? [] : [`The new certificate is refused, the old one is still served: ${refused}.`] };
      return readiness.ready ? reply.code(200).send(readiness) : reply.code(503).send(readiness);
    });

  app.get('/metrics', {
    config: { role: 'viewer', wholeFleet: true, rateLimit: false },
    schema: { tags, summary: 'Prometheus text; see docs/metrics.md', response: answers({ 200: { description: 'Prometheus text', content: { 'text/plain': { schema: Type.String() } } } }) },
  }, async (request, reply) => reply.type(metrics.contentType).send(await metrics.text()));

  app.get('/stats', { config: { role: 'internal', rateLimit: false }, schema: { tags, summary: 'Everything in one answer, for other programs of the installation (`X-Internal-Auth`)', response: answers({ 200: Stats }) } },
    async () => ({ ...statsOf(control, store, await control.sfu()), tls: certificates?.status() ?? null }));
};

/** Routes under `/api/v1`. */
export const sfuRoutes: FastifyPluginAsyncTypebox<{ control: ControlPlane }> = async (app, { control }) => {
  app.get('/sfu', { config: { role: 'viewer' }, schema: { tags: ['operations'], summary: 'Workers, routers, transports, producers and consumers', response: answers({ 200: SfuSchema }) } },
    async (request) => visibleSfu(request.identity, await control.sfu()));
};

function statsOf(control: ControlPlane, store: Store, sfu: SfuView) {
  const system = control.system();
  const hosts = control.hosts();
  return {
    instance: system.instance, version: system.version, startedAt: system.startedAt,
    uptimeSeconds: Math.max(0, (Date.now() - Date.parse(system.startedAt)) / 1000),
    control: { cpu: system.cpu, rssBytes: system.rssBytes, heapBytes: system.heapBytes ?? 0, eventLoopDelayMs: system.eventLoopDelayMs, passed: system.passed ?? [], cameras: system.cameras, live: system.live, viewers: system.viewers },
    media: { hosts, rssBytes: Math.round(hosts.reduce((sum, host) => sum + host.rssBytes / host.sharedBy, 0)), orphans: system.orphans },
    grpc: { port: system.grpcPort ?? null },
    sfu: { workers: sfu.workers, transports: sfu.transports.length, producers: sfu.producers.length, consumers: sfu.consumers.length },
    rooms: control.cameras().map((camera) => roomOf(camera, sfu)),
    held: control.resources(),
    store: store.status(),
  };
}

/** What a camera holds, with its second stream; packets and keyframes are main's. */
function roomOf(camera: CameraView, sfu: SfuView): Static<typeof Room> {
  const mine = <T extends { camera: string }>(list: T[]) => list.filter((entry) => entry.camera === camera.id);
  const producers = mine(sfu.producers);
  const sum = (pick: (producer: SfuView['producers'][number]) => number) => producers.filter(({ role, stream }) => stream !== 'sub' && (role === undefined || role === 'ingest')).reduce((total, producer) => total + pick(producer), 0);
  return {
    camera: camera.id, state: camera.state, viewers: camera.viewers + (camera.sub?.viewers ?? 0),
    routers: mine(sfu.routers).length, transports: mine(sfu.transports).length, producers: producers.length, consumers: mine(sfu.consumers).length,
    packetCount: sum((p) => p.packetCount), byteCount: sum((p) => p.byteCount), keyframeCount: sum((p) => p.keyframeCount), packetsLost: sum((p) => p.packetsLost),
  };
}
