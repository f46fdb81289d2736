/** The gate of a source that takes over: what it drops, keeps and lets out, with real sockets. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { createGate } from '../../src/native/host/gate.ts';
import { eventually } from '../support/eventually.ts';

const socketOn = async (port = 0) => {
  const socket = createSocket({ type: 'udp4', reusePort: port !== 0 });
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
};
/** An RTP packet whose payload begins like a NAL unit of this type; `mark` tells it from others. */
const rtp = (nal: number, mark: number): Buffer => Buffer.concat([Buffer.alloc(12), Buffer.of(0x60 | nal, mark)]);
const [slice, sps] = [1, 7];

test('a gate drops until it is armed, keeps from a keyframe on, and lets out in order from the leased port, beside the old feed on that port', async () => {
  const ingest = await socketOn();
  const lease = await socketOn();
  const bindPort = lease.address().port;
  await new Promise<void>((resolve) => lease.close(() => resolve()));
  const old = await socketOn(bindPort);
  const heard: { mark: number; from: number }[] = [];
  ingest.on('message', (packet, { port }) => heard.push({ mark: packet[13] ?? 0, from: port }));
  let ready = 0;
  const gate = await createGate({ port: ingest.address().port, bindPort, onReady: () => (ready += 1) });
  const feed = await socketOn();
  const send = (nal: number, mark: number): Promise<void> => new Promise((resolve) => feed.send(rtp(nal, mark), gate.port, '127.0.0.1', () => resolve()));

  await send(sps, 1);
  old.send(rtp(slice, 100), ingest.address().port, '127.0.0.1');
  await eventually(() => heard.length === 1);
  gate.arm();
  await send(slice, 2);
  await send(sps, 3);
  await send(slice, 4);
  await eventually(() => ready === 1);
  await send(sps, 5);
  gate.open();
  await send(slice, 6);
  await eventually(() => heard.length >= 5, { what: 'four packets through the gate' });
  assert.deepEqual(heard.map(({ mark }) => mark), [100, 3, 4, 5, 6]);
  assert.deepEqual([...new Set(heard.map(({ from }) => from))], [bindPort]);
  assert.equal(ready, 1, 'ready is said once');
  gate.close();
  for (const socket of [old, ingest, feed]) socket.close();
});
