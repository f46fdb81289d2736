/** A camera that is not ours: gst-rtsp-server behind Digest authentication, added over REST, live in the whole program. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGstRtspServer } from '../support/gst-rtsp-server.ts';
import { startLookout } from '../support/lookout.ts';

const auth = { user: 'operator', password: 's3cret-of-the-camera' };

test('cameras of gst-rtsp-server stream over TCP and UDP, and source and ingest count their keyframes', async () => {
  await using stack = new AsyncDisposableStack();
  const server = stack.adopt(await startGstRtspServer({ mounts: { '/main': 'h264', '/high': 'h264-high' }, auth: { ...auth, digest: true } }), (running) => running.close());
  const lookout = stack.use(await startLookout());
  const fleet = [{ id: 'main', transport: 'tcp' }, { id: 'high', transport: 'udp' }] as const;
  for (const { id, transport } of fleet) {
    const view = await lookout.add({ id, url: server.url(`/${id}`, auth), transport, outputs: { live: { feed: 'always' } } });
    assert.ok(!JSON.stringify(view).includes(auth.password));
  }
  for (const { id } of fleet) {
    const { media } = await lookout.until(id, 'streaming.live', 20_000);
    assert.deepEqual([media?.codec, media?.width, media?.height], ['H264', 320, 240]);
  }
  await eventually(async () => {
    const { producers } = await lookout.sfu();
    return producers.length === 2 && producers.every(({ keyframeCount, packetsLost }) => keyframeCount >= 3 && packetsLost === 0);
  }, { timeoutMs: 15_000, what: 'three keyframes in both ingests' });
  // A source tells its counters once a second.
  const counted = async (): Promise<number[]> => {
    const metrics = await (await fetch(`${lookout.url}/metrics`, { headers: { authorization: `Bearer ${new URLSearchParams(new URL(lookout.loginLink).hash.slice(1)).get('token')}` } })).text();
    return fleet.map(({ id }) => Number(new RegExp(`vms_media_camera_keyframes_total\\{camera="${id}"\\} (\\d+)`, 'u').exec(metrics)?.[1]));
  };
  await eventually(async () => (await counted()).every((count) => count >= 3), { timeoutMs: 5_000, what: 'three keyframes counted at both sources' });
  assert.equal((await lookout.camera('high')).media?.profile, 'high');
});

test('with a wrong password it is auth, with the camera\'s own words as evidence, and a new address heals it at once', async () => {
  await using stack = new AsyncDisposableStack();
  const server = stack.adopt(await startGstRtspServer({ mounts: { '/main': 'h264' }, auth: { ...auth, digest: true } }), (running) => running.close());
  const lookout = stack.use(await startLookout());
  await lookout.add({ id: 'gate', url: server.url('/main', { ...auth, password: 'guessed' }) });
  const failed = await eventually(async () => {
    const view = await lookout.camera('gate');
    return view.lastError ? view : undefined;
  }, { timeoutMs: 10_000, what: 'the refusal' });
  assert.equal(failed?.lastError?.class, 'auth');
  assert.ok((await lookout.events('gate')).some(({ evidence }) => /401/u.test(evidence ?? '')));
  await lookout.api('PATCH', '/api/v1/cameras/gate', { body: { url: server.url('/main', auth) } });
  await lookout.until('gate', 'streaming.live', 15_000);
});
