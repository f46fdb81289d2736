/** Hosts read ahead on their cameras' connections (`plugin/ahead.c`): packets are whole and in order, however the network cut them, with TLS too. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { constants } from 'node:os';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CameraUrl } from '../../src/camera-url.ts';
import { testCertificate } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { watchFeed } from '../support/feed-watch.ts';
import { record, sourceSpec, startPool } from '../support/hosts.ts';
import { startSimulator } from '../support/simulator.ts';

/** Smaller than an interleaved header, larger than what is read ahead, and in between; coprime with the size of packets. */
const cuts = [1, 3, 4, 5, 701, 1_399, 9_001, 40_009];

/** A network that cuts what the camera says anew. */
async function startCutter(port: number): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((viewer) => {
    const camera = connect(port, '127.0.0.1');
    for (const socket of [viewer.setNoDelay(), camera]) sockets.add(socket.on('error', () => viewer.destroy()));
    viewer.on('data', (bytes) => camera.write(bytes)).on('close', () => camera.destroy());
    void deliver(camera, viewer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function deliver(camera: Socket, viewer: Socket): Promise<void> {
  let nth = 0;
  try {
    for await (const bytes of camera as AsyncIterable<Buffer>) {
      for (let at = 0; at < bytes.length;) {
        const size = cuts[nth++ % cuts.length]!;
        viewer.write(bytes.subarray(at, at + size));
        at += size;
        // A turn of the event loop: the kernel gets it alone.
        await sleep(0);
      }
    }
  } catch {
    // The connection was closed.
  }
  viewer.end();
}

describe('reading ahead', () => {
  const hosts = startPool();
  after(() => hosts.close());

  test('packets of a camera are whole and in order, however the network cuts them', async () => {
    await using simulator = await startSimulator({ mounts: [{ name: 'camera', video: 'street-720p-main' }] });
    await using cutter = await startCutter(Number(new URL(simulator.url('camera')).port));
    const watch = await watchFeed(hosts, `rtsp://127.0.0.1:${cutter.port}/camera`);
    try {
      await eventually(() => watch.packets() > 500 && watch.keyframeAt() > 0, { timeoutMs: 20_000, what: '500 packets and a keyframe' });
      assert.deepEqual(watch.wrong, []);
      assert.deepEqual(watch.failures, []);
    } finally {
      await watch.close();
    }
  });

  test('a camera with TLS streams, and its host is still there', async () => {
    await using simulator = await startSimulator({ tls: testCertificate, mounts: [{ name: 'camera', video: 'street-720p-main' }] });
    const host = await hosts.pool.take('camera:secure/source');
    const said = record(host);
    assert.ok(CameraUrl.parse(simulator.url('camera')).secure);
    host.send({ type: 'source.start', spec: sourceSpec(simulator.url('camera'), { tls: { verify: false, fingerprint: undefined } }) });
    await said.next('source.flowing', 20_000);
    await eventually(() => said.events.some((event) => event.type === 'source.stats' && event.stats.frames > 25), { timeoutMs: 20_000, what: '25 frames' });
    assert.equal(said.events.some(({ type }) => type === 'source.failed'), false);
    await host.release();
  });

  test('a reset that another thread heard first, as one that sends a report does, is a reset and no end', async (t) => {
    await using simulator = await startSimulator({ mounts: [{ name: 'camera', video: 'street-720p-main' }] });
    const host = await hosts.pool.take('camera:reset/source');
    const said = record(host);
    host.send({ type: 'source.start', spec: sourceSpec(simulator.url('camera')) });
    await said.next('source.flowing', 20_000);
    if (takeErrors(host.pid) === null) {
      t.skip('this machine lets nobody look into sockets of another process (pidfd_getfd)');
      return host.release();
    }
    process.kill(host.pid, 'SIGSTOP');
    await simulator.act('camera', { type: 'reset' });
    await eventually(() => takeErrors(host.pid)?.includes(constants.errno.ECONNRESET), { what: 'a socket that was reset' });
    process.kill(host.pid, 'SIGCONT');
    const failed = await eventually(() => said.events.find((event) => event.type === 'source.failed'), { what: 'the failure' });
    assert.equal(failed?.type === 'source.failed' && failed.failure.class, 'reset', JSON.stringify(failed));
    await host.release();
  });
});

const notAllowed = 77;

/** What the kernel would tell next of each socket of a process, which it tells once (`SO_ERROR`); null where that is not allowed (pidfd_getfd(2)). */
function takeErrors(pid: number): number[] | null {
  const script = `
import ctypes, errno, os, socket, sys
syscall = ctypes.CDLL(None, use_errno=True).syscall
owner = os.pidfd_open(${pid})
for name in os.listdir('/proc/${pid}/fd'):
    if not os.readlink('/proc/${pid}/fd/' + name).startswith('socket:'): continue
    copy = syscall(438, owner, int(name), 0)
    if copy < 0 and ctypes.get_errno() in (errno.EPERM, errno.ENOSYS): sys.exit(${notAllowed})
    if copy < 0: raise OSError(ctypes.get_errno(), 'pidfd_getfd')
    with socket.socket(fileno=copy) as sock: print(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
`;
  const { status, stdout, stderr } = spawnSync('python3', ['-c', script], { encoding: 'utf8', timeout: 10_000 });
  if (status === notAllowed) return null;
  assert.equal(status, 0, stderr);
  return stdout.trim().split('\n').map(Number);
}
