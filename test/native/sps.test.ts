/** Parameter sets of real encoders and cameras, and of nobody. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { BitReader, unescape } from '../../src/native/bits.ts';
import { parseH264Sps, parseH265Sps, spsOfAvcConfiguration, spsOfHevcConfiguration } from '../../src/native/sps.ts';
import { announcedProfiles, webrtcProfile } from '../../src/carriage.ts';
import { webrtcVerdict } from '../../src/native/verdict.ts';

const h264 = (hex: string) => parseH264Sps(Buffer.from(hex, 'hex'));

describe('SPS', () => {
  // Recorded from x264 (640×360, 25 fps) behind gst-rtsp-server.
  test('constrained baseline of x264 gives size, rate and profile-level-id', () => {
    assert.deepEqual(h264('6742c01eda0280bfe5c05a830303528000000300800000194 78b1750'.replaceAll(' ', '')), { profile: 'constrained-baseline', profileLevelId: '42c01e', width: 640, height: 360, fps: 25 });
  });

  // 1920×1080 is coded as 1920×1088 and cropped.
  test('high profile of a 1080p camera is cropped to 1080 lines', () => {
    assert.deepEqual(h264('6764002aacd940780227e5c044000003000400000300c83c60c658'), { profile: 'high', profileLevelId: '64002a', width: 1920, height: 1080, fps: 25 });
  });

  test('NAL units of other types are none', () => {
    assert.equal(h264('68ce3c80'), null);
    assert.equal(parseH265Sps(Buffer.from('40010c01ffff', 'hex')), null);
  });

  // Caps of rtph264depay behind x264, 320×240; cut short, or without a set, it says nothing.
  test('AVC configuration record gives its SPS', () => {
    const record = Buffer.from('014d4015ffe1001c674d4015d90141fb016a0c0c0d4a0000030002000003006 51e2c5c9001000468ebccb2'.replaceAll(' ', ''), 'hex');
    assert.deepEqual(spsOfAvcConfiguration(record), { profile: 'main', profileLevelId: '4d4015', width: 320, height: 240, fps: 25 });
    assert.equal(spsOfAvcConfiguration(record.subarray(0, 30)), null);
    assert.equal(spsOfAvcConfiguration(Buffer.from('014d4015ffe0000000', 'hex')), null);
    assert.equal(spsOfAvcConfiguration(Buffer.alloc(0)), null);
  });

  // Caps of h265parse behind x265, 640×360; cut short, or without a set, it says nothing.
  test('HEVC configuration record gives its SPS behind the VPS', () => {
    const record = Buffer.from('0101600000009000000000003ff000fcfdf8f800000f03200001001840010c01ffff01600000030090000003000003003f928090210001003142010101600000030090000003000003003fa0050201696592a4932bffc00040005a83030302000003000200000300321022000100074401c172b46240', 'hex');
    assert.deepEqual(spsOfHevcConfiguration(record), { profile: 'main', profileLevelId: null, width: 640, height: 360, fps: null });
    for (let length = 0; length < record.indexOf('420101', 0, 'hex') + 20; length += 1) spsOfHevcConfiguration(record.subarray(0, length));
    assert.equal(spsOfHevcConfiguration(record.subarray(0, 60)), null);
    assert.equal(spsOfHevcConfiguration(Buffer.alloc(0)), null);
  });

  test('any bytes give a plausible size or null, and never throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, hevc) => {
      const info = hevc ? parseH265Sps(Uint8Array.of(0x42, 1, ...bytes)) : parseH264Sps(Uint8Array.of(0x67, ...bytes));
      assert.ok(info === null || (info.width > 0 && info.height > 0 && info.width <= 32_768 && info.height <= 32_768 && (info.fps === null || (info.fps > 0 && info.fps <= 1000))));
    }), { numRuns: 2000 });
  });

  test('a real SPS with any byte changed never throws', () => {
    const real = Buffer.from('6764002aacd940780227e5c044000003000400000300c83c60c658', 'hex');
    fc.assert(fc.property(fc.nat(real.length - 1), fc.nat(255), fc.nat(real.length), (at, value, length) => {
      const damaged = Buffer.from(real);
      damaged.writeUInt8(value, at);
      parseH264Sps(damaged.subarray(0, length));
    }), { numRuns: 2000 });
  });

  test('Exp-Golomb codes and emulation prevention follow the standard', () => {
    const bits = new BitReader(Uint8Array.of(0b1_010_011_0, 0b0100_0010, 0b1_0000000));
    assert.deepEqual([bits.unsigned(), bits.unsigned(), bits.unsigned(), bits.unsigned(), bits.signed()], [0, 1, 2, 3, -2]);
    assert.deepEqual([...unescape(Uint8Array.of(0, 0, 3, 1, 0, 0, 3, 0, 0, 3))], [0, 0, 1, 0, 0, 0, 0]);
  });
});

describe('verdict', () => {
  const announced: [string, string | null][] = [
    ['42c01e', '42e01f'], ['42001e', '42001f'], ['42e00a', '42e01f'], ['4d0028', '4d001f'], ['4d4028', '4d001f'], ['64001f', '64001f'], ['640c34', '64001f'],
    ['6e001f', null], ['7a001f', null], ['f4001f', null], ['58a01f', null], ['nonsense', null], ['', null],
  ];
  for (const [profile, expected] of announced) {
    test(`profile-level-id "${profile}" is announced as ${expected}`, () => assert.equal(webrtcProfile(profile), expected));
  }

  test('every announced profile is one that routers offer, for any profile-level-id', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 0xffffff }), (number) => {
      const profile = webrtcProfile(number.toString(16).padStart(6, '0'));
      assert.ok(profile === null || announcedProfiles.includes(profile));
    }));
  });

  test('H.265, other codecs and no video are refused with a reason, H.264 is not', () => {
    for (const media of [null, { codec: 'H265', profileLevelId: null }, { codec: 'JPEG', profileLevelId: null }, { codec: 'H264', profileLevelId: '6e001f' }]) {
      const verdict = webrtcVerdict(media);
      assert.equal(verdict.ok, false);
      assert.ok(verdict.why.length > 10);
    }
    assert.equal(webrtcVerdict({ codec: 'H264', profileLevelId: '640c28' }).ok, true);
    assert.equal(webrtcVerdict({ codec: 'H264', profileLevelId: null }).ok, true);
  });
});
