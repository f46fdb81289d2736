/** The route of fault injection: who may, what is accepted, and that its document is what the program offers. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { faults, lastingFaults, type FaultName } from '../../src/api/faults.ts';
import { apiBench } from '../support/api.ts';

const failures = new URL('../../docs/failures.md', import.meta.url);

test('an admin injects a fault; operators and viewers may not', async (t) => {
  const { app, as, script } = await apiBench(t);
  const ask = (role: 'admin' | 'operator' | 'viewer', payload: object, id = 'gate') => app.inject({ method: 'POST', url: `/api/v1/cameras/${id}/faults`, headers: as(role), payload });
  for (const role of ['operator', 'viewer'] as const) assert.equal((await ask(role, { fault: 'kill-host' })).json<{ code: string }>().code, 'LOOKOUT_FORBIDDEN');
  assert.deepEqual(script.calls, []);
  const done = await ask('admin', { fault: 'kill-host' });
  assert.equal(done.statusCode, 202);
  assert.deepEqual(done.json(), { camera: 'gate', fault: 'kill-host', pid: 4711, rate: null, until: null });
  assert.deepEqual(script.calls, ['inject kill-host gate']);
  assert.equal((await ask('admin', { fault: 'kill-host' }, 'nobody')).json<{ code: string }>().code, 'LOOKOUT_CAMERA_NOT_FOUND');
});

test('an unknown fault, target or number is refused', async (t) => {
  const { app, as, script } = await apiBench(t);
  for (const payload of [{}, { fault: 'rm -rf' }, { fault: 'silence', seconds: 0 }, { fault: 'silence', seconds: 601 }, { fault: 'drop-packets', rate: -1 }, { fault: 'kill-host', target: '../x' }, { fault: 'kill-host', pid: 1 }]) {
    const { statusCode } = await app.inject({ method: 'POST', url: '/api/v1/cameras/gate/faults', headers: as('admin'), payload });
    assert.equal(statusCode, 400, JSON.stringify(payload));
  }
  assert.deepEqual(script.calls, []);
});

test('docs/failures.md has every fault and what it does', async () => {
  const rows = Object.entries(faults).map(([name, { does, rate }]) => {
    const seconds = lastingFaults[name as FaultName];
    return `| \`${name}\` | ${does}${seconds === undefined ? '' : ` (${seconds} where not given)`} | ${rate === null ? '–' : `${rate.means}, ${rate.fallback} where not given`} |`;
  });
  const text = await readFile(failures, 'utf8');
  const expected = text.replace(/(<!-- faults -->\n)[^]*?(<!-- \/faults -->)/u, `$1\n| fault | what it does | \`rate\` |\n|---|---|---|\n${rows.join('\n')}\n\n$2`);
  if (process.env['LOOKOUT_WRITE_DOCS'] === '1') await writeFile(failures, expected);
  assert.equal(await readFile(failures, 'utf8'), expected, 'run again with LOOKOUT_WRITE_DOCS=1');
});
