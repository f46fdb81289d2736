/** Writes a file in large pieces, from memory and from other files, and says how far it is. Blocks; threads only. */
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';

const bufferBytes = 1024 * 1024;
const progressMs = 250;

/** A new file. Every call throws what the file system says. */
export class FileWriter {
  readonly #fd: number;
  readonly #onProgress: (written: number) => void;
  readonly #buffer = Buffer.allocUnsafe(bufferBytes);
  #filled = 0;
  #written = 0;
  #saidAt = performance.now();

  constructor(path: string, onProgress: (written: number) => void) {
    this.#fd = openSync(path, 'wx', 0o640);
    this.#onProgress = onProgress;
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + bufferBytes - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#took(part.length);
      at += part.length;
    }
  }

  copy(fd: number, offset: number, length: number): void {
    for (let at = 0; at < length;) {
      const read = readSync(fd, this.#buffer, this.#filled, Math.min(length - at, bufferBytes - this.#filled), offset + at);
      if (read === 0) throw new Error('A recording became shorter while it was exported.');
      this.#took(read);
      at += read;
    }
  }

  finish(): void {
    this.#flush();
    fsyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #took(bytes: number): void {
    this.#filled += bytes;
    if (this.#filled === bufferBytes) this.#flush();
  }

  #flush(): void {
    for (let at = 0; at < this.#filled;) at += writeSync(this.#fd, this.#buffer, at, this.#filled - at);
    this.#written += this.#filled;
    this.#filled = 0;
    if (performance.now() - this.#saidAt < progressMs) return;
    this.#saidAt = performance.now();
    this.#onProgress(this.#written);
  }
}
