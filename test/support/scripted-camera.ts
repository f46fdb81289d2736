/** A camera machine whose effects are in the test's hands: facts are sent by hand, commands are recorded, time is simulated. */
import { createActor, fromCallback, fromPromise, SimulatedClock, type ActorRefFrom, type EventObject } from 'xstate';
import { parseCamera, type CameraInput } from '../../src/camera-config.ts';
import { failure, FailureError, type FailureClass } from '../../src/errors.ts';
import { cameraMachine, type CameraSettings } from '../../src/machines/camera.ts';
import type { Description } from '../../src/media.ts';
import { hostMachine, type ProcessCommand, type ProcessFact } from '../../src/machines/host.ts';
import { ingestMachine, type ProducerCommand, type ProducerFact } from '../../src/machines/ingest.ts';
import { outputMachine, type OutputProcessCommand, type OutputProcessFact } from '../../src/machines/output.ts';
import { sourceMachine } from '../../src/machines/source.ts';
import { successionMachine } from '../../src/machines/succession.ts';
import { defaultPolicy } from '../../src/machines/policy.ts';

export const settings: CameraSettings = {
  policy: defaultPolicy,
  intensity: { failures: 10, windowMs: 300_000 },
  resetAfterMs: 30_000,
  quarantineProbeMs: 300_000,
  bootingWindowMs: 60_000,
  releaseMs: 3_300,
  feedLingerMs: 5_000,
  output: { policy: defaultPolicy, intensity: { failures: 10, windowMs: 300_000 }, resetAfterMs: 30_000, startMs: 10_000, finishMs: 3_000, reapMs: 2_000, settleMs: 500 },
  transcode: { maxHeight: 1_080, lingerMs: 10_000 }, hlsSegmentSeconds: 2,
  source: { spawnMs: 10_000, startMs: 10_000, stopMs: 300, reapMs: 2_000, successorMs: 15_000, shutMs: 500, cycleMs: 2_000 },
  recycleRssBytes: 0,
};

export const description: Description = {
  server: 'test', audio: null, unsupported: [],
  video: { codec: 'H264', profile: 'main', profileLevelId: '4d001f', width: 640, height: 360, fps: 25 },
};

/** Lets promise actors settle. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export type ScriptedCamera = {
  actor: ActorRefFrom<typeof cameraMachine>;
  clock: SimulatedClock;
  /** `connecting.probing` and so on. */
  state(): string;
  /** Facts of the source's newest process; throws where none runs. */
  source(fact: ProcessFact): void;
  /** Facts of the process before the newest: the one that a planned restart replaces. */
  oldSource(fact: ProcessFact): void;
  producer(fact: ProducerFact): void;
  /** Facts of the process of the record output. */
  recorder(fact: OutputProcessFact): void;
  /** What the process, the producer and the effects were asked, in order. */
  asked: string[];
  answerProbe(answer: Description | FailureClass): Promise<void>;
  presenceOpens(at: number): void;
  /** Grants, answers, starts and flows: to `streaming.live`. */
  goLive(): Promise<void>;
  fail(cls: FailureClass, at: number, code?: string): void;
  /** The process is gone and revoked. */
  released(): Promise<void>;
  stop(): void;
};

export function scriptCamera(options: { input?: Partial<CameraInput>; settings?: Partial<CameraSettings>; autoRelease?: boolean } = {}): ScriptedCamera {
  const clock = new SimulatedClock();
  const asked: string[] = [];
  const toHosts: ((fact: ProcessFact) => void)[] = [];
  let toIngest: ((fact: ProducerFact) => void) | undefined;
  let toOutput: ((fact: OutputProcessFact) => void) | undefined;
  let toCamera: ((event: EventObject) => void) | undefined;
  let probe: PromiseWithResolvers<Description> | undefined;

  const process = fromCallback<ProcessCommand, EventObject, EventObject>(({ sendBack, receive }) => {
    toHosts.push(sendBack as (fact: ProcessFact) => void);
    asked.push('process.start');
    receive((command) => {
      asked.push(command.type === 'feed.set' ? `feed.${command.open ? 'open' : 'shut'}` : command.type);
      if (options.autoRelease !== false && command.type === 'process.stop') sendBack({ type: 'process.exited', failure: null });
    });
    return () => asked.push('process.closed');
  });
  const producer = fromCallback<ProducerCommand, EventObject, EventObject>(({ sendBack, receive }) => {
    toIngest = sendBack as (fact: ProducerFact) => void;
    asked.push('producer.start');
    receive((command) => asked.push(command.type));
    return () => asked.push('producer.closed');
  });
  const recorder = fromCallback<OutputProcessCommand, EventObject, EventObject>(({ sendBack, receive }) => {
    toOutput = sendBack as (fact: OutputProcessFact) => void;
    asked.push('recorder.start');
    receive((command) => asked.push(command.type === 'process.finish' ? `recorder.finish${command.drain ? '.drain' : ''}` : 'recorder.kill'));
    return () => asked.push('recorder.closed');
  });
  const slot = fromCallback<EventObject, { camera: string; host: string; viewed: boolean }>(({ sendBack }) => {
    asked.push('slot.ask');
    queueMicrotask(() => sendBack({ type: 'slot.granted' }));
    return () => asked.push('slot.free');
  });
  const describe = fromPromise<Description, never>(() => {
    probe = Promise.withResolvers<Description>();
    asked.push('probe');
    return probe.promise;
  }) as never;
  const machine = cameraMachine.provide({
    actors: {
      output: outputMachine.provide({ actors: { process: recorder as never } }),
      source: sourceMachine.provide({ actors: { host: hostMachine.provide({ actors: { process: process as never } }) } }),
      succession: successionMachine.provide({ actors: { slot, probe: describe } }),
      ingest: ingestMachine.provide({ actors: { producer: producer as never } }),
      slot,
      presence: fromCallback(({ sendBack }) => {
        toCamera = sendBack;
        asked.push('presence.watch');
        return () => asked.push('presence.end');
      }),
      probe: describe,
      revoke: fromPromise<void, { camera: string }>(async () => void asked.push('revoke')),
    },
  });
  const config = parseCamera({ id: 'test', url: 'rtsp://camera.test/stream', ...options.input });
  const actor = createActor(machine, {
    clock,
    input: { config, settings: { ...settings, ...options.settings }, feed: { port: 20_000, bindPort: 20_001, ssrc: 7, payloadType: 96 }, seed: 42 },
  });
  actor.start();

  const tell = (to: ((fact: ProcessFact) => void) | undefined, fact: ProcessFact): void => {
    if (!to) throw new Error('no source runs');
    to(fact);
  };
  const self: ScriptedCamera = {
    actor, clock, asked,
    state() {
      const { value } = actor.getSnapshot();
      return typeof value === 'string' ? value : Object.entries(value).map(([outer, inner]) => `${outer}.${String(inner)}`).join();
    },
    source: (fact) => tell(toHosts.at(-1), fact),
    oldSource: (fact) => tell(toHosts.at(-2), fact),
    producer(fact) {
      if (!toIngest) throw new Error('no producer runs');
      toIngest(fact);
    },
    recorder(fact) {
      if (!toOutput) throw new Error('no recorder runs');
      toOutput(fact);
    },
    async answerProbe(answer) {
      if (typeof answer === 'string') probe?.reject(new FailureError({ ...failure(answer, 'scripted', `scripted ${answer}`), at: 1_000 }));
      else probe?.resolve(answer);
      await settle();
    },
    presenceOpens: (at) => toCamera?.({ type: 'presence.opened', at } as EventObject),
    async goLive() {
      await settle();
      await self.answerProbe(description);
      self.source({ type: 'source.ready', pid: 1 });
      self.source({ type: 'source.started', hubPort: 9 });
      self.source({ type: 'source.flowing' });
    },
    fail: (cls, at, code = 'scripted') => self.source({ type: 'source.failed', failure: { class: cls, code, message: `scripted ${cls}`, at } }),
    async released() {
      await settle();
      await settle();
    },
    stop: () => void actor.stop(),
  };
  return self;
}
