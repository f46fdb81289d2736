/** Which way the page takes, without a browser: WebRTC, else HLS, else still pictures, each with its reason. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CameraView } from '../../../src/api/protocol.ts';
import { liveCamera } from '../../../visualizer/src/fake/fleet.ts';
import { chooseWay, mseType, wayWord } from '../../../visualizer/src/models/ways.ts';

const camera = (codec: 'H264' | 'H265', ok: boolean, hls: 'off' | 'on-demand' = 'on-demand'): CameraView => {
  const view = liveCamera(0, Date.now());
  return { ...view, media: { ...view.media!, codec }, outputs: { ...view.outputs, live: { ...view.outputs.live, verdict: { ok, why: 'It cannot be carried. Do something.' }, carriage: ok ? 'transcode' : 'none' }, hls: { ...view.outputs.hls, mode: hls } } };
};
const here = (changes: object = {}) => ({ carried: true, refusal: null, hlsProblem: null, supports: () => true, ...changes });

test('the first way that can be had is taken, and what keeps the ones before it is said', () => {
  assert.deepEqual(chooseWay(camera('H264', true), here()), { way: 'webrtc', why: null });
  assert.deepEqual(chooseWay(camera('H264', false), here({ carried: false })), { way: 'hls', why: 'It cannot be carried.' });
  assert.deepEqual(chooseWay(camera('H264', true), here({ refusal: 'No cores.' })), { way: 'hls', why: 'No cores.' });
  assert.deepEqual(chooseWay(camera('H264', false), here({ carried: false, hlsProblem: 'It broke.' })), { way: 'stills', why: 'It cannot be carried. It broke.' });
  assert.match(chooseWay(camera('H264', false, 'off'), here({ carried: false })).why ?? '', /switched off/u);
  assert.match(chooseWay(camera('H265', false), here({ carried: false, supports: () => false })).why ?? '', /no decoder for H\.265/u);
  assert.equal(chooseWay(camera('H265', false), here()).way, 'webrtc', 'a second stream is carried where the first is not');
});

test('ways have names, and codecs the type that a browser is asked about', () => {
  assert.equal(wayWord({ way: 'webrtc', why: null }, camera('H265', true)), 'WebRTC, turned into H.264');
  assert.equal(mseType({ codec: 'H265', profile: 'main-10', profileLevelId: null }), 'video/mp4; codecs="hvc1.2.4.L120.B0"');
  assert.equal(mseType({ codec: 'H264', profile: 'high', profileLevelId: '640028' }), 'video/mp4; codecs="avc1.640028"');
});
