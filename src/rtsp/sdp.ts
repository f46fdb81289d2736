/** SDP as RTSP uses it (RFC 8866, RFC 2326 appendix C): what DESCRIBE answers, and where its controls point. */
import { header } from './message.ts';
import type { RtspHeaders } from './message.ts';

/** One payload format of a media section. */
export type SdpFormat = {
  payloadType: number;
  /** Encoding name in upper case: `H264`, `H265`, `PCMU`, `MPEG4-GENERIC`; empty where nothing says it. */
  encoding: string;
  clockRate: number;
  /** Audio channels; 1 where not given. */
  channels: number;
  /** Format parameters by lower-case name. */
  parameters: ReadonlyMap<string, string>;
};

/** A media section. */
export type SdpMedia = {
  kind: string;
  port: number;
  protocol: string;
  formats: SdpFormat[];
  control: string | undefined;
  /** `recvonly` from a camera marks an ONVIF back channel: it wants our audio. */
  direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
  /** From `a=framerate`, where given. */
  frameRate: number | undefined;
};

/** A session description. */
export type SessionDescription = { name: string; control: string | undefined; range: string | undefined; media: SdpMedia[] };

/** Why a text is not a session description. */
export class SdpError extends Error {
  override readonly name = 'SdpError';
}

const staticTypes: Record<number, [encoding: string, clockRate: number]> = {
  0: ['PCMU', 8000], 3: ['GSM', 8000], 8: ['PCMA', 8000], 9: ['G722', 8000], 10: ['L16', 44_100], 11: ['L16', 44_100],
  14: ['MPA', 90_000], 26: ['JPEG', 90_000], 32: ['MPV', 90_000], 33: ['MP2T', 90_000],
};
const directions = new Set(['sendrecv', 'sendonly', 'recvonly', 'inactive']);

/** Parses a description. Tolerates what cameras do (wrong line order, unknown lines, bare line feeds); throws {@link SdpError} without any media. */
export function parseSdp(text: string): SessionDescription {
  const session: SessionDescription = { name: '', control: undefined, range: undefined, media: [] };
  let media: SdpMedia | undefined;
  for (const line of text.split(/\r\n|\n|\r/u)) {
    const value = line.slice(2).trim();
    if (line.startsWith('m=')) {
      media = parseMedia(value);
      session.media.push(media);
    } else if (line.startsWith('s=')) session.name = value;
    else if (line.startsWith('a=') && media) mediaAttribute(media, value);
    else if (line.startsWith('a=')) sessionAttribute(session, value);
  }
  if (session.media.length === 0) throw new SdpError('The description has no media section');
  return session;
}

/** The base of relative controls (RFC 2326 C.1.1): Content-Base, then Content-Location, then the request. */
export function controlBase(response: { headers: RtspHeaders }, requestUri: string): string {
  const base = header(response, 'content-base') ?? header(response, 'content-location') ?? '';
  // Cameras behind a router announce nonsense such as "rtsp://0.0.0.0/" or a path; only an RTSP address is believed.
  return /^rtsps?:\/\/[^/]/iu.test(base) ? base : requestUri;
}

/**
 * Address to SETUP for a control attribute. Relative controls are appended after a slash, query string or not: that is
 * what cameras expect and every client does, though RFC 3986 would replace the last segment.
 */
export function resolveControl(base: string, control: string | undefined): string {
  if (control === undefined || control === '' || control === '*') return base;
  if (/^rtsps?:\/\//iu.test(control)) return control;
  if (control.startsWith('/')) return `${/^rtsps?:\/\/[^/?#]*/iu.exec(base)?.[0] ?? ''}${control}`;
  return base.endsWith('/') ? `${base}${control}` : `${base}/${control}`;
}

function parseMedia(value: string): SdpMedia {
  const [kind = '', port = '0', protocol = '', ...types] = value.split(/\s+/u);
  const formats = types.filter((type) => /^\d{1,3}$/u.test(type)).map(Number).map((payloadType): SdpFormat => {
    const [encoding, clockRate] = staticTypes[payloadType] ?? ['', 0];
    return { payloadType, encoding, clockRate, channels: 1, parameters: new Map() };
  });
  return { kind: kind.toLowerCase(), port: Number.parseInt(port, 10) || 0, protocol, formats, control: undefined, direction: 'sendrecv', frameRate: undefined };
}

function sessionAttribute(session: SessionDescription, value: string): void {
  const { name, text } = attribute(value);
  if (name === 'control') session.control = text;
  else if (name === 'range') session.range = text;
}

function mediaAttribute(media: SdpMedia, value: string): void {
  const { name, text } = attribute(value);
  if (name === 'control') media.control = text;
  else if (directions.has(name)) media.direction = name as SdpMedia['direction'];
  else if (name === 'framerate') media.frameRate = positive(text);
  else if (name === 'x-framerate') media.frameRate ??= positive(text);
  else if (name === 'rtpmap') rtpmap(media, text);
  else if (name === 'fmtp') fmtp(media, text);
}

function attribute(value: string): { name: string; text: string } {
  const colon = value.indexOf(':');
  if (colon === -1) return { name: value.toLowerCase(), text: '' };
  return { name: value.slice(0, colon).trim().toLowerCase(), text: value.slice(colon + 1).trim() };
}

function rtpmap(media: SdpMedia, text: string): void {
  const match = /^(\d+)\s+([^/\s]+)(?:\/(\d+))?(?:\/(\d+))?/u.exec(text);
  const format = media.formats.find(({ payloadType }) => payloadType === Number(match?.[1]));
  if (!match || !format) return;
  format.encoding = (match[2] ?? '').toUpperCase();
  format.clockRate = Number(match[3] ?? format.clockRate);
  format.channels = Number(match[4] ?? 1);
}

function fmtp(media: SdpMedia, text: string): void {
  const match = /^(\d+)\s+(.*)$/u.exec(text);
  const format = media.formats.find(({ payloadType }) => payloadType === Number(match?.[1]));
  if (!match || !format) return;
  const parameters = new Map(format.parameters);
  for (const part of (match[2] ?? '').split(';')) {
    // Base64 values end in "=": only the first one separates.
    const equals = part.indexOf('=');
    const name = (equals === -1 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (name !== '') parameters.set(name, equals === -1 ? '' : part.slice(equals + 1).trim());
  }
  format.parameters = parameters;
}

function positive(text: string): number | undefined {
  const value = Number.parseFloat(text);
  return value > 0 ? value : undefined;
}
