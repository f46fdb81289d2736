/** Takes one picture from a hub inside a host: the latest keyframe, decoded and encoded as JPEG. */
import { failure } from '../../errors.ts';
import { failureOfMessage } from '../bus.ts';
import { child, loadGst, playAndListen, type GstAppSink } from '../gst.ts';
import { snapshotLaunch } from '../launch.ts';
import type { HostCommand, HostEvent } from '../protocol.ts';

/** Emits `snapshot.taken` or `snapshot.failed` once. */
export function takeSnapshot(command: Extract<HostCommand, { type: 'snapshot.take' }>, emit: (event: HostEvent) => void): { stop(): void } {
  const pipeline = new (loadGst().Pipeline)(snapshotLaunch(command));
  let done = false;
  const finish = (event: HostEvent): void => {
    if (done) return;
    done = true;
    emit(event);
  };
  playAndListen(pipeline, (message) => {
    const failed = failureOfMessage({ ...message, element: message._src_element_name } as Parameters<typeof failureOfMessage>[0]);
    if (failed !== null) finish({ type: 'snapshot.failed', failure: failed });
  });
  // Only now: an appsink that was not started yet answers with the end.
  child<GstAppSink>(pipeline, 'picture').pull((jpeg, caps) => {
    if (jpeg === null) return finish({ type: 'snapshot.failed', failure: failure('eos', 'no-picture', 'The hub ended before it gave a picture.') });
    finish({ type: 'snapshot.taken', jpeg, width: Number(caps.width ?? 0), height: Number(caps.height ?? 0) });
  });
  return { stop: () => pipeline.stop() };
}
