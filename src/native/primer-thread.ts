/** The thread of all primers: reads the hubs of those that play, and sends what it makes of them, paced, to their transports. */
import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { parseRtcp } from '../rtp/rtcp.ts';
import { createHubReader } from './hub-reader.ts';
import { createPrimerStream, type PrimerStream } from './primer-stream.ts';
import type { PrimerOrder, PrimerSpec, PrimerWord } from './primer-pump.ts';

const port = parentPort;
if (port === null) throw new Error('native/primer-thread.ts runs as a worker thread only');

const loopback = '127.0.0.1';
/**
 * A cached GOP of 2.4 MB takes 0.6 s, half of what a browser needs to decode it. Chromium's receive buffer holds 55 packets: it may stay
 * away from it for 16 ms, and does for longer than 10 while it decodes on a busy machine (`npm run bench -- first-frame gops=10`).
 */
const bytesPerMs = 4_000;
const burstBytes = 24_000;
/** The request that every consumer makes at its begin is answered by the begin. */
const deafMs = 150;
/** Each time at half the pace. */
const mostRepeats = 5;

const tell = (word: PrimerWord): void => port.postMessage(word);
// Addresses are numbers here: a lookup would only cost a turn of the event loop for each packet.
const udp = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
const primers = new Map<string, Primer>();
let timer: NodeJS.Timeout | undefined;

class Primer {
  readonly spec: PrimerSpec;
  readonly #id: string;
  readonly #stream: PrimerStream;
  /** Of the hub that it plays: the camera's, or the one of its catch-up. */
  #hubPort: number;
  #hub: Socket;
  /** Connected to a catch-up that has given nothing yet. */
  #next: Socket | undefined;
  #held: boolean;
  /** Whole units that came since it began, or began again. */
  #units = 0;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #bytesPerMs = bytesPerMs;
  #allowance = burstBytes;
  #refilledAt = performance.now();
  #beganAt = this.#refilledAt;
  #sent = { packets: 0, bytes: 0 };
  #told = { bytes: 0, repeats: 0 };
  #repeats = 0;
  #live = false;

  constructor(id: string, spec: PrimerSpec) {
    this.#id = id;
    this.spec = spec;
    this.#held = spec.held;
    this.#hubPort = spec.hubPort;
    this.#stream = createPrimerStream({ ...spec, sequence: 1 });
    this.#hub = this.#open(spec.hubPort);
  }

  /** A hub, from its newest keyframe on. */
  #open(hubPort: number): Socket {
    const hub = connect(hubPort, loopback);
    const mine = (): boolean => hub === this.#hub;
    const read = createHubReader((packet) => {
      if (hub === this.#next) this.#adopt(hub, hubPort);
      if (mine() && !this.#holds) this.#add(this.#stream.add(packet));
    });
    hub.on('data', (chunk) => {
      if (!mine() && hub !== this.#next) return;
      try {
        read(chunk);
      } catch (error) {
        return this.#lost(hub, String(error));
      }
      // What is behind the keyframe is not asked for.
      if (mine() && this.#holds) hub.pause();
      pump();
    });
    let reason = 'the hub closed';
    hub.on('error', (error) => (reason = error.message));
    hub.on('close', () => this.#lost(hub, reason));
    return hub;
  }

  /** The keyframe that is held still shows; what comes now begins with one of its own. */
  #adopt(hub: Socket, hubPort: number): void {
    this.#next = undefined;
    this.#held = false;
    this.#hubPort = hubPort;
    this.#change(hub);
  }

  #change(hub: Socket): void {
    this.#stream.begin(this.#queue[0]?.readUInt16BE(2) ?? this.#stream.next());
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#units = 0;
    const before = this.#hub;
    this.#hub = hub;
    before.destroy();
  }

  /** Without its catch-up it plays what the camera's hub has. */
  #lost(hub: Socket, reason: string): void {
    if (hub === this.#next) {
      this.#next = undefined;
      hub.destroy();
      tell({ type: 'late', id: this.#id });
    } else if (hub !== this.#hub || primers.get(this.#id) !== this) return;
    else if (this.#hubPort === this.spec.hubPort) this.end(reason);
    else {
      this.#hubPort = this.spec.hubPort;
      this.#change(this.#open(this.#hubPort));
    }
  }

  catchUp(hubPort: number): void {
    if (this.#held && this.#next === undefined) this.#next = this.#open(hubPort);
  }

  /** From the keyframe again: nothing behind it was kept. */
  burst(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#next?.destroy();
    this.#next = undefined;
    this.#change(this.#open(this.#hubPort));
  }

  get #holds(): boolean {
    return this.#held && this.#units > 0;
  }

  get isBehind(): boolean {
    return this.#queue.length > 0;
  }

  #add(packets: Buffer[]): void {
    if (packets.length > 0) this.#units += 1;
    for (const packet of packets) this.#queuedBytes += packet.length;
    this.#queue.push(...packets);
    if (this.#queuedBytes > this.spec.maxBytes) this.end(`more than ${this.spec.maxBytes} bytes wait to be sent`);
  }

  /** Sends what its allowance covers. */
  send(now: number): void {
    this.#allowance = Math.min(burstBytes, this.#allowance + (now - this.#refilledAt) * this.#bytesPerMs);
    this.#refilledAt = now;
    let count = 0;
    for (const packet of this.#queue) {
      if (this.#allowance <= 0) break;
      this.#stream.stamp(packet, now);
      this.#allowance -= packet.length;
      this.#queuedBytes -= packet.length;
      this.#sent = { packets: this.#sent.packets + 1, bytes: this.#sent.bytes + packet.length };
      udp.send(packet, this.spec.port, loopback, () => undefined);
      count += 1;
    }
    this.#queue.splice(0, count);
    if (this.#live || this.#held || this.isBehind || this.#sent.packets === 0) return;
    this.#live = true;
    this.#tellSent();
    tell({ type: 'live', id: this.#id, ...this.#sent });
  }

  /**
   * Whoever shows it lost pictures beyond repair, and would show nothing until the camera's next keyframe: it begins
   * again, slower, since too fast for some link is what it most likely was.
   */
  again(): void {
    const now = performance.now();
    if (now - this.#beganAt < deafMs || this.#repeats === mostRepeats) return;
    this.#repeats += 1;
    this.#bytesPerMs /= 2;
    this.#beganAt = now;
    this.#change(this.#open(this.#hubPort));
  }

  /** Without a reason: it was asked for. */
  end(reason?: string): void {
    if (primers.get(this.#id) !== this) return;
    primers.delete(this.#id);
    this.#queue = [];
    this.#hub.destroy();
    this.#next?.destroy();
    this.#next = undefined;
    this.#tellSent();
    if (reason !== undefined) tell({ type: 'ended', id: this.#id, reason });
  }

  #tellSent(): void {
    tell({ type: 'sent', id: this.#id, bytes: this.#sent.bytes - this.#told.bytes, repeats: this.#repeats - this.#told.repeats });
    this.#told = { bytes: this.#sent.bytes, repeats: this.#repeats };
  }
}

/** Sends for all, again a moment later while anybody is behind. An idle thread has no timer. */
function pump(): void {
  const now = performance.now();
  for (const primer of primers.values()) primer.send(now);
  if (timer !== undefined || ![...primers.values()].some(({ isBehind }) => isBehind)) return;
  timer = setTimeout(() => {
    timer = undefined;
    pump();
  }, 1);
}

port.on('message', (order: PrimerOrder) => {
  if (order.type === 'start') return void primers.set(order.id, new Primer(order.id, order.spec));
  const primer = primers.get(order.id);
  if (order.type === 'stop') primer?.end();
  else if (order.type === 'burst') primer?.burst();
  else primer?.catchUp(order.hubPort);
});
udp.on('message', (bytes, { port: from }) => {
  const asked = parseRtcp(bytes).flatMap((packet) => (packet.type === 'keyframe-request' ? [packet.ssrc] : []));
  for (const primer of asked.length === 0 ? [] : primers.values()) if (primer.spec.port === from && asked.includes(primer.spec.ssrc)) primer.again();
});
udp.on('error', () => undefined);
udp.bind(0, loopback, () => tell({ type: 'bound', port: udp.address().port }));
