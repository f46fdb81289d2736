/** RTCP as senders send it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goodbye, parseRtcp, senderReport } from '../../src/rtp/rtcp.ts';

test('a sender report states the instant in NTP time and comes with a CNAME', () => {
  const bytes = senderReport({ ssrc: 0xfeedface, wallClockMs: 1_700_000_000_250, rtpTimestamp: 2 ** 32 + 7, packets: 3, octets: 900, cname: 'x' });
  // 1700000000 s after 1970 is 3908988800 s after 1900; 250 ms are a quarter of 2^32.
  assert.equal(bytes.readUInt32BE(8), 3_908_988_800);
  assert.ok(Math.abs(bytes.readUInt32BE(12) - 2 ** 30) < 1000);
  const [report, description] = parseRtcp(bytes);
  assert.partialDeepStrictEqual(report, { type: 'sender-report', ssrc: 0xfeedface, rtpTimestamp: 7, packets: 3, octets: 900 });
  assert.ok(report?.type === 'sender-report' && Math.abs(report.wallClockMs - 1_700_000_000_250) < 0.01);
  assert.deepEqual(description, { type: 'other', payloadType: 202 });
});

test('a goodbye is a compound that begins with a report and ends the source', () => {
  assert.deepEqual(parseRtcp(goodbye({ ssrc: 5, cname: 'camera-sim' })), [{ type: 'other', payloadType: 201 }, { type: 'other', payloadType: 202 }, { type: 'bye', ssrc: 5 }]);
});

test('a compound that is cut off gives the packets before the cut', () => {
  assert.equal(parseRtcp(goodbye({ ssrc: 5, cname: 'x' }).subarray(0, -2)).length, 2);
  assert.deepEqual(parseRtcp(Buffer.alloc(3)), []);
});

test('a request for a keyframe names its stream: PLI in its header, FIR in its entry', () => {
  const pli = Buffer.from('81ce000200000001000000ff', 'hex');
  const fir = Buffer.from('84ce0004000000010000000000000abc07000000', 'hex');
  assert.deepEqual(parseRtcp(Buffer.concat([pli, fir])), [{ type: 'keyframe-request', ssrc: 0xff }, { type: 'keyframe-request', ssrc: 0xabc }]);
  // The same kind of packet with another message: a slice loss.
  assert.deepEqual(parseRtcp(Buffer.from('82ce00030000000100000abc00000000', 'hex')), [{ type: 'other', payloadType: 206 }]);
});
