/** The gate of a source that takes over: what it drops, keeps and lets out, with real sockets. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { createGate } from '../../src/native/host/gate.ts';
import { createPorts } from '../../src/native/ports.ts';
import { createRegistry } from '../../src/native/registry.ts';
import { eventually } from '../support/eventually.ts';

const socketOn = async (t: TestContext, port = 0) => {
  const socket = createSocket({ type: 'udp4', reusePort: port !== 0 });
  t.after(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
};
/** An RTP packet whose payload begins like a NAL unit of this type; `mark` is its sequence number and tells it from others. */
const rtp = (nal: number, mark: number, timestamp = mark): Buffer => {
  const packet = Buffer.concat([Buffer.alloc(12), Buffer.of(0x60 | nal, 0)]);
  packet.writeUInt16BE(mark, 2);
  packet.writeUInt32BE(timestamp, 4);
  return packet;
};
const [slice, sps] = [1, 7];

test('a gate drops until it is armed, keeps from the newest keyframe on, and lets out in order from the leased port, beside the old feed on that port', async (t) => {
  const ingest = await socketOn(t);
  const ports = createPorts({ registry: createRegistry() });
  const { port: bindPort } = await ports.lease('camera:test/ingest');
  const old = await socketOn(t, bindPort);
  const heard: { mark: number; from: number }[] = [];
  ingest.on('message', (packet, { port }) => heard.push({ mark: packet.readUInt16BE(2), from: port }));
  let ready = 0;
  const gate = await createGate({ port: ingest.address().port, bindPort, onReady: () => (ready += 1) });
  t.after(() => gate.close());
  const feed = await socketOn(t);
  const send = (...packet: Parameters<typeof rtp>): Promise<void> => new Promise((resolve) => feed.send(rtp(...packet), gate.port, '127.0.0.1', () => resolve()));

  await send(sps, 1);
  old.send(rtp(slice, 100), ingest.address().port, '127.0.0.1');
  await eventually(() => heard.length === 1);
  gate.arm();
  await send(slice, 2);
  await send(sps, 3);
  await send(slice, 4);
  await eventually(() => ready === 1);
  await send(sps, 10);
  // A second parameter set of the same picture is no keyframe of its own.
  await send(sps, 11, 10);
  await send(slice, 12);
  await eventually(() => gate.kept() === 3, { what: 'the newest keyframe to replace the one before' });
  void gate.open();
  await send(slice, 13);
  await eventually(() => heard.length >= 6, { what: 'five packets through the gate' });
  assert.deepEqual(heard.map(({ mark }) => mark), [100, 9, 10, 11, 12, 13], 'the one before the first is the herald, which mediasoup drops');
  assert.deepEqual([...new Set(heard.map(({ from }) => from))], [bindPort]);
  assert.equal(ready, 1, 'ready is said once');
});

test('a gate that was opened before its first keyframe announces that one too', async (t) => {
  const ingest = await socketOn(t);
  const { port: bindPort } = await createPorts({ registry: createRegistry() }).lease('camera:test/ingest');
  const heard: number[] = [];
  ingest.on('message', (packet) => heard.push(packet.readUInt16BE(2)));
  const gate = await createGate({ port: ingest.address().port, bindPort, onReady: () => undefined });
  t.after(() => gate.close());
  gate.arm();
  void gate.open();
  const feed = await socketOn(t);
  for (const [nal, mark] of [[sps, 50], [slice, 51]] as const) await new Promise<void>((resolve) => feed.send(rtp(nal, mark), gate.port, '127.0.0.1', () => resolve()));
  await eventually(() => heard.length >= 3, { what: 'three packets' });
  assert.deepEqual(heard, [49, 50, 51]);
});

test('a gate whose port somebody else holds is refused, and holds nothing', async (t) => {
  const holder = createSocket('udp4');
  t.after(() => new Promise<void>((resolve) => holder.close(() => resolve())));
  holder.bind(0, '127.0.0.1');
  await once(holder, 'listening');
  await assert.rejects(createGate({ port: 9, bindPort: holder.address().port, onReady: () => undefined }), /EADDRINUSE/u);
});
