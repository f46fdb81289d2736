/**
 * Log files beside standard output, when asked for: one for each plane, and one with the errors of all. A line is in its
 * file when the call that wrote it returns, so that the last words of a crash are there; that is why these are no streams.
 */
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Plane } from './log.ts';

/** Where the files are and how much they keep. */
export type LogFilesOptions = {
  directory: string;
  /** A file that would grow past this many bytes becomes `NAME.log.1`, and so on. */
  maxBytes: number;
  /** How many old ones of each file are kept. */
  keep: number;
  /** Told once each time a file can no longer be written; the lines go on to standard output only. */
  onTrouble: (file: string, error: unknown) => void;
};

/** The files. */
export type LogFiles = {
  /** Puts a line that is complete, line feed included, into the file of its plane, and into `error.log` where it is an error. Never throws. */
  write(line: string, of: { plane: Plane; isError: boolean }): void;
  close(): void;
};

/** A file that failed is tried again after this long, ms: a full disk must not be asked on every line. */
const againAfterMs = 10_000;
const mode = 0o640;

/** Makes the directory. Files appear with their first line, and continue where an earlier run left them. */
export function openLogFiles({ directory, maxBytes, keep, onTrouble }: LogFilesOptions): LogFiles {
  const files = new Map<string, RotatedFile>();
  const fileOf = (name: string): RotatedFile => {
    const known = files.get(name);
    if (known) return known;
    const file = new RotatedFile(join(directory, `${name}.log`), { maxBytes, keep, onTrouble });
    files.set(name, file);
    return file;
  };
  return {
    write(line, { plane, isError }) {
      fileOf(plane).write(line);
      if (isError) fileOf('error').write(line);
    },
    close: () => files.forEach((file) => file.close()),
  };
}

class RotatedFile {
  readonly #path: string;
  readonly #options: Omit<LogFilesOptions, 'directory'>;
  #descriptor: number | undefined;
  #bytes = 0;
  #notBefore = 0;

  constructor(path: string, options: Omit<LogFilesOptions, 'directory'>) {
    this.#path = path;
    this.#options = options;
  }

  write(line: string): void {
    if (performance.now() < this.#notBefore) return;
    try {
      const bytes = Buffer.from(line);
      this.#descriptor ??= this.#open();
      if (this.#bytes > 0 && this.#bytes + bytes.length > this.#options.maxBytes) {
        this.#rotate();
        this.#descriptor = this.#open();
      }
      for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at);
      this.#bytes += bytes.length;
    } catch (error) {
      this.close();
      this.#notBefore = performance.now() + againAfterMs;
      this.#options.onTrouble(this.#path, error);
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    mkdirSync(join(this.#path, '..'), { recursive: true, mode: 0o750 });
    const descriptor = openSync(this.#path, 'a', mode);
    this.#bytes = fstatSync(descriptor).size;
    return descriptor;
  }

  #rotate(): void {
    this.close();
    const { keep } = this.#options;
    rmSync(`${this.#path}.${keep}`, { force: true });
    for (let nth = keep - 1; nth >= 1; nth -= 1) this.#move(`${this.#path}.${nth}`, `${this.#path}.${nth + 1}`);
    if (keep > 0) this.#move(this.#path, `${this.#path}.1`);
    else rmSync(this.#path, { force: true });
  }

  /** Somebody may have taken one of them away. */
  #move(from: string, to: string): void {
    try {
      renameSync(from, to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
