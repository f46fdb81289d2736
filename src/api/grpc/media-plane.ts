/** The five calls of `vms.media.v1.MediaPlane`, on the same supervisor as REST. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { LookoutError } from '../../errors.ts';
import type { ControlPlane } from '../control.ts';
import { maySee, noSuchCamera, visibleCameras } from '../visible.ts';
import type { Calls } from './calls.ts';
import { cameraOf, idOf, streamOf, type Message } from './messages.ts';
import type { Watches } from './watch.ts';

const defaultPage = 100;
const longestPage = 500;
const longestWatchList = 10_000;

/** The implementation, by the names of the `.proto`. */
export function mediaPlane(control: ControlPlane, { calls, watches }: { calls: Calls; watches: Watches }): UntypedServiceImplementation {
  return {
    SetupStream: calls.unary('SetupStream', async (request) => {
      const { camera, outcome } = await control.setup(cameraOf(request));
      return { stream: streamOf(camera), outcome: `SETUP_OUTCOME_${outcome.toUpperCase()}` };
    }),
    TeardownStream: calls.unary('TeardownStream', async (request) => {
      const id = idOf(request);
      if (control.camera(id) === undefined) return { existed: false };
      await control.remove(id);
      return { existed: true };
    }),
    GetStream: calls.unary('GetStream', async (request, { identity }) => {
      const id = idOf(request);
      const camera = maySee(identity, id) ? control.camera(id) : undefined;
      if (camera === undefined) throw noSuchCamera(id);
      return { stream: streamOf(camera) };
    }),
    ListStreams: calls.unary('ListStreams', async (request, { identity }) => {
      const { size, after } = pageOf(request);
      const rest = visibleCameras(identity, control.cameras()).filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1));
      const page = rest.slice(0, size);
      return { streams: page.map(streamOf), nextPageToken: rest.length > size ? page.at(-1)?.id ?? '' : '' };
    }),
    WatchStreams: calls.stream('WatchStreams', (call, { identity, signal }) => {
      const { ids = [] } = call.request as { ids?: string[] };
      if (ids.length > longestWatchList) throw new LookoutError('LOOKOUT_TOO_LARGE', { message: `A watch names at most ${longestWatchList} streams; none names all of them.` });
      for (const id of ids) idOf({ id });
      return watches.watch(call, { looker: identity, ids: new Set(ids), signal });
    }),
  };
}

/** The token of a page is the last id of the one before: it stays good when streams come and go. */
function pageOf({ pageSize = 0, pageToken = '' }: Message): { size: number; after: string } {
  if (typeof pageSize !== 'number' || pageSize < 0) throw new LookoutError('LOOKOUT_VALIDATION', { message: '"page_size" must not be negative.' });
  if (pageToken !== '') idOf({ id: pageToken });
  return { size: Math.min(pageSize === 0 ? defaultPage : pageSize, longestPage), after: String(pageToken) };
}
