/** The cameras as they are shown: each by its actor's snapshot and the figures kept beside it, with its second stream. */
import type { CameraView } from '../api/protocol.ts';
import { LookoutError } from '../errors.ts';
import { streamKey } from '../streams.ts';
import { subViewOf, viewOf } from './camera-view.ts';
import { cameraIds, child } from './cameras.ts';
import type { ControlDeps } from './control-plane.ts';

/** What views are made of. */
export type ViewsDeps = Pick<ControlDeps, 'root' | 'observer' | 'snapshots' | 'figures' | 'hls' | 'recordings' | 'declared'> & { about: { startedAt: number } };

/** The cameras as they are shown now. */
export function createViews(deps: ViewsDeps) {
  const { root, observer } = deps;
  const ids = (): string[] => cameraIds(root);
  const shown = new Map<string, CameraView>();
  /** One stream as it is shown; `id` is its key. */
  const own = (id: string): CameraView | undefined => {
    if (!(id in root.getSnapshot().context.cameras)) {
      shown.delete(id);
      return undefined;
    }
    const snapshot = child(root, id)?.getSnapshot();
    // Its actor crashed and is being cleaned up: the camera is still there, and holds nothing.
    if (snapshot?.status !== 'active') {
      const last = shown.get(id);
      return last && { ...last, state: 'teardown', substate: null, host: null, worker: null };
    }
    const facts = { since: observer.trace(id)?.since ?? deps.about.startedAt, picture: { failure: deps.snapshots.lastFailure(id), host: deps.snapshots.host(id) }, freshness: deps.figures.freshness(id), hls: { trace: observer.output(id, 'hls'), segments: deps.hls.segments(id) }, record: { trace: observer.output(id, 'record'), bytes: deps.recordings.bytes(id) }, frames: { trace: observer.output(id, 'frames') }, declared: deps.declared.has(id), now: Date.now() };
    const camera = viewOf(snapshot, facts);
    shown.set(id, camera);
    return camera;
  };
  const view = (id: string): CameraView | undefined => {
    const main = own(id);
    const sub = own(streamKey({ camera: id, stream: 'sub' }));
    return main && sub ? { ...main, sub: subViewOf(sub) } : main;
  };
  const all = (): CameraView[] => ids().flatMap((id) => view(id) ?? []);
  const must = (id: string): CameraView => {
    const found = view(id);
    if (!found) throw new LookoutError('LOOKOUT_CAMERA_NOT_FOUND', { cameraId: id });
    return found;
  };
  return { ids, view, all, must };
}
