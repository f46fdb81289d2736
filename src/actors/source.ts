/** The source machine with its effect: a host from the pool that runs the source, its words translated into facts. */
import { failureOf } from '../errors.ts';
import { hostMachine, type ProcessCommand, type ProcessFact } from '../machines/host.ts';
import { sourceMachine } from '../machines/source.ts';
import type { SourceInput } from '../machines/camera-context.ts';
import type { FlightRecorder } from '../native/flight-recorder.ts';
import type { Host, HostPool } from '../native/host.ts';
import type { HealthLimits, HostEvent, SourceSpec } from '../native/protocol.ts';
import { effect } from './effect.ts';
import { exitFailure } from './host-exit.ts';

/** What sources need. */
export type SourceDeps = { pool: HostPool; recorder: FlightRecorder; latencyMs: number; health: HealthLimits; faults: boolean };

/** The source machine, ready to run. */
export function createSource(deps: SourceDeps): typeof sourceMachine {
  const process = effect<ProcessCommand, SourceInput>(({ input, sendBack, receive }) => {
    const tell = (fact: ProcessFact): void => sendBack(fact);
    let host: Host | undefined;
    let ended = false;
    deps.pool.take(`camera:${input.config.id}/source`, { beside: 'source' }).then(
      (taken) => {
        host = taken;
        deps.recorder.boarding(input.config.id, taken);
        void taken.exited.then((exit) => tell({ type: 'process.exited', failure: exitFailure(exit, { pid: taken.pid, who: 'this camera' }) }));
        if (ended) return void taken.kill();
        taken.listen((event) => translate(event, tell));
        tell({ type: 'source.ready', pid: taken.pid });
        taken.send({ type: 'source.start', spec: specOf(input, deps) });
      },
      (error: unknown) => tell({ type: 'process.exited', failure: failureOf(error, 'local') }),
    );
    receive((command) => {
      if (command.type === 'process.stop') host?.send({ type: 'stop' });
      else if (command.type === 'process.kill') {
        ended = true;
        void host?.kill();
      } else host?.send(command);
    });
    return () => {
      ended = true;
      void host?.kill();
    };
  });
  return sourceMachine.provide({ actors: { host: hostMachine.provide({ actors: { process } }) } });
}

function specOf(input: SourceInput, { latencyMs, health, faults }: SourceDeps): SourceSpec {
  const { config, transport, codec, sound, feed } = input;
  return { url: config.url.reveal(), transport, tls: config.tls, video: { codec }, sound: sound ?? null, feed: codec === 'H264' ? feed : null, latencyMs, health, faults };
}

function translate(event: HostEvent, tell: (fact: ProcessFact) => void): void {
  switch (event.type) {
    case 'source.started':
    case 'source.flowing':
    case 'source.stalled':
    case 'source.media':
    case 'source.stats':
    case 'source.failed':
    case 'feed.shut':
    case 'gate.ready':
      tell(event);
      break;
    case 'stopped':
      tell({ type: 'process.stopped' });
      break;
    default:
      break;
  }
}
