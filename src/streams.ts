/**
 * The two streams of a camera. The second one, `sub`, is a camera of its own for whoever supervises it: its machine, source,
 * ingest, ports, journal and figures go by a key. Only what is shown to the world puts the two together again.
 */
import type { CameraConfig, CameraId } from './camera-config.ts';

/** `main`: what is recorded, exported and shown alone. `sub`: the smaller one that walls play. */
export type StreamName = 'main' | 'sub';

/** A stream of a camera. */
export type CameraStream = { camera: string; stream: StreamName };

/** No id of a camera has it (`cameraIdPattern`), and no owner in the registry of leases is below another one by it. */
const mark = '~sub';

/** `dock` for main, `dock~sub` for sub. */
export function streamKey({ camera, stream }: CameraStream): string {
  return stream === 'sub' ? `${camera}${mark}` : camera;
}

/** The key of the stream that something belongs to which names it only where it is sub. */
export function keyOf({ camera, stream = 'main' }: { camera: string; stream?: StreamName }): string {
  return streamKey({ camera, stream });
}

/** What {@link streamKey} made a key of. */
export function streamOfKey(key: string): CameraStream {
  return key.endsWith(mark) ? { camera: key.slice(0, -mark.length), stream: 'sub' } : { camera: key, stream: 'main' };
}

/**
 * The second stream as the camera machine runs it: pulled while somebody watches it, live only. Undefined for a camera that
 * has none.
 */
export function subCamera(config: CameraConfig): CameraConfig | undefined {
  const { sub, id, outputs } = config;
  if (sub === undefined) return undefined;
  return {
    ...config,
    id: streamKey({ camera: id, stream: 'sub' }) as CameraId,
    url: sub,
    sub: undefined,
    source: { ...config.source, mode: 'on-demand' },
    outputs: { live: { ...outputs.live, feed: 'on-demand' }, hls: { mode: 'off' }, record: { ...outputs.record, mode: 'off' }, frames: { ...outputs.frames, mode: 'off' } },
  };
}
