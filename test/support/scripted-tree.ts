/** The whole actor tree with scripted leaves and simulated time: whatever a leaf could ever say or do wrong can be played, late words of the dead included. */
import { createActor, fromPromise, SimulatedClock, type ActorRefFrom, type AnyActorRef, type EventObject } from 'xstate';
import { stopChildrenOfCrashed } from '../../src/actors/crashed.ts';
import { effect } from '../../src/actors/effect.ts';
import type { CameraConfig } from '../../src/camera-config.ts';
import { FailureError, failure, type FailureClass } from '../../src/errors.ts';
import { cameraMachine } from '../../src/machines/camera.ts';
import type { Description } from '../../src/media.ts';
import { hostMachine } from '../../src/machines/host.ts';
import { ingestMachine } from '../../src/machines/ingest.ts';
import { outputMachine } from '../../src/machines/output.ts';
import { sfuMachine } from '../../src/machines/sfu.ts';
import { sourceMachine } from '../../src/machines/source.ts';
import { successionMachine } from '../../src/machines/succession.ts';
import { supervisorMachine, type Cleaned } from '../../src/machines/supervisor.ts';
import { viewerMachine } from '../../src/machines/viewer.ts';
import { workerMachine } from '../../src/machines/worker.ts';
import { settings as camera } from './scripted-camera.ts';

/** What can be made to throw. */
export type LeafKind = 'process' | 'producer' | 'recorder' | 'slot' | 'presence' | 'worker';
/** What answers once. */
export type AnswerKind = 'probe' | 'revoke' | 'close' | 'cleanup';

type Leaf = { say: (event: EventObject) => void; alive: boolean };
type Question = { kind: AnswerKind; input: unknown; settle: PromiseWithResolvers<unknown> };

/** The tree and its strings. */
export type ScriptedTree = {
  root: ActorRefFrom<typeof supervisorMachine>;
  clock: SimulatedClock;
  /** Every leaf of a kind that was ever started, dead ones included. */
  leaves(kind: LeafKind): Leaf[];
  /** Questions that wait for an answer. */
  questions(kind: AnswerKind): Question[];
  answer(question: Question, outcome: 'ok' | FailureClass, description: Description): void;
  /** The next leaf of this kind throws when it starts. */
  poisonStart(kind: LeafKind): void;
  /** The next command to a leaf of this kind makes it throw. */
  poisonCommand(kind: LeafKind): void;
  child(id: string): AnyActorRef | undefined;
  /** Leaves that live. */
  alive(): number;
};

export const feed = { port: 20_000, bindPort: 20_001, ssrc: 7, payloadType: 96 };
const worker = { intensity: { restarts: 3, periodMs: 1_000 }, startMs: 10_000, backoffMs: 50, pauseMs: 10_000 };

/** Starts a tree without cameras. */
export function scriptTree({ restarts = 1_000 }: { restarts?: number } = {}): ScriptedTree {
  const clock = new SimulatedClock();
  const leaves = new Map<LeafKind, Leaf[]>();
  const poisonedStarts = new Set<LeafKind>();
  const poisonedCommands = new Set<LeafKind>();
  let questions: Question[] = [];

  const leaf = (kind: LeafKind) => effect<EventObject, never>(({ sendBack, receive }) => {
    if (poisonedStarts.delete(kind)) throw new Error(`scripted: ${kind} cannot start`);
    const entry: Leaf = { say: sendBack, alive: true };
    leaves.set(kind, [...(leaves.get(kind) ?? []), entry]);
    receive(() => {
      if (poisonedCommands.delete(kind)) throw new Error(`scripted: ${kind} cannot take a command`);
    });
    return () => {
      entry.alive = false;
    };
  }) as never;
  const question = (kind: AnswerKind) => fromPromise<unknown, never>(({ input }) => {
    const settle = Promise.withResolvers<unknown>();
    questions.push({ kind, input, settle });
    return settle.promise;
  }) as never;

  const machine = supervisorMachine.provide({
    actors: {
      sfu: sfuMachine.provide({ actors: { worker: workerMachine.provide({ actors: { process: leaf('worker') } }) } }),
      viewer: viewerMachine.provide({ actors: { close: question('close') } }),
      camera: cameraMachine.provide({
        actors: {
          source: sourceMachine.provide({ actors: { host: hostMachine.provide({ actors: { process: leaf('process') } }) } }),
          succession: successionMachine.provide({ actors: { slot: leaf('slot'), probe: question('probe') } }),
          ingest: ingestMachine.provide({ actors: { producer: leaf('producer') } }),
          output: outputMachine.provide({ actors: { process: leaf('recorder') } }),
          slot: leaf('slot'), presence: leaf('presence'), probe: question('probe'), revoke: question('revoke'),
        },
      }),
      cleanup: question('cleanup'),
    },
  });
  const intensity = { restarts, periodMs: 1_000 };
  const root = createActor(machine, {
    clock,
    inspect: stopChildrenOfCrashed,
    input: { settings: { camera, worker, viewer: { joinMs: 20_000, negotiateMs: 20_000, lostMs: 15_000, primer: { prepareMs: 2_000, lifeMs: 30_000, holdMs: 2_000 } }, workers: 2, intensity, stopMs: 8_000 } },
  });
  root.start();
  return {
    root, clock,
    leaves: (kind) => leaves.get(kind) ?? [],
    questions: (kind) => questions.filter((entry) => entry.kind === kind),
    answer(asked, outcome, description) {
      questions = questions.filter((entry) => entry !== asked);
      if (asked.kind === 'cleanup') asked.settle.resolve({ child: (asked.input as { child: string }).child, at: clock.now() } satisfies Cleaned);
      else if (outcome === 'ok') asked.settle.resolve(asked.kind === 'probe' ? description : undefined);
      else asked.settle.reject(new FailureError({ ...failure(outcome, 'scripted', 'scripted'), at: clock.now() }));
    },
    poisonStart: (kind) => void poisonedStarts.add(kind),
    poisonCommand: (kind) => void poisonedCommands.add(kind),
    child: (id) => (root.getSnapshot().children as Record<string, AnyActorRef | undefined>)[id],
    alive: () => [...leaves.values()].flat().filter(({ alive }) => alive).length,
  };
}

/** The entry of `camera.add`. */
export const addCamera = (config: CameraConfig) => ({ type: 'camera.add', config, feed, seed: 1 }) as const;
