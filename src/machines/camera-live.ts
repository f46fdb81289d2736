/** How WebRTC viewers get a camera: its own packets, a transcode, or not at all. Pure; the actions are in `camera-setup.ts`. */
import { carriageOf, transcodedProfile, transcodeForm, type CarriedMedia, type Carriage, type TranscodeForm } from '../carriage.ts';
import type { Feed } from '../media.ts';
import type { CameraContext } from './camera-context.ts';

/** What a transcode is started with: its form, and the ingest it feeds in the place of the source. */
export type TranscodeOptions = { transcode: TranscodeForm; feed: Pick<Feed, 'port' | 'bindPort' | 'ssrc' | 'payloadType'> };

type Known = Pick<CameraContext, 'config' | 'media' | 'description' | 'bFrames'>;

/** The video as it is known: the parameter sets in use, else what the description said; null before both. */
export function carriedMedia({ media, description, bFrames }: Omit<Known, 'config'>): CarriedMedia | null {
  const known = media ?? description?.video ?? null;
  return known && { ...known, bFrames };
}

/** Decides it from what is known by now. */
export function carriage(context: Known): Carriage {
  return carriageOf(carriedMedia(context), context.config.outputs.live.transcode);
}

/** What the ingest must announce; null where there is nothing that it can carry. */
export function announcedProfile(context: Known): string | null {
  const media = carriedMedia(context);
  switch (carriage(context)) {
    case 'plain': return media?.codec === 'H264' ? media.profileLevelId : null;
    case 'transcode': return transcodedProfile;
    case 'none': return null;
  }
}

/** Whether the source itself is to feed the ingest: nobody may, besides a transcode. */
export function feedsIngest(context: CameraContext): boolean {
  return context.feedOpen && carriage(context) === 'plain';
}

/** The transcode of this camera; null where it needs none, or before its format is known, which decides the form. */
export function transcodeOf(context: CameraContext): TranscodeOptions | null {
  if (carriage(context) !== 'transcode') return null;
  const { port, bindPort, ssrc, payloadType } = context.feed;
  return context.media && { transcode: transcodeForm(context.media, context.settings.transcode.maxHeight), feed: { port, bindPort, ssrc, payloadType } };
}
