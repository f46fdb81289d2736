/** Secrets in files and in the environment, and cameras that the file declares: every mistake told, no secret with it. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { ConfigError, loadConfig } from '../src/config.ts';
import { temporaryDir } from './support/api.ts';

async function bench(t: TestContext, files: Record<string, string>) {
  const dir = await temporaryDir(t);
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text.replaceAll('DIR', dir));
  const argv = ['--config', join(dir, 'lookout.yaml')];
  const load = (env: Record<string, string> = {}) => loadConfig(argv, env);
  return { dir, load, mistakes: (env: Record<string, string> = {}) => {
    try {
      load(env);
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.lines;
      throw error;
    }
  } };
}

test('tokens come from files, and only one way at a time', async (t) => {
  const { load, mistakes } = await bench(t, { 'lookout.yaml': 'tokenFile: DIR/token\n', 'token': 'token-of-the-file\n', 'other': 'internal-secret' });
  assert.equal(load().token, 'token-of-the-file');
  const { dir } = await bench(t, { other: 'internal-secret' });
  assert.equal(load({ LOOKOUT_INTERNAL_SECRET_FILE: join(dir, 'other') }).internalSecret, 'internal-secret');
  assert.match(mistakes({ LOOKOUT_TOKEN: 'hunter2-hunter2' }).join(), /^tokenFile: is set, and so is token: one of them is enough \(/u);
  assert.match(mistakes({ LOOKOUT_TOKEN_FILE: '/nowhere' }).join(), /^tokenFile: names \/nowhere, which cannot be read: ENOENT \(LOOKOUT_TOKEN_FILE\)$/u);
});

test('a declared camera has its defaults, and its address from the file, another file or the environment', async (t) => {
  const { load } = await bench(t, {
    'lookout.yaml': 'cameras:\n  - {id: plain, url: "rtsp://h/1"}\n  - {id: env, name: Env, url: "rtsp://${LOGIN}@${HOST_2}/2", enabled: false}\n  - {id: file, urlFile: DIR/address, sub: {url: "rtsp://h/small"}, transport: tcp}\n',
    'address': '  rtsp://user:word@h/3\n',
  });
  const { cameras, secretVariables } = load({ LOGIN: 'me:hunter2', HOST_2: '192.0.2.1:8554' });
  assert.deepEqual(cameras.map(({ id, name, url, sub, transport, enabled }) => [id, name, url.reveal(), sub?.reveal(), transport, enabled]), [
    ['plain', 'plain', 'rtsp://h/1', undefined, 'auto', true],
    ['env', 'Env', 'rtsp://me:hunter2@192.0.2.1:8554/2', undefined, 'auto', false],
    ['file', 'file', 'rtsp://user:word@h/3', 'rtsp://h/small', 'tcp', true],
  ]);
  assert.deepEqual(secretVariables.toSorted(), ['HOST_2', 'LOGIN', 'LOOKOUT_INTERNAL_SECRET', 'LOOKOUT_TOKEN']);
  for (const text of [JSON.stringify(cameras), inspect(cameras, { depth: 9 })]) assert.doesNotMatch(text, /hunter2|word/u);
});

test('every mistake of declared cameras is told at once, and none with an address', async (t) => {
  const { mistakes } = await bench(t, {
    'lookout.yaml': `cameras:
  - {id: a, url: "rtsp://user:hunter2@h/1"}
  - {id: a, url: "rtsp://user:hunter2@h/1"}
  - {id: b}
  - {id: c, url: "rtsp://h/", urlFile: DIR/empty}
  - {id: d, urlFile: DIR/empty}
  - {id: e, urlFile: /nowhere}
  - {id: f, url: "rtsp://\${MISSING}@h/"}
  - {id: g, url: "http://user:hunter2@h/"}
  - {id: h, url: "rtsp://h/", sub: {}}
`,
    'empty': '\n',
  });
  const told = mistakes();
  assert.deepEqual(told.map((line) => line.replace(/ \(\/[^)]*\)$/u, '').replace(/names \/\S+/u, 'names FILE')), [
    'cameras.1.id: must be unique, but "a" is there already',
    'cameras.2: needs an address: url or urlFile',
    'cameras.3: has both url and urlFile: one of them is enough',
    'cameras.4.urlFile: names FILE which is empty',
    'cameras.5.urlFile: names FILE which cannot be read: ENOENT',
    'cameras.6.url: names the environment variable MISSING, which is not set',
    'cameras.7.url: is no address of a camera: The camera URL must begin with rtsp:// or rtsps://, not http://',
    'cameras.8.sub: needs an address: url or urlFile',
  ]);
  assert.ok(!told.join().includes('hunter2'));
});

test('a declared camera of the wrong form is refused by the schema, its address masked', async (t) => {
  const { mistakes } = await bench(t, { 'lookout.yaml': 'cameras:\n  - {id: A, url: [hunter2]}\n  - {url: 471147, zork: 1, id: b}\n  - hunter2\n' });
  const told = mistakes();
  assert.ok(told.some((line) => /^cameras\.0\.id: must match pattern/u.test(line)) && told.some((line) => /^cameras\.1\.zork: is not a setting/u.test(line)), told.join('\n'));
  assert.doesNotMatch(told.join(), /hunter2|471147/u);
});

test('mistakes of form and mistakes of addresses are told together', async (t) => {
  const { mistakes } = await bench(t, { 'lookout.yaml': 'sfu: {workers: many}\ntokenFile: /nowhere\ncameras: [{id: a, url: "http://h/"}]\n' });
  assert.deepEqual(mistakes().map((line) => line.slice(0, line.indexOf(':'))), ['sfu.workers', 'tokenFile', 'cameras.0.url']);
});
