/** RTSP messages: the parser against split, folded, padded and hostile input, and what is serialised against the parser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RtspParseError, RtspParser, header, headerValues, interleave, serialiseRequest, serialiseResponse } from '../../src/rtsp/message.ts';
import type { RtspRequest, RtspResponse } from '../../src/rtsp/message.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

function only(text: string): RtspRequest | RtspResponse {
  const items = new RtspParser().push(bytes(text));
  const [item] = items;
  assert.ok(items.length === 1 && item !== undefined && item.type !== 'frame');
  return item;
}

test('a response split at every byte parses to the same message', () => {
  const whole = serialiseResponse({ status: 200, headers: { CSeq: 2, 'Content-Type': 'application/sdp' }, body: 'v=0\r\nm=video 0 RTP/AVP 96\r\n' });
  for (let cut = 1; cut < whole.length; cut += 1) {
    const parser = new RtspParser();
    const items = [...parser.push(whole.subarray(0, cut)), ...parser.push(whole.subarray(cut))] as RtspResponse[];
    assert.equal(items.length, 1, `cut at ${cut}`);
    assert.equal(items[0]?.status, 200);
    assert.equal(items[0]?.body.toString(), 'v=0\r\nm=video 0 RTP/AVP 96\r\n');
    assert.equal(parser.pendingBytes, 0);
  }
});

test('a request keeps its URI and gives its headers whatever their case', () => {
  const item = only('SETUP rtsp://h/cam?ch=1/trackID=0 RTSP/1.0\r\ncseq:  3 \r\nTRANSPORT:RTP/AVP/TCP;interleaved=0-1\r\n\r\n');
  assert.equal(item.type, 'request');
  assert.equal(item.type === 'request' && item.uri, 'rtsp://h/cam?ch=1/trackID=0');
  assert.equal(header(item, 'CSeq'), '3');
  assert.equal(header(item, 'Transport'), 'RTP/AVP/TCP;interleaved=0-1');
});

test('interleaved frames between messages come out in order', () => {
  const stream = Buffer.concat([interleave(0, bytes('one')), serialiseResponse({ status: 200, headers: { CSeq: 9 } }), interleave(1, bytes('')), interleave(255, bytes('three'))]);
  const kinds = new RtspParser().push(stream).map((item) => (item.type === 'frame' ? `${item.channel}:${item.data.toString()}` : item.type));
  assert.deepEqual(kinds, ['0:one', 'response', '1:', '255:three']);
});

test('two WWW-Authenticate headers are both kept', () => {
  const item = only('RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm="a", nonce="b"\r\nWWW-Authenticate: Basic realm="a"\r\n\r\n');
  assert.deepEqual(headerValues(item, 'www-authenticate'), ['Digest realm="a", nonce="b"', 'Basic realm="a"']);
});

test('bare line feeds, folded fields, stray blank lines, missing reasons and lines without colon are tolerated', () => {
  const item = only('\r\n\r\nRTSP/1.0 454\nCSeq: 4\nPublic: DESCRIBE,\n SETUP\n[debug] heap low\n\n');
  assert.equal(item.type === 'response' && item.status, 454);
  assert.equal(item.type === 'response' && item.reason, '');
  assert.equal(header(item, 'public'), 'DESCRIBE, SETUP');
});

test('bytes that are not RTSP are refused as garbage before a header end comes', () => {
  for (const text of ['\u0000\u0001\u0002', 'HTTP/1.1 400 Bad Request\r\n\r\n', '<html>', 'get / HTTP/1.0']) {
    assert.throws(() => new RtspParser().push(bytes(text)), (error: unknown) => error instanceof RtspParseError && error.code === 'garbage', text);
  }
});

test('endless headers and oversized bodies are refused as too large', () => {
  const tooLarge = (error: unknown): boolean => error instanceof RtspParseError && error.code === 'too-large';
  assert.throws(() => new RtspParser({ maxHeaderBytes: 256 }).push(bytes(`OPTIONS * RTSP/1.0\r\nX: ${'a'.repeat(300)}`)), tooLarge);
  assert.throws(() => new RtspParser({ maxBodyBytes: 10 }).push(bytes('RTSP/1.0 200 OK\r\nContent-Length: 11\r\n\r\n')), tooLarge);
});

test('a Content-Length that is no number is refused', () => {
  for (const length of ['-1', 'abc', '1e3', '99999999999']) {
    assert.throws(() => new RtspParser().push(bytes(`RTSP/1.0 200 OK\r\nContent-Length: ${length}\r\n\r\n`)), (error: unknown) => error instanceof RtspParseError && error.code === 'bad-length', length);
  }
});

test('a header value cannot smuggle a line into a message', () => {
  const item = only(serialiseRequest({ method: 'DESCRIBE', uri: 'rtsp://h/', headers: { 'User-Agent': 'x\r\nAuthorization: y' } }).toString('latin1'));
  assert.equal(header(item, 'authorization'), undefined);
});

test('any bytes either parse or throw a typed error', () => {
  const chunk = fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.constantFrom('RTSP/1.0 200 OK\r\n', '\r\n', 'Content-Length: 4\r\n', '$', 'OPTIONS * RTSP/1.0\r\n').map((text) => new Uint8Array(bytes(text))));
  fc.assert(fc.property(fc.array(chunk, { maxLength: 12 }), (chunks) => {
    const parser = new RtspParser();
    try {
      for (const part of chunks) parser.push(Buffer.from(part));
    } catch (error) {
      assert.ok(error instanceof RtspParseError);
    }
  }), { numRuns: 500 });
});
