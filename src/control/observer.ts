/**
 * The one place where state changes are noticed: it reads the inspection of the actor tree, writes the journal and the
 * log, keeps the time spent in each state, and tells subscribers. Machines know nothing of it.
 */
import type { InspectionEvent } from 'xstate';
import type { Delta } from '../api/control.ts';
import type { CameraState, EventView } from '../api/protocol.ts';
import type { Failure, FailureClass } from '../errors.ts';
import { durationText } from '../machines/duration.ts';
import type { Log } from '../log.ts';
import type { Handover } from '../machines/camera-context.ts';
import type { VideoFormat } from '../media.ts';
import type { FlightRecorder } from '../native/flight-recorder.ts';
import type { NewEvent, Store } from '../store/types.ts';
import { streamOfKey } from '../streams.ts';
import { stateOf, type CameraSnapshot } from './camera-view.ts';
import { createOutputJournal, type OutputSnapshot, type OutputTrace } from './output-journal.ts';

/** What is remembered of a camera besides its snapshot. */
export type Trace = {
  state: CameraState;
  label: string;
  since: number;
  seconds: Partial<Record<CameraState, number>>;
  /** When the last loss began, and its class; null while all is well. */
  lost: { at: number; class: FailureClass } | null;
};

/** Watches the tree. */
export type Observer = {
  /** For `createActor(…, { inspect })`. */
  inspect(event: InspectionEvent): void;
  /** Of a stream, by its key. */
  trace(camera: string): Trace | undefined;
  output(camera: string, output: string): OutputTrace | undefined;
  forget(camera: string): void;
  /** Writes a row that no transition stands for: created, changed, removed, restarted. Its camera may be the key of a stream. */
  note(event: Omit<NewEvent, 'at'>): EventView;
};

/** What an observer writes to; `changed` hears of every new snapshot of a camera. */
export type ObserverDeps = { journal: Store['journal']; log: Log; tell: (delta: Delta) => void; changed: (camera: string) => void; recorder: Pick<FlightRecorder, 'copy' | 'succeeded' | 'forget'>; incidents: { lost(loss: { camera: string; address: string; class: FailureClass; at: number }): void; back(camera: string, at: number): void } };

const blank = { from: null, to: null, class: null, code: null, evidence: null, attempt: null, delayMs: null };

/** A row with nothing but type, camera and message. */
export function plainEvent(camera: string, type: string, message: string): Omit<NewEvent, 'at'> {
  return { ...blank, camera, type, message };
}

/** The row of a stream, which its key stands for, by the names of the world. */
function labelled(event: Omit<NewEvent, 'at'>): Omit<NewEvent, 'at'> {
  const { camera, stream } = streamOfKey(event.camera);
  return stream === 'main' ? event : { ...event, camera, stream, message: `Sub stream: ${event.message}` };
}

/** A stream in the log. */
function nameOf(key: string): { camera: string; stream?: 'sub' } {
  const { camera, stream } = streamOfKey(key);
  return { camera, ...(stream === 'sub' && { stream }) };
}

/** Makes an observer. */
export function createObserver({ journal, log, tell, changed, recorder, incidents }: ObserverDeps): Observer {
  const traces = new Map<string, Trace>();

  const note = (event: Omit<NewEvent, 'at'>): EventView => {
    const row = journal.append({ ...labelled(event), at: Date.now() });
    tell({ type: 'journal', event: row });
    return row;
  };

  const moved = (id: string, snapshot: CameraSnapshot): void => {
    const { state, substate } = stateOf(snapshot);
    const label = state === 'streaming' ? `${state}.${substate}` : state;
    const before = traces.get(id);
    if (before?.label === label) return;
    const now = Date.now();
    const seconds = { ...before?.seconds };
    if (before) seconds[before.state] = (seconds[before.state] ?? 0) + (now - before.since) / 1_000;
    const lost = lossAfter(before?.lost ?? null, label, snapshot);
    traces.set(id, { state, label, since: now, seconds, lost });
    // Only what was live can be lost together with others.
    // One camera is lost once: its second stream is no camera of its own.
    const isMain = streamOfKey(id).stream === 'main';
    if (isMain && lost && !before?.lost && before?.state === 'streaming') incidents.lost({ camera: id, address: snapshot.context.config.url.host, class: lost.class, at: now });
    if (isMain && !lost) incidents.back(id, now);
    // Whatever leads to teardown with a cause is a failure of the source, of its probe or of its host.
    const { cause } = snapshot.context;
    const recording = label === 'teardown' && cause ? recorder.copy(id, cause) : undefined;
    const row = note({ ...transitionRow(id, before?.label ?? null, label, snapshot), ...(recording ? { recording } : {}) });
    const { class: cls, code, attempt, delayMs } = row;
    log.info({ ...nameOf(id), from: row.from, to: row.to, ...(cls ? { class: cls, code, attempt } : {}), ...(delayMs === null ? {} : { delayMs }) }, 'camera changed state');
    if (isMain && before?.lost && label === 'streaming.live') {
      tell({ type: 'recovered', id, class: before.lost.class, seconds: (now - before.lost.at) / 1_000 });
    }
  };

  /** What happens beside the states: the live path that is lost and found, media that change in mid-stream. */
  const seen = new Map<string, Pick<CameraSnapshot['context'], 'ingestError' | 'media' | 'handover'>>();
  const beside = (id: string, { context: { ingestError, media, worker, handover } }: CameraSnapshot): void => {
    const before = seen.get(id);
    seen.set(id, { ingestError, media: media ?? before?.media ?? null, handover });
    if (handover && handover.phase !== 'starting' && handover !== before?.handover) noteHandover(id, handover);
    if (ingestError && ingestError !== before?.ingestError) {
      const { class: cls, code, message, evidence = null } = ingestError;
      note({ ...plainEvent(id, 'ingest.lost', message), class: cls, code, evidence });
    } else if (!ingestError && before?.ingestError && worker) {
      note(plainEvent(id, 'ingest.ready', `Media worker ${worker.index} carries the camera.`));
    }
    if (media && before?.media && mediaText(media) !== mediaText(before.media)) note(mediaRow(id, before.media, media));
  };

  const outputs = createOutputJournal(note);
  /** The successor that failed has a recording of its own. */
  const noteHandover = (id: string, handover: Handover): void => {
    if (handover.phase === 'replaced') recorder.succeeded(id);
    const recording = handover.failure ? recorder.copy(id, handover.failure, 'successor') : undefined;
    note({ ...handoverRow(id, handover), ...(recording ? { recording } : {}) });
  };

  return {
    inspect(event) {
      if (event.type !== '@xstate.snapshot' || !('id' in event.actorRef)) return;
      const id = String(event.actorRef.id);
      if (id.startsWith('output:')) {
        const camera = String((event.actorRef as { _parent?: { id?: string } })._parent?.id ?? '').slice('camera:'.length);
        outputs.seen(camera, id.slice('output:'.length), event.snapshot as OutputSnapshot);
        return changed(camera);
      }
      if (!id.startsWith('camera:')) return;
      const snapshot = event.snapshot as CameraSnapshot;
      if (snapshot.status !== 'active') return;
      const camera = id.slice('camera:'.length);
      moved(camera, snapshot);
      beside(camera, snapshot);
      // What is over is stored by now, or was nobody's failure.
      if (stateOf(snapshot).state === 'teardown') recorder.forget(camera);
      changed(camera);
    },
    trace: (camera) => traces.get(camera),
    output: outputs.trace,
    forget(camera) {
      traces.delete(camera);
      outputs.forget(camera);
      incidents.back(camera, Date.now());
      seen.delete(camera);
    },
    note,
  };
}

function mediaText({ codec, profile, width, height }: VideoFormat): string {
  return `${codec}${profile === null ? '' : ` ${profile}`}${width === null || height === null ? '' : `, ${width}×${height}`}`;
}

/** The stream goes on where it can: this row is the only trace of a change that nobody here asked for. */
function mediaRow(camera: string, was: VideoFormat, now: VideoFormat): Omit<NewEvent, 'at'> {
  const code = was.codec !== now.codec ? 'codec' : was.profile !== now.profile ? 'profile' : 'resolution';
  return { ...plainEvent(camera, 'media.changed', `The camera sends ${mediaText(now)} instead of ${mediaText(was)}.`), class: 'media-changed', code };
}

const handoverReasons: Record<Handover['reason'], string> = {
  restart: 'a restart was asked for',
  address: 'its settings changed',
  grown: 'its host has grown too large',
};

/** A planned restart, make before break. */
function handoverRow(camera: string, { reason, phase, failure }: Handover): Omit<NewEvent, 'at'> {
  if (phase === 'preparing') return plainEvent(camera, 'source.replacing', `A second source is prepared beside the running one: ${handoverReasons[reason]}.`);
  if (phase === 'replaced') return plainEvent(camera, 'source.replaced', 'The new source took over at a keyframe; the old one is released.');
  const why = failure?.message ?? 'What the camera offers now needs another ingest.';
  return { ...plainEvent(camera, 'source.notReplaced', `The new source could not take over, so the camera is connected anew. ${why}`), class: failure?.class ?? null, code: failure?.code ?? null, evidence: failure?.evidence ?? null };
}

function lossAfter(lost: Trace['lost'], label: string, { context }: CameraSnapshot): Trace['lost'] {
  if (label === 'streaming.live' || label === 'stopped' || label === 'idle') return null;
  if (lost) return lost;
  return label === 'teardown' && context.cause ? { at: context.cause.at, class: context.cause.class } : null;
}

/** The journal's row: what changed, and why. */
function transitionRow(camera: string, from: string | null, to: string, { context }: CameraSnapshot): Omit<NewEvent, 'at'> {
  const cause: Failure | null = to.startsWith('streaming') || to === 'stopped' || to === 'idle' ? null : context.cause;
  const delayed = to === 'backoff' || to === 'quarantined';
  return {
    camera,
    type: 'camera.transition',
    from,
    to,
    class: cause?.class ?? null,
    code: cause?.code ?? null,
    message: sentence(from, to, cause, context),
    evidence: to === 'teardown' ? (cause?.evidence ?? null) : null,
    attempt: cause ? context.history.attempt : null,
    delayMs: delayed ? context.delayMs : null,
  };
}

function sentence(from: string | null, to: string, cause: Failure | null, { why, delayMs }: { why: string | null; delayMs: number }): string {
  const because = why === null ? '' : ` (${why})`;
  switch (to) {
    case 'streaming.live':
      return from === 'streaming.stalled' ? 'Packets arrive again.' : 'The camera is live.';
    case 'streaming.stalled':
      return 'The connection is open but no packets arrive.';
    case 'connecting':
      return cause ? `Connecting again${because}.` : 'Connecting.';
    case 'teardown':
      return cause ? cause.message : 'Releasing the source as asked.';
    case 'backoff':
      return `Waiting ${durationText(delayMs)} before the next attempt${because}.`;
    case 'quarantined':
      return `Quarantined${because}: one slow probe from now on, "retry" tries at once.`;
    case 'idle':
      return 'Nobody watches: waiting for the first viewer.';
    default:
      return 'Stopped.';
  }
}
