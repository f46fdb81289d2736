/** What a crashed actor leaves behind in the tree: XState neither stops its children nor runs its exit actions (statelyai/xstate#5153). */
import type { AnyActorRef, InspectionEvent } from 'xstate';

/**
 * For `createActor(…, { inspect })`: stops the children of every actor that errors, at whatever level, before its parent
 * hears of it.
 */
export function stopChildrenOfCrashed(event: InspectionEvent): void {
  if (event.type !== '@xstate.event' || !event.event.type.startsWith('xstate.error.actor.') || !event.sourceRef) return;
  const { children } = ((event.sourceRef as AnyActorRef).getSnapshot?.() ?? {}) as { children?: Record<string, AnyActorRef | undefined> };
  for (const child of Object.values(children ?? {})) {
    // `_stop` is what a living parent calls; `stop` refuses for any actor but the root.
    (child as unknown as { _stop?: () => void } | undefined)?._stop?.();
  }
}
