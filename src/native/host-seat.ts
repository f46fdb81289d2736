/** A host as its owner sees it: a seat in a process, mostly the only one. What is sent, heard and ended here is this owner's alone. */
import { boxStart, type FlightBox } from './flight-box.ts';
import type { HostProcess, ProcessExit } from './host-process.ts';
import type { Host, HostExit } from './host.ts';
import type { Fed, HostCommand, HostEvent, SourceSpec } from './protocol.ts';
import type { Lease, Registry } from './registry.ts';
import { noBox, watchSource, type SourceWatch } from './source-watch.ts';

/** Where an owner sits: a number that never comes again, and a flight box that nobody else has meanwhile. */
export type Place = { number: number; box: { file: FlightBox; index: number; fd: number } | undefined };

const keptEvents = 256;
const releaseGraceMs = 300;
/** So long a new source is asked often: its successor continues behind what its feed last sent. */
const settledMs = 10_000;
/** How long a source may take to stop before its process is beyond help, and how much longer for each one that stops at the same time: they do so one after the other. */
const stopMs = 1500;
const stopTurnMs = 250;

/** A seat that somebody has. */
export class HostSeat implements Host {
  owner: string;
  readonly number: number;
  readonly exited: Promise<HostExit>;
  readonly #process: HostProcess;
  readonly #place: Place;
  readonly #registry: Registry;
  #lease: Lease;
  readonly #resolve: (exit: HostExit) => void;
  #lastFlight: Buffer | undefined;
  #ended = false;
  #leaving = false;
  #stop: 'not-asked' | 'asked' | 'done' = 'not-asked';
  #listener: ((event: HostEvent) => void) | undefined;
  #kept: HostEvent[] = [];
  readonly #stopped = Promise.withResolvers<void>();
  #releasing: Promise<void> | undefined;
  #patience: NodeJS.Timeout | undefined;
  #fed: Fed = { bytes: 0, sequence: null };
  #watch: SourceWatch | undefined;
  #flowingSince: number | undefined;
  /** Its source failed: nothing more is told of it. */
  #sourceOver = false;

  constructor(process: HostProcess, { owner, place, registry }: { owner: string; place: Place; registry: Registry }) {
    [this.#process, this.owner, this.#place, this.number, this.#registry] = [process, owner, place, place.number, registry];
    const { promise, resolve } = Promise.withResolvers<HostExit>();
    [this.exited, this.#resolve] = [promise, resolve];
    this.#lease = this.#leaseTo(owner);
  }

  /** 0 where the process could not be spawned. */
  get pid(): number {
    return this.#process.pid;
  }

  /** It was told to end. */
  get isLeaving(): boolean {
    return this.#leaving;
  }

  /** Its media shows that the process lives. */
  get isSettled(): boolean {
    return this.#flowingSince !== undefined && performance.now() - this.#flowingSince > settledMs;
  }

  send(command: HostCommand): void {
    if (this.#ended) return;
    // A second word of it could reach somebody who sits here later.
    if (command.type === 'stop' && this.#stop !== 'not-asked') return;
    if (command.type === 'stop') this.#stop = 'asked';
    if (command.type === 'snapshot.take') this.#process.expectPicture();
    if (command.type === 'source.start') this.#startSource(command.spec);
    else this.#process.post({ ...command, seat: this.number });
    // An order to a host that is rarely asked: whether it got through shows at once.
    if (this.#flowingSince !== undefined) void this.#process.ask();
  }

  listen(listener: (event: HostEvent) => void): void {
    this.#listener = listener;
    for (const event of this.#kept.splice(0)) listener(event);
  }

  release(graceMs = releaseGraceMs): Promise<void> {
    this.#releasing ??= this.#release(graceMs);
    return this.#releasing;
  }

  async kill(): Promise<void> {
    if (!this.#ended && !this.isLeaving) this.#leave();
    await this.exited;
  }

  handTo(owner: string): void {
    if (this.#ended) return;
    this.#registry.forget(this.#lease);
    this.owner = owner;
    this.#lease = this.#leaseTo(owner);
  }

  #leaseTo(owner: string): Lease {
    return this.#registry.lease({ kind: 'pid', owner, value: String(this.pid), free: () => this.kill() });
  }

  flight(): Buffer | undefined {
    return this.#ended ? this.#lastFlight : this.#place.box?.file.read();
  }

  /** What the process said for this seat. */
  hear(event: HostEvent): void {
    if (event.type === 'stopped') {
      this.#stop = 'done';
      this.#stopped.resolve();
      if (this.isLeaving) return this.#vacate();
    }
    if (event.type === 'source.started') this.#watch?.begin();
    this.#tell(event);
  }

  /** What the process said of this seat's feed. */
  learn({ bytes, sequence }: Fed): void {
    this.#fed = { bytes, sequence };
  }

  /** The process ended, with so many others in it. */
  lose({ code, signal, reason }: ProcessExit, beside: number): void {
    this.#end({ code, signal, reason: this.isLeaving ? 'asked' : reason, beside });
  }

  async #release(graceMs: number): Promise<void> {
    if (!this.#ended) {
      const timer = setTimeout(() => this.#stopped.resolve(), graceMs);
      this.send({ type: 'stop' });
      await Promise.race([this.#stopped.promise, this.exited]);
      clearTimeout(timer);
    }
    await this.kill();
  }

  /** Who is last ends the process; who is not stops what is its own. */
  #leave(): void {
    this.#leaving = true;
    const leaving = this.#process.seats().filter((seat) => seat.isLeaving).length;
    if (leaving === this.#process.seats().length) return this.#process.put('asked');
    if (this.#stop === 'done') return this.#vacate();
    this.send({ type: 'stop' });
    this.#patience = setTimeout(() => this.#process.put('stuck'), stopMs + leaving * stopTurnMs);
  }

  #vacate(): void {
    this.#end({ code: null, signal: null, reason: 'asked', beside: this.#process.seats().length - 1 });
    this.#process.vacate(this, this.#place);
  }

  #end(exit: HostExit): void {
    if (this.#ended) return;
    const flight = this.flight();
    // A host that ran no source leaves nothing worth its memory.
    this.#lastFlight = flight && boxStart(flight) !== undefined ? flight : undefined;
    this.#ended = true;
    clearTimeout(this.#patience);
    this.#watch?.stop();
    this.#registry.forget(this.#lease);
    this.#resolve(exit);
  }

  #tell(event: HostEvent): void {
    if (event.type.startsWith('source.') && this.#sourceOver) return;
    if (event.type === 'source.failed') {
      this.#sourceOver = true;
      this.#watch?.stop();
      this.#process.sourceFailed(event.failure);
    }
    if (this.#listener !== undefined) this.#listener(event);
    else if (this.#kept.length < keptEvents) this.#kept.push(event);
  }

  #startSource(spec: SourceSpec): void {
    const { box } = this.#place;
    if (box === undefined) return this.#tell({ type: 'source.failed', failure: noBox() });
    this.#process.post({ type: 'source.start', spec: { ...spec, box: box.fd }, seat: this.number });
    this.#watch = watchSource({
      counters: () => box.file.counters(), codec: spec.video.codec, limits: spec.health,
      alive: () => this.#process.ask(),
      known: () => ({ feedBytes: this.#fed.bytes, feedSequence: this.#fed.sequence, rssBytes: this.#process.rssBytes }),
      emit: (event) => {
        if (event.type === 'source.flowing') this.#flowingSince = performance.now();
        if (event.type === 'source.stalled') this.#flowingSince = undefined;
        this.#process.relax();
        this.#tell(event);
      },
    });
  }
}
