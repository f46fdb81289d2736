/** Port leases, presence and name resolution on this machine. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { CameraUrl } from '../../src/camera-url.ts';
import { FailureError } from '../../src/errors.ts';
import { createPorts } from '../../src/native/ports.ts';
import { watchPresence } from '../../src/native/presence.ts';
import { createRegistry } from '../../src/native/registry.ts';
import { createResolver } from '../../src/native/resolve.ts';
import { eventually } from '../support/eventually.ts';

const held = async (port = 0) => {
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return { port: socket.address().port, close: () => new Promise<void>((resolve) => socket.close(() => resolve())) };
};

describe('ports', () => {
  test('ports are leased once each, from their range, and bound ones are left out', async () => {
    const registry = createRegistry();
    const busy = await held();
    const ports = createPorts({ registry, range: { from: busy.port, to: busy.port + 3 } });
    const leases = await Promise.all([1, 2, 3].map(() => ports.lease('camera:a')));
    assert.deepEqual(leases.map(({ port }) => port).sort(), [busy.port + 1, busy.port + 2, busy.port + 3]);
    await assert.rejects(ports.lease('camera:b'), (error) => error instanceof FailureError && error.failure.class === 'local');
    await busy.close();
    assert.equal((await ports.lease('camera:b')).port, busy.port);
    await registry.revoke('camera:a');
    assert.deepEqual(registry.leases().map(({ owner }) => owner), ['camera:b']);
  });

  test('release waits until the port was seen free', async () => {
    const registry = createRegistry();
    const ports = createPorts({ registry });
    const lease = await ports.lease('camera:a');
    assert.ok(lease.port >= 20_000 && lease.port <= 29_999);
    const user = await held(lease.port);
    let released = false;
    const releasing = lease.release().then(() => (released = true));
    await eventually(() => new Promise<boolean>((resolve) => setImmediate(() => resolve(true))));
    assert.equal(released, false);
    assert.equal(registry.leases().length, 1);
    await user.close();
    await releasing;
    assert.equal(registry.leases().length, 0);
  });
});

describe('presence', () => {
  const resolver = createResolver();
  const listen = async (port = 0) => {
    const server = createServer((socket) => socket.on('error', () => {}));
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return { port: (server.address() as AddressInfo).port, server, close: () => new Promise<void>((resolve) => server.close(() => resolve())) };
  };
  const watch = (port: number, before: 'closed' | 'unknown', signal: AbortSignal) => watchPresence({ url: CameraUrl.parse(`rtsp://127.0.0.1:${port}/`), resolver, signal, before, intervalMs: 40 });

  test('camera whose port opens again is seen', async () => {
    const camera = await listen();
    await camera.close();
    const seen = watch(camera.port, 'closed', new AbortController().signal);
    const back = await listen(camera.port);
    await seen;
    await back.close();
  });

  test('port that was open all along is no return until it was closed in between', async () => {
    const camera = await listen();
    let knocks = 0;
    camera.server.on('connection', () => (knocks += 1));
    let returned = false;
    const seen = watch(camera.port, 'unknown', new AbortController().signal).then(() => (returned = true));
    await eventually(() => knocks >= 3, { what: 'three knocks' });
    assert.equal(returned, false);
    await camera.close();
    // Between two openings of the port the watch must have knocked once: the port stays shut for three of its intervals.
    await once(AbortSignal.timeout(150), 'abort');
    const back = await listen(camera.port);
    await seen;
    await back.close();
  });

  test('watch that is given up rejects and knocks no more', async () => {
    const giveUp = new AbortController();
    const watching = watch(9, 'closed', giveUp.signal);
    giveUp.abort();
    await assert.rejects(watching, { name: 'AbortError' });
  });
});

describe('name resolution', () => {
  test('addresses and localhost need no server', async () => {
    const resolver = createResolver({ servers: ['127.0.0.1:9'] });
    assert.deepEqual(await resolver.resolve('10.1.2.3'), ['10.1.2.3']);
    assert.deepEqual(await resolver.resolve('::1'), ['::1']);
    assert.equal((await resolver.resolve('LOCALHOST.'))[0], '127.0.0.1');
  });

  /** A name server on UDP that answers every A question with 192.0.2.7, or not at all. */
  const nameServer = async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const state = { asked: 0, mute: false };
    socket.on('message', (query, peer) => {
      state.asked += 1;
      if (state.mute) return;
      const isA = query.readUInt16BE(query.length - 4) === 1 || query.includes(Buffer.of(0, 0, 1, 0, 1));
      const end = query.indexOf(0, 12) + 5;
      const header = Buffer.from(query.subarray(0, 12));
      header.writeUInt16BE(0x8180, 2);
      header.writeUInt16BE(isA ? 1 : 0, 6);
      header.writeUInt16BE(0, 10);
      const answer = isA ? Buffer.of(0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 192, 0, 2, 7) : Buffer.alloc(0);
      socket.send(Buffer.concat([header, query.subarray(12, end), answer]), peer.port, peer.address);
    });
    return { state, address: `127.0.0.1:${socket.address().port}`, close: () => new Promise<void>((resolve) => socket.close(() => resolve())) };
  };

  test('name is asked once for many callers and then cached', async () => {
    const server = await nameServer();
    const resolver = createResolver({ servers: [server.address] });
    const answers = await Promise.all([1, 2, 3].map(() => resolver.resolve('camera.example')));
    assert.deepEqual(answers, [['192.0.2.7'], ['192.0.2.7'], ['192.0.2.7']]);
    const { asked } = server.state;
    assert.deepEqual(await resolver.resolve('Camera.Example'), ['192.0.2.7']);
    assert.equal(server.state.asked, asked);
    await server.close();
  });

  test('dead name server is dns within the deadline', async () => {
    const server = await nameServer();
    server.state.mute = true;
    const resolver = createResolver({ servers: [server.address] });
    const began = performance.now();
    await assert.rejects(resolver.resolve('camera.example', { deadlineMs: 300 }), (error) => error instanceof FailureError && error.failure.class === 'dns');
    assert.ok(performance.now() - began < 1000);
    await server.close();
  });
});
