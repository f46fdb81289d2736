/** The viewers as the interfaces use them: every call checked against the viewer's chart, every effect released by it. */
import { randomUUID } from 'node:crypto';
import type { Consumer, DtlsParameters, RtpCapabilities } from 'mediasoup/types';
import { fromPromise, waitFor, type ActorRefFrom } from 'xstate';
import type { ViewerNotify, ViewerService } from '../api/control.ts';
import type { Opaque } from '../api/protocol.ts';
import { LookoutError } from '../errors.ts';
import { streamKey, streamOfKey } from '../streams.ts';
import type { supervisorMachine } from '../machines/supervisor.ts';
import { carriage } from '../machines/camera-live.ts';
import { viewerMachine, type ViewerEnd, type ViewerEvent } from '../machines/viewer.ts';
import type { Edges } from '../actors/edges.ts';
import type { MediaPlane } from '../actors/media-plane.ts';
import type { Primers } from '../actors/primers.ts';
import type { Sounds } from '../actors/sounds.ts';
import type { Transcodes } from '../actors/transcodes.ts';
import { createViewerMedia, type ViewerMedia, type ViewerMediaEvents } from '../actors/viewer-media.ts';
import type { Ingest } from '../native/ingest.ts';
import { liveSoundProblem } from '../native/sound-path.ts';
import type { PrimerWay } from '../machines/primer.ts';
import type { PrimerPath } from '../native/primer-path.ts';
import { admitViewer, whenUncarried } from './carried.ts';
import { child } from './cameras.ts';
import { primerWay } from './primer-way.ts';
import { describeMedia, mediaForOffer, startAtOnce } from './offer.ts';

/** A camera whose keyframes are as close as this needs no primer. */
const closeKeyframesMs = 250;
/** How long `consume` waits for a primer that is being made. */
const primerWaitMs = 400;
/** Past every deadline of a join. */
const longestWaitMs = 30_000;

/** `camera`: the key of the stream that is watched. `release`: gives its share of a transcode back. */
type Entry = { id: string; camera: string; owner: string; notify: ViewerNotify; media: ViewerMedia | undefined; release: (() => void) | undefined };
type Root = ActorRefFrom<typeof supervisorMachine>;

/** What viewers need. */
export type ViewerDeps = {
  plane: MediaPlane; edges: Edges; primers: Primers; sounds: Sounds; transcodes: Transcodes; ingestWaitMs: number;
  /** When keyframes came, ms since the epoch. */
  freshness: (camera: string) => { keyframeAt: number | null };
  /** Who would have to decode more than `catchUpBytes` first is shown the present by a catch-up, if that is there within `holdMs`. */
  primer: { catchUpBytes: number; holdMs: number };
};

const farewell: Partial<Record<ViewerEnd, { reason: 'rejoin' | 'removed' | 'shutdown'; message: string }>> = {
  rejoin: { reason: 'rejoin', message: 'The live path of this camera was replaced.' },
  deadline: { reason: 'rejoin', message: 'The connection was not made in time.' },
  'connection-lost': { reason: 'rejoin', message: 'The connection to the browser was lost.' },
  removed: { reason: 'removed', message: 'The camera was removed.' },
  shutdown: { reason: 'shutdown', message: 'Lookout is shutting down.' },
};

/** The viewers' book, and the viewer machine whose closing empties it. */
export function createViewers(deps: ViewerDeps): { machine: typeof viewerMachine; service(root: Root): ViewerService; forget(id: string): void } {
  const entries = new Map<string, Entry>();
  const close = fromPromise<void, { id: string; reason: ViewerEnd }>(async ({ input }) => {
    const entry = entries.get(input.id);
    if (!entry) return;
    entries.delete(input.id);
    entry.media?.close();
    entry.release?.();
    const words = farewell[input.reason];
    if (words) entry.notify.gone({ viewer: input.id, ...words });
  });
  return {
    machine: viewerMachine.provide({ actors: { close, primer: deps.primers.machine } }),
    service: (root) => createService(deps, entries, root),
    forget(id) {
      const entry = entries.get(id);
      entry?.media?.close();
      entry?.release?.();
      entries.delete(id);
    },
  };
}

function createService(deps: ViewerDeps, entries: Map<string, Entry>, root: Root): ViewerService {
  const { plane, edges, primers, sounds, ingestWaitMs } = deps;
  const { chart, tell, find, fresh, mediaOf, keep } = createFinders(entries, root);

  return {
    async join({ camera: name, stream = 'main', owner, notify }) {
      const { cameras } = root.getSnapshot().context;
      if (!Object.hasOwn(cameras, name)) throw new LookoutError('LOOKOUT_CAMERA_NOT_FOUND', { cameraId: name });
      const wanted = streamKey({ camera: name, stream });
      const camera = Object.hasOwn(cameras, wanted) ? wanted : name;
      const id = randomUUID();
      // One that is refused costs the camera nothing.
      const entry: Entry = { id, camera, owner, notify, media: undefined, release: admitViewer(root, deps.transcodes, camera) };
      entries.set(id, entry);
      root.send({ type: 'viewer.add', id, camera, owner });
      primers.warm();
      if (!chart(id)) throw forgotten(entries, entry);
      try {
        const ingest = await Promise.race([carriedIngest(deps, root, entry, () => entries.get(id) === entry), ...(stream === 'sub' && camera !== name ? [whenAway(root, camera)] : [])]);
        return { viewer: id, routerRtpCapabilities: ingest.router.rtpCapabilities as unknown as Opaque, stream: streamOfKey(camera).stream };
      } catch (error) {
        tell(id, { type: 'viewer.end', reason: 'left' });
        throw error;
      }
    },
    async transport(request) {
      const entry = fresh(request);
      const { viewer } = request;
      // Already now: a catch-up needs all the time that there is.
      const opening = request.primer ? openingOf(deps, root, entry.camera) : null;
      if (opening !== null) tell(viewer, { type: 'viewer.prime', ...opening });
      const media = await createViewerMedia(await plane.whenIngest(entry.camera, ingestWaitMs), {
        viewer,
        rtpCapabilities: request.rtpCapabilities as unknown as RtpCapabilities,
        events: eventsFor(entry, (event) => tell(viewer, event)),
      });
      keep(entry, media);
      return transportOf(media);
    },
    async answer(request) {
      const entry = fresh(request);
      const events = eventsFor(entry, (event) => tell(entry.id, event));
      const { media, format } = await mediaForOffer(await plane.whenIngest(entry.camera, ingestWaitMs), edges, { viewer: entry.id, video: request.video, events });
      keep(entry, media);
      await startAtOnce(media, request.dtls);
      tell(entry.id, { type: 'viewer.consuming' });
      tell(entry.id, { type: 'viewer.resumed' });
      return describeMedia(media, format);
    },
    async connect(request) {
      await mediaOf(request).connect(request.dtlsParameters as unknown as DtlsParameters);
    },
    async consume(request) {
      const media = mediaOf(request);
      const isFirst = media.consumers().length === 0;
      await media.consume();
      await setSound({ root, sounds, media, audio: request.audio, onEnd: () => tell(request.viewer, { type: 'viewer.end', reason: 'rejoin' }) });
      const own = media.consumers().map(described);
      if (!isFirst) return own;
      const primer = await consumePrimer(media, await primers.path(request.viewer, primerWaitMs), () => tell(request.viewer, { type: 'viewer.tookOver' }));
      tell(request.viewer, { type: 'viewer.consuming' });
      return [...own, ...primer];
    },
    async resume(request) {
      await Promise.all(mediaOf(request).consumers().map((consumer) => consumer.resume().catch(ignoreClosed(consumer))));
      tell(request.viewer, { type: 'viewer.resumed' });
    },
    async pause(request) {
      await Promise.all(mediaOf(request).consumers().map((consumer) => consumer.pause().catch(ignoreClosed(consumer))));
    },
    async tookOver(request) {
      tell(find(request).id, { type: 'viewer.tookOver' });
    },
    async leave(request) {
      tell(find(request).id, { type: 'viewer.end', reason: 'left' });
    },
    leaveAll(owner) {
      for (const entry of [...entries.values()]) if (entry.owner === owner) tell(entry.id, { type: 'viewer.end', reason: 'left' });
    },
  };
}

/** The ingest, once there is one. What the camera sends may be known only now: then it is decided now whether this viewer may have it. */
async function carriedIngest({ plane, transcodes, ingestWaitMs }: ViewerDeps, root: Root, entry: Entry, isHere: () => boolean): Promise<Ingest> {
  const done = new AbortController();
  try {
    const ingest = await Promise.race([plane.whenIngest(entry.camera, ingestWaitMs), whenUncarried(root, entry.camera, done.signal)]);
    // Who left meanwhile would never give its share back.
    if (isHere()) entry.release ??= admitViewer(root, transcodes, entry.camera);
    return ingest;
  } finally {
    done.abort();
  }
}

/** Nobody accepts viewers any more. */
function forgotten(entries: Map<string, Entry>, entry: Entry): LookoutError {
  entries.delete(entry.id);
  entry.release?.();
  return new LookoutError('LOOKOUT_SHUTTING_DOWN');
}

/** Entries and charts as the calls need them. */
function createFinders(entries: Map<string, Entry>, root: Root) {
  const chart = (id: string) => root.getSnapshot().children[`viewer:${id}`] as ActorRefFrom<typeof viewerMachine> | undefined;
  const tell = (id: string, event: ViewerEvent): void => chart(id)?.send(event);
  const find = ({ viewer, owner }: { viewer: string; owner: string }): Entry => {
    const entry = entries.get(viewer);
    if (!entry || entry.owner !== owner) throw new LookoutError('LOOKOUT_VIEWER_NOT_FOUND');
    return entry;
  };
  const fresh = (request: { viewer: string; owner: string }): Entry => {
    const entry = find(request);
    if (entry.media) throw new LookoutError('LOOKOUT_VALIDATION', { message: 'This viewer has a transport already.' });
    return entry;
  };
  const mediaOf = (request: { viewer: string; owner: string }): ViewerMedia => {
    const { media } = find(request);
    if (!media) throw new LookoutError('LOOKOUT_VALIDATION', { message: 'Ask for the transport first.' });
    return media;
  };
  /** Whoever left while the transport was being made must not leave it behind. */
  const keep = (entry: Entry, media: ViewerMedia): void => {
    if (entries.get(entry.id) !== entry || entry.media) {
      media.close();
      throw new LookoutError('LOOKOUT_VIEWER_NOT_FOUND');
    }
    entry.media = media;
    tell(entry.id, { type: 'viewer.transportMade' });
  };
  return { chart, tell, find, fresh, mediaOf, keep };
}

/** Takes sound up where the camera has some that WebRTC takes, or drops it. */
async function setSound({ root, sounds, media, audio, onEnd }: { root: Root; sounds: Sounds; media: ViewerMedia; audio: boolean; onEnd: () => void }): Promise<void> {
  const { camera } = media.ingest;
  const there = media.consumers().filter(({ kind }) => kind === 'audio');
  if (!audio) return there.forEach((consumer) => consumer.close());
  const sound = child(root, camera)?.getSnapshot().context.description?.sound ?? null;
  if (sound === null || liveSoundProblem(sound) !== null || there.length > 0) return;
  const { path, release } = await sounds.listen(camera, sound);
  try {
    const consumer = await media.consumeSound(path.producer, onEnd);
    if (consumer.closed) release();
    else consumer.observer.once('close', release);
  } catch (error) {
    release();
    throw error;
  }
}

/** One that was closed meanwhile, or comes later than the answer and would play for nobody, is no error: the camera's own producer is there. */
async function consumePrimer(media: ViewerMedia, path: PrimerPath | undefined, release: () => void) {
  const consumer = path && await media.consumePrimer(path.producer).catch(() => undefined);
  if (consumer) return [{ ...described(consumer), primer: true as const }];
  release();
  return [];
}

const transportOf = ({ transport: { id, iceParameters, iceCandidates, dtlsParameters } }: Pick<ViewerMedia, 'transport'>) =>
  ({ id, iceParameters: iceParameters as unknown as Opaque, iceCandidates: iceCandidates as unknown as Opaque[], dtlsParameters: dtlsParameters as unknown as Opaque });

const described = ({ id, producerId, kind, rtpParameters }: Consumer) => ({ id, producerId, kind, rtpParameters: rtpParameters as unknown as Opaque });

/** A primer may end while its consumer is being told something. */
const ignoreClosed = (consumer: Consumer) => (error: unknown): void => {
  if (!consumer.closed) throw error;
};

/** The hub of a camera that is live and whose keyframes are worth not waiting for, and how it is played. */
function openingOf({ freshness, primer }: ViewerDeps, root: Root, camera: string): { hubPort: number; way: PrimerWay } | null {
  const snapshot = child(root, camera)?.getSnapshot();
  if (!snapshot?.hasTag('viewable')) return null;
  // The hub of what is transcoded has nothing that this viewer could take.
  if (carriage(snapshot.context) !== 'plain') return null;
  const { host, media, stats } = snapshot.context;
  // Known with the first keyframe: before that, nothing is cached.
  const hubPort = host?.hubPort ?? null;
  if (media === null || hubPort === null) return null;
  if ((stats?.keyframeIntervalMs ?? Infinity) <= closeKeyframesMs) return null;
  return { hubPort, way: primerWay({ media, stats, keyframeAt: freshness(camera).keyframeAt, now: Date.now(), ...primer }) };
}

/** Rejects when the next attempt of a second stream that has no path yet is later: who asked shows the first one meanwhile. */
async function whenAway(root: Root, key: string): Promise<never> {
  const actor = child(root, key);
  const failed = actor && await waitFor(actor, (snapshot) => snapshot.hasTag('waiting'), { timeout: longestWaitMs }).catch(() => undefined);
  if (!failed) return new Promise(() => undefined);
  const { lastError } = failed.context;
  throw new LookoutError('LOOKOUT_NOT_LIVE', { cameraId: streamOfKey(key).camera, ...(lastError && { message: `The sub stream is away: ${lastError.message}`, failure: lastError }) });
}

/** What happens to a viewer's media, told to its chart and to its browser. */
function eventsFor({ id: viewer, notify }: Entry, tell: (event: ViewerEvent) => void): ViewerMediaEvents {
  return {
    connected: () => tell({ type: 'viewer.connected' }),
    disconnected: () => tell({ type: 'viewer.disconnected' }),
    paused() {
      tell({ type: 'viewer.producerPaused' });
      notify.viewer({ viewer, state: 'paused', reason: null });
    },
    resumed() {
      tell({ type: 'viewer.producerResumed' });
      notify.viewer({ viewer, state: 'flowing', reason: null });
    },
    gone: () => tell({ type: 'viewer.end', reason: 'rejoin' }),
  };
}
