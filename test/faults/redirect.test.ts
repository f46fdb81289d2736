/** A camera that redirects: nothing is sent elsewhere, neither by the probe nor by the pipeline, and above all not the password. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startLookout } from '../support/lookout.ts';
import { startRedirectingCamera } from '../support/redirecting-camera.ts';
import { startSimulator } from '../support/simulator.ts';

test('a camera that redirects is quarantined with the reason, and the place that it names hears nothing', async () => {
  await using probed = await startRedirectingCamera({ honest: 0, method: 'DESCRIBE' });
  await using described = await startRedirectingCamera({ honest: 1, method: 'DESCRIBE' });
  await using played = await startRedirectingCamera({ honest: 1, method: 'PLAY' });
  await using simulator = await startSimulator({ mounts: [{ name: 'one', video: 'tiny-320x180-main' }] });
  await using lookout = await startLookout();
  const cameras = { probed, described, played };
  for (const [id, { url }] of Object.entries(cameras)) await lookout.add({ id, url });
  await lookout.add({ id: 'named', url: simulator.url('one').replace('127.0.0.1', 'LOCALHOST') });
  const codes: Record<string, string> = { probed: 'rtsp-302', described: 'rtsp-redirect', played: 'rtsp-redirect' };
  for (const [id, code] of Object.entries(codes)) {
    const { lastError } = await lookout.until(id, 'quarantined', 20_000);
    assert.deepEqual([lastError?.class, lastError?.code], ['unsupported', code], id);
  }
  await lookout.until('named', 'streaming.live', 20_000);
  // A probe over REST goes the same way.
  const { code } = await lookout.api<{ code: string }>('POST', '/api/v1/probe', { body: { url: described.url, seconds: 1 }, expect: 502 });
  assert.equal(code, 'LOOKOUT_PROBE_FAILED');
  await eventually(() => Object.values(cameras).every((camera) => camera.redirects() > 0), { what: 'every redirect to have been given' });
  for (const [id, { elsewhere }] of Object.entries(cameras)) assert.deepEqual(elsewhere, [], id);
});
