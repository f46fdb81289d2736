/** Access units for a replay: a clip's pictures and sounds, cut into as many packets as the recording had. */
import { packetizeH264 } from '../rtp/h264.ts';
import { packetizeH265 } from '../rtp/h265.ts';
import { splitAnnexB } from '../rtp/nal.ts';
import { headerBytes, packetEnd, PacketWriter, prefixBytes } from '../rtp/packet.ts';
import type { PacketRun } from '../rtp/packet.ts';
import { readClip } from './clip.ts';
import { clipFile, loadTrack } from './track.ts';

/** Hands out one unit after the other. */
export type UnitSource = {
  /** Exactly `packets` packets, of about `bytes` together. The next keyframe of the clip, or the next unit that is none. */
  next(request: { keyframe: boolean; packets: number; bytes: number }): PacketRun;
};

/** Filler data (H.264 table 7-1, H.265 table 7-1): a decoder skips it. */
const fillers = { H264: Buffer.from([0x0c]), H265: Buffer.from([0x4c, 0x01]) } as const;
const mtuPayload = 1388;
const largestPayload = 65_000;
const payloadType = 96;

/** The units of a clip. */
export function unitSource(clip: string): UnitSource {
  const { header: { codec, keyframes }, units } = readClip(clipFile(clip));
  if (codec !== 'H264' && codec !== 'H265') return wholePackets(clip);
  const isKeyframe = new Set(keyframes);
  let position = 0;
  const find = (keyframe: boolean): Buffer => {
    const from = position;
    do position = (position + 1) % units.length; while (isKeyframe.has(position) !== keyframe && position !== from);
    return units[position] as Buffer;
  };
  return {
    next({ keyframe, packets, bytes }) {
      const nals = splitAnnexB(find(keyframe));
      const write = (fill: number, maxPayload: number): PacketRun => {
        const writer = new PacketWriter({ payloadType, maxPayload });
        for (let index = 0; index < fill; index += 1) filler(writer, { codec, bytes: Math.min(mtuPayload, Math.ceil(bytes / packets) - headerBytes) });
        if (codec === 'H264') packetizeH264(nals, writer);
        else packetizeH265(nals, writer);
        return writer.finish();
      };
      // Larger packets until they are few enough, then filler until they are many enough.
      let maxPayload = mtuPayload;
      let run = write(0, maxPayload);
      while (run.offsets.length > packets && maxPayload < largestPayload) run = write(0, maxPayload = Math.min(largestPayload, maxPayload * 2));
      return run.offsets.length < packets ? write(packets - run.offsets.length, maxPayload) : run;
    },
  };
}

function filler(writer: PacketWriter, { codec, bytes }: { codec: 'H264' | 'H265'; bytes: number }): void {
  const head = fillers[codec];
  const payload = writer.open(Math.max(head.length + 1, bytes), false);
  payload.fill(0xff);
  head.copy(payload);
  payload[payload.length - 1] = 0x80;
}

/** Sound, and pictures nobody carries: packets as they come. */
function wholePackets(clip: string): UnitSource {
  const { units } = loadTrack(clip);
  let position = 0;
  return {
    next({ packets }) {
      const writer = new PacketWriter({ payloadType });
      for (let index = 0; index < packets; index += 1) {
        const unit = units[position = (position + 1) % units.length] as PacketRun;
        const payload = unit.bytes.subarray((unit.offsets[0] ?? 0) + prefixBytes + headerBytes, packetEnd(unit, 0));
        payload.copy(writer.open(payload.length, false));
      }
      return writer.finish();
    },
  };
}
