/** Every fault a camera or its neighbours can suffer, and what must follow: the matrix tests and the bench are made from it. */
import type { FaultRequest } from '../../src/api/faults.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import type { FailureClass } from '../../src/errors.ts';

/** What a fault has at hand. */
export type FaultScene = { id: string; cameras: SimulatorProcess; inject(request: FaultRequest): Promise<unknown>; command(verb: 'retry' | 'restart'): Promise<unknown> };

/** One row. */
export type FaultCase = {
  /** As a person would say it. */
  fault: string;
  /** The class in the journal; null where the stream must go on without a failure. */
  class: FailureClass | null;
  /** The code below the class, where the class has several. */
  code?: string;
  /** From the fault to the failure in the journal, ms. */
  detectMs: number;
  /** From the end of the fault to live, ms. */
  recoverMs: number;
  /** The camera meets the fault at its very first attempt instead of in mid-stream. */
  fresh?: boolean;
  /** Hits every camera on the same worker: their picture, never their source. */
  touches?: 'worker';
  /** The camera is recorded meanwhile, and the fault is the recorder's: only its file may suffer. */
  recorded?: boolean;
  /** Runs in `npm test`: one for each way of being recognised. The rest runs in `test:long`. */
  representative?: boolean;
  begin(scene: FaultScene): Promise<unknown>;
  /** Undoes it; absent where it undoes itself or Lookout has to. */
  end?(scene: FaultScene): Promise<unknown>;
};

/** A status as answer to everything, for a camera that is added, or whose connection was cut. */
const status = (code: number) => ({
  begin: ({ cameras, id }: FaultScene) => cameras.script(id, { status: { code } }),
  end: ({ cameras, id }: FaultScene) => cameras.script(id, { status: null }),
});
const cut = async ({ cameras, id }: FaultScene, change: Parameters<SimulatorProcess['script']>[1]): Promise<void> => {
  await cameras.script(id, change);
  await cameras.act(id, { type: 'reset' });
};
const slow = { detectMs: 1_500, recoverMs: 6_000 };
const quick = { detectMs: 1_000, recoverMs: 3_000 };

/** Faults of the camera. */
export const cameraFaults: readonly FaultCase[] = [
  { fault: 'answers 401', class: 'auth', code: 'rtsp-401', ...slow, fresh: true, representative: true, ...status(401) },
  { fault: 'answers 403', class: 'auth', code: 'rtsp-403', ...slow, fresh: true, ...status(403) },
  { fault: 'answers 404', class: 'not-found', ...slow, fresh: true, ...status(404) },
  { fault: 'answers 453', class: 'busy', ...slow, fresh: true, ...status(453) },
  { fault: 'answers 503', class: 'server-error', ...slow, fresh: true, ...status(503) },
  { fault: 'answers 404 while it boots', class: 'booting', ...slow, begin: (scene) => cut(scene, { status: { code: 404 } }), end: status(404).end, representative: true },
  { fault: 'refuses connections', class: 'refused', ...slow, begin: (scene) => cut(scene, { listen: 'closed' }), end: ({ cameras, id }) => cameras.script(id, { listen: 'open' }), representative: true },
  { fault: 'accepts and never answers', class: 'timeout', detectMs: 3_500, recoverMs: 6_000, begin: (scene) => cut(scene, { answer: false }), end: ({ cameras, id }) => cameras.script(id, { answer: true }), representative: true },
  { fault: 'resets the connection', class: 'reset', ...quick, begin: ({ cameras, id }) => cameras.act(id, { type: 'reset' }), representative: true },
  { fault: 'closes the connection', class: 'eos', ...quick, begin: ({ cameras, id }) => cameras.act(id, { type: 'close' }), representative: true },
  { fault: 'says BYE', class: 'eos', ...quick, begin: ({ cameras, id }) => cameras.act(id, { type: 'bye', close: false }) },
  { fault: 'says BYE and closes', class: 'eos', ...quick, begin: ({ cameras, id }) => cameras.act(id, { type: 'bye', close: true }) },
  { fault: 'reboots', class: 'reset', detectMs: 1_000, recoverMs: 6_000, begin: ({ cameras, id }) => cameras.act(id, { type: 'reboot', seconds: 1.5, unavailableMs: 500 }) },
  { fault: 'falls silent, connection open', class: 'silent', detectMs: 3_000, recoverMs: 8_000, begin: ({ cameras, id }) => cameras.script(id, { media: 'none' }), end: ({ cameras, id }) => cameras.script(id, { media: 'all' }), representative: true },
  { fault: 'sends no keyframes', class: 'no-keyframe', detectMs: 5_500, recoverMs: 9_000, begin: ({ cameras, id }) => cameras.script(id, { keyframes: false }), end: ({ cameras, id }) => cameras.script(id, { keyframes: true }), representative: true },
  { fault: 'sends audio only', class: 'video-missing', detectMs: 5_500, recoverMs: 9_000, begin: ({ cameras, id }) => cameras.script(id, { media: 'audio-only' }), end: ({ cameras, id }) => cameras.script(id, { media: 'all' }), representative: true },
  { fault: 'whose timestamps stand still', class: 'timestamps', code: 'timestamps-frozen', detectMs: 4_000, recoverMs: 6_000, begin: ({ cameras, id }) => cameras.script(id, { timestamps: 'frozen' }), end: ({ cameras, id }) => cameras.script(id, { timestamps: 'running' }) },
  { fault: 'whose timestamps jump two hours ahead', class: 'timestamps', code: 'timestamps-jumped', ...quick, begin: ({ cameras, id }) => cameras.act(id, { type: 'jump', seconds: 7_200 }), representative: true },
  { fault: 'whose timestamps jump two hours back', class: 'timestamps', code: 'timestamps-jumped', ...quick, begin: ({ cameras, id }) => cameras.act(id, { type: 'jump', seconds: -7_200 }) },
  { fault: 'changes its resolution in mid-stream', class: 'media-changed', detectMs: 6_000, recoverMs: 3_000, begin: (scene) => change(scene, 'parking-360p-main', false), end: (scene) => change(scene, 'tiny-320x180-main', false), representative: true },
  { fault: 'changes its profile in mid-stream', class: 'media-changed', detectMs: 6_000, recoverMs: 3_000, begin: (scene) => change(scene, 'dock-360p-high', false), end: (scene) => change(scene, 'tiny-320x180-main', false) },
  { fault: 'changes its codec over a reconnect', class: 'media-changed', detectMs: 6_000, recoverMs: 5_000, begin: (scene) => change(scene, 'hevc-360p', true), end: (scene) => change(scene, 'tiny-320x180-main', true) },
  { fault: 'offers a codec nobody carries', class: 'unsupported', detectMs: 3_000, recoverMs: 8_000, begin: (scene) => change(scene, 'mpeg4-360p', true), end: async (scene) => (await change(scene, 'tiny-320x180-main', true), scene.command('retry')), representative: true },
  { fault: 'loses a tenth of its packets', class: null, detectMs: 2_000, recoverMs: 4_000, begin: ({ cameras, id }) => cameras.script(id, { drop: 0.1 }), end: ({ cameras, id }) => cameras.script(id, { drop: 0 }) },
  { fault: 'sends damaged packets', class: null, detectMs: 2_000, recoverMs: 4_000, begin: ({ cameras, id }) => cameras.script(id, { corrupt: 0.05 }), end: ({ cameras, id }) => cameras.script(id, { corrupt: 0 }) },
];

const change = ({ cameras, id }: FaultScene, video: string, reconnect: boolean): Promise<void> => cameras.act(id, { type: 'change', video, reconnect });

/** Faults of Lookout's own parts, injected. */
export const ownFaults: readonly FaultCase[] = [
  { fault: 'whose host is killed', class: 'host-crash', code: 'sigkill', ...quick, begin: ({ inject }) => inject({ fault: 'kill-host' }), representative: true },
  { fault: 'whose host crashes (SIGSEGV)', class: 'host-crash', code: 'sigsegv', ...quick, begin: ({ inject }) => inject({ fault: 'crash-host' }) },
  { fault: 'whose host is frozen', class: 'native-frozen', detectMs: 3_500, recoverMs: 5_000, begin: ({ inject }) => inject({ fault: 'freeze-host' }), representative: true },
  { fault: 'whose native call does not return', class: 'native-frozen', detectMs: 3_500, recoverMs: 5_000, begin: ({ inject }) => inject({ fault: 'native-hang', seconds: 10 }) },
  { fault: 'whose source gets nothing', class: 'silent', detectMs: 3_500, recoverMs: 6_000, begin: ({ inject }) => inject({ fault: 'silence', seconds: 6 }) },
  { fault: 'whose source loses packets', class: null, detectMs: 2_500, recoverMs: 4_000, begin: ({ inject }) => inject({ fault: 'drop-packets', rate: 0.2, seconds: 2 }), representative: true },
  { fault: 'whose source reads damaged packets', class: null, detectMs: 2_500, recoverMs: 4_000, begin: ({ inject }) => inject({ fault: 'corrupt-packets', rate: 0.01, seconds: 2 }), representative: true },
  { fault: 'whose actor throws', class: 'local', code: 'actor-crashed', detectMs: 1_000, recoverMs: 6_000, begin: ({ inject }) => inject({ fault: 'throw-in-actor' }), representative: true },
  { fault: 'whose worker is killed', class: 'sfu', code: 'worker-died', detectMs: 1_000, recoverMs: 5_000, touches: 'worker', begin: ({ inject }) => inject({ fault: 'kill-worker' }), representative: true },
  { fault: 'whose worker is frozen', class: 'sfu', code: 'worker-frozen', detectMs: 4_500, recoverMs: 6_000, touches: 'worker', begin: ({ inject }) => inject({ fault: 'freeze-worker' }) },
  { fault: 'fills its disk', class: 'storage', code: 'file-too-large', detectMs: 4_000, recoverMs: 6_000, recorded: true, begin: ({ inject }) => inject({ fault: 'disk-full', seconds: 2 }), representative: true },
  { fault: 'whose recorder is killed', class: 'host-crash', code: 'sigkill', ...quick, recorded: true, begin: ({ inject }) => inject({ fault: 'kill-host', target: 'record' }), representative: true },
  { fault: 'whose recorder is frozen', class: 'native-frozen', detectMs: 3_500, recoverMs: 5_000, recorded: true, begin: ({ inject }) => inject({ fault: 'freeze-host', target: 'record' }) },
  { fault: 'is flooded by viewers', class: null, detectMs: 2_500, recoverMs: 4_000, begin: ({ inject }) => inject({ fault: 'viewer-flood', seconds: 2, rate: 50 }), representative: true },
];

/** All of them. */
export const allFaults: readonly FaultCase[] = [...cameraFaults, ...ownFaults];
