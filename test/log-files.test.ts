/** Log files: one for each plane, errors of all beside them, bounded, and no reason to stop when the disk is. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createLog, planeLog, type Log } from '../src/log.ts';
import { openLogFiles } from '../src/log-files.ts';

function open(t: TestContext, { maxBytes = 1_000_000, keep = 2, below = '' } = {}) {
  const base = mkdtempSync(join(tmpdir(), 'lookout-log-'));
  const directory = join(base, below);
  const troubles: string[] = [];
  const files = openLogFiles({ directory, maxBytes, keep, onTrouble: (file) => troubles.push(file.slice(directory.length + 1)) });
  const stdout: string[] = [];
  const log: Log = createLog({ level: 'info', destination: { write: (line: string) => void stdout.push(line) }, onLine: files.write });
  t.after(() => {
    files.close();
    rmSync(base, { recursive: true });
  });
  const lines = (name: string): string[] => readFileSync(join(directory, name), 'utf8').trimEnd().split('\n').map((line) => (JSON.parse(line) as { msg: string }).msg);
  return { base, directory, files, log, lines, stdout, troubles };
}

test('each plane has its file, errors are in one beside them, and standard output has all', (t) => {
  const { log, lines, stdout, directory } = open(t);
  const media = planeLog(log, 'media', { camera: 'gate' });
  log.info('decided');
  media.info('flowed');
  media.child({ more: true }).error('broke');
  planeLog(log, 'sfu').fatal('died');
  assert.deepEqual([lines('control.log'), lines('media.log'), lines('sfu.log'), lines('error.log')], [['decided'], ['flowed', 'broke'], ['died'], ['broke', 'died']]);
  assert.equal(stdout.length, 4);
  assert.equal(statSync(join(directory, 'media.log')).mode & 0o007, 0, 'nobody else reads them');
});

test('no credential is in them', (t) => {
  const { log, directory } = open(t);
  log.error({ url: 'rtsp://user:c4n4ry@10.0.0.1/s' }, 'at rtsp://user:c4n4ry@10.0.0.1/s');
  for (const name of readdirSync(directory)) assert.doesNotMatch(readFileSync(join(directory, name), 'utf8'), /c4n4ry/u);
});

test('a file that grew past its bound is moved on, and the oldest goes', (t) => {
  const { log, lines, directory } = open(t, { maxBytes: 2_000, keep: 2 });
  const wide = 'x'.repeat(800);
  for (let nth = 1; nth <= 9; nth += 1) log.info({ wide }, String(nth));
  assert.deepEqual(readdirSync(directory).sort(), ['control.log', 'control.log.1', 'control.log.2']);
  assert.deepEqual([lines('control.log.2'), lines('control.log.1'), lines('control.log')], [['5', '6'], ['7', '8'], ['9']]);
});

test('the next run goes on where this one ended, within the bound', (t) => {
  const { files, lines, directory } = open(t, { maxBytes: 2_000 });
  files.write('{"msg":"before"}\n', { plane: 'sfu', isError: false });
  files.close();
  const next = openLogFiles({ directory, maxBytes: 20, keep: 1, onTrouble: () => assert.fail() });
  next.write('{"msg":"after"}\n', { plane: 'sfu', isError: false });
  next.write('{"msg":"later"}\n', { plane: 'sfu', isError: false });
  next.close();
  assert.deepEqual([lines('sfu.log.1'), lines('sfu.log')], [['after'], ['later']]);
});

test('a directory that cannot be made is said once for each file, and no line is lost on standard output', (t) => {
  const { base, log, stdout, troubles } = open(t, { below: 'taken/logs' });
  writeFileSync(join(base, 'taken'), 'a file');
  for (let nth = 0; nth < 5; nth += 1) log.info('line');
  log.error('error');
  assert.deepEqual(troubles, ['control.log', 'error.log']);
  assert.equal(stdout.length, 6);
});
