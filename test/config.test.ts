/** The configuration: where values come from, every mistake at once, secrets never shown, and the documentation equal to the schema. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { TSchema } from 'typebox';
import Value from 'typebox/value';
import { ConfigError, helpText, loadConfig } from '../src/config.ts';
import { configurationDocument, publishedSchema } from '../src/config-document.ts';
import { failureClasses } from '../src/errors.ts';
import { temporaryDir } from './support/api.ts';

async function yaml(t: TestContext, text: string): Promise<string> {
  const file = join(await temporaryDir(t), 'lookout.yaml');
  await writeFile(file, text);
  return file;
}

function linesOf(argv: string[], env: Record<string, string> = {}): string[] {
  try {
    loadConfig(argv, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
  return [];
}

test('without file, environment and flags, every setting has its default', () => {
  const config = loadConfig([], {});
  assert.deepEqual([config.host, config.port, config.demo, config.sfu.workers, config.sfu.listenIp], ['127.0.0.1', 8085, true, availableParallelism(), '127.0.0.1']);
  assert.deepEqual(config.supervision.intensity, { failures: 10, windowMs: 300_000 });
  assert.ok(config.data.startsWith('/') && config.secretFile === join(config.data, 'secret.key'));
});

test('flags win over the environment, the environment over the file, the file over the default', async (t) => {
  const file = await yaml(t, 'port: 1001\nhost: 127.0.0.2\ndata: /tmp/from-file\ndemo: false\n');
  const config = loadConfig(['--config', file, '--port', '3003'], { LOOKOUT_PORT: '2002', LOOKOUT_HOST: '127.0.0.3' });
  assert.deepEqual([config.port, config.host, config.data, config.demo], [3003, '127.0.0.3', '/tmp/from-file', false]);
  assert.equal(loadConfig([], { LOOKOUT_CONFIG: file }).port, 1001);
  assert.equal(loadConfig(['--no-demo'], {}).demo, false);
  assert.equal(loadConfig(['--demo'], { LOOKOUT_DEMO: '0' }).demo, true);
});

test('every failure class has its own backoff, and one can be changed without naming the rest', async (t) => {
  const file = await yaml(t, 'supervision:\n  backoff:\n    auth: { minMs: 60000 }\n');
  const { backoff } = loadConfig(['--config', file], {}).supervision;
  assert.deepEqual(Object.keys(backoff), [...failureClasses]);
  assert.deepEqual(backoff.auth, { minMs: 60_000, maxMs: 600_000, factor: 3 });
});

test('all mistakes are told at once, each with path, value and where it came from', async (t) => {
  const file = await yaml(t, 'sfu:\n  portMax: many\n  zork: 1\nlog: { level: loud }\nhosts: 7\nsupervision:\n  health:\n');
  assert.deepEqual(linesOf(['--config', file, '--port', 'abc'], { LOOKOUT_DEMO: 'maybe' }).toSorted(), [
    `demo: must be boolean, but is "maybe" (LOOKOUT_DEMO)`,
    `hosts: must be object, but is 7 (${file})`,
    `log.level: must be one of silent, fatal, error, warn, info, debug, trace, but is "loud" (${file})`,
    'port: must be integer, but is "abc" (--port)',
    `sfu.portMax: must be integer, but is "many" (${file})`,
    `sfu.zork: is not a setting (${file})`,
  ]);
});

test('a wrong secret is told without its value', async (t) => {
  const lines = linesOf(['--config', await yaml(t, 'internalSecret: 471147\ntoken: [hunter2]\n')]);
  assert.equal(lines.length, 2);
  assert.ok(lines.every((line) => line.includes('***') && !/hunter2|471147/u.test(line)));
});

test('broken YAML is told by its line, without a piece of the file', async (t) => {
  const lines = linesOf(['--config', await yaml(t, 'port: 1\ntoken: "hunter2\n')]);
  assert.match(lines[0] ?? '', /^line [23]: is not valid YAML/u);
  assert.ok(!lines.join().includes('hunter2'));
});

test('a file that was named must be there', () => {
  assert.deepEqual(linesOf(['--config', '/nowhere/lookout.yaml']), ['config: cannot be read: ENOENT (/nowhere/lookout.yaml)']);
});

test('a file that is a list, a doubled key and an unknown flag are mistakes', async (t) => {
  assert.match(linesOf(['--config', await yaml(t, '- port: 1\n')])[0] ?? '', /must be a mapping/u);
  assert.match(linesOf(['--config', await yaml(t, 'port: 1\nport: 2\n')])[0] ?? '', /^line 2: .*duplicate key/u);
  assert.match(linesOf(['--porrt', '1'])[0] ?? '', /^command line: Unknown option '--porrt'/u);
});

const contradictions: [string, string][] = [
  ['sfu: { portMin: 45000, portMax: 44000 }', 'sfu.portMax'],
  ['sfu: { portMin: 25000 }', 'sfu.internalPortMin'],
  ['sfu: { workers: 8, portMin: 40000, portMax: 40003 }', 'sfu.portMax'],
  ['supervision: { backoff: { reset: { minMs: 60000 } } }', 'supervision.backoff.reset.maxMs'],
];
for (const [text, path] of contradictions) {
  test(`${text} is refused at ${path}`, async (t) => {
    assert.ok(linesOf(['--config', await yaml(t, text)])[0]?.startsWith(`${path}: `));
  });
}

test('listening everywhere tells browsers an address they can reach', () => {
  const { sfu } = loadConfig(['--host', '0.0.0.0'], { LOOKOUT_ANNOUNCED_ADDRESS: '198.51.100.7' });
  assert.deepEqual([sfu.listenIp, sfu.announcedAddress], ['0.0.0.0', '198.51.100.7']);
});

test('the configuration cannot be changed while the program runs', () => {
  const config = loadConfig([], {});
  assert.throws(() => {
    (config.supervision.health as { stallMs: number }).stallMs = 1;
  }, TypeError);
});

test('--help names every flag and environment variable of the schema', () => {
  const text = helpText();
  for (const name of ['--config', '--port', '--host', '--data', '--no-demo', 'LOOKOUT_CONFIG', 'LOOKOUT_TOKEN', 'LOOKOUT_INTERNAL_SECRET', 'LOOKOUT_SECRET_FILE', 'LOOKOUT_DEMO', 'LOOKOUT_LOG_LEVEL']) assert.ok(text.includes(name), name);
});

test('docs/configuration.md is what the schema says', async () => {
  const file = new URL('../docs/configuration.md', import.meta.url);
  const expected = configurationDocument();
  if (process.env['LOOKOUT_WRITE_DOCS'] === '1') await writeFile(file, expected);
  assert.equal(await readFile(file, 'utf8'), expected, 'run again with LOOKOUT_WRITE_DOCS=1');
});

test('docs/lookout.schema.json is what the schema says, in the words of the standard', async () => {
  const file = new URL('../docs/lookout.schema.json', import.meta.url);
  const expected = publishedSchema();
  if (process.env['LOOKOUT_WRITE_DOCS'] === '1') await writeFile(file, expected);
  assert.equal(await readFile(file, 'utf8'), expected, 'run again with LOOKOUT_WRITE_DOCS=1');
  const schema = JSON.parse(expected) as TSchema & { properties: Record<string, unknown> };
  assert.ok('token' in schema.properties && !/"(?:env|flag|secret)":/u.test(expected));
  assert.ok(Value.Check(schema, { port: 1, cameras: [{ id: 'gate', urlFile: '/run/secrets/gate' }], supervision: { backoff: { auth: { minMs: 1 } } } }));
  for (const wrong of [{ port: 'x' }, { zork: 1 }, { cameras: [{ url: 'rtsp://h/' }] }, { cameras: [{ id: '../x', url: 'rtsp://h/' }] }]) assert.ok(!Value.Check(schema, wrong), JSON.stringify(wrong));
});
