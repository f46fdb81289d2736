/** What the demo's cameras look at. Every movement repeats after 10 s, so that the clips loop without a seam. */
import type { Canvas, Colour } from './clip-canvas.ts';

/** One place a camera hangs at. */
export type Scene = 'entrance' | 'parking' | 'dock' | 'server-room';

/** Draws a scene at a time in seconds. */
export const scenes: Record<Scene, (canvas: Canvas, seconds: number) => void> = { entrance, parking, dock, 'server-room': serverRoom };

const loopSeconds = 10;

/** 0 to 1 over the loop, `times` times, beginning at `offset`. */
const phase = (seconds: number, { times = 1, offset = 0 } = {}): number => (seconds * times / loopSeconds + offset) % 1;
const swing = (seconds: number, times = 1): number => Math.sin(seconds * times / loopSeconds * 2 * Math.PI);
const between = (from: number, to: number, share: number): number => from + (to - from) * share;

function person(canvas: Canvas, { x, y, size, coat, step }: { x: number; y: number; size: number; coat: Colour; step: number }): void {
  canvas.ellipse({ x: x - size * 0.35, y: y - size * 0.06, width: size * 0.7, height: size * 0.12 }, [40, 38, 36]);
  for (const side of [-1, 1]) canvas.rectangle({ x: x + side * (2 + step * size * 0.07) - size * 0.05, y: y - size * 0.45, width: size * 0.1, height: size * 0.45 }, [38, 42, 56], [28, 30, 40]);
  canvas.ellipse({ x: x - size * 0.17, y: y - size * 0.86, width: size * 0.34, height: size * 0.52 }, coat, coat.map((value) => value * 0.7) as unknown as Colour);
  canvas.ellipse({ x: x - size * 0.09, y: y - size * 1.04, width: size * 0.18, height: size * 0.21 }, [206, 168, 142], [176, 138, 112]);
}

function entrance(canvas: Canvas, seconds: number): void {
  canvas.rectangle({ x: 0, y: 0, width: 640, height: 215 }, [196, 188, 174], [170, 160, 146]);
  canvas.rectangle({ x: 0, y: 215, width: 640, height: 145 }, [118, 112, 106], [156, 150, 142]);
  for (let row = 0; row < 6; row += 1) canvas.rectangle({ x: 0, y: 215 + row * row * 4.2, width: 640, height: 1.5 }, [102, 96, 90]);
  canvas.rectangle({ x: 205, y: 38, width: 230, height: 182 }, [70, 74, 80]);
  for (const x of [213, 323]) canvas.rectangle({ x, y: 46, width: 104, height: 172 }, [150, 196, 224], [206, 220, 214]);
  canvas.rectangle({ x: 213, y: 150, width: 214, height: 3 }, [92, 98, 104]);
  canvas.rectangle({ x: 232, y: 214, width: 176, height: 16 }, [74, 40, 38], [90, 48, 44]);
  for (const x of [70, 560]) {
    canvas.rectangle({ x: x - 16, y: 200, width: 32, height: 40 }, [104, 80, 62], [78, 58, 44]);
    for (const leaf of [-22, -8, 6]) canvas.ellipse({ x: x + leaf - 4, y: 138 + Math.abs(leaf) + swing(seconds, 2) * 1.5, width: 24, height: 72 }, [62, 122, 70], [38, 84, 50]);
  }
  const walk = phase(seconds);
  person(canvas, { x: between(-60, 700, phase(seconds, { offset: 0.62 })), y: 268, size: 116, coat: [64, 96, 148], step: swing(seconds, 18) });
  person(canvas, { x: between(720, -80, walk), y: 318, size: 148, coat: [168, 66, 58], step: swing(seconds, 16) });
}

function car(canvas: Canvas, { x, y, paint }: { x: number; y: number; paint: Colour }): void {
  const shade = paint.map((value) => value * 0.62) as unknown as Colour;
  canvas.ellipse({ x: x - 4, y: y + 30, width: 104, height: 18 }, [46, 47, 50]);
  canvas.rectangle({ x, y: y + 12, width: 96, height: 24 }, paint, shade);
  canvas.ellipse({ x: x + 14, y: y - 6, width: 66, height: 42 }, paint, shade);
  canvas.ellipse({ x: x + 21, y: y - 1, width: 52, height: 24 }, [52, 66, 80], [90, 110, 126]);
  for (const wheel of [12, 66]) canvas.ellipse({ x: x + wheel, y: y + 26, width: 19, height: 19 }, [26, 26, 28], [54, 54, 58]);
}

function parking(canvas: Canvas, seconds: number): void {
  canvas.rectangle({ x: 0, y: 0, width: 640, height: 70 }, [148, 186, 216], [198, 212, 214]);
  canvas.rectangle({ x: 0, y: 52, width: 640, height: 34 }, [74, 108, 66], [92, 124, 78]);
  canvas.rectangle({ x: 0, y: 84, width: 640, height: 276 }, [92, 94, 98], [116, 118, 122]);
  for (let slot = 0; slot < 6; slot += 1) {
    canvas.rectangle({ x: 20 + slot * 120, y: 92, width: 4, height: 72 }, [216, 216, 206]);
    canvas.rectangle({ x: 20 + slot * 120, y: 268, width: 5, height: 76 }, [222, 222, 212]);
  }
  for (let dash = 0; dash < 8; dash += 1) canvas.rectangle({ x: 12 + dash * 82, y: 212, width: 40, height: 4 }, [226, 196, 92]);
  const paints: Colour[] = [[176, 44, 44], [208, 210, 214], [48, 84, 146], [42, 44, 50]];
  paints.forEach((paint, index) => car(canvas, { x: 34 + index * 120 + (index > 1 ? 120 : 0), y: 112, paint }));
  for (const [slot, paint] of [[0, [86, 118, 84]], [3, [194, 150, 60]]] as const) car(canvas, { x: 36 + slot * 120, y: 292, paint });
  car(canvas, { x: between(-120, 680, phase(seconds)), y: 196, paint: [232, 232, 236] });
  person(canvas, { x: between(680, -50, phase(seconds, { offset: 0.4 })), y: 262, size: 66, coat: [214, 132, 50], step: swing(seconds, 16) });
}

function dock(canvas: Canvas, seconds: number): void {
  canvas.rectangle({ x: 0, y: 0, width: 640, height: 220 }, [104, 112, 118], [132, 136, 136]);
  canvas.rectangle({ x: 0, y: 220, width: 640, height: 140 }, [124, 120, 112], [152, 146, 136]);
  const lift = 60 + 54 * swing(seconds);
  for (const [x, open] of [[46, 26], [252, lift], [458, 12]] as const) {
    canvas.rectangle({ x: x - 8, y: 40, width: 152, height: 182 }, [228, 190, 60]);
    canvas.rectangle({ x, y: 48, width: 136, height: 174 }, [178, 214, 236], [212, 214, 196]);
    for (let slat = 0; slat * 12 < 174 - open; slat += 1) canvas.rectangle({ x, y: 48 + slat * 12, width: 136, height: 11 }, [172, 178, 182], [146, 152, 156]);
  }
  for (const [x, y, size] of [[20, 246, 56], [30, 200, 46], [80, 256, 48], [560, 244, 62], [556, 190, 54]] as const) {
    canvas.rectangle({ x, y, width: size, height: size }, [186, 142, 92], [146, 108, 68]);
    canvas.rectangle({ x: x + size * 0.42, y, width: size * 0.16, height: size }, [208, 178, 130]);
  }
  const x = 300 + 170 * swing(seconds);
  canvas.ellipse({ x: x - 8, y: 318, width: 128, height: 18 }, [76, 72, 68]);
  canvas.rectangle({ x, y: 262, width: 84, height: 46 }, [236, 156, 36], [190, 118, 20]);
  canvas.rectangle({ x: x + 8, y: 206, width: 6, height: 58 }, [44, 44, 46]);
  canvas.rectangle({ x: x + 8, y: 206, width: 60, height: 6 }, [44, 44, 46]);
  canvas.ellipse({ x: x + 24, y: 216, width: 22, height: 24 }, [232, 210, 80], [200, 160, 130]);
  canvas.rectangle({ x: x + 20, y: 238, width: 30, height: 28 }, [60, 92, 150]);
  canvas.rectangle({ x: x + 84, y: 196, width: 7, height: 118 }, [52, 52, 56]);
  canvas.rectangle({ x: x + 90, y: 250 + 20 * swing(seconds, 2), width: 44, height: 40 }, [192, 148, 96], [150, 112, 70]);
  for (const wheel of [6, 58]) canvas.ellipse({ x: x + wheel, y: 296, width: 28, height: 28 }, [30, 30, 32], [64, 64, 68]);
}

function serverRoom(canvas: Canvas, seconds: number): void {
  canvas.rectangle({ x: 0, y: 0, width: 640, height: 360 }, [40, 50, 66], [24, 30, 42]);
  canvas.rectangle({ x: 0, y: 300, width: 640, height: 60 }, [58, 66, 80], [84, 92, 108]);
  for (const x of [120, 420]) canvas.rectangle({ x, y: 8, width: 110, height: 8 }, [226, 236, 244]);
  const frame = Math.round(seconds * 5);
  for (let rack = 0; rack < 5; rack += 1) {
    const left = 22 + rack * 122;
    canvas.rectangle({ x: left, y: 34, width: 108, height: 276 }, [22, 24, 30], [14, 16, 20]);
    for (let unit = 0; unit < 16; unit += 1) {
      const y = 42 + unit * 16.4;
      canvas.rectangle({ x: left + 7, y, width: 94, height: 13 }, [62, 68, 78], [44, 48, 56]);
      for (let lamp = 0; lamp < 6; lamp += 1) {
        const lit = Math.imul(rack * 97 + unit * 31 + lamp * 7 + (lamp > 1 ? frame * 13 : 0), 2_654_435_761) >>> 28;
        const colour: Colour = lit > 9 ? [70, 232, 128] : lit === 3 && lamp > 3 ? [248, 176, 52] : [34, 62, 54];
        canvas.rectangle({ x: left + 12 + lamp * 8, y: y + 4, width: 5, height: 5 }, colour);
      }
      canvas.rectangle({ x: left + 68, y: y + 4, width: 28, height: 5 }, [30, 33, 40]);
    }
  }
  const away = between(-60, 700, phase(seconds));
  person(canvas, { x: away, y: 346, size: 170, coat: [92, 104, 122], step: swing(seconds, 16) });
}
