/** `bin/lookout` against the real program: cameras, tokens, checks and their exit codes, as a person or a script uses it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { CameraView, TokenView } from '../../src/api/protocol.ts';
import { startLookout, type Lookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';
import { root } from '../support/source-files.ts';

const token = 'test-admin-token-of-this-run';
let lookout: Lookout;
let cameras: Awaited<ReturnType<typeof startSimulator>>;

before(async () => {
  cameras = await startSimulator({ mounts: [{ name: 'one', video: 'parking-360p-main' }, { name: 'locked', video: 'parking-360p-main', auth: { scheme: 'basic', credentials: { username: 'viewer', password: 's3cr3t-word' } } }] });
  lookout = await startLookout();
});
after(async () => {
  await lookout[Symbol.asyncDispose]();
  await cameras.close();
});

type Outcome = { code: number | null; out: string; err: string; json<T>(): T };

async function cli(args: string[], { env = {}, input = '' }: { env?: Record<string, string>; input?: string } = {}): Promise<Outcome> {
  const child = spawn(join(root, 'bin', 'lookout'), args, { env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', LOOKOUT_URL: lookout.url, LOOKOUT_TOKEN: token, ...env } });
  const outcome = { code: null as number | null, out: '', err: '', json: <T>() => JSON.parse(outcome.out) as T };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (outcome.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (outcome.err += text));
  child.stdin.end(input);
  [outcome.code] = await once(child, 'close') as [number | null];
  return outcome;
}

async function fine(args: string[], options?: Parameters<typeof cli>[1]): Promise<Outcome> {
  const outcome = await cli(args, options);
  assert.equal(outcome.code, 0, `${args.join(' ')}: ${outcome.err}${outcome.out}`);
  return outcome;
}

test('a camera is added from standard input, listed, shown, commanded, explained and removed', async () => {
  const added = (await fine(['cameras', 'add', '-', '--id', 'gate', '--name', 'Gate', '--transport', 'tcp', '--json'], { input: `${cameras.url('one')}\n` })).json<CameraView>();
  assert.deepEqual([added.id, added.name, added.transport], ['gate', 'Gate', 'tcp']);
  await lookout.until('gate', 'streaming.live');
  assert.match((await fine(['cameras', 'list'])).out, /^ID +NAME +STATE.*\ngate +Gate +streaming, live/u);
  assert.deepEqual((await fine(['cameras', 'list', '--json'])).json<{ cameras: CameraView[] }>().cameras.map(({ id }) => id), ['gate']);
  assert.match((await fine(['cameras', 'show', 'gate'])).out, /video +H264, main, 640×360/u);
  assert.match((await fine(['cameras', 'why', 'gate'])).out, /^gate: Live for/u);
  assert.match((await fine(['check', 'gate'])).out, /^All right\./u);
  await fine(['cameras', 'stop', 'gate']);
  await lookout.until('gate', 'stopped');
  const sick = await cli(['check', 'gate']);
  assert.deepEqual([sick.code, /^Not all right\.\ngate: Stopped by an operator/u.test(sick.out)], [1, true], sick.out);
  await fine(['cameras', 'start', 'gate']);
  await lookout.until('gate', 'streaming.live');
  for (const verb of ['retry', 'restart']) await fine(['cameras', verb, 'gate']);
  await fine(['cameras', 'remove', 'gate']);
  const gone = await cli(['cameras', 'show', 'gate', '--json']);
  assert.deepEqual([gone.code, JSON.parse(gone.err)], [1, { error: { code: 'LOOKOUT_CAMERA_NOT_FOUND', message: 'There is no camera "gate".' } }]);
});

test('an address is checked before it is added: 0 where it plays, 1 where not, and no password in any answer', async () => {
  const good = await fine(['check', cameras.url('one'), '--seconds', '1']);
  assert.match(good.out, /^All right: rtsp:.*\n[\s\S]*webrtc +yes/u);
  assert.equal((await fine(['check', '-', '--seconds', '1', '--json'], { input: cameras.url('one') })).json<{ ok: boolean }>().ok, true);
  const locked = new URL(cameras.url('locked'));
  locked.username = 'viewer';
  locked.password = 'wr0ng-word';
  const refused = await cli(['check', '-'], { input: locked.href });
  assert.equal(refused.code, 1);
  assert.match(refused.err, /\(auth\)/u);
  assert.ok(!`${refused.err}${refused.out}`.includes('wr0ng-word'));
});

test('a token is made into a file that nobody else can read, works, is listed and revoked', async () => {
  const file = join(lookout.dataDir, 'display.token');
  await fine(['tokens', 'create', 'display', '--role', 'viewer', '--camera', 'gate', '--camera', 'yard', '--days', '1', '--out', file]);
  assert.equal((await stat(file)).mode & 0o077, 0);
  assert.match(await readFile(file, 'utf8'), /^lookout_[\w-]{32}\n$/u);
  const own = { LOOKOUT_TOKEN: '' };
  await fine(['cameras', 'list', '--token-file', file], { env: own });
  const refused = await cli(['tokens', 'list', '--token-file', file], { env: own });
  assert.deepEqual([refused.code, refused.err], [1, 'This needs the role admin; yours is viewer.\n']);
  const listed = (await fine(['tokens', 'list', '--json'])).json<{ tokens: TokenView[] }>().tokens.find(({ name }) => name === 'display');
  assert.deepEqual(listed?.cameras, ['gate', 'yard']);
  assert.match((await fine(['tokens', 'create', 'other', '--role', 'operator'])).out, /^lookout_[\w-]{32}\n\nThis is the token "other" \(operator\)/u);
  await fine(['tokens', 'revoke', 'display']);
  assert.equal((await cli(['cameras', 'list', '--token-file', file], { env: own })).code, 1);
});

test('what was not understood is told with exit code 2, and nothing is asked for', async () => {
  const wrong: [string[], RegExp][] = [
    [['zork'], /There is no command "zork"/u],
    [['toString'], /There is no command "toString"/u],
    [['cameras', 'zork'], /"zork" is none of list, show/u],
    [['cameras', 'show'], /Say which camera/u],
    [['cameras', 'list', 'more'], /one argument too many/u],
    [['cameras', 'list', '--zork'], /Unknown option '--zork'/u],
    [['check', 'http://127.0.0.1/'], /must begin with rtsp/u],
    [['check', 'rtsp://h/x', '--seconds', '99'], /from 0\.5 to 30/u],
    [['tokens', 'create', 'x'], /--role/u],
    [['tokens', 'create', 'x', '--role', 'viewer', '--days', 'many'], /--days/u],
    [['config'], /config check/u],
    [['cameras', 'list', '--url', 'lookout'], /must look like/u],
    [['cameras', 'list', '--token-file', '/nowhere'], /cannot be read: ENOENT/u],
    [[], /^$/u],
  ];
  for (const [args, message] of wrong) {
    const { code, err } = await cli(args);
    assert.deepEqual([code, message.test(err)], [2, true], `${args.join(' ')}: ${err}`);
  }
  const without = await cli(['cameras', 'list'], { env: { LOOKOUT_TOKEN: '' } });
  assert.deepEqual([without.code, /Give a token/u.test(without.err)], [2, true]);
});

test('every command has its help', async () => {
  for (const name of ['serve', 'check', 'cameras', 'tokens', 'config', 'doctor', 'diagnose']) assert.match((await fine([name, '--help'])).out, new RegExp(`lookout ${name}`, 'u'));
  assert.match((await fine(['--help'])).out, /Exit codes: 0 fine, 1 it failed, 2 it was not understood/u);
});

test('a Lookout that is not there, and one that redirects, are told without the token', async (t) => {
  const nobody = createServer();
  await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve));
  const free = `http://127.0.0.1:${(nobody.address() as AddressInfo).port}`;
  await new Promise((resolve) => nobody.close(resolve));
  const away = await cli(['cameras', 'list'], { env: { LOOKOUT_URL: free } });
  assert.deepEqual([away.code, away.err], [1, `No Lookout answers at ${free} (ECONNREFUSED).\n`]);
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(String(request.url));
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  assert.equal((await cli(['cameras', 'list', '--url', `http://127.0.0.1:${(server.address() as AddressInfo).port}`])).code, 1);
  assert.deepEqual(asked, ['/api/v1/cameras'], 'a token follows no redirect');
});

test('a diagnosis holds what a report needs and no credential, and is made of a Lookout that is away too', async () => {
  assert.match(cameras.url('locked'), /s3cr3t-word/u);
  await fine(['cameras', 'add', '-', '--id', 'sealed'], { input: cameras.url('locked') });
  await lookout.until('sealed', 'streaming.live');
  const [here, away] = [join(lookout.dataDir, 'here.json.gz'), join(lookout.dataDir, 'away.json.gz')];
  const { missing } = (await fine(['diagnose', '--out', here, '--json'])).json<{ missing: string[] }>();
  assert.deepEqual(missing, []);
  const text = gunzipSync(await readFile(here)).toString();
  const report = JSON.parse(text) as { details: { id: string; events: { events: unknown[] } }[]; metrics: string; doctor: unknown[]; machine: { cores: number } };
  assert.ok(report.details.some(({ id, events }) => id === 'sealed' && events.events.length > 0));
  assert.match(report.metrics, /^vms_media_/mu);
  assert.ok(report.doctor.length > 5 && report.machine.cores > 0);
  assert.doesNotMatch(text, /s3cr3t-word|test-admin-token/u);
  assert.equal((await stat(here)).mode & 0o077, 0);
  const none = (await fine(['diagnose', '--out', away, '--json'], { env: { LOOKOUT_URL: 'http://127.0.0.1:9' } })).json<{ missing: string[] }>();
  assert.ok(none.missing.includes('cameras') && none.missing.includes('metrics'));
  assert.equal((await cli(['diagnose', '--out', here])).code, 1, 'a report is not written over');
});

test('config check tells every mistake, and 0 where there is none', async () => {
  const file = join(lookout.dataDir, 'other.yaml');
  await writeFile(file, 'port: many\nzork: 1\n');
  const wrong = await cli(['config', 'check', '--config', file]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.out, /2 mistakes\.\n(?: {2}.*\n)? {2}port: must be integer/u);
  const json = (await cli(['config', 'check', '--config', file, '--json'])).json<{ ok: boolean; mistakes: { path: string }[] }>();
  assert.deepEqual([json.ok, json.mistakes.map(({ path }) => path).toSorted()], [false, ['port', 'zork']]);
  await writeFile(file, 'port: 1234\n');
  assert.match((await fine(['config', 'check', '--config', file])).out, /^All right: .*other\.yaml/u);
});
