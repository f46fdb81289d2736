/** The failure that the end of a host process stands for. */
import { failure, type Failure } from '../errors.ts';
import type { HostExit, HostKind } from '../native/host.ts';

/** Null where it was asked to end. `who` is whose process it was, as a person would say it; `kind` what it shares a process with. */
export function exitFailure({ code, signal, reason, beside }: HostExit, { pid, who: whose, kind = 'source' }: { pid: number; who: string; kind?: HostKind }): Failure | null {
  const who = beside === 0 ? whose : `${whose} and ${beside === 1 ? 'another one' : `${beside} others`}`;
  const evidence = `pid ${pid} ended with ${signal === null ? `code ${code}` : `signal ${signal}`}${beside === 0 ? '' : `; it was shared by ${beside + 1} ${kind}s`}`;
  switch (reason) {
    case 'asked':
      return null;
    case 'crashed':
      return failure('host-crash', signal === null ? `exit-${code}` : signal.toLowerCase(), `The host process of ${who} ended unexpectedly (${signal ?? `code ${code}`}).`, evidence);
    case 'frozen':
      return failure('native-frozen', 'heartbeat-missed', `The host process of ${who} no longer answered and was killed.`, evidence);
    case 'stuck':
      return failure('host-crash', 'neighbour-stuck', `The host process of ${who} was killed, because one of them did not stop.`, evidence);
    case 'clogged':
      return failure('native-frozen', 'pipe-clogged', `The host process of ${who} took no messages for a second and was killed.`, evidence);
  }
}
