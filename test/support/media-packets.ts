/** The packets of a media file as Mediabunny reads them: a demuxer that shares no line with ffmpeg, GStreamer or Lookout. */
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input, type InputTrack } from 'mediabunny';

/** One packet; times in seconds, `key` where decoding can begin with it. */
export type MediaPacket = { time: number; duration: number; key: boolean; bytes: number };

/** A file's first picture and first sound, packets in decoding order. */
export type MediaPackets = { video: MediaPacket[]; audio: MediaPacket[] | null; codec: string | null; width: number; height: number };

/** Reads a file of any container that is known. Rejects where there is no video in it. */
export async function packetsOf(bytes: Uint8Array): Promise<MediaPackets> {
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(bytes) });
  const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()];
  if (video === null) throw new Error('There is no video in it.');
  return { video: await all(video), audio: audio && await all(audio), codec: await video.getCodec(), width: await video.getCodedWidth(), height: await video.getCodedHeight() };
}

async function all(track: InputTrack): Promise<MediaPacket[]> {
  const packets: MediaPacket[] = [];
  for await (const packet of new EncodedPacketSink(track).packets(undefined, undefined, { metadataOnly: true })) {
    packets.push({ time: packet.timestamp, duration: packet.duration, key: packet.type === 'key', bytes: packet.byteLength });
  }
  return packets;
}
