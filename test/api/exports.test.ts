/** The routes of exports: who may, what is refused, and the bytes. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { ExportView } from '../../src/api/protocol.ts';
import { apiBench, temporaryDir } from '../support/api.ts';
import { exportView, scriptedControl } from '../support/scripted-control.ts';

const span = { camera: 'gate', from: '2026-11-25T01:00:00Z', to: '2026-11-25T02:00:00Z' };

async function bench(t: TestContext) {
  const script = scriptedControl();
  script.exports = [exportView('gate-2', 'gate', { state: 'running', progress: 0.5, expiresAt: null }), exportView('gate-1', 'gate')];
  script.recordingFile = join(await temporaryDir(t), 'file.mp4');
  await writeFile(script.recordingFile, 'the film');
  return apiBench(t, { script });
}

describe('exports', () => {
  test('are asked for by operators, as MP4 unless they say otherwise', async (t) => {
    const { app, as, script } = await bench(t);
    const ask = (payload: object, role: 'operator' | 'viewer' = 'operator') => app.inject({ method: 'POST', url: '/api/v1/exports', headers: as(role), payload });
    assert.equal((await ask(span, 'viewer')).statusCode, 403);
    const made = await ask(span);
    assert.deepEqual([made.statusCode, made.json<ExportView>().state], [202, 'waiting']);
    assert.equal((await ask({ ...span, format: 'mkv' })).statusCode, 202);
    const [from, to] = [Date.parse(span.from), Date.parse(span.to)];
    assert.deepEqual(script.calls, [`export gate ${from} ${to} mp4`, `export gate ${from} ${to} mkv`]);
    for (const wrong of [{ ...span, to: span.from }, { ...span, to: '2026-11-25T07:00:01Z' }, { ...span, format: 'avi' }, { ...span, from: 'yesterday' }, { from: span.from, to: span.to }, { ...span, path: '/etc' }]) {
      assert.equal((await ask(wrong)).statusCode, 400, JSON.stringify(wrong));
    }
  });

  test('are listed and read with what they hold and what is missing', async (t) => {
    const { app, as, script } = await bench(t);
    assert.deepEqual((await app.inject({ url: '/api/v1/exports', headers: as('viewer') })).json(), { exports: script.exports });
    assert.deepEqual((await app.inject({ url: '/api/v1/exports/gate-1', headers: as('viewer') })).json(), script.exports[1]);
    const missing = await app.inject({ url: '/api/v1/exports/gate-5', headers: as('viewer') });
    assert.deepEqual([missing.statusCode, missing.json<{ code: string }>().code], [404, 'LOOKOUT_EXPORT_NOT_FOUND']);
  });

  test('give their bytes when they are done, ranges too', async (t) => {
    const { app, as } = await bench(t);
    const file = (id: string, headers = {}) => app.inject({ url: `/api/v1/exports/${id}/file`, headers: { ...as('viewer'), ...headers } });
    const whole = await file('gate-1');
    assert.deepEqual([whole.statusCode, whole.headers['content-type'], whole.body], [200, 'video/mp4', 'the film']);
    assert.equal((await file('gate-1', { range: 'bytes=4-7' })).body, 'film');
    assert.deepEqual([(await file('gate-2')).statusCode, (await file('gate-2')).json<{ code: string }>().code], [409, 'LOOKOUT_EXPORT_OPEN']);
  });

  test('are removed by operators, and gone then', async (t) => {
    const { app, as } = await bench(t);
    const remove = (role: 'operator' | 'viewer') => app.inject({ method: 'DELETE', url: '/api/v1/exports/gate-1', headers: as(role) });
    assert.deepEqual([(await remove('viewer')).statusCode, (await remove('operator')).statusCode, (await remove('operator')).statusCode], [403, 204, 404]);
  });
});
