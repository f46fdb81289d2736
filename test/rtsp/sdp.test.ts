/** SDP as cameras answer it, and where their controls point. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SdpError, controlBase, parseSdp, resolveControl } from '../../src/rtsp/sdp.ts';

test('an H.264 and AAC description gives tracks, parameters and controls', () => {
  const sdp = parseSdp([
    'v=0', 'o=- 1 1 IN IP4 10.0.0.5', 's=Media Presentation', 'a=control:*', 'a=range:npt=now-', 't=0 0',
    'm=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', 'a=framerate:25.0', 'a=control:trackID=1',
    'a=fmtp:96 packetization-mode=1; profile-level-id=4D001F; sprop-parameter-sets=Z00AH5WoFAFuQA==,aO48gA==;',
    'm=audio 0 RTP/AVP 97', 'a=rtpmap:97 mpeg4-generic/16000/2', 'a=fmtp:97 config=1408;sizeLength=13', 'a=control:trackID=2', 'a=recvonly',
  ].join('\r\n'));
  const [video, audio] = sdp.media;
  assert.equal(sdp.range, 'npt=now-');
  assert.equal(video?.frameRate, 25);
  assert.partialDeepStrictEqual(video?.formats[0], { payloadType: 96, encoding: 'H264', clockRate: 90_000 });
  assert.equal(video?.formats[0]?.parameters.get('sprop-parameter-sets'), 'Z00AH5WoFAFuQA==,aO48gA==');
  assert.partialDeepStrictEqual(audio?.formats[0], { encoding: 'MPEG4-GENERIC', clockRate: 16_000, channels: 2 });
  assert.equal(audio?.direction, 'recvonly');
  assert.equal(audio?.control, 'trackID=2');
});

test('static payload types need no rtpmap', () => {
  const { media } = parseSdp('m=audio 0 RTP/AVP 0 8\nm=video 0 RTP/AVP 26\n');
  assert.deepEqual(media.flatMap(({ formats }) => formats.map(({ encoding, clockRate }) => [encoding, clockRate])), [['PCMU', 8000], ['PCMA', 8000], ['JPEG', 90_000]]);
});

test('attributes before their rtpmap and for unknown payload types are tolerated', () => {
  const { media } = parseSdp('m=video 0 RTP/AVP 96\na=fmtp:96 profile-level-id=42e01f\na=fmtp:97 x=1\na=fmtp\na=rtpmap:96 h264/90000');
  assert.equal(media[0]?.formats[0]?.parameters.get('profile-level-id'), '42e01f');
  assert.equal(media[0]?.formats[0]?.encoding, 'H264');
});

test('a text without media is refused', () => {
  for (const text of ['', 'v=0\r\ns=x', '<html></html>']) assert.throws(() => parseSdp(text), SdpError);
});

test('controls resolve as cameras expect', () => {
  const table: [base: string, control: string | undefined, expected: string][] = [
    ['rtsp://h/cam/', 'trackID=1', 'rtsp://h/cam/trackID=1'],
    ['rtsp://h/cam', 'trackID=1', 'rtsp://h/cam/trackID=1'],
    ['rtsp://h/cam?channel=1&subtype=0', 'trackID=0', 'rtsp://h/cam?channel=1&subtype=0/trackID=0'],
    ['rtsp://h/cam', 'rtsp://h:554/cam/track1', 'rtsp://h:554/cam/track1'],
    ['rtsp://h:554/cam/x', '/other/track1', 'rtsp://h:554/other/track1'],
    ['rtsp://h/cam/', '*', 'rtsp://h/cam/'],
    ['rtsp://h/cam', undefined, 'rtsp://h/cam'],
  ];
  for (const [base, control, expected] of table) assert.equal(resolveControl(base, control), expected);
});

test('the base is Content-Base, then Content-Location, then the request, and nonsense is not believed', () => {
  const base = (headers: Record<string, string>): string => controlBase({ headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value]])) }, 'rtsp://h/request');
  assert.equal(base({ 'content-base': 'rtsp://h/base/', 'content-location': 'rtsp://h/location' }), 'rtsp://h/base/');
  assert.equal(base({ 'content-location': 'rtsp://h/location' }), 'rtsp://h/location');
  assert.equal(base({ 'content-base': '/relative/' }), 'rtsp://h/request');
  assert.equal(base({}), 'rtsp://h/request');
});

test('any text is a description with media or an SdpError', () => {
  const line = fc.oneof(fc.string(), fc.constantFrom('m=video 0 RTP/AVP 96', 'm=', 'm=audio x y z', 'a=rtpmap:96 H264/90000', 'a=rtpmap:96', 'a=fmtp:96 a=b;;=;c', 'a=control:', 'a=framerate:-', 'a='));
  fc.assert(fc.property(fc.array(line, { maxLength: 15 }), (lines) => {
    try {
      assert.ok(parseSdp(lines.join('\r\n')).media.length > 0);
    } catch (error) {
      assert.ok(error instanceof SdpError);
    }
  }), { numRuns: 1000 });
});
