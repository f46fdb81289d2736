/** Laws every chart obeys: all states are reachable, transitions are pure, children are never left unhandled. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialTransition, transition, type AnyStateMachine } from 'xstate';
import { getShortestPaths, getStateNodes } from 'xstate/graph';
import { parseCamera } from '../../src/camera-config.ts';
import { failure } from '../../src/errors.ts';
import { cameraMachine } from '../../src/machines/camera.ts';
import { hostMachine } from '../../src/machines/host.ts';
import { ingestMachine } from '../../src/machines/ingest.ts';
import { outputMachine } from '../../src/machines/output.ts';
import { sfuMachine } from '../../src/machines/sfu.ts';
import { sourceMachine } from '../../src/machines/source.ts';
import { successionMachine } from '../../src/machines/succession.ts';
import { supervisorMachine } from '../../src/machines/supervisor.ts';
import { primerMachine } from '../../src/machines/primer.ts';
import { viewerMachine } from '../../src/machines/viewer.ts';
import { workerMachine } from '../../src/machines/worker.ts';
import { description, settings } from '../support/scripted-camera.ts';

const config = parseCamera({ id: 'test', url: 'rtsp://camera.test/stream', source: { mode: 'on-demand' }, outputs: { record: { mode: 'manual' } } });
const feed = { port: 20_000, bindPort: 20_001, ssrc: 7, payloadType: 96 };
const source = { config, transport: 'tcp', codec: 'H264', feed: { ...feed, open: false } };
const lost = failure('sfu', 'test', 'test');
const restarts = { restarts: 1, periodMs: 1_000 };
const worker = { intensity: restarts, startMs: 1, backoffMs: 1, pauseMs: 1 };
const viewer = { joinMs: 1, negotiateMs: 1, lostMs: 1, primer: { prepareMs: 1, lifeMs: 1, holdMs: 1 } };
const done = (id: string, output?: unknown) => ({ type: `xstate.done.actor.${id}`, output, actorId: id });
const fail = (cls: 'reset' | 'refused' | 'unsupported') => ({ type: 'source.failed', failure: { ...failure(cls, 'test', 'test'), at: 1 } });

/** A chart walked without its parent cannot speak to it. */
const silent = (): void => undefined;

type Chart = { machine: AnyStateMachine; input: unknown; events: { type: string }[]; ignore?: string[] };

const charts: Record<string, Chart> = {
  camera: {
    machine: cameraMachine,
    input: { config, settings, feed, seed: 1 },
    events: [
      { type: 'camera.start' }, { type: 'camera.stop' }, { type: 'camera.retry' }, { type: 'camera.dispose' },
      { type: 'viewers.changed', count: 1 } as { type: string }, { type: 'slot.granted' },
      done('probe', description), { type: 'source.flowing' }, { type: 'source.stalled', sinceMs: 1 } as { type: string },
      fail('reset'), fail('refused'), fail('unsupported'), { type: 'source.released' }, done('revoke'),
      { type: 'output.changed', output: 'record', open: true } as { type: string },
    ],
  },
  output: {
    machine: outputMachine.provide({ actions: { tellOpen: silent, tellSettled: silent } }),
    input: { camera: 'test', output: 'record', wanted: false, options: { segmentSeconds: 300 }, hub: null, settings: settings.output, seed: 1 },
    events: [
      { type: 'output.want', wanted: true } as { type: string }, { type: 'output.attach', hub: { port: 1, codec: 'H264', gopMs: null } } as { type: string },
      { type: 'output.detach' }, { type: 'process.started' }, { type: 'process.finished' }, { type: 'process.failed', failure: failure('storage', 'test', 'test') } as { type: string },
      { type: 'process.exited', failure: null } as { type: string },
    ],
  },
  source: {
    machine: sourceMachine.provide({ actions: { forward: silent, takeOver: silent, giveUpSuccessor: silent, askForCycle: silent, tellCrash: silent, tellReleased: silent } }),
    input: { source, deadlines: settings.source },
    events: [
      { type: 'source.replace', source } as { type: string }, { type: 'feed.set', open: true } as { type: string }, { type: 'source.release' }, { type: 'ingest.cycled' },
      ...(['a', 'b'] as const).flatMap((slot) => [
        ...[{ type: 'source.media', media: description.video }, { type: 'gate.ready' }, { type: 'feed.shut' }, fail('reset')].map((fact) => ({ type: 'host.told', slot, fact })),
        { type: 'host.released', slot },
      ]),
    ],
    ignore: ['source.pulling.deciding'],
  },
  succession: {
    machine: successionMachine.provide({ actions: { tellReady: silent, tellFailed: silent } }),
    input: { config, viewed: false },
    events: [{ type: 'slot.granted' }, done('0.succession.probing', description), { type: 'xstate.error.actor.0.succession.probing', error: new Error('test'), actorId: '0.succession.probing' } as { type: string }],
  },
  host: {
    machine: hostMachine.provide({ actions: { forward: silent, report: silent, tellReleased: silent } }),
    input: { slot: 'a', source, deadlines: settings.source },
    events: [{ type: 'source.ready', pid: 1 } as { type: string }, { type: 'source.started', hubPort: 1 } as { type: string }, fail('reset'), { type: 'host.release' }, { type: 'process.stopped' }, { type: 'process.exited', failure: null } as { type: string }],
  },
  ingest: {
    machine: ingestMachine.provide({ actions: { tellReady: silent, tellLost: silent, tellCycled: silent } }),
    input: { camera: 'test', feed },
    events: [
      { type: 'ingest.ensure', profileLevelId: '42e01f' } as { type: string }, { type: 'ingest.resume' }, { type: 'ingest.pause' }, { type: 'ingest.cycle' }, { type: 'producer.cycled' },
      { type: 'producer.ready', worker: 0, workerPid: 1 } as { type: string }, { type: 'producer.failed', failure: lost } as { type: string },
      { type: 'ingest.watched', watched: true } as { type: string }, { type: 'producer.outweighed' },
      { type: 'producer.failed', failure: failure('unsupported', 'test', 'test') } as { type: string },
    ],
  },
  worker: {
    machine: workerMachine.provide({ actions: { tellUp: silent, tellDown: silent } }),
    input: { index: 0, settings: worker },
    events: [{ type: 'worker.ready', pid: 1, port: 1 } as { type: string }, { type: 'worker.died', failure: lost, at: 1 } as { type: string }],
  },
  sfu: {
    machine: sfuMachine,
    input: { workers: 2, settings: worker },
    events: [0, 1].flatMap((index) => [{ type: 'worker.up', index, pid: 1, port: 1 }, { type: 'worker.down', index, failure: lost, restarts: 1, given: 'retry' }]),
    ignore: ['sfu.judging'],
  },
  viewer: {
    machine: viewerMachine.provide({ actions: { tellClosed: silent } }),
    input: { id: 'v', camera: 'test', owner: 'o', deadlines: viewer },
    events: [
      { type: 'viewer.transportMade' }, { type: 'viewer.connected' }, { type: 'viewer.consuming' }, { type: 'viewer.disconnected' },
      { type: 'viewer.producerPaused' }, { type: 'viewer.producerResumed' }, { type: 'viewer.prime', hubPort: 1, way: { type: 'burst' } } as { type: string }, { type: 'viewer.resumed' }, { type: 'viewer.tookOver' }, { type: 'primer.closed' }, { type: 'viewer.end', reason: 'left' } as { type: string }, done('0.viewer.closing'),
    ],
  },
  primer: {
    machine: primerMachine.provide({ actions: { tellClosed: silent } }),
    input: { viewer: 'v', camera: 'test', hubPort: 1, way: { type: 'catch-up' as const, form: { kbps: 1, keyframeEvery: 1 } }, deadlines: viewer.primer },
    events: [
      { type: 'path.made' }, { type: 'primer.play' }, { type: 'path.live' }, { type: 'path.late' }, { type: 'path.ended', reason: 'over' } as { type: string }, { type: 'primer.release' }, done('0.primer.closing'),
    ],
  },
  supervisor: {
    machine: supervisorMachine,
    input: { settings: { camera: settings, worker, viewer, workers: 1, intensity: restarts, stopMs: 1 } },
    events: [{ type: 'supervisor.stop' }, { type: 'camera.add', config, feed, seed: 1 } as { type: string }, done('camera:test')],
  },
};

/** States no path ends in because they are left in the same step. */
const transient = ['camera.deciding', 'camera.teardown.released'];

for (const [name, { machine, input, events, ignore = [] }] of Object.entries(charts)) {
  test(`every state of the ${name} chart can be reached`, () => {
    const wanted = getStateNodes(machine).filter((node) => node.type === 'atomic' || node.type === 'final').map(({ id }) => id)
      .filter((id) => !transient.includes(id) && !ignore.includes(id));
    const reached = new Set<string>();
    const paths = getShortestPaths(machine, {
      input,
      events: (snapshot) => [...events, ...delayed(machine, snapshot)] as never,
      serializeState: (snapshot) => JSON.stringify([snapshot.value, snapshot.status, ...marks(snapshot.context)]),
      limit: 5_000,
    });
    for (const { state } of paths) for (const node of state._nodes) reached.add(node.id);
    assert.deepEqual(wanted.filter((id) => !reached.has(id)), []);
  });

  test(`transitions of the ${name} chart are pure: nothing runs and the same step gives the same state`, () => {
    const [start] = initialTransition(machine, input as never);
    let snapshot = start;
    for (const event of events) {
      const [once] = transition(machine, snapshot, event as never);
      const [twice] = transition(machine, snapshot, event as never);
      assert.equal(JSON.stringify([once.value, once.context]), JSON.stringify([twice.value, twice.context]));
      if (once.status === 'active') snapshot = once;
    }
  });

  test(`every invoked actor of the ${name} chart has an onError`, () => {
    for (const node of getStateNodes(machine)) {
      for (const { id } of node.invoke) {
        assert.ok(node.config.invoke && JSON.stringify(node.config.invoke, (_, value: unknown) => (typeof value === 'function' ? 'ƒ' : value)).includes('"onError"'), `${node.id} invokes ${id} without onError`);
      }
    }
  });
}

test('the camera, its host and the worker carry the four states by name', () => {
  const states = Object.keys(cameraMachine.states);
  for (const state of ['connecting', 'streaming', 'backoff', 'teardown']) assert.ok(states.includes(state), state);
});

/** What makes two equal state values different steps of the walk. */
function marks(context: unknown): unknown[] {
  const seen = context as Record<string, unknown>;
  return ['next', 'viewers', 'sourceAlive', 'workers', 'exhausted', 'connected', 'consuming', 'resumed', 'primer', 'exited', 'wanted', 'feeding', 'held', 'feedOpen', 'outputs', 'hub', 'failure', 'endedByItself'].map((key) => seen[key]).concat(Object.keys((seen['cameras'] as object | undefined) ?? {}));
}

/** The delayed transitions open in a state, as events. */
function delayed(machine: AnyStateMachine, snapshot: { _nodes?: { after: { eventType: string }[] }[] }): { type: string }[] {
  return (snapshot._nodes ?? getStateNodes(machine)).flatMap((node) => node.after.map(({ eventType }) => ({ type: eventType })));
}
