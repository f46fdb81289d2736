/** How programs attach to what Lookout has of a camera: its raw frames, and its packets (docs/frames.md). Pure. */
import type { FramesAccessView, PacketsAccessView } from '../api/attach-protocol.ts';
import type { CameraView } from '../api/protocol.ts';
import { LookoutError } from '../errors.ts';
import { hubFrontEnd } from '../native/launch.ts';
import type { FramesPlace } from './frames.ts';

const host = '127.0.0.1';
const bytesPerPixel = { RGB: 3, I420: 1.5, NV12: 1.5, GRAY8: 1 } as const;

/** Also while the output does not run: readers may wait for it. Throws `LOOKOUT_FRAMES_OFF`. */
export function framesAccess({ id, outputs: { frames } }: CameraView, { port, socket }: FramesPlace): FramesAccessView {
  const { mode, state, lastError, format, width, height, fps, readers } = frames;
  if (mode === 'off') throw new LookoutError('LOOKOUT_FRAMES_OFF', { cameraId: id });
  const show = 'gdpdepay ! videoconvert ! autovideosink';
  return {
    camera: id, state, lastError, format, width, height, fps, frameBytes: width * height * bytesPerPixel[format], protocol: 'gdp-1.0',
    tcp: port === null ? null : { host, port },
    sharedMemory: { socket },
    readers,
    commands: { tcp: port === null ? null : `gst-launch-1.0 tcpclientsrc host=${host} port=${port} ! ${show}`, sharedMemory: `gst-launch-1.0 shmsrc socket-path=${socket} ! ${show}` },
  };
}

/** The hub of the running source. Throws `LOOKOUT_NOT_LIVE`. */
export function packetsAccess(camera: CameraView, port: number | null): PacketsAccessView {
  if (port === null || !camera.media) throw notLive(camera);
  const { codec, width, height } = camera.media;
  const { protocol, caps, launch } = hubFrontEnd(codec, port);
  return { camera: camera.id, codec, width, height, protocol, host, port, caps, command: `gst-launch-1.0 -e ${launch} ! matroskamux ! filesink location=${camera.id}.mkv` };
}

/** Why there is nothing to be had from a camera: what `known` says, else what the camera's state does. */
export function notLive(camera: CameraView, known?: string): LookoutError {
  const told = camera.lastError && camera.state !== 'streaming' ? camera.lastError.message : `The camera is ${camera.substate ?? camera.state}.`;
  return new LookoutError('LOOKOUT_NOT_LIVE', { cameraId: camera.id, message: known ?? told });
}
