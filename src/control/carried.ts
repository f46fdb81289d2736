/** Who may watch a camera over WebRTC: refused at once where there is no way to carry it, and where a transcode finds no room. */
import type { Root } from '../actors/tree.ts';
import type { Transcodes } from '../actors/transcodes.ts';
import { LookoutError } from '../errors.ts';
import { carriage, carriedMedia, transcodeOf } from '../machines/camera-live.ts';
import type { CameraContext } from '../machines/camera-context.ts';
import { webrtcVerdict } from '../native/verdict.ts';
import { child } from './cameras.ts';

/** Before the format is known a transcode of this camera is taken for one that costs next to nothing; its process takes the true share. */
const unknownCores = 0.01;

/**
 * Lets a viewer in: undefined where the camera's own packets are carried, else what its transcode's share is given back by.
 * Throws `LOOKOUT_UNSUPPORTED_MEDIA`, and `LOOKOUT_TRANSCODE_BUDGET` where all cores for transcodes are in use.
 */
export function admitViewer(root: Root, transcodes: Transcodes, camera: string): (() => void) | undefined {
  const context = child(root, camera)?.getSnapshot().context;
  if (!context || carriage(context) === 'plain') return undefined;
  if (carriage(context) === 'none') throw unsupported(context);
  return transcodes.watch(camera, transcodeOf(context)?.transcode.cores ?? unknownCores);
}

/** Rejects with `LOOKOUT_UNSUPPORTED_MEDIA` as soon as a camera turns out to send what WebRTC cannot carry; else stays open until `signal`. */
export function whenUncarried(root: Root, camera: string, signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const look = (context: CameraContext): void => {
    if (carriage(context) === 'none') reject(unsupported(context));
  };
  const actor = child(root, camera);
  if (actor) look(actor.getSnapshot().context);
  const subscription = actor?.subscribe({ next: ({ context }) => look(context), error: () => undefined });
  signal.addEventListener('abort', () => subscription?.unsubscribe(), { once: true });
  return promise;
}

function unsupported(context: CameraContext): LookoutError {
  return new LookoutError('LOOKOUT_UNSUPPORTED_MEDIA', { cameraId: context.config.id, message: webrtcVerdict(carriedMedia(context)).why });
}
