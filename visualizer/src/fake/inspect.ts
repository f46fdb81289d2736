/** What the fake fleet shows an inspector: one machine with every part a chart can have, and an actor that runs it. */
import type { ActorView, ChartEdge, ChartState, ChartView, StepView } from '../../../src/api/protocol.ts';
import { ApiError, type Inspection, type InspectListener } from '../adapter.ts';

const state = (id: string, more: Partial<ChartState> = {}): ChartState => ({ id, key: id.split('.').at(-1)!, type: more.states ? 'compound' : 'atomic', initial: more.states?.[0]?.id ?? null, entry: [], exit: [], tags: [], invokes: [], states: [], ...more });
const edge = (source: string, target: string | null, more: Partial<ChartEdge> & { label: string }): ChartEdge => ({ id: `${source}#${more.label}#${target}`, source, targets: target === null ? [] : [target], kind: 'event', guard: null, actions: [], ...more });

const door: ChartView = {
  machine: 'door',
  sendable: [{ type: 'knock', fields: [{ name: 'loud', kind: 'boolean' }] }, { type: 'break', fields: [{ name: 'failure', kind: 'failure' }] }],
  root: state('door', { states: [
    state('door.shut', { entry: ['lock'], tags: ['safe'] }),
    state('door.open', { type: 'parallel', initial: null, invokes: [{ id: 'sensor', src: 'sensor' }], states: [
      state('door.open.light', { states: [state('door.open.light.off'), state('door.open.light.on')] }),
      state('door.open.alarm', { states: [state('door.open.alarm.quiet'), state('door.open.alarm.loud', { exit: ['hush'] })] }),
    ] }),
    state('door.gone', { type: 'final' }),
  ] }),
  edges: [
    edge('door.shut', 'door.open', { label: 'key', guard: 'fits', actions: ['count'] }),
    edge('door.shut', null, { label: 'knock', actions: ['ring'] }),
    edge('door.open', 'door.shut', { label: 'patience', kind: 'after' }),
    edge('door.open', 'door.gone', { label: 'sensor', kind: 'error' }),
    edge('door.open.light.off', 'door.open.light.on', { label: 'dark' }),
    edge('door.open.alarm.quiet', 'door.open.alarm.loud', { label: 'always', kind: 'always', guard: 'isNight' }),
    edge('door.shut', 'door.shut', { label: 'paint' }),
  ],
};

const opened = { open: { light: 'off', alarm: 'quiet' } };
const everyMs = 1_500;

/** An inspection whose door opens and shuts. */
export function fakeInspection(listener: InspectListener): Inspection {
  const root: ActorView = { id: 'house', parent: null, machine: null, status: 'active', value: null };
  const actor: ActorView = { id: 'house/door', parent: 'house', machine: 'door', status: 'active', value: 'shut' };
  const steps: StepView[] = [];
  const step = (event: StepView['event'], edges: string[]): void => {
    steps.push({ n: steps.length, at: new Date().toISOString(), event, from: event && 'house', edges, value: actor.value, status: 'active', context: { count: steps.length, paint: 'green' }, times: 1 });
  };
  step(null, []);
  const at = (): string => new Date().toISOString();
  let watched = false;
  let followed: string | null = null;
  const start = setTimeout(() => listener.snapshot({ charts: [door], actors: [root, actor], at: at() }), 50);
  const timer = setInterval(() => {
    const shut = actor.value === 'shut';
    actor.value = shut ? opened : 'shut';
    if (shut) step({ type: 'key', teeth: 5 }, [door.edges[0]!.id]);
    else step({ type: 'xstate.after.patience.door.open' }, [door.edges[2]!.id]);
    listener.actors({ changed: [{ ...actor }], removed: [], at: at() });
    if (followed !== null) listener.messages({ below: followed, messages: [{ n: steps.length, at: at(), from: shut ? root.id : null, to: actor.id, type: shut ? 'key' : 'xstate.after.patience.door.open', times: 1 }], at: at() });
    if (watched) listener.steps({ actor: actor.id, steps: steps.slice(-1), timers: shut ? [{ event: 'xstate.after.patience.door.open', dueAt: new Date(Date.now() + everyMs).toISOString() }] : [], at: at() });
  }, everyMs);
  return {
    watch: async (id) => {
      watched = id === actor.id;
      if (id === null) return null;
      if (id === actor.id) return { actor: { ...actor }, steps: [...steps], timers: [] };
      if (id === root.id) return { actor: root, steps: [], timers: [] };
      throw new ApiError({ code: 'LOOKOUT_ACTOR_NOT_FOUND', statusCode: 404, message: 'There is no actor with this id; it may have ended.' });
    },
    sequence: async (below) => { followed = below; },
    send: async (id, event) => {
      if (event.type === 'break') throw new ApiError({ code: 'LOOKOUT_EVENT_REFUSED', statusCode: 422, message: '"break" cannot be sent to a door by hand.' });
      step(event, []);
      listener.steps({ actor: id, steps: steps.slice(-1), timers: [], at: at() });
    },
    close: () => {
      clearTimeout(start);
      clearInterval(timer);
    },
  };
}
