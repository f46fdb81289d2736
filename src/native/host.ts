/** A host as the supervisor sees it: the contract of `host-pool.ts`. */
import type { HostCommand, HostEvent } from './protocol.ts';

/**
 * How a host ended. `frozen`: heartbeat missed or a native call passed its deadline; `clogged`: its pipe did not drain for
 * 1 s; `stuck`: another one in the same process did not stop. `beside`: how many others were in it.
 */
export type HostExit = { code: number | null; signal: string | null; reason: 'asked' | 'crashed' | 'frozen' | 'clogged' | 'stuck'; beside: number };

/** A child process that runs a pipeline, or a seat in one that runs several. */
export type Host = {
  /** Of the process, which others may share. */
  readonly pid: number;
  /** Dropped silently once the host has ended. */
  send(command: HostCommand): void;
  /** One listener; events before it is set are kept (bounded) and delivered at once. */
  listen(listener: (event: HostEvent) => void): void;
  /** Resolves, never rejects, when the process is reaped; where others go on in it, when the pipeline is at NULL. */
  readonly exited: Promise<HostExit>;
  /** `stop` → wait for `stopped` at most `graceMs` (default 300) → `kill`. Idempotent. */
  release(graceMs?: number): Promise<void>;
  /** SIGKILL and reap; where others go on in the process, `stop` with a deadline, behind which all of them die. Idempotent. */
  kill(): Promise<void>;
  /** It works for another owner from now on, who holds its lease. Between two orders, by whoever may give it away. */
  handTo(owner: string): void;
  /** A copy of its flight box (`flight-box.ts`), after its end as it was left; undefined where it has none. */
  flight(): Buffer | undefined;
};

/** What shares a process with its like, and with nothing else. */
export type HostKind = 'source' | 'output';

/** Hosts on demand, with a warm spare. */
export type HostPool = {
  /**
   * The warm spare where there is one (a new one is made behind it), else a fresh fork. Leased to `owner`. `beside`: it may
   * be a seat in a process that runs others of this kind, where the pool packs them (`sourcesPerHost`, `outputsPerHost`).
   */
  take(owner: string, options?: { beside?: HostKind }): Promise<Host>;
  /** The living host of an owner, if there is one. */
  find(owner: string): Host | undefined;
  /** One row for each owner. `beside`: the owners that share its process. */
  hosts(): { owner: string; pid: number; rssBytes: number; beside: string[] }[];
  /** Kills and reaps every host, the spare included. */
  close(): Promise<void>;
};
