/** `lookout doctor`: what it looks for is what the program needs, and what it finds missing it tells with the remedy. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { elements, type Finding } from '../../src/cli/commands/doctor.ts';
import { root, sourceFiles } from '../support/source-files.ts';

type Report = { ok: boolean; findings: Finding[] };

/** The doctor as a process: its exit code and findings. */
function doctor(args: string[], env: Record<string, string> = {}): Promise<{ code: number; report: Report; find(name: string): Finding | undefined }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'src', 'cli', 'main.ts'), 'doctor', '--json', ...args], { env: { ...process.env, LOOKOUT_CONFIG: '/dev/null', ...env } }, (error, stdout) => {
      const report = JSON.parse(stdout) as Report;
      resolve({ code: error === null ? 0 : Number(error.code), report, find: (wanted) => report.findings.find(({ name }) => name === wanted) });
    });
  });
}

test('every GStreamer element that src/native names is looked for, and no other', () => {
  const known = new Set([...execFileSync('gst-inspect-1.0', { encoding: 'utf8', env: { ...process.env, GST_INSPECT_NO_COLORS: '1' }, maxBuffer: 2 ** 24 }).matchAll(/^\S+: {2}(\S+): /gmu)].map(([, name]) => name ?? ''));
  assert.ok(known.has('rtspsrc'), 'the list of elements could be read');
  const code = sourceFiles('src/native').map(({ text }) => text.replace(/\/\*[\s\S]*?\*\//gu, '').replace(/\/\/.*$/gmu, '')).join('\n');
  // What stands in a string, at its beginning or behind a "!".
  const named = [...code.matchAll(/(?:['"`]|! )([a-z][a-z0-9_]+)(?=[ '"`$])/gu)].map(([, name]) => name ?? '').filter((name) => known.has(name));
  assert.deepEqual([...new Set(named)].toSorted(), [...elements].toSorted());
});

test('a machine that set-up has prepared is all right', async () => {
  const { code, report } = await doctor(['--port', '0'], { LOOKOUT_GRPC_PORT: '0' });
  assert.deepEqual(report.findings.filter(({ status }) => status === 'bad'), []);
  assert.deepEqual([code, report.ok], [0, true]);
});

test('what is missing is bad, and has its remedy', async () => {
  const { code, find } = await doctor(['--port', '0'], { PATH: '/nowhere', MEDIASOUP_WORKER_BIN: '/nowhere/worker' });
  assert.equal(code, 1);
  for (const [name, remedy] of [['GStreamer', /apt-get install gstreamer/u], ['setpriv', /apt-get install util-linux/u], ['media worker', /npm start/u]] as const) {
    assert.equal(find(name)?.status, 'bad', name);
    assert.match(find(name)?.remedy ?? '', remedy);
  }
});

test('a port that is in use and a wrong configuration are told', async (t) => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  t.after(() => holder.close());
  const { port } = holder.address() as AddressInfo;
  const { find } = await doctor(['--port', String(port)]);
  assert.equal(find('port of the page')?.status, 'warn');
  assert.match(find('port of the page')?.detail ?? '', /in use/u);
  const wrong = await doctor(['--port', 'many'], { LOOKOUT_GRPC_PORT: '0' });
  assert.deepEqual([wrong.code, wrong.find('configuration')?.status], [1, 'bad']);
});
