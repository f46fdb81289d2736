/** The whole actor tree, provided with its effects: the one place that says which effect stands behind which contract. */
import { createActor, fromPromise, type ActorRefFrom, type EventObject, type InspectionEvent } from 'xstate';
import { failureOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { cameraMachine } from '../machines/camera.ts';
import type { CameraContext } from '../machines/camera-context.ts';
import type { Description } from '../media.ts';
import { successionMachine } from '../machines/succession.ts';
import { supervisorMachine, type Cleaned, type SupervisorSettings } from '../machines/supervisor.ts';
import type { viewerMachine } from '../machines/viewer.ts';
import type { Registry } from '../native/registry.ts';
import { watchPresence } from '../native/presence.ts';
import type { NameResolver } from '../native/resolve.ts';
import { describe } from '../native/rtsp-client.ts';
import type { Admission } from './admission.ts';
import { stopChildrenOfCrashed } from './crashed.ts';
import { effect } from './effect.ts';
import { createIngest, type IngestDeps } from './ingest.ts';
import { createOutput, type OutputDeps } from './output.ts';
import { createSfu, type SfuDeps } from './sfu.ts';
import { createSource, type SourceDeps } from './source.ts';

/** Everything the tree stands on. */
export type TreeDeps = {
  settings: SupervisorSettings;
  registry: Registry;
  resolver: NameResolver;
  admission: Admission;
  source: SourceDeps;
  ingest: IngestDeps;
  output: OutputDeps;
  sfu: SfuDeps;
  viewer: typeof viewerMachine;
  /** Closes what a crashed viewer left behind. */
  forgetViewer: (id: string) => void;
  probeMs: number;
  presenceMs: number;
  log: Log;
  inspect: (event: InspectionEvent) => void;
};

/** The running root. */
export type Root = ActorRefFrom<typeof supervisorMachine>;

/** Builds the tree and returns its root, not started. */
export function createTree(deps: TreeDeps): Root {
  const machine = supervisorMachine.provide({
    actors: {
      sfu: createSfu(deps.sfu),
      viewer: deps.viewer,
      camera: provideCamera(deps),
      cleanup: cleanup(deps),
    },
  });
  return createActor(machine, {
    input: { settings: deps.settings },
    inspect(event) {
      stopChildrenOfCrashed(event);
      deps.inspect(event);
    },
  });
}

function provideCamera(deps: TreeDeps): typeof cameraMachine {
  const probe = fromPromise<Description, { config: CameraContext['config'] }>(({ input: { config }, signal }) =>
    describe(config.url, { tls: config.tls, resolver: deps.resolver, deadlineMs: deps.probeMs, signal, onMessage: deps.source.recorder.probing(config.id, config.url) }));
  const presence = effect<EventObject, { url: CameraContext['config']['url']; before: 'closed' | 'unknown' }>(({ input, sendBack }) => {
    const abort = new AbortController();
    watchPresence({ ...input, resolver: deps.resolver, signal: abort.signal, intervalMs: deps.presenceMs }).then(
      () => sendBack({ type: 'presence.opened', at: Date.now() }),
      () => undefined, // it rejects only when it is aborted
    );
    return () => abort.abort();
  });
  const revoke = fromPromise<void, { camera: string }>(({ input }) => deps.registry.revoke(`camera:${input.camera}/source`));
  return cameraMachine.provide({
    actors: {
      probe, presence, revoke,
      slot: deps.admission.slot,
      source: createSource(deps.source),
      ingest: createIngest(deps.ingest),
      output: createOutput(deps.output),
      succession: successionMachine.provide({ actors: { slot: deps.admission.slot, probe } }),
    },
  });
}

/** Every lease of a crashed child is revoked and confirmed. */
function cleanup(deps: TreeDeps) {
  return fromPromise<Cleaned, { child: string; error: unknown }>(async ({ input: { child, error } }) => {
    deps.log.error({ actor: child, failure: failureOf(error, 'local') }, 'an actor crashed; it is cleaned up and started again');
    if (child.startsWith('viewer:')) deps.forgetViewer(child.slice('viewer:'.length));
    await deps.registry.revoke(child === 'sfu' ? 'worker' : child);
    return { child, at: Date.now() };
  });
}
