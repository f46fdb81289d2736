/** One host process: spawned, watched by heartbeat, killed and reaped. Who sits in it is in `host-seat.ts`. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Failure } from '../errors.ts';
import { watchHeartbeat, type Heartbeat } from './heartbeat.ts';
import { openFlightBox, type FlightBox } from './flight-box.ts';
import { hostEntry } from './host-entry.ts';
import { HostSeat, type Place } from './host-seat.ts';
import { starvedMs } from './proc.ts';
import { drainLines } from './stderr.ts';
import type { HostExit } from './host.ts';
import type { HostOrder, HostWord } from './protocol.ts';
import type { Lease, Registry } from './registry.ts';

/** What every host of a pool has in common. */
export type HostOptions = {
  registry: Registry;
  /** Marks every child, so that orphans can be found (`orphans.ts`). */
  instance: string;
  /** Distance between two heartbeats, the same while media shows that it lives, and how long one may stay unanswered. */
  heartbeatMs: number;
  calmMs: number;
  frozenMs: number;
  /** Until `ready`: a host that is still loading cannot answer a heartbeat. */
  readyMs: number;
  /** How many sources a process may run at the same time, or how many outputs. */
  sourcesPerHost: number;
  outputsPerHost: number;
  /** What a host writes to stderr, line by line, bounded and redacted. */
  onStderr: (line: string, pid: number) => void;
};

/** How the process ended. */
export type ProcessExit = Omit<HostExit, 'beside'>;

/** Looked for once: the sources that this program has read are those of its start. */
const entry = hostEntry();
/** Where set-up puts the plugin of the flight recorder. */
const plugins = join(import.meta.dirname, '..', '..', '.cache', 'gst');
/** Descriptor of the first box in the child, behind stdio and the IPC channel. */
const firstBoxFd = 4;
/** Beside one thread that each pipeline's bus pins: one for an appsink, one for the rest. */
const moreThreads = 2;
/** A host's own garbage is a few hundred bytes a second. Heap sizes, one helper thread instead of four, which is 2 MB, and a collector that can be asked (`host/tidy.ts`). */
const heapFlags = ['--expose-gc', '--max-semi-space-size=1', '--max-old-space-size=48', '--v8-pool-size=1'];
/** A pipe that takes nothing for this long belongs to a host that is beyond help. */
const clogMs = 1000;

/** Seats are numbered over all processes: of two that an owner has, the newer one has the higher number. */
let lastSeat = 0;

/** A process. It is leased to whoever sits in it, or to `owner` while nobody does. */
export class HostProcess {
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcess;
  readonly #options: HostOptions;
  readonly #heartbeat: Heartbeat;
  readonly #boxes: FlightBox[];
  /** Indices of boxes that nobody has. */
  readonly #free: number[];
  readonly #seats = new Map<number, HostSeat>();
  #seatings = 0;
  #lease: Lease | undefined;
  #reason: HostExit['reason'] = 'crashed';
  #dying = false;
  #ended = false;
  #failed = false;
  #rssBytes = 0;
  #hasDecoder = false;
  /** When the oldest message that the pipe has not taken yet was sent. */
  #unsent: number[] = [];

  /** Spawns it. Returns at once: commands sent before it is ready wait in its pipe. */
  constructor(owner: string, options: HostOptions) {
    this.#options = options;
    this.#boxes = Array.from({ length: options.sourcesPerHost }, openFlightBox).filter((box) => box !== undefined);
    this.#free = this.#boxes.map((_, index) => index);
    this.#child = start(options, this.#boxes);
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: string | null): void => resolve(this.#end(code, signal));
      this.#child.once('exit', end);
      // A spawn that failed (EAGAIN, no setpriv) never emits `exit`.
      this.#child.once('error', () => this.#child.pid === undefined && end(null, null));
    });
    this.#lease = options.registry.lease({ kind: 'pid', owner, value: String(this.pid), free: () => this.kill() });
    this.#child.on('message', (word) => this.#onWord(word as HostWord));
    // Absent where the spawn itself failed for want of descriptors.
    if (this.#child.stderr) drainLines(this.#child.stderr, (line) => options.onStderr(line, this.pid));
    this.#heartbeat = watchHeartbeat({
      ...options,
      starvedMs: () => starvedMs(this.pid),
      ping: (seq) => this.post({ type: 'ping', seq }),
      onFrozen: () => this.put(this.#isClogged() ? 'clogged' : 'frozen'),
    });
  }

  /** 0 where the process could not be spawned. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get rssBytes(): number {
    return this.#rssBytes;
  }

  /** How many sat in it so far. */
  get seatings(): number {
    return this.#seatings;
  }

  /** Whether one more can sit in it: it lives, and nothing of this machine failed in it yet. */
  get hasPlace(): boolean {
    return !this.#dying && !this.#ended && !this.#failed;
  }

  /** Whether there is a flight box that nobody has: a source counts in one. */
  get hasBox(): boolean {
    return this.#free.length > 0;
  }

  seats(): HostSeat[] {
    return [...this.#seats.values()];
  }

  /** Its owner holds the pid from now on. */
  seat(owner: string): HostSeat {
    this.#seatings += 1;
    const index = this.#free.shift();
    const file = index === undefined ? undefined : this.#boxes[index];
    if (this.#seatings > 1) file?.clear();
    lastSeat += 1;
    const place: Place = { number: lastSeat, box: file && index !== undefined ? { file, index, fd: firstBoxFd + index } : undefined };
    const seat = new HostSeat(this, { owner, place, registry: this.#options.registry });
    this.#seats.set(seat.number, seat);
    if (this.#lease) this.#options.registry.forget(this.#lease);
    this.#lease = undefined;
    return seat;
  }

  /** A seat whose pipeline is at NULL; others go on. */
  vacate(seat: HostSeat, { box }: Place): void {
    this.#seats.delete(seat.number);
    if (box) this.#free.push(box.index);
    this.relax();
  }

  /** Resolves with the next sign of life. */
  ask(): Promise<void> {
    return this.#heartbeat.ask();
  }

  /** Loading a decoder may block it for longer than a heartbeat bears on a busy machine; whoever asked has a deadline of its own. */
  expectPicture(): void {
    if (this.#hasDecoder) return void this.#heartbeat.ask();
    this.#hasDecoder = true;
    this.#heartbeat.rest();
  }

  /** Asks rarely where the media of everybody shows that the process lives. */
  relax(): void {
    this.#heartbeat.relax(this.seats().every((seat) => seat.isSettled));
  }

  /** What fails for want of something of this machine may leave its bus's thread behind: nobody new sits here. */
  sourceFailed({ class: cls }: Failure): void {
    if (cls === 'local') this.#failed = true;
  }

  /** SIGKILL, which also ends a stopped process; the first reason stands. */
  put(reason: HostExit['reason']): void {
    if (this.#ended) return;
    if (this.#reason === 'crashed') this.#reason = reason;
    this.#dying = true;
    this.#child.kill('SIGKILL');
  }

  /** SIGKILL and reap. */
  async kill(): Promise<void> {
    this.put('asked');
    await this.exited;
  }

  /** To whoever sits in it; nothing where the process is gone. */
  post(order: HostOrder): void {
    if (this.#ended || !this.#child.connected) return;
    if (this.#isClogged()) return this.put('clogged');
    this.#unsent.push(performance.now());
    this.#child.send(order, () => this.#unsent.shift());
  }

  #end(code: number | null, signal: string | null): ProcessExit {
    const exit = { code, signal, reason: this.#reason };
    this.#ended = true;
    for (const seat of this.seats()) seat.lose(exit, this.#seats.size - 1);
    for (const box of this.#boxes) box.close();
    this.#heartbeat.stop();
    if (this.#lease) this.#options.registry.forget(this.#lease);
    return exit;
  }

  #onWord(word: HostWord): void {
    if (word.type === 'ready') return this.#heartbeat.begin();
    if (word.type === 'pong') {
      this.#rssBytes = word.rssBytes;
      for (const fed of word.fed) this.#seats.get(fed.seat)?.learn(fed);
      return this.#heartbeat.pong(word.seq);
    }
    if (word.type.startsWith('snapshot.')) this.#heartbeat.begin();
    else this.#heartbeat.heard();
    if (word.type === 'output.stats') this.#rssBytes = word.stats.rssBytes;
    const { seat, ...event } = word;
    this.#seats.get(seat)?.hear(event);
  }

  #isClogged(): boolean {
    const oldest = this.#unsent[0];
    return oldest !== undefined && performance.now() - oldest > clogMs;
  }
}

function start({ instance, sourcesPerHost, outputsPerHost }: HostOptions, boxes: readonly FlightBox[]): ChildProcess {
  const args = [...heapFlags, entry];
  // Linux kills the host with its parent even where a blocked native call keeps it from hearing the disconnect.
  const [command, prefix] = process.platform === 'linux' ? ['setpriv', ['--pdeathsig', 'KILL', '--', process.execPath]] : [process.execPath, []];
  const env = { ...environment(instance), UV_THREADPOOL_SIZE: String(Math.max(sourcesPerHost, outputsPerHost) + moreThreads) };
  return spawn(command, [...prefix, ...args], { stdio: ['ignore', 'ignore', 'pipe', 'ipc', ...boxes.map(({ fd }) => fd)], serialization: 'advanced', env });
}

/** Only what a host needs: the supervisor's own environment may hold secrets. `LC_ALL=C` keeps bus messages stable. */
function environment(instance: string): NodeJS.ProcessEnv {
  const passed = Object.fromEntries(['PATH', 'HOME', 'XDG_CACHE_HOME', 'GST_PLUGIN_PATH', 'GST_REGISTRY', 'GST_DEBUG', 'LD_LIBRARY_PATH', 'NODE_COMPILE_CACHE'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }));
  return {
    ...passed, LC_ALL: 'C', LOOKOUT_INSTANCE: instance, GST_REGISTRY_FORK: 'no',
    GST_PLUGIN_PATH: [plugins, passed.GST_PLUGIN_PATH].filter(Boolean).join(':'),
    // A registry of its own: programs without our plugin would take it out of the common one, and each host put it in again.
    GST_REGISTRY: passed.GST_REGISTRY ?? join(plugins, 'registry.bin'),
    // One malloc arena: GStreamer's threads would each reserve and dirty their own.
    MALLOC_ARENA_MAX: '1',
  };
}
