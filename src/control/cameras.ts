/** Cameras as they are managed: created, changed, removed, commanded — persisted first, then told to the tree. */
import { randomInt } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { waitFor, type ActorRefFrom } from 'xstate';
import type { Root } from '../actors/tree.ts';
import type { SetupOutcome } from '../api/control.ts';
import { cameraToInput, idFromName, parseCamera, type CameraConfig, type CameraInput, type CameraPatch } from '../camera-config.ts';
import { CameraUrl } from '../camera-url.ts';
import { LookoutError } from '../errors.ts';
import type { cameraMachine } from '../machines/camera.ts';
import type { Feed } from '../media.ts';
import type { PortLease, Ports } from '../native/ports.ts';
import type { Store } from '../store/types.ts';
import { plainEvent, type Observer } from './observer.ts';

/** What managing cameras needs. */
export type CamerasDeps = { root: Root; store: Store; ports: Ports; observer: Observer; onRemoved: (id: string) => void };

/** Manages cameras. Every call rejects with a `LookoutError`. */
export type Cameras = {
  /** Starts a camera that is stored already. */
  restore(config: CameraConfig): Promise<void>;
  /** Starts a camera that is never stored (demo). */
  adopt(config: CameraConfig): Promise<void>;
  create(input: CameraInput): Promise<string>;
  patch(id: string, patch: CameraPatch): Promise<void>;
  /** Creates it, or changes what is named and different. */
  setup(input: CameraInput & { id: string }): Promise<SetupOutcome>;
  remove(id: string): Promise<void>;
  command(id: string, verb: 'start' | 'stop' | 'restart' | 'retry'): Promise<void>;
};

const removeMs = 10_000;
/** RTP dynamic payload type (RFC 3551 §3). */
const payloadType = 96;

/** Makes the manager. */
export function createCameras({ root, store, ports, observer, onRemoved }: CamerasDeps): Cameras {
  const feeds = new Map<string, PortLease[]>();
  const transient = new Set<string>();
  const known = (id: string): CameraConfig => {
    const entry = root.getSnapshot().context.cameras[id];
    if (!entry) throw new LookoutError('LOOKOUT_CAMERA_NOT_FOUND', { cameraId: id });
    return entry.config;
  };
  const exists = (id: string): boolean => id in root.getSnapshot().context.cameras;
  const save = async (config: CameraConfig): Promise<void> => {
    if (!transient.has(config.id)) await store.cameras.put(cameraToInput(config));
  };

  const start = async (config: CameraConfig): Promise<void> => {
    const leases = [await ports.lease(`feed:${config.id}`), await ports.lease(`feed:${config.id}`)];
    const [port, bindPort] = leases.map((lease) => lease.port) as [number, number];
    const feed: Feed = { port, bindPort, ssrc: randomInt(1, 2 ** 32 - 1), payloadType };
    feeds.set(config.id, leases);
    root.send({ type: 'camera.add', config, feed, seed: randomInt(2 ** 32 - 1) });
  };

  const manage = {
    async create(input: CameraInput): Promise<string> {
      if (root.getSnapshot().value !== 'running') throw new LookoutError('LOOKOUT_SHUTTING_DOWN');
      const id = input.id ?? idFromName(input.name ?? CameraUrl.parse(input.url).host, exists);
      if (exists(id)) throw new LookoutError('LOOKOUT_CAMERA_EXISTS', { cameraId: id, message: `A camera with the id "${id}" exists already.` });
      const config = parseCamera({ ...input, id });
      await store.cameras.put(cameraToInput(config));
      if (exists(id)) throw new LookoutError('LOOKOUT_CAMERA_EXISTS', { cameraId: id });
      await start(config);
      observer.note(plainEvent(id, 'camera.created', `Created with ${config.url.safe}.`));
      return id;
    },
    async patch(id: string, patch: CameraPatch): Promise<void> {
      const old = known(id);
      const config = parseCamera(merged(cameraToInput(old), patch));
      await save(config);
      known(id);
      observer.note(plainEvent(id, 'camera.changed', `Changed: ${Object.keys(patch).join(', ') || 'nothing'}.`));
      root.send({ type: 'camera.reconfigure', config });
      if (config.enabled !== old.enabled) child(root, id)?.send({ type: config.enabled ? 'camera.start' : 'camera.stop' });
    },
  };

  return {
    ...manage,
    restore: start,
    async adopt(config) {
      transient.add(config.id);
      await start(config);
    },
    setup: (input) => setUp(manage, { exists, known }, input),
    async remove(id) {
      known(id);
      if (!transient.has(id)) await store.cameras.remove(id);
      observer.note(plainEvent(id, 'camera.removed', 'Removed.'));
      root.send({ type: 'camera.remove', id });
      await waitFor(root, ({ context }) => !(id in context.cameras), { timeout: removeMs }).catch(() => {
        throw new LookoutError('LOOKOUT_DEADLINE', { cameraId: id, message: 'The camera was not released in time; its processes are being ended.' });
      });
      await Promise.all((feeds.get(id) ?? []).map((lease) => lease.release()));
      feeds.delete(id);
      transient.delete(id);
      onRemoved(id);
    },
    async command(id, verb) {
      const config = known(id);
      const camera = child(root, id);
      if (verb === 'retry' && camera?.getSnapshot().context.desired === 'stopped') throw new LookoutError('LOOKOUT_CAMERA_STOPPED', { cameraId: id });
      const enabled = verb !== 'stop';
      if (config.enabled !== enabled) {
        await save({ ...config, enabled });
        root.send({ type: 'camera.reconfigure', config: { ...config, enabled } });
      }
      observer.note(plainEvent(id, `camera.${verb}`, `An operator asked: ${verb}.`));
      child(root, id)?.send({ type: `camera.${verb}` });
    },
  };
}

/** The same request twice does nothing the second time, also when both come at the same moment. */
async function setUp(manage: Pick<Cameras, 'create' | 'patch'>, { exists, known }: { exists: (id: string) => boolean; known: (id: string) => CameraConfig }, input: CameraInput & { id: string }): Promise<SetupOutcome> {
  const { id, ...patch } = input;
  if (!exists(id)) {
    try {
      await manage.create(input);
      return 'created';
    } catch (error) {
      if (!(error instanceof LookoutError) || error.code !== 'LOOKOUT_CAMERA_EXISTS' || !exists(id)) throw error;
    }
  }
  const old = cameraToInput(known(id));
  if (isDeepStrictEqual(old, cameraToInput(parseCamera(merged(old, patch))))) return 'unchanged';
  await manage.patch(id, patch);
  return 'changed';
}

/** The actor of a camera, if it lives. */
export function child(root: Root, id: string): ActorRefFrom<typeof cameraMachine> | undefined {
  return root.getSnapshot().children[`camera:${id}`] as ActorRefFrom<typeof cameraMachine> | undefined;
}

/** A patch replaces what it names; sections are merged one level deep. */
function merged(old: CameraInput & { id: string }, patch: CameraPatch): CameraInput & { id: string } {
  const { outputs, source, tls, ...rest } = patch;
  return {
    ...old,
    ...rest,
    tls: { ...old.tls, ...tls },
    source: { ...old.source, ...source },
    outputs: { ...old.outputs, ...outputs, live: { ...old.outputs?.live, ...outputs?.live }, hls: { ...old.outputs?.hls, ...outputs?.hls }, record: { ...old.outputs?.record, ...outputs?.record }, frames: { ...old.outputs?.frames, ...outputs?.frames } },
  };
}
