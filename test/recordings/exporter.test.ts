/** The thread of an export: what it says, and what it leaves on a disk that has no room, or that is full while it writes. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { startExport, type ExportEvent, type ExportOrder } from '../../src/recordings/exporter.ts';
import { mkvPieces } from '../../src/recordings/mkv.ts';
import { temporaryDir } from '../support/api.ts';

const noon = Date.parse('2026-11-25T12:00:00Z');

/** Two recordings of 4 s, the second one behind a gap, and an order for both. */
async function bench(t: TestContext, width = 320): Promise<{ order: ExportOrder; left: () => Promise<string[]> }> {
  const [from, to] = [await temporaryDir(t), await temporaryDir(t)];
  const frames = Array.from({ length: 100 }, (_, n) => ({ timeMs: n * 40, key: n % 25 === 0, length: 500 }));
  const film = (size: number): Buffer => Buffer.concat([...mkvPieces({ codec: 'V_MPEG4/ISO/AVC', codecPrivate: Uint8Array.of(1), width: size, height: 180 }, frames, 4_000)].map((piece) => (typeof piece === 'number' ? Buffer.alloc(500, piece) : piece)));
  await writeFile(join(from, '1.mkv'), film(320));
  await writeFile(join(from, '2.open.mkv'), film(width));
  const files = [{ path: join(from, '1.mkv'), startAt: noon }, { path: join(from, '2.open.mkv'), startAt: noon + 10_000 }];
  return { order: { files, from: noon, to: noon + 14_000, format: 'mp4', target: join(to, 'export.mp4'), minFreeBytes: 0 }, left: () => readdir(to) };
}

async function run(order: ExportOrder): Promise<ExportEvent[]> {
  const events: ExportEvent[] = [];
  // The thread keeps nobody alive.
  const alive = setInterval(() => undefined, 1_000);
  await startExport(order, (event) => void events.push(event)).ended;
  clearInterval(alive);
  return events;
}
const failure = (events: ExportEvent[]): [string, string] => {
  const last = events.at(-1)!;
  return last.type === 'failed' ? [last.code, last.message] : [last.type, ''];
};

describe('an export', () => {
  test('says what it will hold before it is written, and is as large as it said', async (t) => {
    for (const format of ['mp4', 'mkv'] as const) {
      const { order } = await bench(t);
      const events = await run({ ...order, format });
      const [first] = events;
      assert.ok(first?.type === 'planned' && events.at(-1)?.type === 'done');
      assert.deepEqual([first.plan.frames, first.plan.durationMs, first.plan.gaps], [200, 8_000, [{ from: noon + 4_000, to: noon + 10_000, atMs: 4_000 }]]);
      assert.equal((await stat(order.target)).size, first.plan.bytes);
    }
  });

  test('finds a recording that was finished meanwhile, and takes one that was removed for a gap', async (t) => {
    const { order } = await bench(t);
    const { path } = order.files[1]!;
    await rename(path, path.replace('.open', ''));
    assert.equal((await run({ ...order, format: 'mkv' }))[0]?.type, 'planned');
    const events = await run({ ...order, target: `${order.target}.2`, files: [order.files[0]!, { path: '/nowhere/2.mkv', startAt: noon + 10_000 }] });
    assert.ok(events[0]?.type === 'planned' && events[0].plan.frames === 100 && events[0].plan.gaps[0]?.to === noon + 14_000);
  });

  test('of a camera that changed its picture is refused with the moment', async (t) => {
    const { order, left } = await bench(t, 640);
    const [code, message] = failure(await run(order));
    assert.equal(code, 'LOOKOUT_EXPORT_FORMAT');
    assert.match(message, /2026-11-25T12:00:10.000Z/u);
    assert.deepEqual(await left(), []);
  });

  test('that has no room says how much it needs, and begins nothing', async (t) => {
    const { order, left } = await bench(t);
    const [code, message] = failure(await run({ ...order, minFreeBytes: Number.MAX_SAFE_INTEGER }));
    assert.equal(code, 'LOOKOUT_STORAGE');
    assert.match(message, /needs 0\.1 MB, and the disk has room for 0\.0 MB/u);
    assert.deepEqual(await left(), []);
  });

  test('that meets the end of the disk says so, and leaves nothing', async (t) => {
    const { order, left } = await bench(t);
    // A limit on the size of files is refused by the kernel in the middle of writing, as a full disk is.
    const script = `
      import { startExport } from ${JSON.stringify(new URL('../../src/recordings/exporter.ts', import.meta.url).href)};
      const alive = setInterval(() => undefined, 1_000);
      await startExport(${JSON.stringify(order)}, (event) => console.log(JSON.stringify(event))).ended;
      clearInterval(alive);
    `;
    const { stdout } = await promisify(execFile)('sh', ['-c', 'ulimit -f 64; trap "" XFSZ; exec "$0" "$@"', process.execPath, '-e', script], { env: { ...process.env, NODE_COMPILE_CACHE: undefined } });
    const events = stdout.trim().split('\n').map((line) => JSON.parse(line) as ExportEvent);
    assert.deepEqual([events[0]?.type, failure(events)[0]], ['planned', 'LOOKOUT_STORAGE'], stdout);
    assert.deepEqual(await left(), []);
  });
});
