/** Log lines: one JSON object each, a plane, and no credential whichever way it got in. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createLog, planeLog, redactLine } from '../src/log.ts';

function bench() {
  const lines: string[] = [];
  return { lines, log: createLog({ level: 'trace', destination: { write: (line: string) => void lines.push(line) } }) };
}

const url = 'rtsp://user:c4n4ry-pass@10.0.0.1/s';

test('no way into a line lets a credential through', () => {
  const { lines, log } = bench();
  const error = Object.assign(new Error(`cannot reach ${url}`, { cause: new Error(url) }), { url });
  log.info({ url }, 'field');
  log.info(`message ${url}`);
  log.info('interpolated %s', url);
  log.error(error);
  log.error({ err: error }, 'error');
  log.error({ deep: { list: [{ url }, error] } }, 'deep');
  log.child({ url }).info('child');
  log.child({ camera: { address: url } }).info('child below');
  log.info({ password: 'c4n4ry-pass', headers: { Authorization: 'Basic dXNlcjpjNG40cnktcGFzcw==' }, token: 'c4n4ry-pass' }, 'secret keys');
  log.info({ raw: 'Authorization: Basic dXNlcjpjNG40cnktcGFzcw==' }, 'header text');
  log.info({ url: '/hls/gate/index.m3u8?token=c4n4ry-pass&x=1' }, 'query');
  assert.equal(lines.length, 11);
  assert.doesNotMatch(lines.join(''), /c4n4ry|dXNlcjpj/u);
  for (const line of lines) assert.doesNotThrow(() => JSON.parse(line));
});

test('a password with @ in it is removed as a whole', () => {
  assert.equal(redactLine('at rtsp://a:p@ss@h:554/x and rtsps://b:c@d/'), 'at rtsp://h:554/x and rtsps://d/');
});

test('every line has a level by name, an ISO time and its plane', () => {
  const { lines, log } = bench();
  log.info('one');
  planeLog(log, 'media', { camera: 'gate' }).warn({ pid: 5 }, 'two');
  const [one, two] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual([one?.['level'], one?.['plane'], one?.['msg']], ['info', 'control', 'one']);
  assert.deepEqual([two?.['level'], two?.['camera'], two?.['pid']], ['warn', 'gate', 5]);
  planeLog(log, 'sfu').child({ worker: 1 }).info('three');
  assert.deepEqual(lines.map((line) => line.match(/"plane":"\w+"/gu)), [['"plane":"control"'], ['"plane":"media"'], ['"plane":"sfu"']]);
  assert.match(String(one?.['time']), /^\d{4}-\d\d-\d\dT/u);
});

test('an object without end, or a picture, makes a line of bounded length', () => {
  const { lines, log } = bench();
  const endless: Record<string, unknown> = { jpeg: Buffer.alloc(1_000_000) };
  endless['self'] = endless;
  log.info({ endless, many: Array.from({ length: 100_000 }, (_, n) => n) }, 'large');
  assert.ok((lines[0]?.length ?? 0) < 5000, String(lines[0]?.length));
});
