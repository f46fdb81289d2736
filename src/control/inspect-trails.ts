/**
 * The last steps of every actor, kept while somebody looks. This is what a look costs for each event of every actor, so it is
 * little: nothing is copied, named or written as text here. Snapshots are kept as they are (machines never change one in place),
 * transitions and senders as references; what they are called is worked out for the one actor that a look follows.
 */
import type { AnyActorRef, AnyEventObject, AnyTransitionDefinition } from 'xstate';
import type { ActorView } from '../api/protocol.ts';

/** What all snapshots have; `value` of machines alone. */
export type Snapshot = { status?: ActorView['status']; value?: unknown; context?: unknown; children?: Record<string, AnyActorRef | undefined> };

/** Something an actor heard, and how it was then. `at` in ms since the epoch; `times`: how often in a row it changed no state. */
export type Step = { n: number; at: number; event: AnyEventObject | null; from: AnyActorRef | null; taken: readonly AnyTransitionDefinition[]; snapshot: Snapshot; times: number };

/** Of one actor. `deepest`: most events that waited in its mailbox at once, 0 before it heard any. */
export type Trail = { steps: Step[]; next: number; deepest: number; /** Of the macrostep that is under way. */ taken: readonly AnyTransitionDefinition[]; /** The last step changed no state: the same again needs no step of its own. */ rests: boolean; /** Who sent what is not handled yet. */ heard: { event: AnyEventObject; from: AnyActorRef }[] };

/** Steps kept of each actor. */
export const stepsPerActor = 100;
/** Events that wait with a known sender; an actor that lets more wait has other troubles. */
const mostHeard = 64;
const none: readonly AnyTransitionDefinition[] = [];

export type Trails = {
  of(ref: AnyActorRef): Trail;
  /** An event was sent; true where the mailbox has never been this full. */
  heard(ref: AnyActorRef, event: AnyEventObject, from: AnyActorRef | undefined): boolean;
  took(ref: AnyActorRef, transitions: readonly AnyTransitionDefinition[]): void;
  /** An event was handled; true where the state is another one, or the children are. */
  settled(ref: AnyActorRef, event: AnyEventObject | null, snapshot: Snapshot): { moved: boolean; family: boolean };
  clear(): void;
};

/** Makes them, empty. */
export function createTrails(): Trails {
  let trails = new WeakMap<AnyActorRef, Trail>();
  // One event is told three times in a row: heard, taken, settled.
  let latest: { ref: AnyActorRef; trail: Trail } | null = null;
  const of = (ref: AnyActorRef): Trail => {
    if (latest?.ref === ref) return latest.trail;
    let trail = trails.get(ref);
    if (trail === undefined) trails.set(ref, (trail = { steps: [], next: 0, deepest: 0, taken: none, rests: false, heard: [] }));
    latest = { ref, trail };
    return trail;
  };
  return {
    of,
    heard(ref, event, from) {
      const trail = of(ref);
      if (from !== undefined) {
        trail.heard.push({ event, from });
        if (trail.heard.length > mostHeard) trail.heard.shift();
      }
      const depth = waitingOf(ref) + 1;
      if (depth <= trail.deepest) return false;
      trail.deepest = depth;
      return true;
    },
    took(ref, transitions) {
      if (transitions.length === 0) return;
      const trail = of(ref);
      trail.taken = trail.taken.length === 0 ? transitions : [...trail.taken, ...transitions];
    },
    settled(ref, event, snapshot) {
      const trail = of(ref);
      const before = trail.steps.at(-1)?.snapshot;
      const moved = before === undefined || !isSameState(before, snapshot);
      record(trail, event, snapshot, moved);
      return { moved, family: before === undefined || before.children !== snapshot.children };
    },
    clear() {
      trails = new WeakMap();
      latest = null;
    },
  };
}

/** Figures arrive every second and change no state: the same event again only counts. */
function record(trail: Trail, event: AnyEventObject | null, snapshot: Snapshot, moved: boolean): void {
  const { steps, taken } = trail;
  const from = event === null || trail.heard.length === 0 ? null : senderOf(trail, event);
  trail.taken = none;
  const last = steps.at(-1);
  if (!moved && trail.rests && last !== undefined && last.event !== null && last.event.type === event?.type && last.from === from && areSame(last.taken, taken)) {
    last.at = Date.now();
    last.event = event;
    last.snapshot = snapshot;
    last.times += 1;
    return;
  }
  trail.rests = !moved;
  steps.push({ n: trail.next, at: Date.now(), event, from, taken, snapshot, times: 1 });
  trail.next += 1;
  if (steps.length > stepsPerActor) steps.shift();
}

/** Events are handled in the order in which they came: those before it have no snapshot of their own. */
function senderOf({ heard }: Trail, event: AnyEventObject): AnyActorRef | null {
  const at = heard.findIndex((one) => one.event === event);
  if (at < 0) return null;
  const { from } = heard[at]!;
  heard.splice(0, at + 1);
  return from;
}

const areSame = (a: readonly unknown[], b: readonly unknown[]): boolean => a === b || (a.length === b.length && a.every((one, index) => one === b[index]));

/** The same status and value, whatever the context. */
export function isSameState(a: Snapshot, b: Snapshot): boolean {
  return a.status === b.status && isSameValue(a.value, b.value);
}

/** XState makes the value anew with every event: names, in regions that have the same names. */
function isSameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const regions = Object.keys(a);
  return regions.length === Object.keys(b).length && regions.every((name) => isSameValue((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]));
}

/** Events that wait while another one is handled. XState's mailbox is a linked list that it does not export. */
function waitingOf(ref: AnyActorRef): number {
  type Item = { next: Item | null };
  let waiting = 0;
  for (let item = (ref as unknown as { mailbox?: { _current?: Item | null } }).mailbox?._current?.next; item; item = item.next) waiting += 1;
  return waiting;
}
