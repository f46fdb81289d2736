/** What a primer sends: a hub's packets cut, numbered and stamped anew, paced and bounded; with the real thread, a real TCP hub and real UDP. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createPrimerPump } from '../../src/native/primer-pump.ts';
import { createPrimerStream } from '../../src/native/primer-stream.ts';
import { eventually } from '../support/eventually.ts';
import { framedRtp } from '../support/framed-rtp.ts';
import { receiveRtp, sequenceGaps } from '../support/hosts.ts';

const unit = (type: number, bytes: number): Buffer => Buffer.concat([Buffer.of(0x60 | type), Buffer.alloc(bytes - 1, type)]);
const stream = () => createPrimerStream({ ssrc: 7, payloadType: 101, sequence: 65_535 });

test('a unit in fragments of the hub comes out whole, in fragments that fit a network packet, numbers going round', () => {
  const whole = unit(5, 5_000);
  const primer = stream();
  const half = { timestamp: 0, marker: false, payload: Buffer.concat([Buffer.of(0x60 | 28, 0x80 | 5), whole.subarray(1, 3_000)]) };
  assert.deepEqual(primer.add(half), []);
  const packets = primer.add({ timestamp: 0, marker: true, payload: Buffer.concat([Buffer.of(0x60 | 28, 0x40 | 5), whole.subarray(3_000)]) });
  assert.ok(packets.every((packet) => packet.length <= 1_200));
  assert.deepEqual(packets.map((packet) => packet.readUInt16BE(2)), [65_535, 0, 1, 2, 3].slice(0, packets.length));
  assert.deepEqual(Buffer.concat([whole.subarray(0, 1), ...packets.map((packet) => packet.subarray(14))]), whole);
  assert.deepEqual(packets.map((packet) => packet.readUInt8(1) >= 0x80), packets.map((_, index) => index === packets.length - 1));
});

test('units that leave in one moment get times of their own, a unit has one time though its packets leave later, and time follows the clock again', () => {
  const primer = stream();
  const leaving = [[100, 50], [100, 50], [100, 3_000], [140, 50]].map(([now, bytes]) => ({ now: now!, packets: primer.add({ timestamp: 0, marker: true, payload: unit(1, bytes!) }) }));
  const stamps = leaving.map(({ now, packets }) => packets.map((packet, place) => {
    primer.stamp(packet, now + place * 5);
    return packet.readUInt32BE(4);
  }));
  assert.deepEqual(stamps, [[9_000], [9_001], [9_002, 9_002, 9_002], [12_600]]);
});

/** A hub that gives everybody this many NAL units of 10 kB at once, the first of them a keyframe; `whole`: all are one access unit. */
async function hub(t: TestContext, units: number, whole = false): Promise<{ port: number; clients: Socket[] }> {
  const clients: Socket[] = [];
  const server = createServer((client) => {
    clients.push(client);
    client.on('error', () => undefined);
    for (let index = 0; index < units; index += 1) {
      const payload = unit(index === 0 ? 5 : 1, 10_000);
      client.write(framedRtp({ payload, sequence: 0, marker: !whole || index === units - 1 }));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const client of clients) client.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, clients };
}

test('a cached GOP of 2 MB arrives without a gap from the one port of all primers, and stopping it closes the hub', async (t) => {
  const [pump, source, receiver] = [createPrimerPump(), await hub(t, 200), await receiveRtp()];
  t.after(() => Promise.all([pump.stop(), receiver.close()]));
  const from = await pump.from();
  const heard: string[] = [];
  const playing = pump.play('v', { hubPort: source.port, port: receiver.port, ssrc: 9, payloadType: 101, maxBytes: 4_000_000, held: false }, { late: () => assert.fail('late'), live: () => void heard.push('live'), ended: (why) => void heard.push(why) });
  await eventually(() => heard.length > 0, { timeoutMs: 15_000, what: 'the end of what was cached' });
  assert.deepEqual(heard, ['live']);
  await eventually(() => receiver.packets.filter(({ marker }) => marker).length === 200, { timeoutMs: 15_000, what: 'all units' });
  assert.equal(sequenceGaps(receiver.packets), 0);
  assert.deepEqual(new Set(receiver.packets.map(({ fromPort, ssrc, payloadType }) => `${fromPort} ${ssrc} ${payloadType}`)), new Set([`${from} 9 101`]));
  playing.stop();
  await eventually(() => source.clients[0]?.destroyed || source.clients[0]?.readableEnded || source.clients[0]?.closed, { timeoutMs: 15_000, what: 'the hub to be left' });
  assert.deepEqual(heard, ['live']);
});

test('more than the bound ends a primer, a hub that closes too, and neither hurts the others', async (t) => {
  const [pump, large, small, receiver] = [createPrimerPump(), await hub(t, 100, true), await hub(t, 3), await receiveRtp()];
  t.after(() => Promise.all([pump.stop(), receiver.close()]));
  const heard = new Map<string, string>();
  const play = (id: string, hubPort: number): unknown => pump.play(id, { hubPort, port: receiver.port, ssrc: 9, payloadType: 101, maxBytes: 500_000, held: false }, { late: () => assert.fail('late'), live: () => void heard.set(id, 'live'), ended: (why) => void heard.set(id, why) });
  play('large', large.port);
  play('small', small.port);
  await eventually(() => heard.size === 2, { timeoutMs: 15_000, what: 'both to be told' });
  assert.match(heard.get('large') ?? '', /more than 500000 bytes/u);
  assert.equal(heard.get('small'), 'live');
  small.clients[0]?.destroy();
  await eventually(() => heard.get('small') !== 'live', { timeoutMs: 15_000, what: 'the end of its hub' });
});

/** A PLI (RFC 4585 §6.3.1) for this SSRC. */
function pli(ssrc: number): Buffer {
  const bytes = Buffer.from([0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0]);
  bytes.writeUInt32BE(ssrc, 8);
  return bytes;
}

test('who lost pictures and asks for a keyframe gets the newest one and what follows once more, numbers going on; others do not', async (t) => {
  const [pump, source, receiver] = [createPrimerPump(), await hub(t, 20), await receiveRtp()];
  t.after(() => Promise.all([pump.stop(), receiver.close()]));
  const from = await pump.from();
  const playing = pump.play('v', { hubPort: source.port, port: receiver.port, ssrc: 9, payloadType: 101, maxBytes: 4_000_000, held: false }, { late: () => assert.fail('late'), live: () => undefined, ended: (why) => assert.fail(why) });
  const units = (): number => receiver.packets.filter(({ marker }) => marker).length;
  await eventually(() => units() === 20, { timeoutMs: 15_000, what: 'all units' });
  receiver.send(pli(8), from);
  // Asked in the first moment, it is what every consumer asks; so it is asked until it is heard.
  await eventually(() => {
    if (source.clients.length < 2) receiver.send(pli(9), from);
    return units() >= 40;
  }, { timeoutMs: 15_000, intervalMs: 50, what: 'all of it again' });
  assert.equal(sequenceGaps(receiver.packets), 0);
  assert.ok(receiver.packets.every(({ timestamp }, index, all) => index === 0 || ((timestamp - all[index - 1]!.timestamp) | 0) >= 0), 'time goes on');
  assert.equal(source.clients.length, 2);
  assert.ok(source.clients[0]?.destroyed || source.clients[0]?.closed, 'the first connection was left');
  playing.stop();
  await eventually(() => pump.totals().repeats === 1, { timeoutMs: 15_000, what: 'what was sent to be told' });
  assert.equal(pump.totals().bytes, receiver.packets.reduce((sum, { bytes }) => sum + bytes, 0));
});

/** Connects nobody any more, and those that are. */
const shut = ({ clients }: { clients: Socket[] }): void => clients.forEach((client) => client.destroy());

test('one that is held shows the keyframe alone, then its catch-up from its begin; when that goes, what the camera has', async (t) => {
  const [pump, source, present, receiver] = [createPrimerPump(), await hub(t, 20), await hub(t, 3), await receiveRtp()];
  t.after(() => Promise.all([pump.stop(), receiver.close()]));
  const heard: string[] = [];
  const playing = pump.play('v', { hubPort: source.port, port: receiver.port, ssrc: 9, payloadType: 101, maxBytes: 4_000_000, held: true }, { live: () => void heard.push('live'), late: () => void heard.push('late'), ended: (why) => void heard.push(why) });
  const units = (): number => receiver.packets.filter(({ marker }) => marker).length;
  await eventually(() => units() === 1, { timeoutMs: 15_000, what: 'the keyframe' });
  await eventually(() => source.clients[0]?.bytesWritten === 20 * (10_000 + 14), { timeoutMs: 15_000, what: 'all that is cached to be read' });
  playing.catchUp(present.port);
  await eventually(() => heard.length > 0, { timeoutMs: 15_000, what: 'the present' });
  assert.deepEqual(heard, ['live']);
  await eventually(() => units() === 1 + 3, { timeoutMs: 15_000, what: 'what the catch-up gives' });
  shut(present);
  await eventually(() => units() === 1 + 3 + 20, { timeoutMs: 15_000, what: 'what the camera has' });
  assert.equal(sequenceGaps(receiver.packets), 0);
  assert.deepEqual(heard, ['live']);
  playing.stop();
});

test('one that is held and told to play on begins again with all that is cached; a catch-up that gives nothing is told', async (t) => {
  const [pump, source, empty, receiver] = [createPrimerPump(), await hub(t, 20), await hub(t, 0), await receiveRtp()];
  t.after(() => Promise.all([pump.stop(), receiver.close()]));
  const heard: string[] = [];
  const playing = pump.play('v', { hubPort: source.port, port: receiver.port, ssrc: 9, payloadType: 101, maxBytes: 4_000_000, held: true }, { live: () => void heard.push('live'), late: () => void heard.push('late'), ended: (why) => void heard.push(why) });
  const units = (): number => receiver.packets.filter(({ marker }) => marker).length;
  await eventually(() => units() === 1, { timeoutMs: 15_000, what: 'the keyframe' });
  playing.catchUp(empty.port);
  await eventually(() => empty.clients.length === 1, { timeoutMs: 15_000, what: 'the catch-up to be read' });
  shut(empty);
  await eventually(() => heard.length > 0, { timeoutMs: 15_000, what: 'its end' });
  assert.deepEqual(heard, ['late']);
  playing.burst();
  await eventually(() => units() === 1 + 20, { timeoutMs: 15_000, what: 'all that is cached' });
  await eventually(() => heard.length === 2, { timeoutMs: 15_000, what: 'the present' });
  assert.deepEqual(heard, ['late', 'live']);
  assert.equal(sequenceGaps(receiver.packets), 0);
  playing.stop();
});
