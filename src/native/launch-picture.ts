/** The launch description of a picture taker: access units that are pushed → JPEG. Pure. */
import { decoders } from './launch.ts';
import { integer } from './launch-number.ts';
import type { HostCommand } from './protocol.ts';

/** Element names of a picture taker, as its runner looks them up. */
export const pictureElements = { source: 'units', passed: 'passed', size: 'size', picture: 'picture' } as const;

/** Decoded in one thread, since frame threads hold frames back. There is no parser: what is pushed are whole access units. `passed` tells what came last before the decoder. */
export function pictureLaunch({ codec, quality }: Pick<Extract<HostCommand, { type: 'snapshot.take' }>, 'codec' | 'quality'>): string {
  return `appsrc name=${pictureElements.source} format=time max-bytes=0 ! identity name=${pictureElements.passed} silent=false ! ${decoders[codec]} max-threads=1`
    + ` ! videoscale ! capsfilter name=${pictureElements.size} ! videoconvert ! jpegenc quality=${integer(quality, 1, 100)}`
    + ` ! appsink name=${pictureElements.picture} max-buffers=2 drop=false sync=false async=false`;
}

/** What the size filter is set to; 0 keeps the camera's size. */
export function sizeCaps(width: number): string {
  return width === 0 ? 'video/x-raw' : `video/x-raw,width=${integer(width, 16, 8192)},pixel-aspect-ratio=1/1`;
}
