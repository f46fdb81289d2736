/** The fleet as the server tells it: one signal per camera, so that a delta renders one tile. */
import type { CameraView, SfuWorkerView, StatusServerEvents, SystemView } from '../../../src/api/protocol.ts';
import { batch, computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { Clock } from './clock.ts';
import { describe, type Tone } from './describe.ts';

/** A view and when it arrived, ms since the epoch on this machine. */
export type CameraEntry = { view: CameraView; receivedAt: number };

export type Fleet = {
  /** All ids by name; null before the first snapshot. */
  ids: ReadonlySignal<string[] | null>;
  system: ReadonlySignal<SystemView | null>;
  workers: ReadonlySignal<SfuWorkerView[]>;
  camera: (id: string) => ReadonlySignal<CameraEntry | undefined>;
  counts: ReadonlySignal<Record<Tone, number>>;
  /** Age of the last packet at the server, as far as it can be known here. */
  packetAge: (entry: CameraEntry, now: number) => number | null;
  snapshot: StatusServerEvents['snapshot'];
  delta: StatusServerEvents['camera'];
  sfu: StatusServerEvents['sfu'];
  setSystem: (system: SystemView) => void;
  /** An answer of REST, which may come before the delta. */
  put: (view: CameraView) => void;
};

const collator = new Intl.Collator(undefined, { numeric: true });

/** Makes the model, empty. */
export function createFleet(clock: Clock): Fleet {
  const entries = new Map<string, Signal<CameraEntry | undefined>>();
  const names = signal<ReadonlyMap<string, string> | null>(null);
  const system = signal<SystemView | null>(null);
  const workers = signal<SfuWorkerView[]>([]);

  const entry = (id: string): Signal<CameraEntry | undefined> => {
    let found = entries.get(id);
    if (!found) entries.set(id, (found = signal(undefined)));
    return found;
  };
  const put = (view: CameraView): void => batch(() => {
    entry(view.id).value = { view, receivedAt: Date.now() };
    if (names.peek()?.get(view.id) !== view.name) names.value = new Map(names.peek()).set(view.id, view.name);
  });
  const drop = (id: string): void => batch(() => {
    const rest = new Map(names.peek());
    rest.delete(id);
    names.value = rest;
    // The signal stays: whoever still follows it hears when a camera of this name comes back.
    entry(id).value = undefined;
  });

  return {
    ids: computed(() => names.value && [...names.value].sort(([a, x], [b, y]) => collator.compare(x, y) || collator.compare(a, b)).map(([id]) => id)),
    system,
    workers,
    camera: entry,
    counts: computed(() => {
      const counts: Record<Tone, number> = { live: 0, busy: 0, warn: 0, bad: 0, off: 0 };
      for (const id of names.value?.keys() ?? []) {
        const view = entry(id).value?.view;
        if (view) counts[describe(view, 0).tone] += 1;
      }
      return counts;
    }),
    packetAge: ({ view, receivedAt }, now) => {
      const { packetAgeMs } = view.freshness;
      // A live camera is told of often, but not on every tick: extrapolating would make healthy ages crawl up and drop.
      if (packetAgeMs === null) return null;
      return view.state === 'streaming' && view.substate === 'live' ? packetAgeMs : packetAgeMs + Math.max(0, now - receivedAt);
    },
    snapshot: (all) => batch(() => {
      clock.observe(all.at);
      system.value = all.system;
      workers.value = all.workers;
      const present = new Set(all.cameras.map(({ id }) => id));
      for (const id of names.peek()?.keys() ?? []) if (!present.has(id)) drop(id);
      names.value = new Map(all.cameras.map(({ id, name }) => [id, name]));
      all.cameras.forEach(put);
    }),
    delta: ({ id, camera, at }) => {
      clock.observe(at);
      if (camera) put(camera);
      else drop(id);
    },
    sfu: (delta) => {
      workers.value = delta.workers;
    },
    setSystem: (value) => {
      system.value = value;
    },
    put,
  };
}
