/** The part of the contract that the statechart inspector speaks, namespace `/inspect`. Published through `protocol.ts`. */
import type { Ack } from './protocol.ts';

/** A state value as XState gives it: `live`, or `{ streaming: 'live' }`; null for actors that are no machines. */
export type StateValueView = string | { [region: string]: StateValueView } | null;

/** A transition as it is declared. */
export type ChartEdge = {
  /** Unique in the chart: id of the source state, event and place among those of the same event. */
  id: string;
  /** Id of the state it leaves. */
  source: string;
  /** Ids of the states it enters; none: only actions happen. */
  targets: string[];
  kind: 'event' | 'after' | 'always' | 'done' | 'error';
  /** What triggers it, for a person: the event, the name of the delay, the actor that is done. */
  label: string;
  guard: string | null;
  actions: string[];
};

/** A state of a chart. */
export type ChartState = {
  id: string;
  key: string;
  type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  /** Id of the child that is entered first. */
  initial: string | null;
  entry: string[];
  exit: string[];
  tags: string[];
  /** Actors that live as long as the state is active. */
  invokes: { id: string; src: string }[];
  states: ChartState[];
};

/** A machine as the running actors have it. */
export type ChartView = { machine: string; root: ChartState; edges: ChartEdge[]; /** What an admin may send by hand. */ sendable?: SendableEvent[] };

/** An event that may be sent by hand. `failure` wants a failure class; `now` is filled in by the server. */
export type SendableEvent = { type: string; fields: { name: string; kind: 'boolean' | 'number' | 'failure' | 'now' }[] };

/** One actor told another something. */
export type MessageView = {
  /** Counts the messages since somebody looks. */
  n: number;
  at: string;
  /** Ids of the tree; null: somebody outside, or a timer. */
  from: string | null;
  to: string;
  type: string;
  /** How often lately; 1 for once. */
  times: number;
};

/** An actor of the tree. */
export type ActorView = {
  /** The ids from the root to it, joined by `/`: `supervisor/camera:gate/source/host:a`. */
  id: string;
  parent: string | null;
  /** Name of its chart; null for promises, callbacks and other logic without states. */
  machine: string | null;
  status: 'active' | 'done' | 'error' | 'stopped';
  value: StateValueView;
  /** Most events that waited in its mailbox at once since somebody looks, the one being handled included; absent before it heard any. */
  mailbox?: number;
};

/** Something an actor heard, and how it is since then. */
export type StepView = {
  /** Counts the steps of this actor since somebody looks; a hole means that older ones were dropped. */
  n: number;
  at: string;
  /** What it heard, without credentials; null: how it was when somebody began to look. */
  event: { type: string; [field: string]: unknown } | null;
  /** Who sent it: an id of the tree; null: a timer, the actor itself, or somebody outside. */
  from: string | null;
  /** Transitions taken, as ids of {@link ChartEdge}. */
  edges: string[];
  value: StateValueView;
  status: ActorView['status'];
  /** Without credentials, cut where it is large. */
  context: unknown;
  /** How often in a row the same event changed no state; 1 for once. */
  times: number;
};

/** A delay that runs. */
export type TimerView = { event: string; dueAt: string };

/** One actor in full, from the oldest step that is kept. */
export type ActorHistoryView = { actor: ActorView; steps: StepView[]; timers: TimerView[] };

/** Namespace `/inspect`, server to client. */
export type InspectServerEvents = {
  /** Once after connecting, and again after a client was too slow for the changes. */
  snapshot: (all: { charts: ChartView[]; actors: ActorView[]; at: string }) => void;
  /** Actors that are new or in another state, ids of those that ended; four times a second at most. */
  actors: (delta: { changed: ActorView[]; removed: string[]; at: string }) => void;
  /** What the watched actor did since the last message, and all its delays. A step with an `n` that is known replaces it. */
  steps: (batch: { actor: string; steps: StepView[]; timers: TimerView[]; at: string }) => void;
  /** Messages at or below the actor that `sequence` named; one with an `n` that is known replaces it. */
  messages: (batch: { below: string; messages: MessageView[]; at: string }) => void;
};

/** Namespace `/inspect`, client to server. */
export type InspectClientEvents = {
  /** From now on `steps` of this actor arrive, of no other; the answer is what is kept of it. null watches none. */
  watch: (request: { actor: string | null }, ack: Ack<ActorHistoryView | null>) => void;
  /** From now on `messages` arrive of what passes at or below this actor; null: none. */
  sequence: (request: { below: string | null }, ack: Ack<null>) => void;
  /** Sends one of the chart's `sendable` events to an actor; the journal says who sent what. Refused with `LOOKOUT_EVENT_REFUSED`. */
  send: (request: { actor: string; event: { type: string; [field: string]: unknown } }, ack: Ack<null>) => void;
};
