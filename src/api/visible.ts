/** What a viewer that is limited to some cameras may see of the whole. Everybody else sees everything. */
import { LookoutError } from '../errors.ts';
import type { EventQuery, Grant } from '../store/types.ts';
import type { ControlPlane } from './control.ts';
import type { CameraView, EventView, IncidentView, SfuView, SystemView } from './protocol.ts';

/** Who looks; null where nobody needs to be known. */
export type Looker = Pick<Grant, 'cameras'> | null;

/** True where this camera may be seen. */
export const maySee = (looker: Looker, camera: string): boolean => looker === null || looker.cameras === null || looker.cameras.includes(camera);

/** What is said of a camera that there is not, or that may not be seen. */
export const noSuchCamera = (id: string) => new LookoutError('LOOKOUT_CAMERA_NOT_FOUND', { cameraId: id, message: `There is no camera "${id}".` });

/** True where not every camera may be seen. */
export const isLimited = (looker: Looker): boolean => looker !== null && looker.cameras !== null;

/** The cameras among these. */
export const visibleCameras = (looker: Looker, cameras: CameraView[]): CameraView[] => (isLimited(looker) ? cameras.filter(({ id }) => maySee(looker, id)) : cameras);

/** Incidents with at least one such camera, and nothing of the others. */
export function visibleIncidents(looker: Looker, incidents: IncidentView[]): IncidentView[] {
  if (!isLimited(looker)) return incidents;
  return incidents.flatMap((incident) => {
    const cameras = incident.cameras.filter(({ camera }) => maySee(looker, camera));
    if (cameras.length === 0) return [];
    return [{ ...incident, cameras, message: `${cameras.length === 1 ? '1 camera was' : `${cameras.length} cameras were`} lost together with others.` }];
  });
}

/** Journal rows of such cameras; those of Lookout itself are for who sees all. */
export async function visibleEvents(looker: Looker, { journal }: Pick<ControlPlane, 'journal'>, query: EventQuery): Promise<EventView[]> {
  if (looker?.cameras === null || looker === null) return journal(query);
  const lists = await Promise.all(looker.cameras.map((camera) => journal({ ...query, camera })));
  return lists.flat().toSorted((a, b) => b.seq - a.seq).slice(0, query.limit);
}

/** The SFU's inventory of such cameras; the workers are everybody's. */
export function visibleSfu(looker: Looker, sfu: SfuView): SfuView {
  if (!isLimited(looker)) return sfu;
  const mine = <T extends { camera: string }>(list: T[]): T[] => list.filter(({ camera }) => maySee(looker, camera));
  return { workers: sfu.workers, routers: mine(sfu.routers), transports: mine(sfu.transports), producers: mine(sfu.producers), consumers: mine(sfu.consumers), primers: mine(sfu.primers) };
}

/** The program's figures, its cameras counted among `cameras`, which may be seen. */
export function visibleSystem(looker: Looker, system: SystemView, cameras: CameraView[]): SystemView {
  if (!isLimited(looker)) return system;
  return {
    ...system,
    cameras: cameras.length,
    live: cameras.filter(({ substate }) => substate === 'live').length,
    viewers: cameras.reduce((sum, { viewers, sub }) => sum + viewers + (sub?.viewers ?? 0), 0),
  };
}
