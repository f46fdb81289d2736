/** Painted scenes that stand for camera pictures in design work and browser tests: cheap, recognisable, always moving. */
export const sceneWidth = 480;
export const sceneHeight = 270;

type Paint = (context: CanvasRenderingContext2D, time: number, seed: number) => void;

/** Paints scene `seed` as it is at `time` (ms since the epoch), with name and running clock. */
export function paintScene(context: CanvasRenderingContext2D, { seed, time, name }: { seed: number; time: number; name: string }): void {
  const scene = scenes[seed % scenes.length]!;
  context.save();
  scene(context, time / 1000, seed);
  context.restore();
  vignette(context);
  context.font = '600 13px monospace';
  context.fillStyle = 'rgba(0,0,0,.45)';
  context.fillRect(8, 8, 196, 20);
  context.fillStyle = '#fff';
  context.fillText(`${new Date(time).toISOString().slice(0, 21).replace('T', ' ')}`, 14, 22);
  context.textAlign = 'right';
  context.fillStyle = 'rgba(255,255,255,.8)';
  context.fillText(name.toUpperCase(), sceneWidth - 12, sceneHeight - 12);
  context.textAlign = 'left';
}

const street: Paint = (c, t, seed) => {
  gradient(c, ['#c9d6e2', '#8fa3b5'], 0, 120);
  for (let i = 0; i < 9; i += 1) box(c, [i * 58 - 10, 40 + ((i * 37 + seed * 13) % 50), 52, 120], ['#5d6b7a', '#6d5f57', '#4e5a66'][i % 3]!);
  for (let i = 0; i < 27; i += 1) box(c, [(i % 9) * 58, 70 + Math.floor(i / 9) * 22, 9, 11], (i * 7 + seed) % 3 ? '#33404d' : '#f3d489');
  gradient(c, ['#4b5057', '#33373d'], 150, 120);
  for (let i = 0; i < 7; i += 1) box(c, [i * 80 - ((t * 6) % 1), 206, 36, 4], '#d8d5c8');
  const x = ((t * 70 + seed * 90) % 620) - 90;
  car(c, x, 214, ['#b5433b', '#2f6ea3', '#e3e1da'][seed % 3]!);
  car(c, 520 - ((t * 54 + seed * 40) % 640), 170, '#23272c');
};

const corridor: Paint = (c, t, seed) => {
  box(c, [0, 0, sceneWidth, sceneHeight], '#b9bdbf');
  poly(c, [[0, 270], [480, 270], [290, 128], [190, 128]], '#8b8f92');
  poly(c, [[0, 0], [190, 92], [190, 128], [0, 270]], '#cfd3d4');
  poly(c, [[480, 0], [290, 92], [290, 128], [480, 270]], '#a7acae');
  poly(c, [[0, 0], [480, 0], [290, 92], [190, 92]], '#dfe3e3');
  for (const s of [0.2, 0.5, 0.8]) poly(c, [[205 - s * 130, 92 - s * 84], [275 + s * 130, 92 - s * 84], [272 + s * 112, 92 - s * 72], [208 - s * 112, 92 - s * 72]], '#f8fbf5');
  box(c, [214, 94, 52, 34], '#5f7884');
  const d = 0.5 + 0.5 * Math.sin(t * 0.35 + seed);
  person(c, { x: 240 + 60 * d * Math.sin(seed), y: 128 + d * 96, scale: 0.45 + d * 0.9, colour: '#2e3d4d' });
};

const yard: Paint = (c, t, seed) => {
  gradient(c, ['#e8d9bf', '#bda98a'], 0, 110);
  poly(c, [[0, 110], [120, 62], [260, 96], [380, 54], [480, 104], [480, 130], [0, 130]], '#7d8a76');
  gradient(c, ['#8f8470', '#6d6453'], 118, 152);
  box(c, [300, 70, 150, 96], '#8a4b3c');
  poly(c, [[290, 72], [375, 34], [460, 72]], '#59352c');
  box(c, [350, 110, 44, 56], '#e7dfd1');
  for (let i = 0; i < 5; i += 1) { box(c, [24 + i * 46, 120, 26, 34], '#6a5a3e'); box(c, [24 + i * 46, 104, 26, 16], ['#7a6847', '#4d6a76'][(i + seed) % 2]!); }
  const x = 240 + 170 * Math.sin(t * 0.16 + seed);
  person(c, { x: x, y: 196, scale: 1.15, colour: '#c77a26' });
};

const water: Paint = (c, t, seed) => {
  gradient(c, ['#1c2c47', '#e58f5a'], 0, 140);
  box(c, [0, 136, sceneWidth, 134], '#20384d');
  for (let i = 0; i < 46; i += 1) {
    const y = 140 + (i * 29) % 128;
    const w = 12 + ((y - 136) / 6);
    box(c, [((i * 83 + t * (6 + (i % 5) * 3) + seed * 20) % 520) - 30, y, w, 1.6], i % 3 ? 'rgba(240,170,120,.4)' : 'rgba(150,190,215,.35)');
  }
  poly(c, [[0, 136], [70, 118], [160, 130], [240, 136]], '#131d2b');
  const x = ((t * 9 + seed * 60) % 600) - 80;
  poly(c, [[x, 150], [x + 78, 150], [x + 66, 164], [x + 12, 164]], '#0d141d');
  box(c, [x + 22, 138, 26, 12], '#0d141d');
  box(c, [x + 30, 141, 5, 4], '#ffd98a');
};

const hall: Paint = (c, t, seed) => {
  gradient(c, ['#2d353d', '#171c21'], 0, sceneHeight);
  for (let i = 0; i < 6; i += 1) poly(c, [[40 + i * 76, 0], [86 + i * 76, 0], [66 + i * 76, 10], [50 + i * 76, 10]], '#eaf2e6');
  for (let side = 0; side < 2; side += 1) {
    for (let i = 0; i < 4; i += 1) {
      const x = side ? 330 - i * 12 : 0 + i * 12;
      box(c, [x, 60 + i * 44, 150, 6], '#c96f2b');
      for (let b = 0; b < 4; b += 1) box(c, [x + 6 + b * 36, 34 + i * 44, 28, 26], ['#a98558', '#8d6c46', '#bd9a6c'][(b + i + seed) % 3]!);
    }
  }
  poly(c, [[170, 270], [310, 270], [262, 60], [218, 60]], '#3b444c');
  const y = 90 + ((t * 22 + seed * 31) % 190);
  const s = 0.4 + (y - 80) / 150;
  box(c, [240 - 26 * s, y - 40 * s, 52 * s, 34 * s], '#e2b02c');
  box(c, [240 - 20 * s, y - 68 * s, 40 * s, 28 * s], '#20262b');
};

const night: Paint = (c, t, seed) => {
  gradient(c, ['#3c443f', '#1b201d'], 0, sceneHeight);
  poly(c, [[0, 270], [480, 270], [480, 168], [0, 190]], '#565e57');
  for (let i = 0; i < 12; i += 1) { box(c, [i * 42, 120, 4, 66], '#8d968e'); }
  box(c, [0, 128, sceneWidth, 3], '#8d968e');
  c.fillStyle = 'rgba(235,245,235,.16)';
  c.beginPath(); c.ellipse(240, 230, 240, 110, 0, 0, 7); c.fill();
  const x = ((t * 26 + seed * 70) % 560) - 40;
  c.fillStyle = '#c9d2c9';
  c.beginPath(); c.ellipse(x, 222, 22, 9, 0, 0, 7); c.ellipse(x + 22, 214, 8, 6, 0, 0, 7); c.fill();
  for (let i = 0; i < 60; i += 1) box(c, [(i * 97 + Math.floor(t * 9) * 53) % 480, (i * 61 + Math.floor(t * 9) * 31) % 270, 1.4, 1.4], 'rgba(255,255,255,.16)');
};

const scenes: Paint[] = [street, corridor, yard, water, hall, night];

function box(c: CanvasRenderingContext2D, at: [x: number, y: number, width: number, height: number], colour: string): void {
  c.fillStyle = colour;
  c.fillRect(...at);
}

function poly(c: CanvasRenderingContext2D, points: [number, number][], colour: string): void {
  c.fillStyle = colour;
  c.beginPath();
  points.forEach(([x, y]) => c.lineTo(x, y));
  c.fill();
}

function gradient(c: CanvasRenderingContext2D, [from, to]: [string, string], y: number, height: number): void {
  const fill = c.createLinearGradient(0, y, 0, y + height);
  fill.addColorStop(0, from);
  fill.addColorStop(1, to);
  c.fillStyle = fill;
  c.fillRect(0, y, sceneWidth, height);
}

function car(c: CanvasRenderingContext2D, x: number, y: number, colour: string): void {
  c.fillStyle = colour;
  c.beginPath(); c.roundRect(x, y, 86, 22, 6); c.roundRect(x + 16, y - 14, 50, 18, 7); c.fill();
  c.fillStyle = '#12161a';
  c.beginPath(); c.arc(x + 20, y + 22, 8, 0, 7); c.arc(x + 66, y + 22, 8, 0, 7); c.fill();
}

function person(c: CanvasRenderingContext2D, { x, y, scale, colour }: { x: number; y: number; scale: number; colour: string }): void {
  c.fillStyle = colour;
  c.beginPath(); c.roundRect(x - 9 * scale, y - 34 * scale, 18 * scale, 34 * scale, 6 * scale); c.fill();
  c.fillStyle = '#d8b59a';
  c.beginPath(); c.arc(x, y - 42 * scale, 7 * scale, 0, 7); c.fill();
}

function vignette(c: CanvasRenderingContext2D): void {
  const fill = c.createRadialGradient(240, 135, 120, 240, 135, 300);
  fill.addColorStop(0, 'rgba(0,0,0,0)');
  fill.addColorStop(1, 'rgba(0,0,0,.38)');
  c.fillStyle = fill;
  c.fillRect(0, 0, sceneWidth, sceneHeight);
}
