/** One timer for all cameras of the process: 100 wake-ups a second while anybody plays, none otherwise. */

/** Granularity of pacing. Packets leave at most this much after they are due. */
export const tickMs = 10;

/** Calls everything that was added about every {@link tickMs} with `performance.now()`. */
export class Ticker {
  readonly #tasks = new Set<(nowMs: number) => void>();
  #timer: NodeJS.Timeout | undefined;

  /** Adding a task twice does nothing. */
  add(task: (nowMs: number) => void): void {
    this.#tasks.add(task);
    this.#timer ??= setInterval(() => this.#tick(), tickMs);
  }

  remove(task: (nowMs: number) => void): void {
    this.#tasks.delete(task);
    if (this.#tasks.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const nowMs = performance.now();
    for (const task of this.#tasks) task(nowMs);
  }
}
