/** Cameras as they are managed: created, changed, removed, commanded — persisted first, then told to the tree. */
import { randomInt } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { waitFor, type ActorRefFrom } from 'xstate';
import type { Root } from '../actors/tree.ts';
import type { SetupOutcome } from '../api/control.ts';
import { cameraToInput, idFromName, parseCamera, type CameraConfig, type CameraInput, type CameraPatch, type CameraSetup } from '../camera-config.ts';
import { CameraUrl } from '../camera-url.ts';
import { LookoutError } from '../errors.ts';
import { streamKey, streamOfKey, subCamera } from '../streams.ts';
import type { cameraMachine } from '../machines/camera.ts';
import { ownEntry } from '../machines/supervisor.ts';
import type { Feed } from '../media.ts';
import type { PortLease, Ports } from '../native/ports.ts';
import type { Store } from '../store/types.ts';
import { plainEvent, type Observer } from './observer.ts';

/** What managing cameras needs. */
export type CamerasDeps = {
  root: Root;
  store: Store;
  ports: Ports;
  observer: Observer;
  onRemoved: (id: string) => void;
  /** Nothing runs of a stream any more; by its key. */
  onStreamRemoved: (key: string) => void;
};

/** Manages cameras. Every call rejects with a `LookoutError`. */
export type Cameras = {
  /** Starts a camera that is stored already. */
  restore(config: CameraConfig): Promise<void>;
  /** Starts a camera that is never stored (demo). */
  adopt(config: CameraConfig): Promise<void>;
  create(input: CameraInput): Promise<string>;
  patch(id: string, patch: CameraPatch): Promise<void>;
  /** Makes a running camera what this says, and stores nothing. */
  change(config: CameraConfig): Promise<void>;
  /** Creates it, or changes what is named and different. */
  setup(input: CameraSetup): Promise<SetupOutcome>;
  remove(id: string): Promise<void>;
  command(id: string, verb: 'start' | 'stop' | 'restart' | 'retry'): Promise<void>;
};

const removeMs = 10_000;
/** RTP dynamic payload type (RFC 3551 §3). */
const payloadType = 96;

/** Makes the manager. */
export function createCameras(deps: CamerasDeps): Cameras {
  const { root, store, observer, onRemoved } = deps;
  const streams = createStreams(deps);
  const transient = new Set<string>();
  const known = (id: string): CameraConfig => {
    const entry = ownEntry(root.getSnapshot().context.cameras, id);
    if (!entry) throw new LookoutError('LOOKOUT_CAMERA_NOT_FOUND', { cameraId: id });
    return entry.config;
  };
  const exists = (id: string): boolean => Object.hasOwn(root.getSnapshot().context.cameras, id);
  const save = async (config: CameraConfig): Promise<void> => {
    if (!transient.has(config.id)) await store.cameras.put(cameraToInput(config));
  };

  const manage = {
    async create(input: CameraInput): Promise<string> {
      if (root.getSnapshot().value !== 'running') throw new LookoutError('LOOKOUT_SHUTTING_DOWN');
      const id = input.id ?? idFromName(input.name ?? CameraUrl.parse(input.url).host, exists);
      if (exists(id)) throw new LookoutError('LOOKOUT_CAMERA_EXISTS', { cameraId: id, message: `A camera with the id "${id}" exists already.` });
      const config = parseCamera({ ...input, id });
      await store.cameras.put(cameraToInput(config));
      if (exists(id)) throw new LookoutError('LOOKOUT_CAMERA_EXISTS', { cameraId: id });
      await streams.begin(config);
      observer.note(plainEvent(id, 'camera.created', `Created with ${config.url.safe}.`));
      return id;
    },
    async patch(id: string, patch: CameraPatch): Promise<void> {
      const old = known(id);
      const config = parseCamera(merged(cameraToInput(old), patch));
      await save(config);
      known(id);
      observer.note(plainEvent(id, 'camera.changed', `Changed: ${Object.keys(patch).join(', ') || 'nothing'}.`));
      await streams.change(config);
    },
  };

  return {
    ...manage,
    restore: streams.begin,
    change: streams.change,
    async adopt(config) {
      transient.add(config.id);
      await streams.begin(config);
    },
    setup: (input) => setUp(manage, { exists, known }, input),
    async remove(id) {
      known(id);
      if (!transient.has(id)) await store.cameras.remove(id);
      observer.note(plainEvent(id, 'camera.removed', 'Removed.'));
      await streams.end(id);
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
        streams.tell({ ...config, enabled });
      }
      observer.note(plainEvent(id, `camera.${verb}`, `An operator asked: ${verb}.`));
      streams.command(id, verb);
    },
  };
}

type Verb = 'start' | 'stop' | 'restart' | 'retry';

/** The streams of cameras in the tree: main, and sub where there is one, each with ports of its own. */
function createStreams({ root, ports, onStreamRemoved }: CamerasDeps) {
  const feeds = new Map<string, PortLease[]>();
  /** Beginnings and ends of second streams, one after the other for each camera. */
  const turns = new Map<string, Promise<void>>();
  const exists = (key: string): boolean => Object.hasOwn(root.getSnapshot().context.cameras, key);
  const subKey = (camera: string): string => streamKey({ camera, stream: 'sub' });

  const start = async (config: CameraConfig): Promise<void> => {
    const leases = [await ports.lease(`feed:${config.id}`), await ports.lease(`feed:${config.id}`)];
    const [port, bindPort] = leases.map((lease) => lease.port) as [number, number];
    const feed: Feed = { port, bindPort, ssrc: randomInt(1, 2 ** 32 - 1), payloadType };
    feeds.set(config.id, leases);
    root.send({ type: 'camera.add', config, feed, seed: randomInt(2 ** 32 - 1) });
  };
  const finish = async (keys: string[], viewers?: 'rejoin'): Promise<void> => {
    for (const id of keys) root.send({ type: 'camera.remove', id, ...(viewers && { viewers }) });
    await waitFor(root, ({ context }) => keys.every((key) => !Object.hasOwn(context.cameras, key)), { timeout: removeMs }).catch(() => {
      throw new LookoutError('LOOKOUT_DEADLINE', { cameraId: streamOfKey(keys[0] ?? '').camera, message: 'The camera was not released in time; its processes are being ended.' });
    });
    await Promise.all(keys.flatMap((key) => feeds.get(key) ?? []).map((lease) => lease.release()));
    for (const key of keys) {
      feeds.delete(key);
      onStreamRemoved(key);
    }
  };
  /** What runs already hears of the change at once; only what has to begin or to end takes its turn. */
  const tell = (config: CameraConfig): void => {
    for (const one of [config, subCamera(config)]) {
      if (one && exists(one.id)) root.send({ type: 'camera.reconfigure', config: one });
    }
  };
  const command = (camera: string, verb: Verb): void => {
    child(root, camera)?.send({ type: `camera.${verb}` });
    const sub = child(root, subKey(camera));
    // One that nobody watches has nothing to restart.
    if (sub && !(verb === 'restart' && sub.getSnapshot().matches('idle'))) sub.send({ type: `camera.${verb}` });
  };
  const fitSub = async (camera: string): Promise<void> => {
    const config = ownEntry(root.getSnapshot().context.cameras, camera)?.config;
    const sub = config && subCamera(config);
    const key = subKey(camera);
    if (sub && !exists(key)) await start(sub);
    if (!sub && exists(key)) await finish([key], 'rejoin');
  };
  const inTurn = (camera: string, work: () => Promise<void>): Promise<void> => {
    const turn = (turns.get(camera) ?? Promise.resolve()).catch(() => undefined).then(work);
    turns.set(camera, turn);
    return turn.finally(() => {
      if (turns.get(camera) === turn) turns.delete(camera);
    });
  };

  return {
    tell, command,
    async begin(config: CameraConfig): Promise<void> {
      await start(config);
      await inTurn(config.id, () => fitSub(config.id));
    },
    async change(config: CameraConfig): Promise<void> {
      const before = ownEntry(root.getSnapshot().context.cameras, config.id)?.config;
      tell(config);
      if (before && before.enabled !== config.enabled) command(config.id, config.enabled ? 'start' : 'stop');
      await inTurn(config.id, () => fitSub(config.id));
    },
    end: (camera: string): Promise<void> => inTurn(camera, () => finish([camera, subKey(camera)].filter(exists))),
  };
}

/** The ids of all cameras. */
export function cameraIds(root: Root): string[] {
  return Object.keys(root.getSnapshot().context.cameras).filter((key) => streamOfKey(key).stream === 'main');
}

/** The same request twice does nothing the second time, also when both come at the same moment. */
async function setUp(manage: Pick<Cameras, 'create' | 'patch'>, { exists, known }: { exists: (id: string) => boolean; known: (id: string) => CameraConfig }, input: CameraSetup): Promise<SetupOutcome> {
  const { id, ...patch } = input;
  const { sub, ...rest } = input;
  if (!exists(id)) {
    try {
      await manage.create({ ...rest, ...(sub && { sub }) });
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
  const { outputs, source, tls, sub = old.sub, ...rest } = patch;
  const { sub: _, ...others } = old;
  return {
    ...others,
    ...rest,
    ...(sub ? { sub } : {}),
    tls: { ...old.tls, ...tls },
    source: { ...old.source, ...source },
    outputs: { ...old.outputs, ...outputs, live: { ...old.outputs?.live, ...outputs?.live }, hls: { ...old.outputs?.hls, ...outputs?.hls }, record: { ...old.outputs?.record, ...outputs?.record }, frames: { ...old.outputs?.frames, ...outputs?.frames } },
  };
}
