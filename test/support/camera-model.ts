/**
 * A model of a camera's life for tests: the real camera chart, stepped purely, together with how the simulated camera
 * behaves. A stimulus changes the behaviour or is an operator's command; the chart says where that must lead.
 */
import { fromTransition, initialTransition, transition, type SnapshotFrom } from 'xstate';
import { getShortestPaths, getStateNodes } from 'xstate/graph';
import { parseCamera } from '../../src/camera-config.ts';
import { failure, FailureError, type FailureClass } from '../../src/errors.ts';
import { cameraMachine } from '../../src/machines/camera.ts';
import { description, settings } from './scripted-camera.ts';

/** How the simulated camera behaves. */
export type Behaving = 'well' | 'mute' | 'shut' | 'locked' | 'broken';
/** What can be done to a camera. */
export type Stimulus = { type: 'reset' | 'behave' | 'stop' | 'start' | 'restart' | 'retry'; behaving?: Behaving };
/** Where it must come to rest: `live`, `stalled`, `stopped`, or down with the class of the failure. */
export type Rest = { at: 'live' | 'stalled' | 'stopped' | 'down'; class: FailureClass | null };
/** One path: what is done, and what must hold after each step. */
export type Path = { steps: { stimulus: Stimulus; rest: Rest }[] };

type Snapshot = SnapshotFrom<typeof cameraMachine>;
type ModelState = { camera: Snapshot; behaving: Behaving };

const stimuli: Stimulus[] = [
  { type: 'reset' }, { type: 'stop' }, { type: 'start' }, { type: 'restart' }, { type: 'retry' },
  ...(['well', 'mute', 'shut', 'locked', 'broken'] as const).map((behaving): Stimulus => ({ type: 'behave', behaving })),
];
/** What the probe of a camera that behaves so ends with. */
const refusal: Partial<Record<Behaving, FailureClass>> = { shut: 'refused', locked: 'auth', broken: 'server-error' };

const step = (camera: Snapshot, event: { type: string }): Snapshot => transition(cameraMachine, camera, event as never)[0] as Snapshot;
const done = (id: string, output?: unknown) => ({ type: `xstate.done.actor.${id}`, output, actorId: id });
const failed = (id: string, cls: FailureClass) => ({ type: `xstate.error.actor.${id}`, error: new FailureError({ ...failure(cls, 'model', 'model'), at: 1 }), actorId: id });

/** What the world does next to a camera in this state, left alone; undefined where it rests. */
function next({ camera, behaving }: ModelState): { type: string } | undefined {
  if (camera.matches({ connecting: 'admitting' })) return { type: 'slot.granted' };
  if (camera.matches({ connecting: 'probing' })) return refusal[behaving] ? failed('probe', refusal[behaving]) : done('probe', description);
  // A mute camera answers everything and sends nothing: the first packet never comes.
  if (camera.matches({ connecting: 'starting' })) return behaving === 'mute' ? { type: 'source.failed', failure: { ...failure('silent', 'model', 'model'), at: 1 } } as { type: string } : { type: 'source.flowing' };
  if (camera.matches({ teardown: 'releasing' })) return { type: 'source.released' };
  if (camera.matches({ teardown: 'confirming' })) return done('revoke');
  if (camera.matches({ streaming: 'live' }) && behaving === 'mute') return { type: 'source.stalled', sinceMs: 1_000 } as { type: string };
  if (camera.matches({ streaming: 'stalled' }) && behaving !== 'mute') return { type: 'source.flowing' };
  if (camera.matches({ backoff: 'watching' }) && behaving !== 'shut') return { type: 'presence.opened', at: 1 } as { type: string };
  if (camera.matches('backoff') && behaving === 'well') return retryIsDue;
  return undefined;
}

const retryIsDue = { type: getStateNodes(cameraMachine).find(({ id }) => id === 'camera.backoff')?.after[0]?.eventType ?? '' };

function settle(state: ModelState): ModelState {
  let { camera } = state;
  for (let turns = 0; turns < 50; turns += 1) {
    const event = next({ ...state, camera });
    if (!event) return { ...state, camera };
    camera = step(camera, event);
  }
  return { ...state, camera };
}

function stimulate(state: ModelState, stimulus: Stimulus): ModelState {
  const streams = state.camera.matches('streaming');
  const cut = { type: 'source.failed', failure: { ...failure('reset', 'model', 'model'), at: 1 } } as { type: string };
  if (stimulus.type === 'reset') return streams ? settle({ ...state, camera: step(state.camera, cut) }) : state;
  if (stimulus.type !== 'behave') return settle({ ...state, camera: step(state.camera, { type: `camera.${stimulus.type}` }) });
  const behaving = stimulus.behaving ?? 'well';
  // Whoever refuses also drops the connection there is; who waits finds out with the next attempt.
  const waits = state.camera.matches('backoff') && !(state.camera.matches({ backoff: 'watching' }) && behaving !== 'shut');
  const camera = streams && refusal[behaving] ? step(state.camera, cut) : waits ? step(state.camera, retryIsDue) : state.camera;
  return settle({ camera, behaving });
}

function restOf({ camera }: ModelState): Rest {
  if (camera.matches({ streaming: 'live' })) return { at: 'live', class: null };
  if (camera.matches({ streaming: 'stalled' })) return { at: 'stalled', class: null };
  if (camera.matches('stopped')) return { at: 'stopped', class: null };
  return { at: 'down', class: camera.context.lastError?.class ?? null };
}

const label = (state: ModelState): string => `${Object.values(restOf(state)).join(':')} while ${state.behaving}`;

/** Whether a stimulus makes sense for the real program: no command is refused, nothing happens to what does not exist. */
function applies(state: ModelState, { type, behaving }: Stimulus): boolean {
  const { at } = restOf(state);
  if (type === 'behave') return behaving !== state.behaving && !(behaving === 'mute' && at !== 'live');
  if (type === 'reset') return at === 'live';
  return type === 'stop' ? at !== 'stopped' : type === 'start' ? at === 'stopped' : type === 'retry' ? at === 'down' : at === 'live' || at === 'stopped';
}

/** A shortest path to every state of the model, each continued by every stimulus that applies there: all transitions are walked. */
export function modelPaths(): Path[] {
  const config = parseCamera({ id: 'model', url: 'rtsp://camera.test/stream' });
  const [initial] = initialTransition(cameraMachine, { config, settings, feed: { port: 20_000, bindPort: 20_001, ssrc: 7, payloadType: 96 }, seed: 1 });
  const start = settle({ camera: initial as Snapshot, behaving: 'well' });
  const logic = fromTransition((state: ModelState, stimulus: Stimulus) => (applies(state, stimulus) ? stimulate(state, stimulus) : state), start);
  const paths = getShortestPaths(logic, { events: stimuli as never, serializeState: (snapshot) => label((snapshot as { context: ModelState }).context), serializeEvent: (event) => JSON.stringify(event), limit: 2_000 });
  return paths.flatMap(({ state, steps }) => {
    // The first step of a path is how the machine starts.
    const prefix = steps.filter(({ event }) => stimuli.some(({ type }) => type === event.type)).map(({ event }) => event as Stimulus);
    const reached = (state as { context: ModelState }).context;
    return stimuli.filter((stimulus) => applies(reached, stimulus)).map((last) => walk(start, [...prefix, last]));
  });
}

function walk(start: ModelState, chosen: Stimulus[]): Path {
  let state = start;
  return { steps: chosen.map((stimulus) => {
    state = stimulate(state, stimulus);
    return { stimulus, rest: restOf(state) };
  }) };
}

/** A path for the name of a test. */
export const told = ({ steps }: Path): string => steps.map(({ stimulus, rest }) => `${stimulus.behaving ?? stimulus.type} → ${rest.at}${rest.class ? ` (${rest.class})` : ''}`).join(', ');
