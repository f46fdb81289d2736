/**
 * Keyframes as large as those of 4K cameras, from GStreamer's own payloader and sink to a real ingest, while its worker is
 * frozen: what the socket's buffer cannot hold is lost, whatever the machine is doing.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { createIngest, type Ingest } from '../../src/native/ingest.ts';
import { startMediaWorker, type MediaWorker } from '../../src/native/mediasoup-worker.ts';
import { createPorts } from '../../src/native/ports.ts';
import { enoughReceiveBuffer, maxReceiveBuffer } from '../../src/receive-buffer.ts';
import { createRegistry } from '../../src/native/registry.ts';
import { eventually } from '../support/eventually.ts';

const registry = createRegistry();
const ports = createPorts({ registry });
const asked = 8_388_608;
let directory: string;
let worker: MediaWorker;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lookout-bursts-'));
  worker = await startMediaWorker({ index: 0, registry, stateDir: directory, portMin: 40_000, portMax: 40_999, listenIp: '127.0.0.1', announcedAddress: undefined, requestMs: 120_000, onLog: () => undefined });
});
after(async () => {
  await worker.close();
  await rm(directory, { recursive: true });
});

type Camera = { ingest: Ingest; send(frameBytes: number, frames: number): Promise<void> };

/** An ingest and the feed of its camera: intra frames of one NAL unit. */
async function openCamera(t: TestContext, recvBufferBytes: number): Promise<Camera> {
  const [inlet, outlet] = [await ports.lease('test/ingest'), await ports.lease('test/feed')];
  const feed = { port: inlet.port, bindPort: outlet.port, ssrc: 4_711, payloadType: 96 };
  const ingest = await createIngest(worker, { camera: 'test', feed, profileLevelId: '42e01f', recvBufferBytes });
  let sequence = 100;
  t.after(async () => {
    ingest.close();
    await Promise.all([inlet.release(), outlet.release()]);
  });
  return {
    ingest,
    async send(frameBytes, frames) {
      const file = join(directory, 'frame.h264');
      await writeFile(file, Buffer.concat([Buffer.of(0, 0, 0, 1, 0x65), Buffer.alloc(frameBytes, 0xa5)]));
      const mtu = 1_200;
      const launch = [
        'multifilesrc', `location=${file}`, 'loop=true', `num-buffers=${frames}`, 'caps=video/x-h264,stream-format=byte-stream,alignment=au,framerate=1/1',
        '!', 'rtph264pay', 'pt=96', `ssrc=${feed.ssrc}`, `mtu=${mtu}`, `seqnum-offset=${sequence}`,
        '!', 'udpsink', 'host=127.0.0.1', `port=${feed.port}`, 'bind-address=127.0.0.1', `bind-port=${feed.bindPort}`, 'sync=false', 'async=false',
      ];
      const child = spawn('gst-launch-1.0', ['-q', ...launch], { stdio: 'ignore', env: { ...process.env, LC_ALL: 'C' } });
      const [code] = await once(child, 'exit');
      assert.equal(code, 0);
      // 12 bytes of RTP's head, 2 of an FU-A's; the NAL unit's own first byte travels in them.
      sequence += frames * Math.ceil(frameBytes / (mtu - 14));
    },
  };
}

/** What happens while the worker takes nothing. */
async function whileFrozen(work: () => Promise<void>): Promise<void> {
  process.kill(worker.pid, 'SIGSTOP');
  try {
    await work();
  } finally {
    process.kill(worker.pid, 'SIGCONT');
  }
}

const packetsOf = (bytes: number): number => Math.ceil(bytes / 1_186);

for (const [frameBytes, frames] of [[500_000, 4], [1_000_000, 2]] as const) {
  test(`${frames} keyframes of ${frameBytes / 1_000} kB wait whole in the buffer of an ingest whose worker is frozen`, { skip: maxReceiveBuffer() < enoughReceiveBuffer && 'the kernel grants less than 4 MB here' }, async (t) => {
    const { ingest, send } = await openCamera(t, asked);
    assert.equal(ingest.recvBufferBytes, Math.min(asked, maxReceiveBuffer()));
    await send(1_000, 1);
    await eventually(async () => (await ingest.counters()).packets === 1, { what: 'the first packet' });
    await whileFrozen(() => send(frameBytes, frames));
    await eventually(async () => (await ingest.counters()).packets === 1 + frames * packetsOf(frameBytes), { timeoutMs: 15_000, what: 'every packet' });
    await send(1_000, 1);
    await eventually(async () => (await ingest.counters()).packets === 2 + frames * packetsOf(frameBytes), { what: 'the packet behind them' });
    assert.equal(ingest.lost(), 0);
  });
}

test('what a small buffer cannot hold is counted as lost', async (t) => {
  const { ingest, send } = await openCamera(t, 212_992);
  await send(1_000, 1);
  await eventually(async () => (await ingest.counters()).packets === 1, { what: 'the first packet' });
  await whileFrozen(() => send(1_000_000, 1));
  await send(1_000, 1);
  await eventually(async () => (await ingest.counters()).packetsLost > 0, { timeoutMs: 15_000, what: 'the loss' });
  const { packets, packetsLost } = await ingest.counters();
  assert.equal(packets + packetsLost, 2 + packetsOf(1_000_000));
  assert.equal(ingest.lost(), packetsLost);
});
