/** The launch description of a frames output: hub → decoder → size, rate and format → readers. Pure. */
import { decoders, hubClient } from './launch.ts';
import { integer } from './launch-number.ts';
import type { FramesSpec } from './protocol.ts';

/** Element names of a frames output, as its runner looks them up; those of the time line are the recorder's. */
export const framesElements = { sink: 'frames' } as const;

/**
 * One thread decodes, since frame threads hold frames back. The rate comes down before anything is scaled, and never up. `lookoutframes` never blocks. What its
 * running times are on the wall clock it learns of the client's `lookoutclock`.
 */
export function framesLaunch({ hub, form, port }: FramesSpec): string {
  const caps = `video/x-raw,format=${formatOf(form.format)},width=${integer(form.width, 16, 7_680)},height=${integer(form.height, 16, 4_320)},pixel-aspect-ratio=1/1`;
  return `${hubClient(hub.codec, hub.port, true)} ! lookouttimes ! ${decoders[hub.codec]} max-threads=1 ! lookouttimes max-rate=${integer(form.fps, 1, 120)} ! videoscale ! videoconvert ! ${caps}`
    + ` ! lookoutframes name=frames port=${integer(port, 0, 65_535)}`;
}

/** Only these enter a launch description. */
function formatOf(format: FramesSpec['form']['format']): string {
  if (!['RGB', 'I420', 'NV12', 'GRAY8'].includes(format)) throw new RangeError(`${String(format)} is no format of frames.`);
  return format;
}
