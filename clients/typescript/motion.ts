/**
 * Says for each frame how much of the picture moved: an example of what a program does with raw frames.
 *
 *   LOOKOUT_TOKEN=… node clients/typescript/motion.ts http://127.0.0.1:8085 CAMERA [tcp|shm]
 *
 * A score is the share of looked-at pixels, 0 to 1, whose brightness changed since the frame before by more than noise does.
 */
import { addressFromArguments, followFrames, type Frame } from './frames.ts';

/** Every fourth pixel of every fourth line. */
const step = 4;
/** Of 255. */
const noise = 16;

/** A coarse grid of the picture: green stands for brightness in RGB, in the other formats the first plane is it. */
export function brightness({ format, width, height, data }: Pick<Frame, 'format' | 'width' | 'height' | 'data'>): Uint8Array {
  const pixel = format === 'RGB' ? 3 : 1;
  const across = Math.ceil(width / step);
  const grid = new Uint8Array(across * Math.ceil(height / step));
  for (let line = 0, at = 0; line < height; line += step) {
    for (let column = 0; column < width; column += step) grid[at++] = data[(line * width + column) * pixel + (pixel >> 1)]!;
  }
  return grid;
}

/** The score; 0 for a first frame, or one of another size. */
export function motion(now: Uint8Array, before: Uint8Array | null): number {
  if (before?.length !== now.length) return 0;
  return now.reduce((moved, value, at) => moved + (Math.abs(value - before[at]!) > noise ? 1 : 0), 0) / now.length;
}

if (import.meta.main) {
  let before: Uint8Array | null = null;
  for await (const frame of followFrames(addressFromArguments(), { onLoss: (error) => void process.stderr.write(`${String(error)}\n`) })) {
    const now = brightness(frame);
    process.stdout.write(`${JSON.stringify({ sequence: frame.sequence, takenAt: new Date(Number(frame.takenAt / 1_000_000n)).toISOString(), motion: Number(motion(now, before).toFixed(4)) })}\n`);
    before = now;
  }
}
