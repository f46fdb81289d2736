/** Current pictures: one request to the supervisor for all who ask at the same moment, and the age of the last one. */
import { createHash } from 'node:crypto';
import type { ControlPlane, Snapshot } from './control.ts';

/** A picture with its entity tag. */
export type Picture = Snapshot & { etag: string };

/** Pictures of all cameras. */
export type Pictures = {
  /** Rejects like {@link ControlPlane.snapshot}. */
  take(id: string, width: number): Promise<Picture>;
  /** Null where none was taken yet. */
  lastAgeMs(id: string): number | null;
};

const freshMs = 1000;

/** Makes the shared pictures. They hold at most one picture per camera and width asked for within a second. */
export function createPictures(control: ControlPlane): Pictures {
  const shared = new Map<string, Promise<Picture>>();
  const lastTaken = new Map<string, number>();
  control.subscribe((delta) => {
    if (delta.type === 'camera' && delta.camera === null) lastTaken.delete(delta.id);
  });

  const take = async (id: string, width: number): Promise<Picture> => {
    const snapshot = await control.snapshot(id, { width });
    lastTaken.set(id, snapshot.takenAt);
    return { ...snapshot, etag: `"${createHash('sha1').update(snapshot.jpeg).digest('base64url')}"` };
  };

  return {
    take(id, width) {
      const key = `${id}:${width}`;
      const running = shared.get(key);
      if (running !== undefined) return running;
      const picture = take(id, width);
      shared.set(key, picture);
      const forget = () => void (shared.get(key) === picture && shared.delete(key));
      picture.then(() => setTimeout(forget, freshMs).unref(), forget);
      return picture;
    },
    lastAgeMs(id) {
      const takenAt = lastTaken.get(id);
      return takenAt === undefined ? null : Math.max(0, Date.now() - takenAt);
    },
  };
}
