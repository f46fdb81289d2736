/** What can be injected into a running camera, and in which form it is asked for. Test, bench and demo speak of faults by these names. */
import Type, { type Static } from 'typebox';

/** Every fault: what it does, and what `rate` means for it (null: nothing, so it is refused). Kept equal to `docs/failures.md` by a test. */
export const faults = {
  'kill-host': { does: 'SIGKILL to the host of `target`', rate: null },
  'crash-host': { does: 'SIGSEGV to the host of `target`, as a bug in native code would', rate: null },
  'freeze-host': { does: 'SIGSTOP to the host of `target`; its heartbeat goes unanswered', rate: null },
  'native-hang': { does: 'A native call in the host of `target` does not return for `seconds`', rate: null },
  'drop-packets': { does: 'The source loses RTP packets for `seconds`', rate: { means: 'share of packets', max: 1, fallback: 0.1 } },
  'corrupt-packets': { does: 'The source damages the packets\' payload for `seconds`', rate: { means: 'share of bytes', max: 1, fallback: 0.001 } },
  'silence': { does: 'The source gets no packet for `seconds`, the connection stays open', rate: null },
  'disk-full': { does: 'The record output may write no byte more for `seconds`, in whatever host it runs (`prlimit --fsize`: EFBIG instead of ENOSPC)', rate: null },
  'kill-worker': { does: 'SIGKILL to the media worker that carries the camera', rate: null },
  'freeze-worker': { does: 'SIGSTOP to the media worker that carries the camera', rate: null },
  'throw-in-actor': { does: 'The actor of the camera throws', rate: null },
  'viewer-flood': { does: 'Viewers join for `seconds`, ask for a transport and never connect', rate: { means: 'viewers a second', max: 500, fallback: 50 } },
} as const satisfies Record<string, { does: string; rate: { means: string; max: number; fallback: number } | null }>;

/** One of {@link faults}. */
export type FaultName = keyof typeof faults;

/** Whose host a host fault hits. */
export const faultTargets = ['source', 'hls', 'record', 'frames', 'transcode', 'snapshot'] as const;

/** Faults that last, and how long where `seconds` is not given. The others happen once. */
export const lastingFaults: Partial<Record<FaultName, number>> = { 'native-hang': 5, 'drop-packets': 5, 'corrupt-packets': 5, 'silence': 5, 'disk-full': 10, 'viewer-flood': 2 };

/** Body of `POST /api/v1/cameras/:id/faults`. */
export const FaultRequestSchema = Type.Object({
  fault: Type.Enum(Object.keys(faults) as FaultName[]),
  seconds: Type.Optional(Type.Number({ minimum: 0.1, maximum: 600, description: 'How long, for faults that last' })),
  rate: Type.Optional(Type.Number({ minimum: 0, description: 'Share of packets or bytes from 0 to 1, or viewers a second' })),
  stream: Type.Optional(Type.Enum(['main', 'sub'], { description: 'Which stream of the camera, `main` where absent' })),
  target: Type.Optional(Type.Enum([...faultTargets], { description: 'Whose host, `source` where absent' })),
}, { additionalProperties: false, title: 'FaultRequest' });
export type FaultRequest = Static<typeof FaultRequestSchema>;

/** What was done: the process that was hit, and until when a lasting fault lasts. */
export const FaultSchema = Type.Object({
  camera: Type.String(),
  stream: Type.Optional(Type.Literal('sub', { description: 'Where it hit the second stream' })),
  fault: Type.Enum(Object.keys(faults) as FaultName[]),
  pid: Type.Union([Type.Integer(), Type.Null()], { description: 'The process that was hit' }),
  rate: Type.Union([Type.Number(), Type.Null()]),
  until: Type.Union([Type.String(), Type.Null()], { description: 'End of a lasting fault' }),
}, { title: 'Fault' });
export type FaultView = Static<typeof FaultSchema>;
