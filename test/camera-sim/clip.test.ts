/** The clips: every picture tells its own frame number to whoever can see black and white. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { readClip, writeClip } from '../../src/camera-sim/clip.ts';

const run = promisify(execFile);
const blocks = 18;

const clip = (name: string): URL => new URL(`../../assets/clips/${name}.clip`, import.meta.url);

/** Frame number in the strip along the bottom edge, as a bench would read it from a canvas; undefined where its first two blocks are not white and black. */
function readStrip(luma: Buffer, { width, height }: { width: number; height: number }): number | undefined {
  const row = Math.round(height - height / 30);
  const bit = (block: number): number => (luma[row * width + Math.round((block + 0.5) * width / blocks)]! > 125 ? 1 : 0);
  if (bit(0) !== 1 || bit(1) !== 0) return undefined;
  return Array.from({ length: 16 }, (_, index) => bit(index + 2)).reduce((value, one) => value * 2 + one, 0);
}

for (const name of ['entrance-360p-baseline', 'bframes-360p-high', 'hevc-360p', 'odd-504x282-baseline', 'street-720p-main']) {
  test(`every frame of ${name} shows its number, even scaled down to 160 × 90`, async () => {
    const { header, units } = readClip(clip(name));
    const folder = await mkdtemp(join(tmpdir(), 'clip-'));
    try {
      const stream = join(folder, 'stream');
      await writeFile(stream, Buffer.concat(units.slice(0, 100)));
      const size = { width: 160, height: 90 };
      const { stdout } = await run('ffmpeg', ['-v', 'error', '-f', header.codec === 'H265' ? 'hevc' : 'h264', '-i', stream, '-vf', `scale=${size.width}:${size.height},format=gray`, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'], { encoding: 'buffer', maxBuffer: 1 << 26 });
      const frame = size.width * size.height;
      const numbers = Array.from({ length: stdout.length / frame }, (_, index) => readStrip(stdout.subarray(index * frame, (index + 1) * frame), size));
      assert.deepEqual(numbers, Array.from({ length: 100 }, (_, index) => index));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

test('a clip survives being written and read; anything else is refused', async () => {
  const original = readClip(clip('beep-aac'));
  const folder = await mkdtemp(join(tmpdir(), 'clip-'));
  try {
    const path = join(folder, 'copy.clip');
    const bytes = writeClip(original);
    await writeFile(path, bytes);
    assert.deepEqual(readClip(path), original);
    await writeFile(path, bytes.subarray(0, -1));
    assert.throws(() => readClip(path), /cut off/u);
    await writeFile(path, 'hello');
    assert.throws(() => readClip(path), /no clip/u);
  } finally {
    await rm(folder, { recursive: true });
  }
});
