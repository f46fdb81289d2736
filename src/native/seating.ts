/** Who sits where, for those who pack several sources, or several outputs, into one process (`hosts.sourcesPerHost`, `hosts.outputsPerHost`). Pure but for the clock. */
import type { HostExit } from './host.ts';

/** What is asked of a process that others may share. */
export type Table = {
  readonly hasPlace: boolean;
  readonly seatings: number;
  readonly rssBytes: number;
  seats(): readonly { owner: string }[];
};

/** What bounds a table. */
export type SeatingLimits = {
  /** How many at the same time. */
  places: number;
  /** A process that grew to this is left to those who sit in it; 0 means never. */
  wornRssBytes: number;
};

/** The rules of seating. */
export type Seating<T extends Table> = {
  /** The process that an owner shall sit in; undefined where it must have a new one. */
  choose(owner: string): T | undefined;
  /** A process that was made for sharing, and its first owner. */
  open(table: T, owner: string): void;
  /** It ended, with these in it. */
  close(table: T, exit: Pick<HostExit, 'reason' | 'signal'>, owners: readonly string[]): void;
};

/** The addon keeps 100 KB and two descriptors of every pipeline that it ever made: after so many for each place nobody new sits in a process. */
const seatingsPerPlace = 10;
/** A source that breaks its process takes nobody along twice: whoever was in it sits alone for this long. */
const suspectMs = 600_000;
/** What only code does to itself; what is killed from outside (SIGKILL: an operator, the OOM killer) says nothing against those in it. */
const selfMade: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP']);

/** Makes the rules for an empty room. `now` in ms. */
export function createSeating<T extends Table>({ places, wornRssBytes, suits = () => true }: SeatingLimits & { /** What else a process must have for one more. */ suits?: (table: T) => boolean }, now: () => number = () => performance.now()): Seating<T> {
  const tables = new Set<T>();
  const suspects = new Map<string, number>();
  const isSuspect = (owner: string): boolean => {
    for (const [who, until] of suspects) if (until <= now()) suspects.delete(who);
    return suspects.has(owner);
  };
  const isWorn = ({ seatings, rssBytes }: T): boolean => seatings >= places * seatingsPerPlace || (wornRssBytes > 0 && rssBytes >= wornRssBytes);

  return {
    // The oldest with a place. Where the owner sits already, its successor must not: a planned restart wants a fresh process.
    choose: (owner) => (isSuspect(owner) ? undefined : [...tables].find((table) => table.hasPlace && table.seats().length < places && suits(table) && !isWorn(table) && !table.seats().some((seat) => seat.owner === owner))),
    open(table, owner) {
      if (places > 1 && !isSuspect(owner)) tables.add(table);
    },
    close(table, { reason, signal }, owners) {
      if (!tables.delete(table) || owners.length < 2) return;
      const isOwnDoing = reason === 'frozen' || reason === 'stuck' || (reason === 'crashed' && (signal === null || selfMade.has(signal)));
      if (isOwnDoing) for (const owner of owners) suspects.set(owner, now() + suspectMs);
    },
  };
}
