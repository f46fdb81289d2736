/** One host process as the supervisor holds it: spawned, watched by heartbeat, leased, killed and reaped. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { watchHeartbeat, type Heartbeat } from './heartbeat.ts';
import { boxStart, openFlightBox, type FlightBox } from './flight-box.ts';
import { noBox, watchSource, type SourceWatch } from './source-watch.ts';
import { starvedMs } from './proc.ts';
import { drainLines } from './stderr.ts';
import type { Host, HostExit } from './host.ts';
import type { HostCommand, HostEvent, SourceSpec } from './protocol.ts';
import type { Lease, Registry } from './registry.ts';

/** What every host of a pool has in common. */
export type HostOptions = {
  registry: Registry;
  /** Marks every child, so that orphans can be found (`orphans.ts`). */
  instance: string;
  /** Directory of V8's compile cache, primed by set-up (`host-main.ts --prime`). */
  compileCache: string;
  /** Distance between two heartbeats, the same while media shows that it lives, and how long one may stay unanswered. */
  heartbeatMs: number;
  calmMs: number;
  frozenMs: number;
  /** Until `ready`: a host that is still loading cannot answer a heartbeat. */
  readyMs: number;
  /** What a host writes to stderr, line by line, bounded and redacted. */
  onStderr: (line: string, pid: number) => void;
};

/** A host, and what its pool needs of it besides. */
export type OwnedHost = Host & {
  readonly owner: string;
  readonly rssBytes: number;
  /** Hands the pid's lease to another owner. */
  giveTo(owner: string): void;
};

const entry = join(import.meta.dirname, 'host-main.ts');
/** Where set-up puts the plugin of the flight recorder. */
const plugins = join(import.meta.dirname, '..', '..', '.cache', 'gst');
/** The box's descriptor in the child, behind stdio and the IPC channel. */
const boxFd = 4;
/** One thread pinned by the bus, one by an appsink, one for the rest. */
const poolThreads = 3;
/** A host's own garbage is a few hundred bytes a second. Heap sizes, and one helper thread instead of four, which is 2 MB: any other V8 flag would void the primed compile cache. */
const heapFlags = ['--max-semi-space-size=1', '--max-old-space-size=48', '--v8-pool-size=1'];
/** A pipe that takes nothing for this long belongs to a host that is beyond help. */
const clogMs = 1000;
const keptEvents = 256;
const releaseGraceMs = 300;
/** So long a new source is asked often: its successor continues behind what its feed last sent. */
const settledMs = 10_000;

/** Spawns a host. Returns at once: commands sent before it is ready wait in its pipe. */
export function spawnHost(owner: string, options: HostOptions): OwnedHost {
  return new HostProcess(owner, options);
}

class HostProcess implements OwnedHost {
  readonly exited: Promise<HostExit>;
  readonly #child: ChildProcess;
  readonly #options: HostOptions;
  readonly #heartbeat: Heartbeat;
  readonly #box: FlightBox | undefined;
  #lastFlight: Buffer | undefined;
  #lease: Lease;
  #reason: HostExit['reason'] = 'crashed';
  #ended = false;
  #listener: ((event: HostEvent) => void) | undefined;
  #kept: HostEvent[] = [];
  #onStopped: (() => void) | undefined;
  #releasing: Promise<void> | undefined;
  #rssBytes = 0;
  #fed: { bytes: number; sequence: number | null } = { bytes: 0, sequence: null };
  #watch: SourceWatch | undefined;
  #flowingSince: number | undefined;
  /** Its source failed: nothing more is told of it. */
  #sourceOver = false;
  /** When the oldest message that the pipe has not taken yet was sent. */
  #unsent: number[] = [];

  constructor(owner: string, options: HostOptions) {
    this.#options = options;
    this.#box = openFlightBox();
    this.#child = start(options, this.#box);
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: string | null): void => resolve(this.#end(code, signal));
      this.#child.once('exit', end);
      // A spawn that failed (EAGAIN, no setpriv) never emits `exit`.
      this.#child.once('error', () => this.#child.pid === undefined && end(null, null));
    });
    this.#lease = this.#takeLease(owner);
    this.#child.on('message', (event) => this.#onEvent(event as HostEvent));
    // Absent where the spawn itself failed for want of descriptors.
    if (this.#child.stderr) drainLines(this.#child.stderr, (line) => options.onStderr(line, this.pid));
    this.#heartbeat = watchHeartbeat({
      ...options,
      starvedMs: () => starvedMs(this.pid),
      ping: (seq) => this.send({ type: 'ping', seq }),
      onFrozen: () => this.#put(this.#isClogged() ? 'clogged' : 'frozen'),
    });
  }

  /** 0 where the process could not be spawned. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get owner(): string {
    return this.#lease.owner;
  }

  get rssBytes(): number {
    return this.#rssBytes;
  }

  send(command: HostCommand): void {
    if (this.#ended || !this.#child.connected) return;
    if (this.#isClogged()) return this.#put('clogged');
    // Loading a decoder may block it for longer than a heartbeat bears on a busy machine; whoever asked has a deadline of its own.
    if (command.type === 'snapshot.take') this.#heartbeat.stop();
    if (command.type === 'source.start') this.#watchSource(command.spec);
    this.#unsent.push(performance.now());
    this.#child.send(command, () => this.#unsent.shift());
    // An order to a host that is rarely asked: whether it got through shows at once.
    if (this.#flowingSince !== undefined && command.type !== 'ping') void this.#heartbeat.ask();
  }

  listen(listener: (event: HostEvent) => void): void {
    this.#listener = listener;
    for (const event of this.#kept.splice(0)) listener(event);
  }

  giveTo(owner: string): void {
    this.#options.registry.forget(this.#lease);
    this.#lease = this.#takeLease(owner);
  }

  release(graceMs = releaseGraceMs): Promise<void> {
    this.#releasing ??= this.#release(graceMs);
    return this.#releasing;
  }

  async kill(): Promise<void> {
    this.#put('asked');
    await this.exited;
  }

  flight(): Buffer | undefined {
    return this.#ended ? this.#lastFlight : this.#box?.read();
  }

  async #release(graceMs: number): Promise<void> {
    if (!this.#ended) {
      this.#reason = 'asked';
      const stopped = new Promise<void>((resolve) => (this.#onStopped = resolve));
      const timer = setTimeout(() => this.#onStopped?.(), graceMs);
      this.send({ type: 'stop' });
      await Promise.race([stopped, this.exited]);
      clearTimeout(timer);
    }
    await this.kill();
  }

  /** SIGKILL, which also ends a stopped process; the first reason stands. */
  #put(reason: HostExit['reason']): void {
    if (this.#ended) return;
    if (this.#reason === 'crashed') this.#reason = reason;
    this.#child.kill('SIGKILL');
  }

  #end(code: number | null, signal: string | null): HostExit {
    const flight = this.flight();
    // A host that ran no source leaves nothing worth its memory.
    this.#lastFlight = flight && boxStart(flight) !== undefined ? flight : undefined;
    this.#ended = true;
    this.#watch?.stop();
    this.#box?.close();
    this.#heartbeat.stop();
    this.#options.registry.forget(this.#lease);
    return { code, signal, reason: this.#reason };
  }

  #takeLease(owner: string): Lease {
    return this.#options.registry.lease({ kind: 'pid', owner, value: String(this.pid), free: () => this.kill() });
  }

  #onEvent(event: HostEvent): void {
    if (event.type === 'ready') return this.#heartbeat.begin();
    if (event.type === 'pong') {
      this.#rssBytes = event.rssBytes;
      this.#fed = event.feed ?? this.#fed;
      return this.#heartbeat.pong(event.seq);
    }
    this.#heartbeat.heard();
    if (event.type === 'output.stats') this.#rssBytes = event.stats.rssBytes;
    if (event.type === 'stopped') this.#onStopped?.();
    if (event.type === 'source.started') this.#watch?.begin();
    this.#tell(event);
  }

  #tell(event: HostEvent): void {
    if (event.type.startsWith('source.') && this.#sourceOver) return;
    if (event.type === 'source.failed') {
      this.#sourceOver = true;
      this.#watch?.stop();
    }
    if (this.#listener !== undefined) this.#listener(event);
    else if (this.#kept.length < keptEvents) this.#kept.push(event);
  }

  #watchSource(spec: SourceSpec): void {
    const box = this.#box;
    if (box === undefined) return this.#tell({ type: 'source.failed', failure: noBox() });
    this.#watch = watchSource({
      counters: () => box.counters(), codec: spec.video.codec, limits: spec.health,
      alive: () => this.#heartbeat.ask(),
      known: () => ({ feedBytes: this.#fed.bytes, feedSequence: this.#fed.sequence, rssBytes: this.#rssBytes }),
      emit: (event) => {
        if (event.type === 'source.flowing') this.#flowingSince = performance.now();
        if (event.type === 'source.stalled') this.#flowingSince = undefined;
        this.#heartbeat.relax(this.#flowingSince !== undefined && performance.now() - this.#flowingSince > settledMs);
        this.#tell(event);
      },
    });
  }

  #isClogged(): boolean {
    const oldest = this.#unsent[0];
    return oldest !== undefined && performance.now() - oldest > clogMs;
  }
}

function start({ instance, compileCache }: HostOptions, box: FlightBox | undefined): ChildProcess {
  const args = [...heapFlags, entry];
  // Linux kills the host with its parent even where a blocked native call keeps it from hearing the disconnect.
  const [command, prefix] = process.platform === 'linux' ? ['setpriv', ['--pdeathsig', 'KILL', '--', process.execPath]] : [process.execPath, []];
  const env = { ...environment(instance, compileCache), ...(box ? { LOOKOUT_FLIGHT_FD: String(boxFd) } : {}) };
  return spawn(command, [...prefix, ...args], { stdio: ['ignore', 'ignore', 'pipe', 'ipc', ...(box ? [box.fd] : [])], serialization: 'advanced', env });
}

/** Only what a host needs: the supervisor's own environment may hold secrets. `LC_ALL=C` keeps bus messages stable. */
function environment(instance: string, compileCache: string): NodeJS.ProcessEnv {
  const passed = Object.fromEntries(['PATH', 'HOME', 'XDG_CACHE_HOME', 'GST_PLUGIN_PATH', 'GST_REGISTRY', 'GST_DEBUG', 'LD_LIBRARY_PATH'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }));
  return {
    ...passed, LC_ALL: 'C', LOOKOUT_INSTANCE: instance, NODE_COMPILE_CACHE: compileCache, UV_THREADPOOL_SIZE: String(poolThreads), GST_REGISTRY_FORK: 'no',
    GST_PLUGIN_PATH: [plugins, passed.GST_PLUGIN_PATH].filter(Boolean).join(':'),
    // A registry of its own: programs without our plugin would take it out of the common one, and each host put it in again.
    GST_REGISTRY: passed.GST_REGISTRY ?? join(plugins, 'registry.bin'),
    // One malloc arena: GStreamer's threads would each reserve and dirty their own.
    MALLOC_ARENA_MAX: '1',
  };
}
