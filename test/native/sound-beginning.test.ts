/** Sound begins where the video of a file does, also where the first GOP of a hub cannot begin one: hubs made by hand, one that gives what no simulated camera does on purpose. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { loadTrack } from '../../src/camera-sim/track.ts';
import { measureFile } from '../../src/recordings/files.ts';
import { nalKind, splitAnnexB } from '../../src/rtp/nal.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { framedRtp } from '../support/framed-rtp.ts';
import { record, startPool } from '../support/hosts.ts';
import { packetsOf } from '../support/media-packets.ts';

const fps = 25;

/** What a hub gives to who reads it now: its units, each a list of payloads, so many ms apart, the first as old as asked; RTP framed by RFC 4571, on CLOCK_MONOTONIC. */
async function hub(t: TestContext, units: readonly Buffer[][], everyMs: number, ageMs: number): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const began = process.hrtime.bigint() / 1_000n - BigInt(ageMs * 1_000);
    let sequence = 0;
    socket.write(Buffer.concat(units.flatMap((payloads, unit) => payloads.map((payload, index) => {
      const timestamp = Number(((began + BigInt(Math.round(unit * everyMs * 1_000))) * 9n / 100n) % 0x1_0000_0000n);
      return framedRtp({ payload, sequence: sequence += 1, timestamp, marker: index === payloads.length - 1 });
    }))));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  defer(t, async () => void server.close());
  return (server.address() as AddressInfo).port;
}

test('the first GOP of a hub begins with a picture that decoding cannot begin with: the file begins with the next, sound and video', async (t) => {
  const hosts = startPool();
  defer(t, () => hosts.close());
  const dir = await mkdtemp(join(tmpdir(), 'lookout-beginning-'));
  defer(t, () => rm(dir, { recursive: true, force: true }));
  const gops = loadTrack('entrance-360p-baseline').units.slice(0, 2 * fps).map(({ data }) => splitAnnexB(data));
  const damaged = gops.map((units, index) => (index === 0 ? units.filter((unit) => nalKind('H264', unit) === 'parameter-set').concat(gops[1]!) : units));
  const pcmu = Array.from({ length: 100 }, () => [Buffer.alloc(160, 0xff)]);
  const port = await hub(t, damaged, 1_000 / fps, 2_000);
  const sound = { codec: 'PCMU', rate: 8_000, channels: 1, config: null, port: await hub(t, pcmu, 20, 2_000) } as const;
  const host = await hosts.pool.take('camera:cam/record');
  const said = record(host);
  host.send({ type: 'output.start', spec: { output: 'record', camera: 'cam', hub: { port, codec: 'H264', gopMs: 1_000, sound }, dir, segmentMs: 60_000, segmentBytes: 0 } });
  await eventually(() => said.events.some((event) => event.type === 'output.stats' && event.stats.frames === gops.length), { timeoutMs: 10_000, what: 'all frames of the hub' });
  host.send({ type: 'output.finish', drainMs: 0 });
  const { file } = await said.next('file.closed', 10_000);
  await host.release();
  const { video, audio } = await packetsOf(await readFile(join(dir, file.path)));
  assert.equal(measureFile(join(dir, file.path))?.frames, fps);
  assert.ok(video[0]!.time < 0.03 && audio![0]!.time < 0.03, `video begins at ${video[0]!.time}, sound at ${audio![0]!.time}`);
});
