/** Random messages to what is no REST: Socket.IO's events, raw frames, raw HTTP, and gRPC's calls with bytes that are no message. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { Client, credentials, Metadata, status as grpcStatus, type ServiceError } from '@grpc/grpc-js';
import fc from 'fast-check';
import { errorCatalogue } from '../../src/errors.ts';
import { grpcRoles, socketRoles } from '../../src/api/access-table.ts';
import { defer } from './defer.ts';
import { anyJson, hostileText } from './schema-arbitraries.ts';
import { connectSocket } from './socket-client.ts';

const token = 'test-admin-token-of-this-run';
const answerMs = 20_000;
const events = Object.keys(socketRoles).flatMap((entry) => {
  const [namespace = '', event] = entry.split(' ');
  return event === undefined ? [] : [{ namespace, event }];
});

/** Every event with `count` random arguments in all: each acknowledgement is called, with a value or an error of the catalogue. */
export async function fuzzSockets(t: TestContext, url: string, count: number): Promise<void> {
  const sockets = new Map(await Promise.all(['/viewer', '/inspect', '/status'].map(async (namespace) => [namespace, await connectSocket(t, `${url}${namespace}`, { auth: { token } })] as const)));
  const joined = await sockets.get('/viewer')?.timeout(answerMs).emitWithAck('join', { camera: 'gate' }) as { value?: { viewer: string } };
  const viewer = fc.constantFrom(joined.value?.viewer ?? '', 'nobody');
  const request = fc.oneof(
    fc.record({ viewer, camera: fc.constantFrom('gate', 'none', '../x'), rtpCapabilities: anyJson, dtlsParameters: fc.oneof(anyJson, fc.record({ role: anyJson, fingerprints: anyJson })), audio: anyJson, milliseconds: anyJson, actor: anyJson }, { requiredKeys: [] }),
    fc.record({ viewer, rtpCapabilities: fc.record({ codecs: fc.array(fc.record({ kind: fc.constantFrom('video', 'audio', 'x'), mimeType: hostileText, clockRate: anyJson, parameters: anyJson, rtcpFeedback: anyJson }, { requiredKeys: [] })), headerExtensions: anyJson }, { requiredKeys: [] }) }),
    anyJson,
  );
  await fc.assert(fc.asyncProperty(fc.constantFrom(...events), request, fc.array(anyJson, { maxLength: 2 }), async ({ namespace, event }, first, rest) => {
    const socket = sockets.get(namespace);
    assert.ok(socket?.connected, `${namespace} is still connected`);
    // It has no acknowledgement.
    if (event === 'firstFrame') return void socket.emit(event, first, ...rest);
    const answer = await socket.timeout(answerMs).emitWithAck(event, first, ...rest) as { ok: boolean; error?: { code: string } };
    assert.ok(answer.ok || (answer.error?.code ?? '') in errorCatalogue, `${event}: ${JSON.stringify(answer)}`);
  }), { numRuns: count, endOnFailure: true });
}

/** Frames that are no message of Socket.IO. Each connection is closed or ignored; none of it is for the server to fall over. */
export async function fuzzFrames(url: string): Promise<void> {
  const frames: (string | Uint8Array<ArrayBuffer>)[] = ['40/viewer,', '40/viewer,{"token":', '42["join"]', '42/viewer,["join",{}]', '45999-["x"]', '451-["x",{"_placeholder":true,"num":99}]', '4', '', '9', '2probe', 'x'.repeat(100_000), '40/__proto__,', '43/viewer,1[', Uint8Array.from([0, 255, 4, 200]), new Uint8Array(70_000)];
  await Promise.all(frames.map((frame) => new Promise<void>((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    let opened = false;
    socket.onopen = () => {
      opened = true;
      socket.send(frame);
      // Behind the frame: when it is answered, the frame was read.
      socket.close();
    };
    socket.onclose = () => (opened ? resolve() : reject(new Error('the server does not answer')));
  })));
}

/** Texts that no HTTP parser takes: each is answered with a 4xx, or the connection ends. */
export async function fuzzHttp(url: string): Promise<void> {
  const { port } = new URL(url);
  const texts = [
    'GET /healthz HTTP/9.9\r\n\r\n', 'GET /healthz\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00', 'GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 'GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET /healthz HTTP/1.1\r\nHost: x\r\n${'X-A: b\r\n'.repeat(3_000)}\r\n`, 'POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST /api/v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nzz\r\n', 'POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /socket.io/?EIO=4&transport=polling&sid=../../x HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /healthz HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  ];
  await Promise.all(texts.map((text) => new Promise<void>((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), '127.0.0.1', () => socket.end(text, 'latin1'));
    socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk)).on('error', () => undefined).once('close', () => {
      const status = /^HTTP\/1\.1 (\d)/u.exec(answer)?.[1];
      if (status === '5') reject(new Error(`${text.slice(0, 80)} was answered with ${answer.slice(0, 80)}`));
      else resolve();
    });
  })));
}

/** Every unary call with bytes that are no message, or one with a strange text in it. */
export async function fuzzGrpc(t: TestContext, port: number, count: number): Promise<void> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  defer(t, () => client.close());
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const calls = Object.keys(grpcRoles).filter((name) => !/Watch|Reflection/u.test(name));
  const field = (number: number, text: string): Buffer => Buffer.concat([Buffer.from([number << 3 | 2]), varint(Buffer.byteLength(text)), Buffer.from(text)]);
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }).map((raw) => Buffer.from(raw)), fc.tuple(fc.integer({ min: 1, max: 6 }), hostileText, fc.integer({ min: 1, max: 6 }), fc.string()).map(([a, x, b, y]) => Buffer.concat([field(a, x), field(b, y)])));
  const ours: number[] = [grpcStatus.UNKNOWN, grpcStatus.DATA_LOSS, grpcStatus.UNAVAILABLE];
  await fc.assert(fc.asyncProperty(fc.constantFrom(...calls), bytes, async (name, message) => {
    const error = await new Promise<ServiceError | null>((resolve) => client.makeUnaryRequest(`/${name}`, (sent: Buffer) => sent, (got: Buffer) => got, message, metadata, { deadline: Date.now() + answerMs }, resolve));
    assert.ok(error === null || !ours.includes(error.code), `${name}: ${error?.code} ${error?.details}`);
    // What cannot be decoded is refused by grpc-js itself, with this code.
    assert.ok(error?.code !== grpcStatus.INTERNAL || /deseriali|decod/iu.test(error.details), `${name}: ${error?.details}`);
  }), { numRuns: count, endOnFailure: true });
}

function varint(value: number): Buffer {
  return value < 128 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value & 127) | 128]), varint(value >>> 7)]);
}
