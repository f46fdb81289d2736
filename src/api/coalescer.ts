/** Fewer changes than happen: what subscribers who only want the latest are told. */

/** Passes values on by key. */
export type Coalescer<T> = { push(key: string, value: T): void; stop(): void };

/** Passes the first value of a key on at once, later ones at most once per `intervalMs`, the latest; removal (`null`) never waits. */
export function createCoalescer<T>(intervalMs: number, emit: (key: string, value: T) => void): Coalescer<T> {
  const slots = new Map<string, { timer: NodeJS.Timeout; waiting: T | undefined }>();
  const open = (key: string) => {
    const slot = slots.get(key);
    if (slot === undefined) return;
    slots.delete(key);
    if (slot.waiting !== undefined) pass(key, slot.waiting);
  };
  const pass = (key: string, value: T) => {
    slots.set(key, { timer: setTimeout(() => open(key), intervalMs), waiting: undefined });
    emit(key, value);
  };
  return {
    push(key, value) {
      const slot = slots.get(key);
      if (slot === undefined) return pass(key, value);
      if (value !== null) {
        slot.waiting = value;
        return;
      }
      clearTimeout(slot.timer);
      slots.delete(key);
      emit(key, value);
    },
    stop() {
      for (const slot of slots.values()) clearTimeout(slot.timer);
      slots.clear();
    },
  };
}
