/** The routes of recordings: who may, what is listed, and every way to ask for bytes. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { parseRange } from '../../src/api/range.ts';
import type { RecordingView } from '../../src/api/protocol.ts';
import { apiBench, temporaryDir } from '../support/api.ts';
import { eventually } from '../support/eventually.ts';
import { scriptedControl } from '../support/scripted-control.ts';

const recording = (changes: Partial<RecordingView> = {}): RecordingView => ({
  id: 'gate-1795569825678', camera: 'gate', path: 'gate/2026/11/25/2026-11-25T01-23-45.678Z.mkv', startAt: '2026-11-25T01:23:45.678Z', endAt: '2026-11-25T01:28:45.678Z', durationMs: 300_000,
  bytes: 200_000, frames: 7_500, codec: 'H264', width: 640, height: 360, sound: 'AAC', closed: true,
  gapBefore: { from: '2026-11-25T01:23:40.000Z', to: '2026-11-25T01:23:45.678Z', durationMs: 5_678, class: 'reset', code: 'connection-reset', message: 'The connection to the camera broke.' }, ...changes,
});

async function bench(t: TestContext, bytes = randomBytes(200_000)) {
  const script = scriptedControl();
  script.recordings = [recording(), recording({ id: 'gate-1795569000000', closed: false, endAt: null, gapBefore: null })];
  script.recordingFile = join(await temporaryDir(t), 'file.mkv');
  await writeFile(script.recordingFile, bytes);
  const api = await apiBench(t, { script });
  const file = (headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') => api.app.inject({ method, url: `/api/v1/recordings/${script.recordings[0]!.id}/file`, headers: { ...api.as('viewer'), ...headers } });
  return { ...api, bytes, file };
}

describe('recordings', () => {
  test('are listed with their gaps, for a camera and a time, a page at a time', async (t) => {
    const { app, as, script } = await bench(t);
    const answer = await app.inject({ url: '/api/v1/recordings?camera=gate&from=2026-11-25T01:00:00Z&to=2026-11-25T02:00:00Z&limit=1&after=gate-1', headers: as('viewer') });
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(answer.json(), { recordings: [recording()], next: null });
    assert.deepEqual(script.calls, [`list ${JSON.stringify({ limit: 1, cameras: ['gate'], from: Date.parse('2026-11-25T01:00:00Z'), to: Date.parse('2026-11-25T02:00:00Z'), after: 'gate-1' })}`]);
    for (const wrong of ['camera=../x', 'from=yesterday', 'from=2026-13-45T00:00:00Z', 'limit=0', 'limit=1001', 'after=gate', 'camra=gate']) {
      assert.equal((await app.inject({ url: `/api/v1/recordings?${wrong}`, headers: as('viewer') })).statusCode, 400, wrong);
    }
  });

  test('one is read, and one that does not exist is a 404', async (t) => {
    const { app, as } = await bench(t);
    assert.deepEqual((await app.inject({ url: '/api/v1/recordings/gate-1795569825678', headers: as('viewer') })).json(), recording());
    const missing = await app.inject({ url: '/api/v1/recordings/gate-5', headers: as('viewer') });
    assert.deepEqual([missing.statusCode, missing.json<{ code: string }>().code], [404, 'LOOKOUT_RECORDING_NOT_FOUND']);
  });

  test('are removed by admins only, and never while they are written', async (t) => {
    const { app, as, script } = await bench(t);
    const remove = (id: string, role: 'admin' | 'operator') => app.inject({ method: 'DELETE', url: `/api/v1/recordings/${id}`, headers: as(role) });
    assert.equal((await remove('gate-1795569825678', 'operator')).statusCode, 403);
    assert.equal((await remove('gate-1795569825678', 'admin')).statusCode, 204);
    assert.equal((await remove('gate-1795569000000', 'admin')).json<{ code: string }>().code, 'LOOKOUT_RECORDING_OPEN');
    assert.deepEqual(script.calls, ['remove recording gate-1795569825678']);
  });

  test('start and stop by hand for operators', async (t) => {
    const { app, as, script } = await bench(t);
    const ask = (verb: string, role: 'operator' | 'viewer') => app.inject({ method: 'POST', url: `/api/v1/cameras/gate/recording/${verb}`, headers: as(role) });
    assert.equal((await ask('start', 'viewer')).statusCode, 403);
    assert.deepEqual([(await ask('start', 'operator')).statusCode, (await ask('stop', 'operator')).statusCode], [202, 202]);
    assert.deepEqual(script.calls, ['record gate: true', 'record gate: false']);
  });
});

describe('the bytes of a recording', () => {
  test('come whole, with what a player needs to ask for parts', async (t) => {
    const { file, bytes, app } = await bench(t);
    const { statusCode, headers, rawPayload } = await file();
    assert.equal(statusCode, 200);
    assert.deepEqual([headers['content-type'], headers['accept-ranges'], headers['content-length']], ['video/x-matroska', 'bytes', '200000']);
    assert.ok(rawPayload.equals(bytes));
    assert.equal((await app.inject({ url: '/api/v1/recordings/gate-1795569825678/file' })).statusCode, 401);
  });

  test('HEAD says the same and sends none', async (t) => {
    const { file } = await bench(t);
    const { statusCode, headers, rawPayload } = await file({}, 'HEAD');
    assert.deepEqual([statusCode, headers['content-length'], rawPayload.length], [200, '200000', 0]);
  });

  for (const [range, start, end] of [['bytes=0-0', 0, 0], ['bytes=100-199', 100, 199], ['bytes=199990-', 199_990, 199_999], ['bytes=-5', 199_995, 199_999], ['bytes=0-999999', 0, 199_999], ['bytes=-999999', 0, 199_999]] as const) {
    test(`${range} is ${end - start + 1} bytes from ${start}`, async (t) => {
      const { file, bytes } = await bench(t);
      const { statusCode, headers, rawPayload } = await file({ range });
      assert.deepEqual([statusCode, headers['content-range'], headers['content-length']], [206, `bytes ${start}-${end}/200000`, String(end - start + 1)]);
      assert.ok(rawPayload.equals(bytes.subarray(start, end + 1)));
    });
  }

  for (const range of ['bytes=200000-', 'bytes=999999-1000000', 'bytes=-0']) {
    test(`${range} is a 416 that says how much there is`, async (t) => {
      const { file } = await bench(t);
      const { statusCode, headers, json } = await file({ range });
      assert.deepEqual([statusCode, headers['content-range'], json<{ code: string }>().code], [416, 'bytes */200000', 'LOOKOUT_RANGE']);
    });
  }

  for (const range of ['bytes=5-2', 'lines=1-2', 'bytes=0-1,5-6', 'bytes=-', 'nonsense']) {
    test(`"${range}" is ignored`, async (t) => assert.equal((await (await bench(t)).file({ range })).statusCode, 200));
  }

  test('a range of what changed meanwhile is the whole', async (t) => {
    const { file } = await bench(t);
    const { etag } = (await file()).headers;
    assert.equal((await file({ range: 'bytes=0-9', 'if-range': String(etag) })).statusCode, 206);
    assert.equal((await file({ range: 'bytes=0-9', 'if-range': '"other"' })).statusCode, 200);
  });

  test('a file that is gone is told as a failure of the disk; an empty one is empty', async (t) => {
    const gone = await bench(t);
    gone.script.recordingFile = '/nowhere/at/all.mkv';
    assert.deepEqual([(await gone.file()).statusCode, (await gone.file()).json<{ code: string }>().code], [503, 'LOOKOUT_STORAGE']);
    const { statusCode, rawPayload } = await (await bench(t, Buffer.alloc(0))).file();
    assert.deepEqual([statusCode, rawPayload.length], [200, 0]);
  });

  test('a large one is read no faster than it is taken, and an abandoned download leaves no file open', async (t) => {
    const { listen, as, script } = await bench(t, Buffer.alloc(96 * 1024 * 1024, 7));
    const { port } = new URL(await listen());
    const open = (): number => readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === script.recordingFile;
      } catch {
        return false;
      }
    }).length;
    const readSoFar = (): number => Number(/rchar: (\d+)/u.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
    const before = readSoFar();
    const client = connect(Number(port), '127.0.0.1').pause();
    client.write(`GET /api/v1/recordings/gate-1795569825678/file HTTP/1.1\r\nHost: x\r\nAuthorization: ${as('viewer').authorization}\r\n\r\n`);
    let last = 0;
    await eventually(() => {
      const [was, now] = [last, readSoFar()];
      last = now;
      return open() === 1 && now - before > 100_000 && now - was < 100_000;
    }, { timeoutMs: 5_000, what: 'the sender to stand still' });
    assert.ok(last - before < 32 * 1024 * 1024, `${Math.round((last - before) / 1e6)} MB were read for nobody`);
    client.destroy();
    await eventually(() => open() === 0, { what: 'the file to be closed' });
  });

  test('ranges of any header lie inside the file', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`), fc.nat().map((n) => `bytes=-${n}`)), fc.nat({ max: 1_000_000 }), (header, size) => {
      const range = parseRange(header, size);
      if (range !== null && range !== 'unsatisfiable') assert.ok(range.start >= 0 && range.start <= range.end && range.end < size);
    }));
  });
});
