/** A supervisor with scripted sources, ingests and workers on the real clock: the whole tree of actors, and no process, port or packet. */
import { createActor, fromPromise, type InspectionEvent } from 'xstate';
import { createAdmission } from '../../src/actors/admission.ts';
import { stopChildrenOfCrashed } from '../../src/actors/crashed.ts';
import { effect } from '../../src/actors/effect.ts';
import { parseCamera } from '../../src/camera-config.ts';
import { loadConfig } from '../../src/config.ts';
import { supervisorSettings } from '../../src/control/settings.ts';
import { cameraMachine } from '../../src/machines/camera.ts';
import { hostMachine, type ProcessCommand, type ProcessFact } from '../../src/machines/host.ts';
import { ingestMachine } from '../../src/machines/ingest.ts';
import { sfuMachine } from '../../src/machines/sfu.ts';
import { sourceMachine } from '../../src/machines/source.ts';
import { supervisorMachine, type Cleaned } from '../../src/machines/supervisor.ts';
import { viewerMachine, type ViewerEnd } from '../../src/machines/viewer.ts';
import { workerMachine } from '../../src/machines/worker.ts';
import { description } from './scripted-camera.ts';

/** Streams begun so far. */
let streams = 0;
export const streamsBegun = (): number => streams;
/** Sources that play, by process: what is called with a fact tells it to its camera. */
export const playing = new Map<number, (fact: ProcessFact) => void>();
let processes = 0;

/** A source that starts at once, tells its counters four times a second as real ones do, and fails when it is told to. */
const source = effect<ProcessCommand, never>(({ sendBack, receive }) => {
  const tell = (fact: ProcessFact): void => sendBack(fact);
  const id = (processes += 1);
  let packets = 0;
  const begin = setTimeout(() => {
    tell({ type: 'source.ready', pid: id });
    tell({ type: 'source.started', hubPort: 1 });
    tell({ type: 'source.flowing' });
    streams += 1;
    playing.set(id, tell);
  }, 20);
  const stats = setInterval(() => {
    packets += 25;
    tell({ type: 'source.stats', stats: { packets, bytes: packets * 1_000, frames: packets, keyframes: 1, packetAgeMs: 5, keyframeAgeMs: 500, keyframeIntervalMs: 1_000, fps: 25, bitrate: 1e6, feedBytes: 0, feedSequence: packets & 0xffff, rssBytes: 2e7 } as never });
  }, 250);
  const end = (): void => {
    clearTimeout(begin);
    clearInterval(stats);
    playing.delete(id);
  };
  receive((command) => {
    if (command.type !== 'process.stop') return;
    end();
    tell({ type: 'process.exited', failure: null });
  });
  return end;
});

export const config = loadConfig(['--no-demo'], {});
const settings = supervisorSettings({ ...config, supervision: { ...config.supervision, intensity: { failures: 10_000, windowMs: 300_000 } } });
const machine = supervisorMachine.provide({
  actors: {
    sfu: sfuMachine.provide({ actors: { worker: workerMachine.provide({ actors: { process: effect(({ sendBack }) => {
      sendBack({ type: 'worker.ready', pid: 1, port: 1 });
      return () => undefined;
    }) } }) } }),
    viewer: viewerMachine.provide({ actors: { close: fromPromise<void, { id: string; reason: ViewerEnd }>(async () => undefined) } }),
    cleanup: fromPromise<Cleaned, { child: string; error: unknown }>(async ({ input }) => ({ child: input.child, at: Date.now() })),
    camera: cameraMachine.provide({
      actors: {
        source: sourceMachine.provide({ actors: { host: hostMachine.provide({ actors: { process: source as never } }) } }),
        ingest: ingestMachine.provide({ actors: { producer: effect(({ sendBack }) => {
          sendBack({ type: 'producer.ready', worker: 0, workerPid: 1 });
          return () => undefined;
        }) as never } }),
        slot: createAdmission(config.supervision.admission).slot,
        presence: effect(() => () => undefined),
        probe: fromPromise(async () => description),
        revoke: fromPromise<void, { camera: string }>(async () => undefined),
      },
    }),
  },
});

/** Starts the tree; `inspect` hears everything. */
export function startScriptedFleet(inspect: (event: InspectionEvent) => void) {
  return createActor(machine, { input: { settings }, inspect(event) {
    stopChildrenOfCrashed(event);
    inspect(event);
  } }).start();
}

/** Adds cameras. */
export function addCameras(root: ReturnType<typeof startScriptedFleet>, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const camera = parseCamera({ id: `camera-${index}`, url: `rtsp://10.0.${index >> 8}.${index & 255}/stream` });
    root.send({ type: 'camera.add', config: camera, feed: { port: 20_000, bindPort: 20_001, ssrc: index + 1, payloadType: 96 }, seed: index });
  }
}
