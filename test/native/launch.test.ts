/** Launch descriptions: nothing from outside enters them but checked integers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { sourceClock, sourceLaunch, sourceProperties } from '../../src/native/launch.ts';
import { pictureLaunch, sizeCaps } from '../../src/native/launch-picture.ts';
import { sourceSpec } from '../support/hosts.ts';

/** What a running time of 0 is, in these tests. */
const clock = { feed: 1, rtp: 1, ms: 1 };
const feed = { port: 20_001, bindPort: 20_000, ssrc: 0xffffffff, payloadType: 101, open: false };

const rtpOf = (ns: bigint): number => sourceClock(ns).rtp;

describe('launch description', () => {
  test('is the same for any address, whatever it holds', () => {
    const expected = sourceLaunch(sourceSpec('rtsp://camera/'), clock);
    fc.assert(fc.property(fc.webPath(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (path, user, password) => {
      const quoted = (text: string): string => encodeURIComponent(text).replaceAll("'", '%27');
      const url = `rtsp://${quoted(user)}:${quoted(password)}@camera${path.replaceAll("'", '')}!filesink;location=`;
      assert.equal(sourceLaunch(sourceSpec(url), clock), expected);
    }));
  });

  test('credentials are properties of their own, decoded, and not in the location', () => {
    assert.deepEqual(sourceProperties(sourceSpec('rtsp://ad%20min:p%40ss@camera:8554/x?a=b')), { location: 'rtsp://camera:8554/x?a=b', 'user-id': 'ad min', 'user-pw': 'p@ss' });
    assert.deepEqual(sourceProperties(sourceSpec('rtsp://camera/x')), { location: 'rtsp://camera/x' });
  });

  test('32-bit numbers keep all their digits', () => {
    const text = sourceLaunch(sourceSpec('rtsp://camera/', { feed }), { feed: 0xfffffffe, rtp: 1, ms: 1 });
    assert.match(text, /ssrc=4294967295 timestamp-offset=4294967294 /u);
    assert.match(text, /bind-address=127\.0\.0\.1 bind-port=20000 /u);
    assert.match(text, /valve name=feed drop=true/u);
  });

  for (const [what, change] of Object.entries({ port: { port: 0 }, 'bind-port': { bindPort: 65_536 }, ssrc: { ssrc: 2 ** 32 }, 'payload type': { payloadType: 95 }, fraction: { ssrc: 1.5 }, text: { port: '1 ! filesink' as unknown as number } })) {
    test(`${what} out of range throws`, () => assert.throws(() => sourceLaunch(sourceSpec('rtsp://camera/', { feed: { ...feed, ...change } }), clock), RangeError));
  }

  test('H.265 has a hub and no feed, since WebRTC cannot carry it', () => {
    const text = sourceLaunch(sourceSpec('rtsp://camera/', { video: { codec: 'H265' }, feed }), clock);
    assert.match(text, /rtph265depay .*matroskamux .*cluster-timestamp-offset=1000000 ! tcpserversink name=hub/u);
    assert.doesNotMatch(text, /udpsink/u);
  });

  test('TLS is verified unless it is switched off or a fingerprint is checked by the probe', () => {
    const flags = (tls: { verify: boolean; fingerprint: string | undefined }, url = 'rtsps://camera/') => sourceLaunch(sourceSpec(url, { tls }), clock).includes('tls-validation-flags=0');
    assert.deepEqual([flags({ verify: true, fingerprint: undefined }), flags({ verify: false, fingerprint: undefined }), flags({ verify: true, fingerprint: 'ab' })], [false, true, true]);
  });

  test('elements that drop and damage exist only where fault injection is switched on', () => {
    const text = (faults?: boolean) => sourceLaunch(sourceSpec('rtsp://camera/', faults === undefined ? {} : { faults }), clock);
    assert.match(text(true), /identity name=drop .*breakmydata name=corrupt .*identity name=dropaudio/u);
    for (const off of [text(), text(false)]) assert.doesNotMatch(off, /drop-probability|breakmydata/u);
  });

  test('jitter buffer is for UDP only', () => {
    const text = (transport: 'tcp' | 'udp') => sourceLaunch(sourceSpec('rtsp://camera/', { transport, latencyMs: 150 }), clock);
    assert.match(text('tcp'), /protocols=tcp latency=0 /u);
    assert.match(text('udp'), /protocols=udp latency=150 /u);
  });

  test('a picture is scaled only where a width is asked for', () => {
    assert.match(pictureLaunch({ codec: 'H265', quality: 80 }), /avdec_h265 max-threads=1 .* jpegenc quality=80 /u);
    assert.throws(() => pictureLaunch({ codec: 'H264', quality: 0 }), RangeError);
    assert.deepEqual([sizeCaps(0), sizeCaps(320)], ['video/x-raw', 'video/x-raw,width=320,pixel-aspect-ratio=1/1']);
    assert.throws(() => sizeCaps(1), RangeError);
  });

  test('timestamp offset is CLOCK_MONOTONIC in 90 kHz ticks mod 2³²', () => {
    assert.equal(rtpOf(0n), 0);
    assert.equal(rtpOf(1_000_000_000n), 90_000);
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.integer({ min: 1, max: 100_000 }), (ns, laterMs) => {
      const advance = (rtpOf(ns + BigInt(laterMs) * 1_000_000n) - rtpOf(ns) + 2 ** 32) % 2 ** 32;
      assert.ok(Math.abs(advance - laterMs * 90) <= 1);
    }));
  });
});
