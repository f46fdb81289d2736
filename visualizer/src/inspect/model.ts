/** What the inspector shows: charts, the tree of actors, the steps of one of them, and which of these is looked at. */
import { batch, computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { ActorView, ChartState, ChartView, MessageView, StateValueView, StepView, TimerView } from '../../../src/api/protocol.ts';
import { messageOf, type Adapter, type Inspection, type InspectListener } from '../adapter.ts';
import type { Clock } from '../models/clock.ts';

export type InspectModel = {
  /** null while everything is well. */
  problem: ReadonlySignal<string | null>;
  /** null before the first snapshot. */
  actors: ReadonlySignal<Map<string, ActorView> | null>;
  charts: ReadonlySignal<Map<string, ChartView>>;
  selected: ReadonlySignal<string | null>;
  /** Oldest first. */
  steps: ReadonlySignal<StepView[]>;
  timers: ReadonlySignal<TimerView[]>;
  /** `n` of the step that is looked at; null: the newest, whichever it is. */
  cursor: Signal<number | null>;
  /** The step that is looked at. */
  shown: ReadonlySignal<StepView | null>;
  select: (actor: string) => void;
  /** Oldest first; what `followMessages` asked for. */
  messages: ReadonlySignal<MessageView[]>;
  /** Follows what passes at or below an actor until the returned function is called. */
  followMessages: (below: string) => () => void;
  send: Inspection['send'];
  dispose: () => void;
};

/** As many as the server keeps. */
const maxSteps = 100;
const maxMessages = 200;

/** Opens a look; `dispose` ends it. */
export function createInspectModel(adapter: Adapter, clock: Clock): InspectModel {
  const problem = signal<string | null>(null);
  const actors = signal<Map<string, ActorView> | null>(null);
  const charts = signal<Map<string, ChartView>>(new Map());
  const selected = signal<string | null>(null);
  const steps = signal<StepView[]>([]);
  const timers = signal<TimerView[]>([]);
  const cursor = signal<number | null>(null);
  const passed = createPassed(() => inspection, (message) => { problem.value = message; });

  const watch = async (): Promise<void> => {
    const actor = selected.peek();
    if (actor === null || actors.peek() === null) return;
    try {
      const history = await inspection.watch(actor);
      if (actor !== selected.peek() || !history) return;
      batch(() => {
        problem.value = null;
        steps.value = history.steps;
        timers.value = history.timers;
      });
    } catch (error) {
      if (actor === selected.peek()) problem.value = messageOf(error);
    }
  };
  const inspection = adapter.inspect({
    snapshot: (all) => {
      batch(() => {
        clock.observe(all.at);
        problem.value = null;
        charts.value = new Map(all.charts.map((chart) => [chart.machine, chart]));
        actors.value = new Map(all.actors.map((actor) => [actor.id, actor]));
      });
      void watch();
      passed.again();
    },
    actors: ({ changed, removed }) => {
      const next = new Map(actors.peek());
      for (const id of removed) next.delete(id);
      for (const actor of changed) next.set(actor.id, actor);
      actors.value = next;
    },
    steps: (news) => batch(() => {
      if (news.actor !== selected.peek()) return;
      clock.observe(news.at);
      steps.value = merged(steps.peek(), news.steps);
      timers.value = news.timers;
      // What was looked at is not kept any more.
      if (cursor.peek() !== null && !steps.peek().some(({ n }) => n === cursor.peek())) cursor.value = null;
    }),
    messages: passed.hear,
    lost: (reason) => { problem.value = reason; },
  });

  return {
    problem, actors, charts, selected, steps, timers, cursor,
    shown: computed(() => steps.value.find(({ n }) => n === cursor.value) ?? steps.value.at(-1) ?? null),
    select: (actor) => {
      if (actor === selected.peek()) return;
      batch(() => {
        selected.value = actor;
        steps.value = [];
        timers.value = [];
        cursor.value = null;
        problem.value = null;
      });
      void watch();
    },
    messages: passed.messages,
    followMessages: (below) => passed.follow(below, actors.peek() !== null),
    send: inspection.send,
    dispose: () => inspection.close(),
  };
}

/** The same number replaces; a lower one means that another actor lives at this place now, whose steps begin anew. */
export function merged(known: readonly StepView[], news: readonly StepView[]): StepView[] {
  const steps = [...known];
  for (const step of news) {
    const last = steps.at(-1);
    if (last && step.n < last.n) steps.length = 0;
    if (last && step.n === last.n) steps.pop();
    steps.push(step);
  }
  return steps.slice(-maxSteps);
}

type Passed = { messages: ReadonlySignal<MessageView[]>; hear: InspectListener['messages']; again: () => void; follow: (below: string, connected: boolean) => () => void };

/** The messages at and below one actor. */
function createPassed(inspection: () => Inspection, failed: (message: string) => void): Passed {
  const messages = signal<MessageView[]>([]);
  let followed: string | null = null;
  const ask = (): void => {
    messages.value = [];
    inspection().sequence(followed).catch((error: unknown) => failed(messageOf(error)));
  };
  return {
    messages,
    hear: ({ below, messages: news }) => { if (below === followed) messages.value = replaced(messages.peek(), news); },
    again: () => { if (followed !== null) ask(); },
    follow: (below, connected) => {
      followed = below;
      if (connected) ask();
      return () => {
        followed = null;
        inspection().sequence(null).catch(() => undefined);
      };
    },
  };
}

/** The same number replaces in its place. */
export function replaced(known: readonly MessageView[], news: readonly MessageView[]): MessageView[] {
  const byNumber = new Map([...known, ...news].map((message) => [message.n, message]));
  return [...byNumber.values()].sort((a, b) => a.n - b.n).slice(-maxMessages);
}

/** Ids of the states that are active with this value, the outer ones too. */
export function activeStates(root: ChartState, value: StateValueView): Set<string> {
  const active = new Set<string>();
  const visit = (state: ChartState, inner: StateValueView): void => {
    active.add(state.id);
    if (inner === null) return;
    const entries = typeof inner === 'string' ? [[inner, null] as const] : Object.entries(inner);
    for (const [key, below] of entries) {
      const child = state.states.find((one) => one.key === key);
      if (child) visit(child, below);
    }
  };
  if (value !== null) visit(root, value);
  return active;
}

/** `streaming.live`, `a.x · b.y` for parallel regions. */
export function valueText(value: StateValueView): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  return Object.entries(value).map(([key, inner]) => [key, valueText(inner)].filter((text) => text !== '').join('.')).join(' · ');
}
