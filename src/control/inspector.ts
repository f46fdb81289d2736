/**
 * The statechart inspector: while somebody looks it keeps the last steps of every actor and tells what changed; while
 * nobody does, an event costs one comparison. Contexts are kept as they are — machines never change one in place — and
 * copied without credentials only for the one actor that a look follows.
 */
import type { AnyActorRef, AnyEventObject, AnyStateMachine, AnyTransitionDefinition, InspectionEvent } from 'xstate';
import type { InspectTell, Look } from '../api/control.ts';
import type { ActorHistoryView, ActorView, StateValueView, StepView, TimerView } from '../api/protocol.ts';
import { LookoutError } from '../errors.ts';
import type { Log } from '../log.ts';
import { chartOf, edgeIds, isMachine, machinesBelow } from './charts.ts';
import { createMessages, type Messages } from './inspect-messages.ts';
import { plain } from './inspect-plain.ts';
import { eventFor } from './inspect-send.ts';
import { plainEvent } from './observer.ts';
import type { NewEvent } from '../store/types.ts';

/** Records the tree and lends looks at it. */
export type Inspector = {
  /** For `createActor(…, { inspect })`. */
  inspect(event: InspectionEvent): void;
  open(tell: InspectTell): Look;
  stop(): void;
};

/** Steps kept of each actor, and how often what changed is told. */
export const stepsPerActor = 100;
const tellMs = 250;

type Snapshot = { status?: ActorView['status']; value?: unknown; context?: unknown; children?: Record<string, AnyActorRef | undefined> };
type Step = { n: number; at: number; event: AnyEventObject | null; from: string | null; edges: string[]; snapshot: Snapshot; label: string; times: number };
type Trail = { steps: Step[]; next: number; /** Transitions of the macrostep that is under way. */ taken: string[] };
type Watch = { tell: InspectTell; actor: string | null; ref: AnyActorRef | null; below: string | null; belowRef: AnyActorRef | null; mark: number; /** Told up to here: number of the step, and how often it had happened. */ told: { n: number; times: number } };
type Scheduled = { event: { type: string }; delay: number; startedAt: number; source: unknown };

/** Makes it. `root` is asked when somebody looks: the tree is made with this inspector, so it comes later. `note` writes the journal. */
export function createInspector(root: () => AnyActorRef, log: Log, note: (event: Omit<NewEvent, 'at'>) => void): Inspector {
  const watches = new Set<Watch>();
  let trails = new WeakMap<AnyActorRef, Trail>();
  let senders = new WeakMap<object, AnyActorRef>();
  let depths = new WeakMap<AnyActorRef, number>();
  const messages = createMessages();
  let known = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;

  const forget = (): void => {
    trails = new WeakMap();
    senders = new WeakMap();
    depths = new WeakMap();
    messages.clear();
    known = new Map();
  };
  const sign = (ref: AnyActorRef): string => `${signature(ref)} ${depths.get(ref) ?? ''}`;
  const begin = (): void => {
    forget();
    const all = actorsBelow(root());
    for (const { ref } of all.values()) record(trailOf(trails, ref), { event: null, from: null, snapshot: snapshotOf(ref) });
    known = new Map([...all].map(([id, { ref }]) => [id, sign(ref)]));
    timer = setInterval(() => {
      try {
        tellChanges();
      } catch (error) {
        log.error({ err: error }, 'an inspector could not be told');
      }
    }, tellMs).unref();
  };
  const end = (): void => {
    clearInterval(timer);
    timer = undefined;
    forget();
  };

  const tellChanges = (): void => {
    const all = actorsBelow(root());
    const changed = [...all].filter(([id, { ref }]) => known.get(id) !== sign(ref));
    const removed = [...known.keys()].filter((id) => !all.has(id));
    known = new Map([...all].map(([id, { ref }]) => [id, sign(ref)]));
    const delta = { changed: changed.map(([, entry]) => viewOf(entry, depths)), removed };
    for (const watch of watches) {
      if (delta.changed.length > 0 || removed.length > 0) watch.tell.actors(delta);
      tellSteps(watch, { all, trails, root: root() });
      // After a crash another actor lives at the same place.
      if (watch.below !== null) watch.belowRef = all.get(watch.below)?.ref ?? watch.belowRef;
      tellMessages(watch, messages);
    }
  };

  const heard = ({ event, actorRef, sourceRef }: { event: AnyEventObject; actorRef: AnyActorRef; sourceRef?: AnyActorRef | undefined }): void => {
    if (sourceRef) senders.set(event, sourceRef);
    depths.set(actorRef, Math.max(depths.get(actorRef) ?? 0, waitingOf(actorRef) + 1));
    if (sourceRef === actorRef) return;
    // Names are only made of what somebody follows: a path costs more than everything else here.
    let followed = false;
    for (const { belowRef } of watches) followed ||= belowRef !== null && (isWithin(actorRef, belowRef) || (sourceRef !== undefined && isWithin(sourceRef, belowRef)));
    if (!followed) return;
    messages.record(sourceRef ? pathOf(sourceRef) : null, pathOf(actorRef), event.type);
  };

  return {
    inspect(event) {
      if (watches.size === 0) return;
      if (event.type === '@xstate.event') heard(event as typeof event & { actorRef: AnyActorRef; sourceRef?: AnyActorRef });
      else if (event.type === '@xstate.microstep') trailOf(trails, event.actorRef as AnyActorRef).taken.push(...edgeIds(event._transitions as AnyTransitionDefinition[]));
      else if (event.type === '@xstate.snapshot') {
        const sender = senders.get(event.event);
        record(trailOf(trails, event.actorRef as AnyActorRef), { event: event.event, from: sender ? pathOf(sender) : null, snapshot: event.snapshot as Snapshot });
      }
    },
    open(tell) {
      const watch: Watch = { tell, actor: null, ref: null, below: null, belowRef: null, mark: 0, told: { n: -1, times: 0 } };
      if (watches.size === 0) begin();
      watches.add(watch);
      const close = (): void => {
        if (watches.delete(watch) && watches.size === 0) end();
      };
      return lookOf({ root, watch, trails: () => trails, depths: () => depths, messages, note, close });
    },
    stop: end,
  };
}

type LookParts = { root: () => AnyActorRef; watch: Watch; trails: () => WeakMap<AnyActorRef, Trail>; depths: () => WeakMap<AnyActorRef, number>; messages: Messages; note: (event: Omit<NewEvent, 'at'>) => void; close: () => void };

/** What somebody who looks may ask for. */
function lookOf({ root, watch, trails, depths, messages, note, close }: LookParts): Look {
  const must = (actor: string): Entry => {
    const entry = actorsBelow(root()).get(actor);
    if (!entry) throw new LookoutError('LOOKOUT_ACTOR_NOT_FOUND');
    return entry;
  };
  return {
    charts: () => [...machinesBelow((root() as unknown as { logic: Parameters<typeof machinesBelow>[0] }).logic).values()].map(chartOf),
    actors: () => [...actorsBelow(root()).values()].map((entry) => viewOf(entry, depths())),
    watch(actor) {
      if (actor === null) {
        Object.assign(watch, { actor, ref: null });
        return null;
      }
      const entry = must(actor);
      const { steps } = trailOf(trails(), entry.ref);
      const last = steps.at(-1);
      Object.assign(watch, { actor, ref: entry.ref, told: { n: last?.n ?? -1, times: last?.times ?? 0 } });
      return { actor: viewOf(entry, depths()), steps: steps.map(stepView), timers: timersOf(root(), entry.ref) } satisfies ActorHistoryView;
    },
    sequence(below) {
      const belowRef = below === null ? null : must(below).ref;
      Object.assign(watch, { below, belowRef, mark: messages.mark() });
    },
    send(actor, given, by) {
      const { ref } = must(actor);
      const event = eventFor(machineLogicOf(ref), given);
      note(plainEvent(/\/camera:([^/]+)/u.exec(actor)?.[1] ?? '', 'inspector.sent', `${by} sent ${event.type} to ${actor} by hand.`));
      ref.send(event);
    },
    close,
  };
}

function tellSteps(watch: Watch, { all, trails, root }: { all: Map<string, Entry>; trails: WeakMap<AnyActorRef, Trail>; root: AnyActorRef }): void {
  if (watch.actor === null) return;
  // After a crash another actor lives at the same place: its steps begin anew.
  const ref = all.get(watch.actor)?.ref ?? watch.ref;
  if (!ref) return;
  if (ref !== watch.ref) Object.assign(watch, { ref, told: { n: -1, times: 0 } });
  const { told } = watch;
  const fresh = trailOf(trails, ref).steps.filter(({ n, times }) => n > told.n || (n === told.n && times > told.times));
  const last = fresh.at(-1);
  if (!last) return;
  watch.told = { n: last.n, times: last.times };
  watch.tell.steps({ actor: watch.actor, steps: fresh.map(stepView), timers: timersOf(root, ref) });
}

function tellMessages(watch: Watch, messages: Messages): void {
  if (watch.below === null) return;
  const { messages: fresh, mark } = messages.since(watch.mark, watch.below);
  watch.mark = mark;
  if (fresh.length > 0) watch.tell.messages({ below: watch.below, messages: fresh });
}

/** Events that wait while another one is handled. XState's mailbox is a linked list that it does not export. */
function waitingOf(ref: AnyActorRef): number {
  type Item = { next: Item | null };
  let waiting = 0;
  for (let item = (ref as unknown as { mailbox?: { _current?: Item | null } }).mailbox?._current?.next; item; item = item.next) waiting += 1;
  return waiting;
}

type Entry = { id: string; parent: string | null; ref: AnyActorRef };

/** The actor and all that live below it, by their ids in the tree. */
function actorsBelow(ref: AnyActorRef, id = rootName(ref), parent: string | null = null, found = new Map<string, Entry>()): Map<string, Entry> {
  found.set(id, { id, parent, ref });
  for (const [key, child] of Object.entries(snapshotOf(ref).children ?? {})) if (child) actorsBelow(child, `${id}/${key}`, id, found);
  return found;
}

function pathOf(ref: AnyActorRef): string {
  const parent = (ref as { _parent?: AnyActorRef })._parent;
  return parent ? `${pathOf(parent)}/${ref.id}` : rootName(ref);
}

const logicOf = (ref: AnyActorRef): unknown => (ref as unknown as { logic: unknown }).logic;
const rootName = (ref: AnyActorRef): string => machineOf(ref) ?? ref.id;
const snapshotOf = (ref: AnyActorRef): Snapshot => (ref.getSnapshot() ?? {}) as Snapshot;

function machineLogicOf(ref: AnyActorRef): AnyStateMachine | null {
  const logic = logicOf(ref);
  return isMachine(logic) ? logic : null;
}

const machineOf = (ref: AnyActorRef): string | null => machineLogicOf(ref)?.id ?? null;

function trailOf(trails: WeakMap<AnyActorRef, Trail>, ref: AnyActorRef): Trail {
  const trail = trails.get(ref) ?? { steps: [], next: 0, taken: [] };
  trails.set(ref, trail);
  return trail;
}

/** Figures arrive every second and change no state: the same event again only counts. */
function record(trail: Trail, { event, from, snapshot }: Pick<Step, 'event' | 'from' | 'snapshot'>): void {
  const label = `${snapshot.status ?? ''} ${textOf(snapshot.value)}`;
  const edges = trail.taken;
  trail.taken = [];
  const last = trail.steps.at(-1);
  const before = trail.steps.at(-2);
  if (last && before && last.event && last.event.type === event?.type && last.from === from && last.label === label && before.label === label && last.edges.join() === edges.join()) {
    Object.assign(last, { at: Date.now(), event, snapshot, times: last.times + 1 });
    return;
  }
  trail.steps.push({ n: trail.next, at: Date.now(), event, from, edges, snapshot, label, times: 1 });
  trail.next += 1;
  if (trail.steps.length > stepsPerActor) trail.steps.shift();
}

const valueOf = ({ value }: Snapshot): StateValueView => (value ?? null) as StateValueView;

function viewOf({ id, parent, ref }: Entry, depths: WeakMap<AnyActorRef, number>): ActorView {
  const snapshot = snapshotOf(ref);
  const mailbox = depths.get(ref);
  return { id, parent, machine: machineOf(ref), status: snapshot.status ?? 'active', value: valueOf(snapshot), ...(mailbox === undefined ? {} : { mailbox }) };
}

/** Figures change no state: the same value comes with every one of them, and its text is made once. */
const texts = new WeakMap<object, string>();
function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const known = texts.get(value) ?? JSON.stringify(value);
  texts.set(value, known);
  return known;
}

/** True for the actor itself and all that live below it. */
function isWithin(ref: AnyActorRef, top: AnyActorRef): boolean {
  for (let at: AnyActorRef | undefined = ref; at; at = (at as { _parent?: AnyActorRef })._parent) if (at === top) return true;
  return false;
}

/** Differs where the actor is another one, or in another state. */
function signature(ref: AnyActorRef): string {
  const { status, value } = snapshotOf(ref);
  return `${ref.sessionId} ${status ?? ''} ${textOf(value)}`;
}

function stepView({ n, at, event, from, edges, snapshot, times }: Step): StepView {
  return {
    n, from, edges, times,
    at: new Date(at).toISOString(),
    event: event === null ? null : (plain({ ...event }) as StepView['event']),
    value: valueOf(snapshot),
    status: snapshot.status ?? 'active',
    context: plain(snapshot.context ?? null),
  };
}

/** Delays that run for an actor. `_scheduledEvents` is what XState persists; its type is not exported. */
function timersOf(root: AnyActorRef, ref: AnyActorRef): TimerView[] {
  const { _scheduledEvents: all } = (root as unknown as { system: { getSnapshot(): { _scheduledEvents: Record<string, Scheduled> } } }).system.getSnapshot();
  return Object.values(all).filter(({ source }) => source === ref).map(({ event, delay, startedAt }) => ({ event: event.type, dueAt: new Date(startedAt + delay).toISOString() }));
}
