/** `lookout doctor`: what it looks for is what the program needs, and what it finds missing it tells with the remedy. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { elements, receiveBuffer, type Finding } from '../../src/cli/commands/doctor.ts';
import { warnOfSmallBuffers } from '../../src/control/listen.ts';
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

test('receive buffers of less than 4 MB are told with the exact sysctl, by the doctor and by the log; who asks for less than that is not told', () => {
  const wanted = 8_388_608;
  const logged = (cap: number, recvBufferBytes = wanted): string[] => {
    const lines: string[] = [];
    warnOfSmallBuffers({ sfu: { recvBufferBytes } }, { warn: (...parts: unknown[]) => void lines.push(JSON.stringify(parts)) }, cap);
    return lines;
  };
  assert.deepEqual(receiveBuffer({ recvBufferBytes: wanted }, 212_992), {
    name: 'net.core.rmem_max', status: 'warn', detail: '212992 bytes of 8388608 wanted: keyframes of large cameras lose packets',
    remedy: 'sysctl -w net.core.rmem_max=8388608; for good: echo net.core.rmem_max=8388608 > /etc/sysctl.d/60-lookout.conf',
  });
  assert.match(logged(212_992).join(), /"granted":212992,"wanted":8388608,"remedy":"sysctl -w net\.core\.rmem_max=8388608"/u);
  assert.equal(receiveBuffer({ recvBufferBytes: wanted }, 4_194_303).status, 'warn');
  assert.equal(logged(4_194_303).length, 1);
  for (const [cap, asked] of [[4_194_304, wanted], [212_992, 212_992]] as const) {
    assert.equal(receiveBuffer({ recvBufferBytes: asked }, cap).status, 'ok');
    assert.deepEqual(logged(cap, asked), []);
  }
});
