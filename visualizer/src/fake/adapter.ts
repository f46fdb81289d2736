/** The adapter of design work and browser tests: a scripted fleet in the page itself, steered by the address and by `fake`. */
import type { ProbeReport } from '../../../src/api/protocol.ts';
import { ApiError, type Adapter, type Verb } from '../adapter.ts';
import { history, liveCamera, troubles, type Trouble } from './fleet.ts';
import { fakeInspection } from './inspect.ts';
import { createFakeServer, flap, spreadTroubles, type FakeControl } from './server.ts';
import { failuresOn, fakeRecordings } from './recordings.ts';
import { cameraTrend, fleetTrend } from './trends.ts';
import { createFakePlayer, stillOf } from './video.ts';

export type FakeOptions = {
  /** Cameras. */
  count: number;
  /** Some cameras get into the troubles of `fleet.ts`. */
  trouble: boolean;
  /** One camera changes its state every this many ms; 0 never. */
  flapMs: number;
  fps: number;
  loggedIn: boolean;
};

const validToken = 'correct-token';
const connectMs = 120;
/** Late enough that the pictures that freeze are there. */
const troubleMs = 2_500;

const afterVerb: Record<Verb, Trouble | null> = { stop: { state: 'stopped' }, start: null, restart: { state: 'connecting', substate: 'starting' }, retry: troubles[3]! };

/** Makes the adapter and its remote control. */
export function createFakeAdapter(options: FakeOptions): { adapter: Adapter; control: FakeControl } {
  const server = createFakeServer(options.count);
  let loggedIn = options.loggedIn;
  const adapter: Adapter = {
    session: async () => (loggedIn ? { name: 'admin', role: 'admin' } : null),
    login: async (token) => {
      await server.call('login');
      if (token !== validToken) throw new ApiError({ code: 'LOOKOUT_UNAUTHENTICATED', statusCode: 401, message: 'This token is not valid.' });
      loggedIn = true;
      return { name: 'admin', role: 'admin' };
    },
    logout: async () => { loggedIn = false; },
    connect: (listener) => {
      server.listen(listener);
      const timers = [setTimeout(() => server.offline(false), connectMs), ...(options.trouble ? [setTimeout(() => spreadTroubles(server), troubleMs)] : [])];
      const calm = options.flapMs > 0 ? flap(server, options.flapMs) : undefined;
      return () => {
        timers.forEach(clearTimeout);
        calm?.();
        server.listen(undefined);
      };
    },
    command: async (id, verb) => {
      await server.call(`${verb} ${id}`);
      server.set(id, afterVerb[verb]);
      return server.view(id);
    },
    create: async ({ name = 'Camera', url, sub }) => {
      await server.call(`create ${name}${sub ? ' with a sub stream' : ''}`);
      const id = name.toLowerCase().replace(/[^a-z0-9]+/gu, '-');
      if (server.ids().includes(id)) throw new ApiError({ code: 'LOOKOUT_CAMERA_EXISTS', statusCode: 409, message: 'A camera with this id exists already.' });
      server.update(id, { ...liveCamera(server.seed(id), Date.now()), id, name, url: url.replace(/\/\/.*@/u, '//') });
      return server.view(id);
    },
    change: async (id, { name, outputs, sub }) => {
      await server.call(`change ${id} ${JSON.stringify({ name, outputs, sub })}`);
      if (name === 'refused') throw new ApiError({ code: 'LOOKOUT_VALIDATION', statusCode: 400, message: 'The request does not have the expected form.', details: [{ path: 'name', message: 'is taken' }] });
      const before = server.view(id);
      server.update(id, { ...before, name: name ?? before.name, outputs: { ...before.outputs, record: { ...before.outputs.record, ...outputs?.record } } });
      return server.view(id);
    },
    remove: async (id) => {
      await server.call(`remove ${id}`);
      server.update(id, null);
    },
    probe: async (url) => {
      await server.call('probe');
      if (url.includes('nowhere')) throw new ApiError({ code: 'LOOKOUT_PROBE_FAILED', statusCode: 502, message: 'Connection to nowhere:554 refused.' });
      return { ...probeReport(url), picture: url.includes('dark') ? null : { jpeg: await base64(await stillOf(server.ids().length, 'New camera')), width: 480, height: 270 } };
    },
    events: async (id, query) => {
      await server.call(`events ${id}`);
      return query.from === undefined && query.before === undefined ? history(id, Date.now()) : failuresOn(id, query);
    },
    trends: async (id) => {
      await server.call(`trends ${id ?? 'fleet'}`);
      return id === null ? fleetTrend(server.ids().length, Date.now()) : cameraTrend(id, server.seed(id), Date.now());
    },
    still: ({ camera }) => stillOf(server.seed(camera), server.view(camera).name),
    hls: (camera) => `hls/${camera}/index.m3u8`,
    recordings: fakeRecordings(),
    inspect: fakeInspection,
    play: (id, sink) => createFakePlayer({
      seed: server.seed(id), name: server.view(id).name, sink, fps: options.fps,
      live: () => server.ids().includes(id) && server.view(id).state === 'streaming' && server.view(id).substate === 'live',
    }),
  };
  return { adapter, control: server };
}

function probeReport(url: string): Omit<ProbeReport, 'picture'> {
  return {
    url, server: 'Dahua Rtsp Server', gopMs: 2_000, bFrames: false,
    media: { codec: 'H264', profile: 'main', profileLevelId: '4d0028', width: 1920, height: 1080, fps: 25, bitrate: 3_900_000, keyframeIntervalMs: 2_000, audio: { codec: 'AAC', rate: 16_000, channels: 1 } },
    verdicts: {
      webrtc: { ok: true, why: 'H.264 main without B-frames; AAC audio is left out' },
      hls: { ok: true, why: 'H.264 and AAC as they are' },
      recording: { ok: true, why: 'as it is' },
      frames: { ok: true, why: 'decodes' },
    },
  };
}

async function base64(blob: Blob): Promise<string> {
  return btoa(Array.from(new Uint8Array(await blob.arrayBuffer()), (byte) => String.fromCharCode(byte)).join(''));
}
