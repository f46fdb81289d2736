/** A small RGB canvas for the clips' scenes: places are given as if the picture were 640 × 360. */

/** Red, green, blue, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/** A filled shape's place. */
export type Box = { x: number; y: number; width: number; height: number };

/** Draws filled shapes and gives the picture back as I420. */
export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly #rgb: Float32Array;

  constructor({ width, height }: { width: number; height: number }) {
    this.width = width;
    this.height = height;
    this.#rgb = new Float32Array(width * height * 3);
  }

  /** A rectangle whose colour runs from top to bottom. */
  rectangle(box: Box, top: Colour, bottom: Colour = top): void {
    this.#shape(box, { top, bottom, inside: () => true });
  }

  ellipse(box: Box, top: Colour, bottom: Colour = top): void {
    this.#shape(box, { top, bottom, inside: (across, down) => (across * 2 - 1) ** 2 + (down * 2 - 1) ** 2 <= 1 });
  }

  /** Darkens towards the corners as lenses do, and adds sensor noise that differs each frame. */
  develop({ noise, seed }: { noise: number; seed: number }): void {
    let random = (seed * 2_654_435_761 + 12_345) >>> 0;
    for (let y = 0, at = 0; y < this.height; y += 1) {
      for (let x = 0; x < this.width; x += 1, at += 3) {
        random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
        const distance = (x / this.width - 0.5) ** 2 + (y / this.height - 0.5) ** 2;
        const grain = ((random >>> 24) - 128) * noise / 128;
        for (let channel = 0; channel < 3; channel += 1) this.#rgb[at + channel] = this.#rgb[at + channel]! * (1 - distance * 0.7) + grain;
      }
    }
  }

  /** BT.601 planes, limited range. */
  planes(): { luma: Buffer; chroma: Buffer } {
    const luma = Buffer.alloc(this.width * this.height);
    const plane = luma.length / 4;
    const chroma = Buffer.alloc(plane * 2);
    for (let y = 0; y < this.height; y += 1) {
      for (let x = 0; x < this.width; x += 1) {
        const at = y * this.width + x;
        const [red, green, blue] = [this.#rgb[at * 3]!, this.#rgb[at * 3 + 1]!, this.#rgb[at * 3 + 2]!];
        luma[at] = clamp(16 + 0.257 * red + 0.504 * green + 0.098 * blue);
        if (((x | y) & 1) === 1) continue;
        const half = (y >> 1) * (this.width >> 1) + (x >> 1);
        chroma[half] = clamp(128 - 0.148 * red - 0.291 * green + 0.439 * blue);
        chroma[plane + half] = clamp(128 + 0.439 * red - 0.368 * green - 0.071 * blue);
      }
    }
    return { luma, chroma };
  }

  #shape(box: Box, { top, bottom, inside }: { top: Colour; bottom: Colour; inside: (across: number, down: number) => boolean }): void {
    const scale = this.width / 640;
    const [left, right] = [Math.round(box.x * scale), Math.round((box.x + box.width) * scale)];
    const [first, last] = [Math.round(box.y * scale), Math.round((box.y + box.height) * scale)];
    for (let y = Math.max(0, first); y < Math.min(this.height, last); y += 1) {
      const down = (y + 0.5 - first) / (last - first);
      for (let x = Math.max(0, left); x < Math.min(this.width, right); x += 1) {
        if (!inside((x + 0.5 - left) / (right - left), down)) continue;
        for (let channel = 0; channel < 3; channel += 1) this.#rgb[(y * this.width + x) * 3 + channel] = top[channel]! + (bottom[channel]! - top[channel]!) * down;
      }
    }
  }
}

function clamp(value: number): number {
  return Math.max(16, Math.min(240, Math.round(value)));
}
