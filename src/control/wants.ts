/** Tells cameras what somebody asks of them for as long as somebody does. */
import type { Root } from '../actors/tree.ts';
import { child } from './cameras.ts';

/** Whether it is fetched over HLS. Nothing is sent to an actor that knows it, or that ended. */
export function tellHls(root: Root, camera: string, wanted: boolean): void {
  const actor = child(root, camera);
  const snapshot = actor?.getSnapshot();
  if (snapshot?.status === 'active' && snapshot.context.hlsWanted !== wanted) actor?.send({ type: 'hls.set', wanted });
}

/** Whether somebody watches who may have a transcode. Also told to one that knows it: it may be about to forget the last viewer. */
export function tellTranscode(root: Root, camera: string, wanted: boolean): void {
  const actor = child(root, camera);
  if (actor?.getSnapshot().status === 'active') actor.send({ type: 'transcode.set', wanted });
}

/** Whether somebody listens. Also told to one that knows it: it may be about to forget the last listener. */
export function tellSound(root: Root, camera: string, wanted: boolean): void {
  const actor = child(root, camera);
  if (actor?.getSnapshot().status === 'active') actor.send({ type: 'sound.set', wanted });
}
