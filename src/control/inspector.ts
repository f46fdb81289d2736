/**
 * The statechart inspector: while somebody looks it keeps the last steps of every actor and tells what changed; while
 * nobody does, an event costs one comparison. Contexts are copied, without credentials, only for the one actor that a look follows.
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
import { createTrails, isSameState, type Snapshot, type Step, type Trails } from './inspect-trails.ts';
import { plainEvent } from './observer.ts';
import type { NewEvent } from '../store/types.ts';

/** Records the tree and lends looks at it. */
export type Inspector = {
  /** For `createActor(…, { inspect })`. */
  inspect(event: InspectionEvent): void;
  open(tell: InspectTell): Look;
  stop(): void;
};

/** How often what changed is told. */
const tellMs = 250;
/** The whole tree is gone through when its shape changed, and else every so many times: a crash tells nobody but the parent. */
const roundsToWalk = 20;

type Watch = { tell: InspectTell; actor: string | null; ref: AnyActorRef | null; below: string | null; belowRef: AnyActorRef | null; mark: number; /** Told up to here: number of the step, and how often it had happened. */ told: { n: number; times: number } };
type Scheduled = { event: { type: string }; delay: number; startedAt: number; source: unknown };
type Entry = { id: string; parent: string | null; ref: AnyActorRef };
/** As it was told. */
type Known = Entry & { snapshot: Snapshot; deepest: number };

/** Makes it. `root` is asked when somebody looks: the tree is made with this inspector, so it comes later. `note` writes the journal. */
export function createInspector(root: () => AnyActorRef, log: Log, note: (event: Omit<NewEvent, 'at'>) => void): Inspector {
  const watches = new Set<Watch>();
  const trails = createTrails();
  const messages = createMessages();
  const tree = createTree(root, trails);
  let timer: NodeJS.Timeout | undefined;

  const begin = (): void => {
    for (const { ref } of actorsBelow(root()).values()) trails.settled(ref, null, snapshotOf(ref));
    tree.begin();
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
    trails.clear();
    messages.clear();
    tree.clear();
  };

  const tellChanges = (): void => {
    const delta = tree.changes();
    for (const watch of watches) {
      if (delta.changed.length > 0 || delta.removed.length > 0) watch.tell.actors(delta);
      tellSteps(watch, { refOf: tree.refOf, trails, root: root() });
      // After a crash another actor lives at the same place.
      if (watch.below !== null) watch.belowRef = tree.refOf(watch.below) ?? watch.belowRef;
      tellMessages(watch, messages);
    }
  };

  const heard = ({ event, actorRef, sourceRef }: { event: AnyEventObject; actorRef: AnyActorRef; sourceRef?: AnyActorRef | undefined }): void => {
    if (trails.heard(actorRef, event, sourceRef)) tree.touch(actorRef);
    if (sourceRef === actorRef) return;
    // Names are only made of what somebody follows: a path costs more than everything else here.
    let followed = false;
    for (const { belowRef } of watches) followed ||= belowRef !== null && (isWithin(actorRef, belowRef) || (sourceRef !== undefined && isWithin(sourceRef, belowRef)));
    if (!followed) return;
    messages.record(sourceRef ? pathOf(sourceRef) : null, pathOf(actorRef), event.type);
  };
  const settled = (ref: AnyActorRef, event: AnyEventObject, snapshot: Snapshot): void => {
    const { moved, family } = trails.settled(ref, event, snapshot);
    if (moved) tree.touch(ref);
    if (family) tree.reshape();
  };

  return {
    inspect(event) {
      if (watches.size === 0) return;
      if (event.type === '@xstate.event') heard(event as typeof event & { actorRef: AnyActorRef; sourceRef?: AnyActorRef });
      else if (event.type === '@xstate.microstep') trails.took(event.actorRef as AnyActorRef, event._transitions as AnyTransitionDefinition[]);
      else if (event.type === '@xstate.snapshot') settled(event.actorRef as AnyActorRef, event.event, event.snapshot as Snapshot);
    },
    open(tell) {
      const watch: Watch = { tell, actor: null, ref: null, below: null, belowRef: null, mark: 0, told: { n: -1, times: 0 } };
      if (watches.size === 0) begin();
      watches.add(watch);
      const close = (): void => {
        if (watches.delete(watch) && watches.size === 0) end();
      };
      return lookOf({ root, watch, trails, messages, note, close });
    },
    stop: end,
  };
}

type Tree = {
  begin(): void;
  /** This actor may be told of anew. */
  touch(ref: AnyActorRef): void;
  /** Actors came or went. */
  reshape(): void;
  /** What is different from what was told. */
  changes(): { changed: ActorView[]; removed: string[] };
  refOf(id: string): AnyActorRef | undefined;
  clear(): void;
};

/** The tree as it was told: what is looked at again is only what said that it changed. */
function createTree(root: () => AnyActorRef, trails: Trails): Tree {
  let known = new Map<string, Known>();
  const touched = new Set<AnyActorRef>();
  let rounds = 0;
  const asIs = (entry: Entry): Known => ({ ...entry, snapshot: snapshotOf(entry.ref), deepest: trails.of(entry.ref).deepest });
  const isNew = (entry: Entry): boolean => {
    const told = known.get(entry.id);
    return told?.ref !== entry.ref || told.deepest !== trails.of(entry.ref).deepest || !isSameState(told.snapshot, snapshotOf(entry.ref));
  };
  const walk = (): { changed: Entry[]; removed: string[] } => {
    const all = actorsBelow(root());
    const changed = [...all.values()].filter(isNew);
    const removed = [...known.keys()].filter((id) => !all.has(id));
    for (const id of removed) known.delete(id);
    return { changed, removed };
  };
  const glance = (): { changed: Entry[]; removed: string[] } => ({
    changed: [...touched].flatMap((ref) => {
      const entry = known.get(pathOf(ref));
      return entry?.ref === ref && isNew(entry) ? [entry] : [];
    }),
    removed: [],
  });
  return {
    begin() {
      known = new Map([...actorsBelow(root())].map(([id, entry]) => [id, asIs(entry)]));
      rounds = roundsToWalk;
    },
    touch: (ref) => void touched.add(ref),
    reshape: () => { rounds = 0; },
    changes() {
      const { changed, removed } = rounds <= 0 ? walk() : glance();
      rounds = rounds <= 0 ? roundsToWalk : rounds - 1;
      touched.clear();
      for (const entry of changed) known.set(entry.id, asIs(entry));
      return { changed: changed.map((entry) => viewOf(entry, trails)), removed };
    },
    refOf: (id) => known.get(id)?.ref,
    clear() {
      known = new Map();
      touched.clear();
    },
  };
}

type LookParts = { root: () => AnyActorRef; watch: Watch; trails: Trails; messages: Messages; note: (event: Omit<NewEvent, 'at'>) => void; close: () => void };

/** What somebody who looks may ask for. */
function lookOf({ root, watch, trails, messages, note, close }: LookParts): Look {
  const must = (actor: string): Entry => {
    const entry = actorsBelow(root()).get(actor);
    if (!entry) throw new LookoutError('LOOKOUT_ACTOR_NOT_FOUND');
    return entry;
  };
  return {
    charts: () => [...machinesBelow((root() as unknown as { logic: Parameters<typeof machinesBelow>[0] }).logic).values()].map(chartOf),
    actors: () => [...actorsBelow(root()).values()].map((entry) => viewOf(entry, trails)),
    watch(actor) {
      if (actor === null) {
        Object.assign(watch, { actor, ref: null });
        return null;
      }
      const entry = must(actor);
      const { steps } = trails.of(entry.ref);
      const last = steps.at(-1);
      Object.assign(watch, { actor, ref: entry.ref, told: { n: last?.n ?? -1, times: last?.times ?? 0 } });
      return { actor: viewOf(entry, trails), steps: steps.map(stepView), timers: timersOf(root(), entry.ref) } satisfies ActorHistoryView;
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

function tellSteps(watch: Watch, { refOf, trails, root }: { refOf: Tree['refOf']; trails: Trails; root: AnyActorRef }): void {
  if (watch.actor === null) return;
  // After a crash another actor lives at the same place: its steps begin anew.
  const ref = refOf(watch.actor) ?? watch.ref;
  if (!ref) return;
  if (ref !== watch.ref) Object.assign(watch, { ref, told: { n: -1, times: 0 } });
  const { told } = watch;
  const fresh = trails.of(ref).steps.filter(({ n, times }) => n > told.n || (n === told.n && times > told.times));
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

const valueOf = ({ value }: Snapshot): StateValueView => (value ?? null) as StateValueView;

function viewOf({ id, parent, ref }: Entry, trails: Trails): ActorView {
  const snapshot = snapshotOf(ref);
  const { deepest } = trails.of(ref);
  return { id, parent, machine: machineOf(ref), status: snapshot.status ?? 'active', value: valueOf(snapshot), ...(deepest === 0 ? {} : { mailbox: deepest }) };
}

/** True for the actor itself and all that live below it. */
function isWithin(ref: AnyActorRef, top: AnyActorRef): boolean {
  for (let at: AnyActorRef | undefined = ref; at; at = (at as { _parent?: AnyActorRef })._parent) if (at === top) return true;
  return false;
}

function stepView({ n, at, event, from, taken, snapshot, times }: Step): StepView {
  return {
    n, times,
    from: from === null ? null : pathOf(from),
    edges: edgeIds(taken),
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
