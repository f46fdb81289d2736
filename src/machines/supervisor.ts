/**
 * Supervisor: the root. Spawns the sfu, a camera for each configured one and a viewer for each subscription; one_for_one.
 *
 *   running → stopping (everything is disposed, acknowledged) → stopped          escalated: a child crashed too often
 *
 * A child that throws is stopped, all it leased is revoked and confirmed (`cleanup`), then it is spawned again under
 * OTP's intensity. Siblings never notice: no error of a child is left unhandled.
 */
import { assertEvent, enqueueActions, fromPromise, setup, type DoneActorEvent, type ErrorActorEvent } from 'xstate';
import { cameraMachine, type CameraSettings } from './camera.ts';
import type { CameraConfig } from '../camera-config.ts';
import type { Feed } from '../media.ts';
import { addRestart, type RestartIntensity } from './restart-intensity.ts';
import { sfuMachine } from './sfu.ts';
import { viewerMachine, type ViewerDeadlines, type ViewerEnd } from './viewer.ts';
import type { WorkerSettings } from './worker.ts';

/** Numbers of the whole tree; ms. */
export type SupervisorSettings = {
  camera: CameraSettings;
  worker: WorkerSettings;
  viewer: ViewerDeadlines;
  workers: number;
  intensity: RestartIntensity;
  /** How long `stopping` waits before it gives up waiting (leases are revoked by whoever ends the process). */
  stopMs: number;
};

export type SupervisorEvent =
  | { type: 'camera.add'; config: CameraConfig; feed: Feed; seed: number }
  /** `viewers`: what those who watch it are told; that it is gone, where nothing is said. */
  | { type: 'camera.remove'; id: string; viewers?: ViewerEnd }
  | { type: 'camera.reconfigure'; config: CameraConfig }
  | { type: 'viewer.add'; id: string; camera: string; owner: string }
  | { type: 'viewer.closed'; id: string }
  | { type: 'supervisor.stop' }
  | DoneActorEvent<Cleaned, `cleanup:${string}`>
  | DoneActorEvent<unknown, `camera:${string}`>
  | ErrorActorEvent<unknown, string>;

/** What `cleanup` answers: who crashed, and when it was clean again (ms since the epoch). */
export type Cleaned = { child: string; at: number };

type CameraEntry = { config: CameraConfig; feed: Feed; seed: number };
type Context = {
  settings: SupervisorSettings;
  cameras: Record<string, CameraEntry>;
  viewers: Record<string, { camera: string; owner: string }>;
  crashes: Record<string, number[]>;
  /** Children that crashed and are not spawned again yet: nothing can be sent to them. */
  down: string[];
  escalation: string | null;
};

/** The entry of a name, if it is there: a camera may be called `constructor`, which every object has. */
export function ownEntry<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
const without = <T>(record: Record<string, T>, key: string): Record<string, T> => Object.fromEntries(Object.entries(record).filter(([id]) => id !== key));
const lives = (context: Context, child: string): boolean => !context.down.includes(child);
const watching = (context: Context, camera: string, except?: string): number =>
  Object.entries(context.viewers).filter(([id, viewer]) => viewer.camera === camera && id !== except).length;

const supervisorSetup = setup({
  types: {
    input: {} as { settings: SupervisorSettings },
    context: {} as Context,
    events: {} as SupervisorEvent,
    emitted: {} as { type: 'actor.crashed'; child: string; error: unknown } | { type: 'actor.restarted'; child: string },
  },
  actors: {
    sfu: sfuMachine,
    camera: cameraMachine,
    viewer: viewerMachine,
    /** Revokes every lease of a crashed child and confirms that all is gone. Never rejects. */
    cleanup: fromPromise<Cleaned, { child: string; error: unknown }>(() => {
      throw new Error('provide actor: cleanup');
    }),
  },
  guards: {
    isNewCamera: ({ context }, params: { id: string }) => !Object.hasOwn(context.cameras, params.id),
    isNewViewer: ({ context }, params: { id: string; camera: string }) => Object.hasOwn(context.cameras, params.camera) && !Object.hasOwn(context.viewers, params.id),
    isKnownCamera: ({ context }, params: { id: string }) => Object.hasOwn(context.cameras, params.id),
    isEmpty: ({ context }) => Object.keys(context.cameras).length === 0 && Object.keys(context.viewers).length === 0,
    isFrom: ({ event }, params: { prefix: string }) => event.type.startsWith(`xstate.done.actor.${params.prefix}`),
    isEscalated: ({ context }) => context.escalation !== null,
  },
  delays: { stopDeadline: ({ context }) => context.settings.stopMs },
  actions: {
    spawnSfu: enqueueActions(({ context, enqueue }) => {
      enqueue.spawnChild('sfu', { id: 'sfu', input: { workers: context.settings.workers, settings: context.settings.worker } });
    }),
    addCamera: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'camera.add');
      const { config, feed, seed } = event;
      enqueue.assign({ cameras: { ...context.cameras, [config.id]: { config, feed, seed } } });
      // One of the same id crashed, was removed, and is being cleaned up: `respawn` starts it when that is done.
      if (lives(context, `camera:${config.id}`)) enqueue.spawnChild('camera', { id: `camera:${config.id}`, input: { config, feed, seed, settings: context.settings.camera } });
    }),
    reconfigure: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'camera.reconfigure');
      const entry = ownEntry(context.cameras, event.config.id);
      if (!entry) return;
      enqueue.assign({ cameras: { ...context.cameras, [event.config.id]: { ...entry, config: event.config } } });
      if (lives(context, `camera:${event.config.id}`)) enqueue.sendTo(`camera:${event.config.id}`, { type: 'camera.update', config: event.config });
    }),
    removeCamera: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'camera.remove');
      for (const [id, viewer] of Object.entries(context.viewers)) {
        if (viewer.camera === event.id && lives(context, `viewer:${id}`)) enqueue.sendTo(`viewer:${id}`, { type: 'viewer.end', reason: event.viewers ?? 'removed' });
      }
      if (lives(context, `camera:${event.id}`)) enqueue.sendTo(`camera:${event.id}`, { type: 'camera.dispose' });
      else enqueue.assign({ cameras: without(context.cameras, event.id) });
    }),
    forgetCamera: enqueueActions(({ context, event, enqueue }) => {
      const id = event.type.slice('xstate.done.actor.camera:'.length);
      enqueue.stopChild(`camera:${id}`);
      enqueue.assign({ cameras: without(context.cameras, id), crashes: without(context.crashes, `camera:${id}`) });
    }),
    addViewer: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'viewer.add');
      const { id, camera, owner } = event;
      enqueue.assign({ viewers: { ...context.viewers, [id]: { camera, owner } } });
      enqueue.spawnChild('viewer', { id: `viewer:${id}`, input: { id, camera, owner, deadlines: context.settings.viewer } });
      if (lives(context, `camera:${camera}`)) enqueue.sendTo(`camera:${camera}`, { type: 'viewers.changed', count: watching(context, camera) + 1 });
    }),
    removeViewer: enqueueActions(({ context, enqueue }, params: { id: string }) => {
      const viewer = ownEntry(context.viewers, params.id);
      enqueue.stopChild(`viewer:${params.id}`);
      if (!viewer) return;
      enqueue.assign({ viewers: without(context.viewers, params.id) });
      if (Object.hasOwn(context.cameras, viewer.camera) && lives(context, `camera:${viewer.camera}`)) enqueue.sendTo(`camera:${viewer.camera}`, { type: 'viewers.changed', count: watching(context, viewer.camera, params.id) });
    }),
    cleanUp: enqueueActions(({ context, event, enqueue }) => {
      const child = event.type.slice('xstate.error.actor.'.length);
      const error = 'error' in event ? event.error : undefined;
      enqueue.stopChild(child);
      enqueue.assign({ down: [...context.down, child] });
      enqueue.emit({ type: 'actor.crashed', child, error });
      enqueue.spawnChild('cleanup', { id: `cleanup:${child}`, input: { child, error } });
    }),
    respawn: enqueueActions(({ context, event, enqueue }) => {
      if (!('output' in event)) return;
      const { child, at } = event.output as Cleaned;
      enqueue.stopChild(`cleanup:${child}`);
      if (child.startsWith('viewer:')) {
        enqueue.assign({ down: context.down.filter((id) => id !== child) });
        enqueue.raise({ type: 'viewer.closed', id: child.slice('viewer:'.length) });
        return;
      }
      const { allowed, times } = addRestart(context.crashes[child] ?? [], at, context.settings.intensity);
      enqueue.assign({ crashes: { ...context.crashes, [child]: times } });
      // Given up: it stays down, and nothing is sent to it while the others are disposed.
      if (!allowed) {
        enqueue.assign({ escalation: `${child} crashed ${times.length} times within ${context.settings.intensity.periodMs / 1_000} s` });
        return;
      }
      enqueue.assign({ down: context.down.filter((id) => id !== child) });
      if (child === 'sfu') enqueue.spawnChild('sfu', { id: 'sfu', input: { workers: context.settings.workers, settings: context.settings.worker } });
      const entry = ownEntry(context.cameras, child.slice('camera:'.length));
      if (child.startsWith('camera:') && entry) {
        enqueue.spawnChild('camera', { id: child, input: { ...entry, settings: context.settings.camera } });
        enqueue.sendTo(child, { type: 'viewers.changed', count: watching(context, entry.config.id) });
      }
      enqueue.emit({ type: 'actor.restarted', child });
    }),
    /** While stopping nothing is spawned again. */
    forgetCrashed: enqueueActions(({ context, event, enqueue }) => {
      if (!('output' in event)) return;
      const { child } = event.output as Cleaned;
      enqueue.stopChild(`cleanup:${child}`);
      if (child.startsWith('viewer:')) enqueue.raise({ type: 'viewer.closed', id: child.slice('viewer:'.length) });
      if (child.startsWith('camera:')) enqueue.assign({ cameras: without(context.cameras, child.slice('camera:'.length)) });
    }),
    disposeAll: enqueueActions(({ context, enqueue }) => {
      for (const id of Object.keys(context.viewers)) {
        if (lives(context, `viewer:${id}`)) enqueue.sendTo(`viewer:${id}`, { type: 'viewer.end', reason: 'shutdown' satisfies ViewerEnd });
      }
      for (const id of Object.keys(context.cameras)) {
        if (lives(context, `camera:${id}`)) enqueue.sendTo(`camera:${id}`, { type: 'camera.dispose' });
      }
      const given = context.escalation === null ? undefined : context.down.find((child) => child.startsWith('camera:') && context.escalation?.startsWith(child));
      if (given) enqueue.assign({ cameras: without(context.cameras, given.slice('camera:'.length)) });
    }),
    stopSfu: enqueueActions(({ enqueue }) => enqueue.stopChild('sfu')),
  },
});

const known = ({ event }: { event: { id: string } }) => ({ id: event.id });

/** The supervisor machine; provide the effects of `camera`, `sfu`, `viewer` and `cleanup`. */
export const supervisorMachine = supervisorSetup.createMachine({
  id: 'supervisor',
  context: ({ input }) => ({ settings: input.settings, cameras: {}, viewers: {}, crashes: {}, down: [], escalation: null }),
  entry: 'spawnSfu',
  initial: 'running',
  on: {
    'viewer.closed': { actions: { type: 'removeViewer', params: ({ event }) => ({ id: event.id }) } },
    'xstate.error.actor.*': { actions: 'cleanUp' },
  },
  output: ({ context }) => ({ escalation: context.escalation }),
  states: {
    running: {
      always: { guard: 'isEscalated', target: 'stopping' },
      on: {
        'camera.add': { guard: { type: 'isNewCamera', params: ({ event }) => ({ id: event.config.id }) }, actions: 'addCamera' },
        'camera.reconfigure': { actions: 'reconfigure' },
        'camera.remove': { guard: { type: 'isKnownCamera', params: known }, actions: 'removeCamera' },
        'viewer.add': { guard: { type: 'isNewViewer', params: ({ event }) => event }, actions: 'addViewer' },
        'xstate.done.actor.*': [
          { guard: { type: 'isFrom', params: { prefix: 'camera:' } }, actions: 'forgetCamera' },
          { guard: { type: 'isFrom', params: { prefix: 'cleanup:' } }, actions: 'respawn' },
        ],
        'supervisor.stop': 'stopping',
      },
    },
    stopping: {
      entry: 'disposeAll',
      always: { guard: 'isEmpty', target: 'stopped' },
      on: {
        'xstate.done.actor.*': [
          { guard: { type: 'isFrom', params: { prefix: 'camera:' } }, actions: 'forgetCamera' },
          { guard: { type: 'isFrom', params: { prefix: 'cleanup:' } }, actions: 'forgetCrashed' },
        ],
      },
      after: { stopDeadline: 'stopped' },
    },
    stopped: { type: 'final', entry: 'stopSfu' },
  },
});
