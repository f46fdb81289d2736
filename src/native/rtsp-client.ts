/** The probe: asks a camera by RTSP DESCRIBE what it offers, before any pipeline starts, and learns the exact refusal. */
import type { CameraUrl } from '../camera-url.ts';
import type { Description, VideoFormat } from '../media.ts';
import { failure, FailureError } from '../errors.ts';
import { authorize, parseChallenges, strongest } from '../rtsp/auth.ts';
import { header, headerValues, type RtspResponse } from '../rtsp/message.ts';
import { soundOf } from '../rtsp/sound.ts';
import { controlBase, parseSdp, resolveControl, SdpError, type SdpFormat, type SdpMedia } from '../rtsp/sdp.ts';
import type { DialogueListener } from './flight-recorder.ts';
import type { NameResolver } from './resolve.ts';
import { RtspConnection, type TlsOptions } from './rtsp-connection.ts';
import { rtspStatusFailure } from './rtsp-status.ts';
import { h264ProfileName, parseH264Sps, parseH265Sps, type SpsInfo } from './sps.ts';

/** The video track that would be pulled. */
export type DescribedVideo = VideoFormat & {
  /** A description never tells; the stream does. */
  bFrames: null;
  /** Address of its SETUP. */
  control: string;
};

/** How a camera is asked. */
export type DescribeOptions = { tls: TlsOptions; resolver: NameResolver; deadlineMs: number; signal: AbortSignal; onMessage?: DialogueListener };

/** Resolves with what the camera offers; rejects with a {@link FailureError} of the class the refusal belongs to. */
export async function describe(url: CameraUrl, { tls, resolver, deadlineMs, signal, onMessage }: DescribeOptions): Promise<Description<DescribedVideo>> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  const addresses = await resolver.resolve(url.host, { deadlineMs });
  const connection = await RtspConnection.open({ url, addresses, tls, onMessage }, bounded);
  try {
    const response = await describeOnce(connection, url);
    if (response.status !== 200) throw new FailureError(rtspStatusFailure(response.status, `RTSP/1.0 ${response.status} ${response.reason}`));
    return readDescription(response, url);
  } finally {
    connection.close();
  }
}

/** With credentials where the camera asks for them; a second time only for a nonce that grew stale. */
async function describeOnce(connection: RtspConnection, url: CameraUrl): Promise<RtspResponse> {
  const accept = { Accept: 'application/sdp' };
  let response = await connection.request('DESCRIBE', url.safe, accept);
  for (let attempt = 1; response.status === 401 && url.credentials !== undefined && attempt <= 2; attempt += 1) {
    const challenge = strongest(parseChallenges(headerValues(response, 'www-authenticate')));
    if (challenge === undefined) break;
    if (attempt === 2 && !(challenge.scheme === 'digest' && challenge.stale)) break;
    const authorization = authorize(challenge, { credentials: url.credentials, method: 'DESCRIBE', uri: url.safe });
    response = await connection.request('DESCRIBE', url.safe, { ...accept, Authorization: authorization });
  }
  return response;
}

function readDescription(response: RtspResponse, url: CameraUrl): Description<DescribedVideo> {
  const base = controlBase(response, url.safe);
  const media = parse(response.body.toString('utf8'));
  const video = media.find((each) => each.kind === 'video' && codecOf(each) !== null);
  // A back channel wants our audio; it is no track of the camera's.
  const audio = media.find((each) => each.kind === 'audio' && each.direction !== 'recvonly' && each.formats[0] !== undefined);
  const sound = audio?.formats[0];
  return {
    server: header(response, 'server') ?? null,
    video: video === undefined ? null : describeVideo(video, base),
    audio: sound === undefined ? null : { codec: sound.encoding, rate: sound.clockRate, channels: sound.channels },
    sound: sound === undefined ? null : soundOf(sound),
    unsupported: media.filter((each) => each !== video && each !== audio && each.kind !== 'audio').map((each) => `${each.kind}/${each.formats[0]?.encoding || 'unknown'}`),
  };
}

function parse(body: string): SdpMedia[] {
  try {
    return parseSdp(body).media;
  } catch (error) {
    if (!(error instanceof SdpError)) throw error;
    throw new FailureError(failure('unsupported', 'sdp-invalid', 'The camera\'s description cannot be read.', error.message), error);
  }
}

function codecOf(media: SdpMedia): 'H264' | 'H265' | null {
  const encoding = media.formats[0]?.encoding;
  if (encoding === 'H264') return 'H264';
  return encoding === 'H265' || encoding === 'HEVC' ? 'H265' : null;
}

function describeVideo(media: SdpMedia, base: string): DescribedVideo {
  const codec = codecOf(media)!;
  const format = media.formats[0]!;
  const sps = codec === 'H264' ? spsOfH264(format) : spsOfH265(format);
  const announced = codec === 'H264' ? format.parameters.get('profile-level-id')?.toLowerCase() ?? null : null;
  // The SPS is what will be decoded; cameras announce a profile-level-id that is not theirs often enough.
  const profileLevelId = sps?.profileLevelId ?? announced;
  return {
    codec,
    profile: sps?.profile ?? profileName(profileLevelId),
    profileLevelId,
    width: sps?.width ?? null,
    height: sps?.height ?? null,
    fps: sps?.fps ?? media.frameRate ?? null,
    bFrames: null,
    control: resolveControl(base, media.control),
  };
}

function profileName(profileLevelId: string | null): string | null {
  if (profileLevelId === null || !/^[0-9a-f]{6}$/u.test(profileLevelId)) return null;
  return h264ProfileName(Number.parseInt(profileLevelId.slice(0, 2), 16), Number.parseInt(profileLevelId.slice(2, 4), 16));
}

function spsOfH264(format: SdpFormat): SpsInfo | null {
  return firstSps(format.parameters.get('sprop-parameter-sets'), parseH264Sps);
}

function spsOfH265(format: SdpFormat): SpsInfo | null {
  return firstSps(format.parameters.get('sprop-sps'), parseH265Sps);
}

/** Cameras list parameter sets in any order, some with an SPS that is cut short. */
function firstSps(sets: string | undefined, parseSps: (nal: Uint8Array) => SpsInfo | null): SpsInfo | null {
  for (const set of sets?.split(',') ?? []) {
    const info = parseSps(Buffer.from(set, 'base64'));
    if (info !== null) return info;
  }
  return null;
}
