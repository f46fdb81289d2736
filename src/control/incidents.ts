/** Many cameras lost at nearly the same moment are one incident with one cause: the recorder, the switch, this machine. */
import type { IncidentView } from '../api/protocol.ts';
import type { FailureClass } from '../errors.ts';
import { durationText } from '../machines/duration.ts';
import type { NewEvent } from '../store/types.ts';
import { plainEvent } from './observer.ts';

/** A camera that was live and is not. `address` is the host it is pulled from. */
export type Loss = { camera: string; address: string; class: FailureClass; at: number };

/** Watches losses and returns. */
export type Incidents = {
  lost(loss: Loss): void;
  /** It is live again, or nobody wants it to be. */
  back(camera: string, at: number): void;
  /** Newest first; those that are over, too (the last 100). */
  list(): IncidentView[];
  /** The open incident a camera is part of. */
  of(camera: string): IncidentView | null;
  stop(): void;
};

/** What it writes to, and when losses belong together. */
export type IncidentDeps = { note: (event: Omit<NewEvent, 'at'>) => unknown; withinMs?: number; atLeast?: number };

type Incident = { id: string; losses: Map<string, Loss & { backAt: number | null }>; closedAt: number | null; told: boolean };
type Cause = { code: 'machine' | 'address' | 'network' | 'class' | 'mixed'; text: string };

const kept = 100;
/** Failures of what runs here, whatever the camera does. */
const ownClasses = new Set<FailureClass>(['host-crash', 'native-frozen', 'local', 'storage', 'sfu']);

/** Makes a watch. */
export function createIncidents({ note, withinMs = 2_000, atLeast = 3 }: IncidentDeps): Incidents {
  let recent: Loss[] = [];
  const incidents: Incident[] = [];
  let timer: NodeJS.Timeout | undefined;

  const openOne = (): Incident | undefined => incidents.find(({ closedAt }) => closedAt === null);
  /** Told when no further loss can belong to it, so that the row names all of them. */
  const tellSoon = (incident: Incident): void => {
    clearTimeout(timer);
    timer = setTimeout(() => tellOpened(incident), withinMs);
    timer.unref();
  };
  const tellOpened = (incident: Incident): void => {
    if (incident.told) return;
    incident.told = true;
    const losses = [...incident.losses.values()];
    const cause = causeOf(losses);
    const span = Math.max(...losses.map(({ at }) => at)) - Math.min(...losses.map(({ at }) => at));
    note({
      ...plainEvent('', 'incident.opened', `${losses.length} cameras were lost within ${durationText(span)}: ${cause.text}.`),
      class: commonClass(losses), code: cause.code, evidence: names(losses),
    });
  };
  const tellClosed = (incident: Incident, at: number): void => {
    tellOpened(incident);
    incident.closedAt = at;
    const losses = [...incident.losses.values()];
    const lasted = at - Math.min(...losses.map((loss) => loss.at));
    note({ ...plainEvent('', 'incident.closed', `All ${losses.length} cameras are back, the last one after ${durationText(lasted)}.`), class: commonClass(losses), code: causeOf(losses).code, evidence: names(losses) });
  };

  return {
    lost(loss) {
      recent = [...recent.filter(({ at, camera }) => loss.at - at <= withinMs && camera !== loss.camera), loss];
      const open = openOne();
      const last = open && Math.max(...[...open.losses.values()].map(({ at }) => at));
      if (open && last !== undefined && loss.at - last <= withinMs) {
        open.losses.set(loss.camera, { ...loss, backAt: null });
        if (!open.told) tellSoon(open);
      } else if (!open && recent.length >= atLeast) {
        const incident: Incident = { id: `${loss.at}`, losses: new Map(recent.map((entry) => [entry.camera, { ...entry, backAt: null }])), closedAt: null, told: false };
        incidents.unshift(incident);
        incidents.length = Math.min(incidents.length, kept);
        tellSoon(incident);
      }
    },
    back(camera, at) {
      recent = recent.filter((loss) => loss.camera !== camera);
      const open = openOne();
      const mine = open?.losses.get(camera);
      if (!open || !mine || mine.backAt !== null) return;
      mine.backAt = at;
      if ([...open.losses.values()].every(({ backAt }) => backAt !== null)) tellClosed(open, at);
    },
    list: () => incidents.map(viewOf),
    of(camera) {
      const open = openOne();
      return open?.losses.get(camera)?.backAt === null ? viewOf(open) : null;
    },
    stop: () => clearTimeout(timer),
  };
}

/** What the lost cameras have in common, the most telling first. */
export function causeOf(losses: readonly Loss[]): Cause {
  const classes = new Set(losses.map((loss) => loss.class));
  const addresses = new Set(losses.map(({ address }) => address));
  const networks = new Set(losses.map(({ address }) => /^(\d+\.\d+\.\d+)\.\d+$/u.exec(address)?.[1] ?? address));
  const [address = ''] = addresses;
  const [network = ''] = networks;
  if ([...classes].every((cls) => ownClasses.has(cls))) return { code: 'machine', text: `processes of this machine failed (${[...classes].join(', ')})` };
  if (addresses.size === 1) return { code: 'address', text: `all of them are at ${address}` };
  if (networks.size === 1) return { code: 'network', text: `all of them are in ${network}.0/24, perhaps behind one switch or power supply` };
  if (classes.size === 1) return { code: 'class', text: `all of them by "${[...classes].join('')}"` };
  return { code: 'mixed', text: 'with nothing in common but the moment; perhaps the network of this machine' };
}

function commonClass(losses: readonly Loss[]): FailureClass | null {
  const groups = [...Map.groupBy(losses, (loss) => loss.class)].sort(([, a], [, b]) => b.length - a.length);
  return groups[0]?.[0] ?? null;
}

const names = (losses: readonly Loss[]): string => losses.map(({ camera }) => camera).join(', ').slice(0, 500);
const iso = (ms: number): string => new Date(ms).toISOString();

function viewOf({ id, losses, closedAt }: Incident): IncidentView {
  const all = [...losses.values()];
  const { code, text } = causeOf(all);
  return {
    id, openedAt: iso(Math.min(...all.map(({ at }) => at))), closedAt: closedAt === null ? null : iso(closedAt), cause: code, message: `${all.length} cameras were lost: ${text}.`,
    cameras: all.map(({ camera, class: cls, at, backAt }) => ({ camera, class: cls, lostAt: iso(at), backAt: backAt === null ? null : iso(backAt) })),
  };
}
