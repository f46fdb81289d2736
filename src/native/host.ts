/** A host as the supervisor sees it: the contract of `host-pool.ts`. */
import type { HostCommand, HostEvent } from './protocol.ts';

/** How a host ended. `frozen`: heartbeat missed or a native call passed its deadline; `clogged`: its pipe did not drain for 1 s. */
export type HostExit = { code: number | null; signal: string | null; reason: 'asked' | 'crashed' | 'frozen' | 'clogged' };

/** A child process that runs one or more pipelines. */
export type Host = {
  readonly pid: number;
  /** Dropped silently once the host has ended. */
  send(command: HostCommand): void;
  /** One listener; events before it is set are kept (bounded) and delivered at once. */
  listen(listener: (event: HostEvent) => void): void;
  /** Resolves, never rejects, when the process is reaped. */
  readonly exited: Promise<HostExit>;
  /** `stop` → wait for `stopped` at most `graceMs` (default 300) → SIGKILL → reaped. Idempotent. */
  release(graceMs?: number): Promise<void>;
  /** SIGKILL and reap. Idempotent. */
  kill(): Promise<void>;
  /** A copy of its flight box (`flight-box.ts`), after its end as it was left; undefined where it has none. */
  flight(): Buffer | undefined;
};

/** Hosts on demand, with a warm spare. */
export type HostPool = {
  /** The warm spare where there is one (a new one is made behind it), else a fresh fork. Leased to `owner`. */
  take(owner: string): Promise<Host>;
  /** The living host of an owner, if there is one. */
  find(owner: string): Host | undefined;
  hosts(): { owner: string; pid: number; rssBytes: number }[];
  /** Kills and reaps every host, the spare included. */
  close(): Promise<void>;
};
