/** The sound of a span: that of its files, on the time line of its pictures. Pure. */
import type { SoundFrames } from './frames.ts';
import type { SpanFile, SpanFrame } from './span.ts';

/** Frames of sound like those of a picture; what belongs to one format. */
export type SpanSound = Omit<SoundFrames, 'frames'> & { frames: SpanFrame[] };

/** Where pictures of a file went: from `firstMs` of it for `durationMs`, to `baseMs` of the whole. */
export type Placed = { file: number; firstMs: number; baseMs: number; durationMs: number };

/** Null where nothing was heard. What is of another format than the first sound is left out, which `changed` says. */
export function soundOfSpan(files: readonly SpanFile[], placed: readonly Placed[]): { sound: SpanSound | null; changed: boolean } {
  const frames: SpanFrame[] = [];
  let format: Omit<SoundFrames, 'frames'> | null = null;
  let changed = false;
  for (const { file, firstMs, baseMs, durationMs } of placed) {
    const sound = files[file]!.video.sound;
    if (!sound) continue;
    const { frames: heard, ...own } = sound;
    format ??= own;
    if (!sameFormat(format, own)) {
      changed = true;
      continue;
    }
    for (const frame of heard) {
      const at = frame.timeMs - firstMs;
      // Files overlap by a rounded ms: nothing is heard twice.
      if (at >= 0 && at < durationMs && baseMs + at > (frames.at(-1)?.timeMs ?? -1)) frames.push({ ...frame, file, timeMs: baseMs + at });
    }
  }
  return { sound: format && frames.length > 0 ? { ...format, frames } : null, changed };
}

function sameFormat(a: Omit<SoundFrames, 'frames'>, b: Omit<SoundFrames, 'frames'>): boolean {
  return a.codec === b.codec && a.rate === b.rate && a.channels === b.channels && Buffer.from(a.codecPrivate).equals(b.codecPrivate);
}

/** As everybody calls what Matroska has its own names for; G.711 is told by the tag of its WAVEFORMATEX. */
export function soundName({ codec, codecPrivate }: Pick<SoundFrames, 'codec' | 'codecPrivate'>): string {
  if (codec === 'A_AAC') return 'AAC';
  const tag = (codecPrivate[0] ?? 0) | (codecPrivate[1] ?? 0) << 8;
  return codec === 'A_MS/ACM' && tag === 7 ? 'PCMU' : codec === 'A_MS/ACM' && tag === 6 ? 'PCMA' : codec;
}
