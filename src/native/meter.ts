/** Frame rate and bitrate over the last seconds, from counters that only grow. Pure. */

type Point = { at: number; frames: number; bytes: number };

const windowMs = 3000;

/** A sliding window over counters. */
export type Meter = {
  add(point: Point): void;
  /** Null until the window spans half a second. */
  read(): { fps: number | null; bitrate: number | null };
};

/** Makes an empty window. */
export function createMeter(): Meter {
  const points: Point[] = [];
  return {
    add(point) {
      points.push(point);
      while (points.length > 2 && point.at - points[1]!.at >= windowMs) points.shift();
    },
    read() {
      const [first, last] = [points[0], points.at(-1)];
      if (first === undefined || last === undefined || last.at - first.at < 500) return { fps: null, bitrate: null };
      const seconds = (last.at - first.at) / 1000;
      return { fps: Math.round(((last.frames - first.frames) / seconds) * 10) / 10, bitrate: Math.round(((last.bytes - first.bytes) * 8) / seconds) };
    },
  };
}

/** Mean distance between keyframes. */
export type GopMeter = {
  /** `keyframes` is a counter that only grows. */
  add(point: { at: number; keyframes: number }): void;
  /** ms; null before the second keyframe. */
  read(): number | null;
};

/** Over so many readings a look that comes up to 400 ms late no longer shows. */
const keptKeyframes = 10;

/** Makes an empty meter. */
export function createGopMeter(): GopMeter {
  const seen: { at: number; keyframes: number }[] = [];
  return {
    add(point) {
      if (point.keyframes === (seen.at(-1)?.keyframes ?? 0)) return;
      seen.push(point);
      if (seen.length > keptKeyframes) seen.shift();
    },
    read() {
      const [first, last] = [seen[0], seen.at(-1)];
      if (first === undefined || last === undefined || last.keyframes === first.keyframes) return null;
      return Math.round((last.at - first.at) / (last.keyframes - first.keyframes));
    },
  };
}
