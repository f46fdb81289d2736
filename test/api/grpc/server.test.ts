/** The gRPC server beside the program: where it listens, health, what it does when its port is taken, its end. */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import test from 'node:test';
import { apiBench } from '../../support/api.ts';
import { defer } from '../../support/defer.ts';
import { eventually } from '../../support/eventually.ts';
import { grpcClient } from '../../support/grpc.ts';

test('health follows readiness, for the program and for the service, at once for whoever watches', async (t) => {
  const { app, listen, script } = await apiBench(t);
  await listen();
  const health = grpcClient(t, app.grpc?.port() ?? 0, { service: 'Health', token: '' });
  const check = async (service: string) => (await health.call<{ status: string }>('check', { service })).status;
  assert.deepEqual([await check(''), await check('vms.media.v1.MediaPlane')], ['SERVING', 'SERVING']);
  await assert.rejects(check('nobody'), { code: 5 });
  const watch = health.stream('watch', { service: 'vms.media.v1.MediaPlane' });
  await eventually(() => watch.events.length === 1, { what: 'the first word' });
  script.readiness = { ready: false, reasons: ['No media worker runs.'] };
  await eventually(() => watch.events.length === 2, { what: 'the second word' });
  assert.equal(await check(''), 'NOT_SERVING');
  script.readiness = { ready: true, reasons: [] };
  await eventually(() => watch.events.length === 3, { what: 'the third word' });
  await app.close();
  assert.deepEqual(watch.events.map((event) => event['status']), ['SERVING', 'NOT_SERVING', 'SERVING', 'NOT_SERVING'], 'and says so before the end');
});

test('a port that is taken is told, keeps nothing else from running, and is taken as soon as it is free', async (t) => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  defer(t, () => holder.close());
  const { port } = holder.address() as AddressInfo;
  const { app, listen, lines, as } = await apiBench(t, { env: { LOOKOUT_GRPC_PORT: String(port) } });
  await listen();
  await eventually(() => lines.some((line) => line.includes('gRPC cannot be served') && line.includes(String(port))), { what: 'the log line' });
  assert.equal(app.grpc?.port(), null);
  assert.equal((await app.inject({ url: '/api/v1/cameras', headers: as('viewer') })).statusCode, 200);
  await new Promise((resolve) => holder.close(resolve));
  await eventually(() => app.grpc?.port() === port, { timeoutMs: 8000, what: 'the port to be taken' });
  await grpcClient(t, port).call('ListStreams');
});

test('switched off, there is no server', async (t) => {
  const { app } = await apiBench(t, { change: (config) => ({ ...config, grpc: { ...config.grpc, enabled: false } }) });
  assert.equal(app.grpc, null);
});

test('two programs on one machine take a free port each, and say which', async (t) => {
  const benches = [await apiBench(t), await apiBench(t)];
  for (const { listen } of benches) await listen();
  const ports = benches.map(({ app }) => app.grpc?.port());
  assert.equal(new Set(ports).size, 2);
  for (const [n, { lines }] of benches.entries()) assert.ok(lines.some((line) => line.includes('gRPC is served') && line.includes(`"port":${ports[n]}`)));
});
