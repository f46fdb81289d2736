/**
 * Makes the simulator's clips in `assets/clips` with GStreamer's encoders. They are committed: run this only to change them.
 * Usage: node scripts/make-clips.ts [name …]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { writeClip } from '../src/camera-sim/clip.ts';
import { encodeAudio, encodeVideo, type VideoRecipe } from './clip-encoder.ts';

const folder = new URL('../assets/clips/', import.meta.url);
const small = { width: 640, height: 360, seconds: 10, kbps: 240 };
/** The second streams of the demo's cameras: the same views. */
const sub = { width: 320, height: 180, seconds: 10, kbps: 80 };
const videos: Record<string, VideoRecipe> = {
  'entrance-360p-baseline': { ...small, gop: 25, profile: 'constrained-baseline', view: 'entrance', title: 'Entrance' },
  'parking-360p-main': { ...small, gop: 50, profile: 'main', view: 'parking', title: 'Parking' },
  'dock-360p-high': { ...small, gop: 50, profile: 'high', view: 'dock', title: 'Loading dock' },
  'server-360p-main': { ...small, gop: 25, profile: 'main', view: 'server-room', title: 'Server room' },
  'entrance-180p-baseline': { ...sub, gop: 25, profile: 'constrained-baseline', view: 'entrance', title: 'Entrance' },
  'parking-180p-main': { ...sub, gop: 25, profile: 'main', view: 'parking', title: 'Parking' },
  'dock-180p-main': { ...sub, gop: 25, profile: 'main', view: 'dock', title: 'Loading dock' },
  'bframes-360p-high': { ...small, gop: 50, profile: 'high', bFrames: 2, view: { pattern: 'waves', hue: 250 }, title: 'B-frames' },
  'gop4s-360p-main': { ...small, seconds: 8, gop: 100, profile: 'main', view: { pattern: 'waves', hue: 30 }, title: 'GOP 4 s' },
  'gop10s-360p-main': { ...small, gop: 250, profile: 'main', view: { pattern: 'waves', hue: 60 }, title: 'GOP 10 s' },
  'hevc-360p': { ...small, gop: 50, codec: 'H265', view: { pattern: 'rings', hue: 150 }, title: 'H.265' },
  'mpeg4-360p': { ...small, seconds: 2, gop: 25, codec: 'MP4V', view: { pattern: 'bars', hue: 340 }, title: 'MPEG-4 Part 2' },
  'odd-504x282-baseline': { ...small, width: 504, height: 282, seconds: 4, gop: 25, profile: 'constrained-baseline', view: { pattern: 'checks', hue: 280 }, title: 'Odd size' },
  'tiny-320x180-main': { width: 320, height: 180, seconds: 10, kbps: 64, gop: 25, profile: 'main', view: { pattern: 'waves', hue: 180 }, title: 'Small' },
  'street-720p-main': { width: 1280, height: 720, seconds: 10, kbps: 2000, gop: 50, profile: 'main', noise: 40, view: { pattern: 'checks', hue: 220 }, title: 'Street' },
  'yard-720p-high': { width: 1280, height: 720, seconds: 4, kbps: 2000, gop: 25, profile: 'high', noise: 40, view: { pattern: 'diagonal', hue: 40 }, title: 'Yard' },
};

for (const name of process.argv.length > 2 ? process.argv.slice(2) : [...Object.keys(videos), 'beep-pcmu', 'beep-pcma', 'beep-aac']) {
  const recipe = videos[name];
  const clip = recipe ? await encodeVideo(recipe) : await encodeAudio(name);
  const bytes = writeClip(clip);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.clip`, folder), bytes);
  console.log(`${name}: ${clip.units.length} units, ${Math.round(bytes.length / 1024)} KiB`);
}
