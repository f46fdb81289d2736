/** Clips that are too big to be committed: encoded when a bench first asks for them, kept in `.cache/clips`. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeVideo, type VideoRecipe } from '../../scripts/clip-encoder.ts';
import { writeClip } from '../../src/camera-sim/clip.ts';

const folder = join(import.meta.dirname, '..', '..', '.cache', 'clips');

/** The path of the clip of this recipe, for a mount's `video`. Encoding takes seconds and is said. */
export async function benchClip(recipe: VideoRecipe): Promise<string> {
  const path = join(folder, `${createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 16)}.clip`);
  if (existsSync(path)) return path;
  console.log(`encoding a clip: ${recipe.width} × ${recipe.height}, ${recipe.kbps} kbit/s, a keyframe every ${recipe.gop} frames`);
  mkdirSync(folder, { recursive: true });
  const bytes = writeClip(await encodeVideo(recipe));
  writeFileSync(`${path}.part`, bytes);
  renameSync(`${path}.part`, path);
  return path;
}
