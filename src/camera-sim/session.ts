/** One RTSP session: its senders, whether it plays, and when it last showed life. */
import { randomBytes } from 'node:crypto';
import type { Outlet } from './outlet.ts';
import { Sender } from './sender.ts';

/** A client's RTSP connection, as far as a session needs it: ended by FIN, or by RST. */
export type Client = { close(): void; reset(): void };

/** Owned by its mount; survives its connection only where the mount lingers. */
export class Session {
  readonly id = randomBytes(8).toString('hex');
  /** The connection that made it. */
  readonly client: Client;
  readonly senders: Sender[] = [];
  playing = false;
  #livedAtMs = performance.now();

  constructor(client: Client) {
    this.client = client;
  }

  /** Any sign of life. */
  touch(): void {
    this.#livedAtMs = performance.now();
  }

  /** Ms since the last sign of life. */
  idleMs(nowMs: number): number {
    return nowMs - this.#livedAtMs;
  }

  /** Adds a track, or gives it another way out (a second SETUP). `ssrc` is random where not given. */
  add(kind: 'video' | 'audio', outlet: Outlet, ssrc?: number): Sender {
    const index = this.senders.findIndex((sender) => sender.kind === kind);
    if (index !== -1) this.senders.splice(index, 1)[0]?.outlet.close();
    const sender = new Sender(kind, outlet, ssrc);
    this.senders.push(sender);
    return sender;
  }

  close(): void {
    this.playing = false;
    for (const { outlet } of this.senders) outlet.close();
  }
}
