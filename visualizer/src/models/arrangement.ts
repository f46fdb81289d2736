/** The order of the tiles, as an operator arranged them; this browser remembers it. */
import { signal, type ReadonlySignal } from '@preact/signals';

const key = 'lookout.arrangement';

export type Arrangement = {
  /** Ids in the order they were given; empty while nobody arranged anything. */
  order: ReadonlySignal<readonly string[]>;
  /** Puts `id` where `target` is now, in this order of all cameras. */
  place: (all: readonly string[], id: string, target: string) => void;
  /** The fleet's own order again. */
  reset: () => void;
};

/** Reads what is remembered. */
export function createArrangement(): Arrangement {
  const order = signal<readonly string[]>(read());
  const keep = (ids: readonly string[]): void => {
    order.value = ids;
    try {
      if (ids.length > 0) localStorage.setItem(key, JSON.stringify(ids));
      else localStorage.removeItem(key);
    } catch {
      // Private windows refuse storage: the order lasts as long as the page.
    }
  };
  return { order, place: (all, id, target) => keep(placed(arranged(all, order.peek()), id, target)), reset: () => keep([]) };
}

/** `ids` in this order; those that it does not name come behind, as they were. */
export function arranged(ids: readonly string[], order: readonly string[]): string[] {
  if (order.length === 0) return [...ids];
  const places = new Map(order.map((id, place) => [id, place]));
  const placeOf = (id: string): number => places.get(id) ?? order.length;
  return ids.toSorted((a, b) => placeOf(a) - placeOf(b));
}

/** The list with `id` taken out and put where `target` was. */
export function placed(ids: readonly string[], id: string, target: string): string[] {
  const to = ids.indexOf(target);
  if (to < 0 || !ids.includes(id) || id === target) return [...ids];
  return ids.filter((each) => each !== id).toSpliced(to, 0, id);
}

function read(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? '[]');
    return Array.isArray(stored) ? stored.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}
