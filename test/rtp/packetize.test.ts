/** RTP packetisers: any access unit comes back whole, no packet exceeds the MTU, and stamps land where they belong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packetizeAac, packetizeG711 } from '../../src/rtp/audio.ts';
import { packetizeH264 } from '../../src/rtp/h264.ts';
import { packetizeH265 } from '../../src/rtp/h265.ts';
import { nalKind, splitAnnexB } from '../../src/rtp/nal.ts';
import { PacketWriter, packetEnd, parseRtp, prefixBytes, stampRun } from '../../src/rtp/packet.ts';
import type { PacketRun, RtpPacket } from '../../src/rtp/packet.ts';

const maxPayload = 100;

function packetsOf(write: (writer: PacketWriter) => void): RtpPacket[] {
  const writer = new PacketWriter({ payloadType: 96, maxPayload });
  write(writer);
  return parse(writer.finish());
}

function parse(run: PacketRun): RtpPacket[] {
  return Array.from(run.offsets, (start, index) => {
    assert.equal(run.bytes[start], 0x24);
    assert.equal(run.bytes.readUInt16BE(start + 2), packetEnd(run, index) - start - prefixBytes);
    const packet = parseRtp(run.bytes.subarray(start + prefixBytes, packetEnd(run, index)));
    assert.ok(packet && packet.payload.length <= maxPayload);
    return packet;
  });
}

/** RFC 6184 §5.6–5.8, read the other way round. */
function unpackH264(packets: RtpPacket[]): Buffer[] {
  const units: Buffer[] = [];
  let open: Buffer[] = [];
  for (const { payload } of packets) {
    const type = payload.readUInt8(0) & 0x1f;
    if (type === 24) units.push(...aggregated(payload, 1));
    else if (type === 28) {
      const [indicator, head] = [payload.readUInt8(0), payload.readUInt8(1)];
      if ((head & 0x80) !== 0) open = [Buffer.from([(indicator & 0xe0) | (head & 0x1f)])];
      open.push(payload.subarray(2));
      if ((head & 0x40) !== 0) units.push(Buffer.concat(open));
    } else units.push(payload);
  }
  return units;
}

/** RFC 7798 §4.4, read the other way round. */
function unpackH265(packets: RtpPacket[]): Buffer[] {
  const units: Buffer[] = [];
  let open: Buffer[] = [];
  for (const { payload } of packets) {
    const type = (payload.readUInt8(0) >> 1) & 0x3f;
    if (type === 48) units.push(...aggregated(payload, 2));
    else if (type === 49) {
      const head = payload.readUInt8(2);
      if ((head & 0x80) !== 0) open = [Buffer.from([(payload.readUInt8(0) & 0x81) | ((head & 0x3f) << 1), payload.readUInt8(1)])];
      open.push(payload.subarray(3));
      if ((head & 0x40) !== 0) units.push(Buffer.concat(open));
    } else units.push(payload);
  }
  return units;
}

function aggregated(payload: Buffer, start: number): Buffer[] {
  const units: Buffer[] = [];
  for (let at = start; at < payload.length; at += 2 + payload.readUInt16BE(at)) units.push(payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at)));
  return units;
}

const body = fc.uint8Array({ minLength: 2, maxLength: 450 });
const h264Unit = fc.tuple(fc.integer({ min: 1, max: 23 }), fc.integer({ min: 0, max: 3 }), body).map(([type, importance, bytes]) => Buffer.from([(importance << 5) | type, ...bytes]));
const h265Unit = fc.tuple(fc.integer({ min: 0, max: 40 }), body).map(([type, bytes]) => Buffer.from([type << 1, 1, ...bytes]));

for (const [name, unit, packetize, unpack] of [['H.264', h264Unit, packetizeH264, unpackH264], ['H.265', h265Unit, packetizeH265, unpackH265]] as const) {
  test(`any ${name} access unit comes back whole, with the marker on its last packet only`, () => {
    fc.assert(fc.property(fc.array(unit, { minLength: 1, maxLength: 6 }), (units) => {
      const packets = packetsOf((writer) => packetize(units, writer));
      assert.deepEqual(unpack(packets), units);
      assert.deepEqual(packets.map(({ marker }) => marker), packets.map((_, index) => index === packets.length - 1));
    }), { numRuns: 300 });
  });
}

test('small parameter sets travel in one STAP-A with the highest importance of its units', () => {
  const [packet, ...others] = packetsOf((writer) => packetizeH264([Buffer.from([0x67, 1, 2]), Buffer.from([0x28, 3])], writer));
  assert.deepEqual([...packet!.payload], [0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x28, 3]);
  assert.equal(others.length, 0);
});

test('an AAC unit carries its size in bits behind a 16-bit header length', () => {
  const [packet] = packetsOf((writer) => packetizeAac(Buffer.from([1, 2, 3]), writer));
  assert.deepEqual([...packet!.payload], [0, 16, 0, 24, 1, 2, 3]);
  assert.equal(packet!.marker, true);
  const fragments = packetsOf((writer) => packetizeAac(Buffer.alloc(200, 7), writer));
  assert.deepEqual(fragments.map(({ payload, marker }) => [payload.readUInt16BE(2) >> 3, marker]), [[200, false], [200, false], [200, true]]);
});

test('G.711 samples travel as they are, without marker', () => {
  const [packet] = packetsOf((writer) => packetizeG711(Buffer.from([5, 6]), writer));
  assert.deepEqual([packet!.marker, [...packet!.payload]], [false, [5, 6]]);
});

test('stamps count sequence numbers over the wrap and keep 32-bit values', () => {
  const writer = new PacketWriter({ payloadType: 97, maxPayload });
  packetizeH264([Buffer.alloc(250, 0x65)], writer);
  const run = writer.finish();
  stampRun(run, { channel: 6, sequence: 0xffff, timestamp: 2 ** 32 + 5, ssrc: 0xdeadbeef });
  const packets = parse(run);
  assert.deepEqual(packets.map(({ sequence }) => sequence), [0xffff, 0, 1]);
  assert.ok(packets.every(({ timestamp, ssrc, payloadType }) => timestamp === 5 && ssrc === 0xdeadbeef && payloadType === 97));
  assert.equal(run.bytes[run.offsets[1]! + 1], 6);
});

test('a byte stream splits at three- and four-byte start codes and its units are recognised', () => {
  const units = splitAnnexB(Buffer.from([0, 0, 0, 1, 0x67, 9, 0, 0, 1, 0x68, 8, 0, 0, 0, 1, 0x65, 7, 0, 0]));
  assert.deepEqual(units.map((unit) => [...unit]), [[0x67, 9], [0x68, 8], [0x65, 7]]);
  assert.deepEqual(units.map((unit) => nalKind('H264', unit)), ['parameter-set', 'parameter-set', 'keyframe']);
  assert.equal(nalKind('H265', Buffer.from([0x26, 1])), 'keyframe');
});
