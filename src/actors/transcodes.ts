/**
 * The transcodes of all cameras: a budget of cores that they share, who watches them, and what one process leaves to the
 * next. A share is taken by the first viewer and given back when the last one is gone and the process has ended.
 */
import { failure, FailureError, LookoutError } from '../errors.ts';

/** Cores that are in use by estimate, cores there are, and how many viewers were refused since the program began. */
export type TranscodeFigures = { used: number; budget: number; refused: number };

/** The book of transcodes. */
export type Transcodes = {
  /**
   * One more viewer of a camera, until the returned function is called, which may be called again. The first one starts
   * the transcode, the last one ends it. Throws `LOOKOUT_TRANSCODE_BUDGET`.
   */
  watch(camera: string, cores: number): () => void;
  /** Its process is about to start. Returns the first sequence number of its RTP; throws a `FailureError` where the budget has no room for it. */
  begin(camera: string, cores: number): number;
  /** The newest sequence number of its RTP. */
  sent(camera: string, sequence: number): void;
  /** Its process is gone. */
  end(camera: string): void;
  figures(): TranscodeFigures;
};

type Share = { cores: number; viewers: number; running: boolean };

/** Half the circle: mediasoup takes a smaller jump for packets that were lost (`RtpStream`, `MaxDropout`). */
const farAway = 0x8000;
/** Estimates have two decimals. */
const round = (cores: number): number => Math.round(cores * 100) / 100;

/** Makes the book. `want` tells a camera whether somebody watches. */
export function createTranscodes({ budget, want }: { budget: number; want: (camera: string, wanted: boolean) => void }): Transcodes {
  const shares = new Map<string, Share>();
  const sequences = new Map<string, number>();
  let refused = 0;
  const used = (): number => round([...shares.values()].reduce((sum, { cores }) => sum + cores, 0));
  const hasRoom = (camera: string, cores: number): boolean => used() - (shares.get(camera)?.cores ?? 0) + cores <= budget;
  const shareOf = (camera: string, cores: number): Share => {
    const share = shares.get(camera) ?? { cores, viewers: 0, running: false };
    shares.set(camera, share);
    return share;
  };
  const drop = (camera: string): void => {
    const share = shares.get(camera);
    if (share && share.viewers === 0 && !share.running) shares.delete(camera);
  };
  const words = (cores: number): string => `To turn this camera into H.264 takes about ${round(cores)} cores; ${used()} of the ${budget} for all cameras are in use (transcode.cores).`;

  return {
    watch(camera, cores) {
      if (!shares.has(camera) && !hasRoom(camera, cores)) {
        refused += 1;
        throw new LookoutError('LOOKOUT_TRANSCODE_BUDGET', { cameraId: camera, message: words(cores) });
      }
      const share = shareOf(camera, cores);
      share.viewers += 1;
      // Each time: an actor that came anew knows nothing.
      want(camera, true);
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        share.viewers -= 1;
        if (share.viewers > 0) return;
        want(camera, false);
        drop(camera);
      };
    },
    begin(camera, cores) {
      if (!hasRoom(camera, cores)) throw new FailureError(failure('local', 'transcode-budget', words(cores)));
      Object.assign(shareOf(camera, cores), { cores, running: true });
      const sequence = ((sequences.get(camera) ?? Math.floor(Math.random() * 0xffff)) + farAway) & 0xffff;
      sequences.set(camera, sequence);
      return sequence;
    },
    sent: (camera, sequence) => void sequences.set(camera, sequence),
    end(camera) {
      const share = shares.get(camera);
      if (!share) return;
      share.running = false;
      drop(camera);
    },
    figures: () => ({ used: used(), budget, refused }),
  };
}
