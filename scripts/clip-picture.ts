/** Draws the frames of the simulator's clips: moving pattern, running clock, flash each second, machine-readable frame counter. */
import { Canvas } from './clip-canvas.ts';
import { scenes } from './clip-scenes.ts';
import type { Scene } from './clip-scenes.ts';

/** What a clip shows: a scene for people to look at, or a pattern in one colour for tests. */
export type Picture = { title: string; width: number; height: number; fps: number; noise: number; view: Scene | { pattern: Pattern; hue: number } };

/** The moving background. */
export type Pattern = 'bars' | 'checks' | 'rings' | 'waves' | 'diagonal';

/** Blocks of the strip along the bottom edge: white, black, then the frame index in 16 bits, most significant first. */
export const stripBlocks = 18;

/** Height of the strip, pixels. */
export const stripHeight = (height: number): number => Math.max(16, Math.round(height / 15));

/** A 5 × 7 font: five columns a glyph, lowest bit on top. GStreamer's text overlays live in a package that set-up does not need otherwise. */
const font: Record<string, string> = {
  A: '7e1111117e', B: '7f49494936', C: '3e41414122', D: '7f4141221c', E: '7f49494941', F: '7f09090901', G: '3e4149497a', H: '7f0808087f',
  I: '00417f4100', J: '2040413f01', K: '7f08142241', L: '7f40404040', M: '7f020c027f', N: '7f0408107f', O: '3e4141413e', P: '7f09090906',
  Q: '3e4151215e', R: '7f09192946', S: '4649494931', T: '01017f0101', U: '3f4040403f', V: '1f2040201f', W: '3f4038403f', X: '6314081463',
  Y: '0708700807', Z: '6151494543', 0: '3e5149453e', 1: '00427f4000', 2: '4261514946', 3: '2141454b31', 4: '1814127f10', 5: '2745454539',
  6: '3c4a494930', 7: '0171090503', 8: '3649494936', 9: '064949291e', '.': '0060600000', '-': '0808080808', ' ': '0000000000',
};

/** Frame `index` as I420. */
export function drawFrame(picture: Picture, index: number): Buffer {
  const { width, height, view } = picture;
  const { luma, chroma } = typeof view === 'string' ? drawScene(view, { picture, index }) : drawPattern(view, { picture, index });
  const unit = Math.round(height / 60);
  const second = String(Math.floor(index / picture.fps)).padStart(2, '0');
  drawText(luma, { width, text: `${second}.${String(index % picture.fps).padStart(2, '0')}`, x: unit * 3, y: unit * 3, dot: Math.max(2, Math.round(height / 100)) });
  drawText(luma, { width, text: picture.title, x: unit * 3, y: height - stripHeight(height) - unit * 11, dot: Math.max(1, Math.round(height / 120)) });
  // The flash that belongs to the beep: white for the first two frames of each second.
  if (index % picture.fps < 2) fill(luma, width, { x: width - unit * 9, y: unit * 3, width: unit * 6, height: unit * 6, value: 235 });
  drawStrip(luma, { width, height, index });
  return Buffer.concat([luma, withoutColourBelow(chroma, { width, height })]);
}

type Rectangle = { x: number; y: number; width: number; height: number; value: number };

function fill(luma: Buffer, stride: number, { x, y, width, height, value }: Rectangle): void {
  for (let row = y; row < y + height; row += 1) luma.fill(value, row * stride + x, row * stride + Math.min(x + width, stride));
}

type Planes = { luma: Buffer; chroma: Buffer };
type Moment = { picture: Picture; index: number };

function drawScene(scene: Scene, { picture, index }: Moment): Planes {
  const canvas = new Canvas(picture);
  scenes[scene](canvas, index / picture.fps);
  canvas.develop({ noise: picture.noise, seed: index });
  return canvas.planes();
}

/** One colour, slightly breathing, over a moving pattern with a ball going round. */
function drawPattern({ pattern, hue }: { pattern: Pattern; hue: number }, moment: Moment): Planes {
  const { width, height, fps } = moment.picture;
  const luma = Buffer.alloc(width * height);
  drawBackground(luma, { ...moment, pattern });
  drawBall(luma, moment);
  const strength = 28 + 8 * Math.sin((moment.index / fps) * 2 * Math.PI * 0.4);
  const chroma = Buffer.alloc(luma.length / 2, 128 + Math.round(Math.cos(hue * Math.PI / 180) * strength));
  chroma.fill(128 + Math.round(Math.sin(hue * Math.PI / 180) * strength), luma.length / 4);
  return { luma, chroma };
}

function drawBackground(luma: Buffer, { picture: { width, height, noise }, index, pattern }: Moment & { pattern: Pattern }): void {
  const scale = 640 / width;
  let random = (index * 2_654_435_761 + 12_345) >>> 0;
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 1) {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
      luma[at] = 70 + patterns[pattern](x * scale, y * scale, index) + (((random >>> 24) - 128) * noise >> 7);
    }
  }
}

/** Brightness 0..100 at a place (in a picture 640 wide) and frame. */
const patterns: Record<Pattern, (x: number, y: number, frame: number) => number> = {
  bars: (x, y, frame) => ((x + frame * 3) % 160 < 80 ? 90 : 20) + (y >> 4),
  checks: (x, y, frame) => ((((x + frame * 2) >> 6) + ((y + frame) >> 6)) & 1) * 70 + (x >> 5),
  rings: (x, y, frame) => ((Math.hypot(x - 320, y - 180) - frame * 2 + 2000) % 60) * 1.5,
  waves: (x, y, frame) => 50 + 45 * Math.sin(x / 40 + frame / 8 + y / 90),
  diagonal: (x, y, frame) => ((x + y + frame * 4) % 128) * 0.75,
};

function drawBall(luma: Buffer, { picture: { width, height, fps }, index }: Moment): void {
  const radius = Math.round(height / 10);
  const turn = (index / fps) * Math.PI * 0.8;
  const centreX = Math.round(width / 2 + Math.cos(turn) * width * 0.32);
  const centreY = Math.round(height / 2 + Math.sin(turn) * height * 0.25);
  for (let row = -radius; row <= radius; row += 1) {
    const half = Math.round(Math.sqrt(radius * radius - row * row));
    fill(luma, width, { x: centreX - half, y: centreY + row, width: half * 2, height: 1, value: 220 });
  }
}

type Text = { width: number; text: string; x: number; y: number; dot: number };

/** White text on a black plate; `dot` is the size of one font pixel. */
function drawText(luma: Buffer, { width, text, x, y, dot }: Text): void {
  fill(luma, width, { x: x - dot, y: y - dot, width: (text.length * 6 + 1) * dot, height: 9 * dot, value: 16 });
  [...text.toUpperCase()].forEach((character, place) => {
    Buffer.from(font[character] ?? '', 'hex').forEach((column, across) => {
      for (let down = 0; down < 7; down += 1) {
        if (((column >> down) & 1) === 1) fill(luma, width, { x: x + (place * 6 + across) * dot, y: y + down * dot, width: dot, height: dot, value: 235 });
      }
    });
  });
}

function drawStrip(luma: Buffer, { width, height, index }: { width: number; height: number; index: number }): void {
  const bits = `10${index.toString(2).padStart(16, '0')}`;
  const rows = stripHeight(height);
  for (let block = 0; block < stripBlocks; block += 1) {
    const x = Math.round(block * width / stripBlocks);
    const end = Math.round((block + 1) * width / stripBlocks);
    fill(luma, width, { x, y: height - rows, width: end - x, height: rows, value: bits[block] === '1' ? 235 : 16 });
  }
}

/** The strip is grey, so that it reads the same in every channel. */
function withoutColourBelow(chroma: Buffer, { width, height }: { width: number; height: number }): Buffer {
  const grey = Math.ceil(stripHeight(height) / 2) * (width / 2);
  for (const end of [chroma.length / 2, chroma.length]) chroma.fill(128, end - grey, end);
  return chroma;
}
