/** Reads the bit syntax of parameter sets: fixed-width fields and Exp-Golomb codes (H.264 §7.2, §9.1). */

/** Thrown inside the parsers where the data ends early; they turn it into null. */
export class OutOfBits extends Error {
  override readonly name = 'OutOfBits';
}

/** A cursor over the payload of one NAL unit, emulation prevention removed. */
export class BitReader {
  readonly #data: Uint8Array;
  #position = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  /** An unsigned field of up to 32 bits. */
  bits(count: number): number {
    if (this.#position + count > this.#data.length * 8) throw new OutOfBits(`${count} bits wanted`);
    let value = 0;
    for (let i = 0; i < count; i += 1, this.#position += 1) {
      value = value * 2 + (((this.#data[this.#position >> 3] ?? 0) >> (7 - (this.#position & 7))) & 1);
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  skip(count: number): void {
    if (this.#position + count > this.#data.length * 8) throw new OutOfBits(`${count} bits skipped`);
    this.#position += count;
  }

  /** ue(v). */
  unsigned(): number {
    let zeros = 0;
    while (this.bits(1) === 0) {
      zeros += 1;
      if (zeros > 31) throw new OutOfBits('no Exp-Golomb code');
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v). */
  signed(): number {
    const code = this.unsigned();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}

/** Removes emulation prevention bytes (00 00 03 → 00 00). */
export function unescape(nal: Uint8Array): Uint8Array {
  const out = new Uint8Array(nal.length);
  let length = 0;
  let zeros = 0;
  for (const byte of nal) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length] = byte;
    length += 1;
  }
  return out.subarray(0, length);
}
