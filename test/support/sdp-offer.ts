/** SDP offers as Chromium and GStreamer write them, with what a test wants to be different. */

type Changes = {
  /** Formats of the video section, as `m=` and its attributes have them. */
  formats?: string[];
  attributes?: string[];
  direction?: string;
  /** Sections before it. */
  before?: string[];
  group?: string;
};

const fingerprint = `a=fingerprint:sha-256 ${Array.from({ length: 32 }, (_, index) => index.toString(16).padStart(2, '0').toUpperCase()).join(':')}`;
/** What every offer of ours says about its transport. */
export const transportLines = ['a=ice-ufrag:abcd', 'a=ice-pwd:abcdefghijklmnopqrstuvwx', fingerprint, 'a=setup:actpass', 'a=rtcp-mux'];
/** A format in which a camera's main profile can be sent. */
export const mainFormat = ['127 H264/90000', 'fmtp:127 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f', 'rtcp-fb:127 nack', 'rtcp-fb:127 nack pli'];

/** Writes one. */
export function sdpOffer({ formats = mainFormat, attributes = transportLines, direction = 'recvonly', before = [], group = '0 1' }: Changes = {}): string {
  const payloads = formats.filter((line) => /^\d/u.test(line)).map((line) => line.split(' ')[0]);
  const mid = before.length === 0 ? 0 : 1;
  const lines = [
    'v=0', 'o=- 4611731400430051336 2 IN IP4 127.0.0.1', 's=-', 't=0 0', `a=group:BUNDLE ${group}`, ...before,
    `m=video 9 UDP/TLS/RTP/SAVPF ${payloads.join(' ')}`, 'c=IN IP4 0.0.0.0', `a=mid:${mid}`, `a=${direction}`, ...attributes,
    ...formats.map((line) => (/^\d/u.test(line) ? `a=rtpmap:${line}` : `a=${line}`)),
  ];
  return `${lines.join('\r\n')}\r\n`;
}
