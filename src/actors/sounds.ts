/**
 * The sound of cameras in the SFU: for each that somebody listens to one path, which outlives the process that feeds it and
 * is made anew on the same ports where its router went.
 */
import { randomInt } from 'node:crypto';
import { LookoutError } from '../errors.ts';
import type { SoundFormat } from '../media.ts';
import type { PortLease, Ports } from '../native/ports.ts';
import { createSoundPath, soundPayloadTypes, type SoundFeed, type SoundPath } from '../native/sound-path.ts';
import type { MediaPlane } from './media-plane.ts';

/** The book of sounds. */
export type Sounds = {
  /** The path of a camera's sound on the router that its video has now. Rejects with `LOOKOUT_SFU_UNAVAILABLE` and `LOOKOUT_DEADLINE`. */
  open(camera: string, sound: SoundFormat): Promise<{ path: SoundPath; feed: SoundFeed }>;
  /** Nobody feeds it any more: it goes, unless somebody listens or it is opened again soon. */
  close(camera: string): void;
  /** The same path for one who listens, until `release`, which may be called again. The first listener starts what feeds it, the last one ends it. */
  listen(camera: string, sound: SoundFormat): Promise<{ path: SoundPath; release(): void }>;
};

type Entry = { sound: SoundFormat; leases: PortLease[]; feed: SoundFeed | undefined; making: Promise<unknown>; path: SoundPath | undefined; timer: NodeJS.Timeout | undefined };

/** A process that feeds a path and fails is replaced within this, the longest of its delays apart. */
const lingerMs = 15_000;

/** Makes the book. */
export function createSounds({ plane, ports, ingestWaitMs, want }: { plane: MediaPlane; ports: Ports; ingestWaitMs: number; /** Tells a camera whether somebody listens. */ want: (camera: string, wanted: boolean) => void }): Sounds {
  const listeners = new Map<string, number>();
  const entries = new Map<string, Entry>();
  const forget = (camera: string, entry: Entry): void => {
    if (entries.get(camera) === entry) entries.delete(camera);
    clearTimeout(entry.timer);
    entry.path?.close();
    for (const lease of entry.leases) void lease.release();
  };
  const entryOf = (camera: string, sound: SoundFormat): Entry => {
    const known = entries.get(camera);
    if (known && JSON.stringify(known.sound) === JSON.stringify(sound)) return known;
    if (known) forget(camera, known);
    const entry: Entry = { sound, leases: [], feed: undefined, making: Promise.resolve(), path: undefined, timer: undefined };
    entries.set(camera, entry);
    return entry;
  };
  const make = async (camera: string, entry: Entry): Promise<{ path: SoundPath; feed: SoundFeed }> => {
    const ingest = await plane.whenIngest(camera, ingestWaitMs);
    try {
      while (entry.leases.length < 2) entry.leases.push(await ports.lease(`sound:${camera}`));
      const [near, far] = entry.leases as [PortLease, PortLease];
      const feed = (entry.feed ??= { port: near.port, bindPort: far.port, ssrc: randomInt(1, 0xffff_ffff), payloadType: soundPayloadTypes[entry.sound.codec] });
      if (entry.path?.ingest !== ingest || entry.path.transport.closed) {
        entry.path?.close();
        entry.path = await createSoundPath(ingest, { feed, sound: entry.sound });
      }
      if (entries.get(camera) !== entry) throw new Error('another sound took its place');
      return { path: entry.path, feed };
    } catch (cause) {
      forget(camera, entry);
      throw new LookoutError('LOOKOUT_SFU_UNAVAILABLE', { cameraId: camera, cause });
    }
  };
  const open = (camera: string, sound: SoundFormat): Promise<{ path: SoundPath; feed: SoundFeed }> => {
    const entry = entryOf(camera, sound);
    clearTimeout(entry.timer);
    // One after the other: two that come at once share what the first one makes.
    const made = entry.making.then(() => make(camera, entry));
    entry.making = made.catch(() => undefined);
    return made;
  };
  const close = (camera: string): void => {
    const entry = entries.get(camera);
    if (!entry || listeners.has(camera)) return;
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => forget(camera, entry), lingerMs).unref();
  };
  const count = (camera: string, change: 1 | -1): void => {
    const now = (listeners.get(camera) ?? 0) + change;
    if (now > 0) listeners.set(camera, now);
    else listeners.delete(camera);
    // Each time: an actor that came anew knows nothing.
    want(camera, now > 0);
    if (now === 0) close(camera);
  };
  return {
    open, close,
    async listen(camera, sound) {
      let held = true;
      const release = (): void => {
        if (held) count(camera, -1);
        held = false;
      };
      count(camera, 1);
      try {
        return { path: (await open(camera, sound)).path, release };
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}
