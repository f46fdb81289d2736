/** The configuration file while the program runs: noticed, applied or refused as a whole, and never twice at a time. */
import assert from 'node:assert/strict';
import { rename, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { loadConfig, type Config } from '../../src/config.ts';
import { createReload } from '../../src/control/reload.ts';
import { createLog, planeLog } from '../../src/log.ts';
import type { EventView } from '../../src/api/protocol.ts';
import { temporaryDir } from '../support/api.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';

async function bench(t: TestContext, text: string) {
  const dir = await temporaryDir(t);
  const file = join(dir, 'lookout.yaml');
  await writeFile(file, text);
  const load = () => loadConfig(['--config', file], {});
  const lines: string[] = [];
  const log = createLog({ level: 'info', destination: { write: (line: string) => void lines.push(line) } });
  const synced: string[][] = [];
  const notes: { type: string; message: string; evidence: string | null }[] = [];
  const reload = createReload({
    load, running: load(), log,
    sync: async (cameras: Config['cameras']) => {
      synced.push(cameras.map(({ id }) => id));
      return { created: cameras.map(({ id }) => id), changed: [], removed: [], failed: [] };
    },
    note: (event) => {
      notes.push(event);
      return event as unknown as EventView;
    },
  });
  defer(t, reload.stop);
  return { dir, file, lines, log, synced, notes, reload };
}

const camera = (id: string) => `cameras: [{id: ${id}, url: "rtsp://user:hunter2@h/1"}]\n`;

test('a file that is written, and one that is replaced, is applied soon and once', async (t) => {
  const { dir, file, synced, notes, lines } = await bench(t, camera('one'));
  await writeFile(file, camera('two'));
  await eventually(() => synced.length === 1, { what: 'the change' });
  await writeFile(join(dir, 'new.yaml'), camera('three'));
  await rename(join(dir, 'new.yaml'), file);
  await eventually(() => synced.length === 2, { what: 'the replacement' });
  assert.deepEqual(synced, [['two'], ['three']]);
  assert.deepEqual(notes.map(({ type, message }) => [type, message]), [['config.applied', 'lookout.yaml was applied: created two.'], ['config.applied', 'lookout.yaml was applied: created three.']]);
  assert.ok(lines.every((line) => !line.includes('hunter2')));
});

test('a link that is turned to another file, as a mounted configuration changes, is noticed', async (t) => {
  const dir = await temporaryDir(t);
  for (const [name, id] of [['..one', 'one'], ['..two', 'two']] as const) await writeFile(join(dir, name), camera(id));
  const file = join(dir, 'lookout.yaml');
  await symlink('..one', file);
  const synced: string[][] = [];
  const load = () => loadConfig(['--config', file], {});
  const reload = createReload({ load, running: load(), log: createLog({ level: 'silent' }), note: (event) => event as unknown as EventView, sync: async (cameras) => {
    synced.push(cameras.map(({ id }) => id));
    return { created: [], changed: [], removed: [], failed: [] };
  } });
  defer(t, reload.stop);
  await symlink('..two', join(dir, '..link'));
  await rename(join(dir, '..link'), file);
  await eventually(() => synced.at(-1)?.[0] === 'two', { what: 'the other file' });
});

test('a file with mistakes changes nothing: every one is in the log and the journal', async (t) => {
  const { file, lines, log, synced, notes, reload } = await bench(t, camera('one'));
  await writeFile(file, `port: many\nlog: {level: trace}\n${camera('two')}zork: 1\n`);
  await reload.now('test');
  assert.deepEqual([synced, log.level], [[], 'info']);
  const told = lines.map((line) => JSON.parse(line) as { msg: string; mistakes?: string[] }).find(({ msg }) => msg.includes('refused'));
  assert.equal(told?.mistakes?.length, 2);
  assert.deepEqual([notes[0]?.type, notes[0]?.evidence?.split('\n').length], ['config.refused', 2]);
  await unlink(file);
  await reload.now('test');
  assert.deepEqual(synced, [], 'a file that vanished removes no camera');
});

test('the log level is set at once, for every plane; other settings are named in one line', async (t) => {
  const { file, lines, log, reload } = await bench(t, '');
  const media = planeLog(log, 'media');
  media.debug('not yet');
  await writeFile(file, 'log: {level: debug}\nport: 1234\nsfu: {workers: 3}\ntoken: hunter2-hunter2\n');
  await reload.now('test');
  media.debug('now');
  log.debug('and now');
  assert.deepEqual(lines.map((line) => (JSON.parse(line) as { msg: string }).msg).filter((msg) => /now|yet/u.test(msg)), ['now', 'and now']);
  const waiting = lines.map((line) => JSON.parse(line) as { msg: string; settings?: string[] }).filter(({ msg }) => msg === 'settings were changed that need a restart');
  assert.deepEqual(waiting.map(({ settings }) => settings?.toSorted()), [['port', 'sfu.workers', 'token']]);
  assert.ok(lines.every((line) => !line.includes('hunter2')));
  await writeFile(file, '');
  await reload.now('test');
  assert.equal(media.level, 'info');
});
