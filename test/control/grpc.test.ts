/** gRPC on the real program: a stream is set up, watched until it is live, changed, found in the journal, and released. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { grpcClient, type Message } from '../support/grpc.ts';
import { startLookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

test('a stream that is set up over gRPC becomes live, is the same camera over REST, and leaves nothing behind', async (t) => {
  const cameras = await startSimulator({ mounts: [{ name: 'street', video: 'parking-360p-main' }, { name: 'yard', video: 'parking-360p-main' }] });
  defer(t, () => cameras.close());
  const lookout = await startLookout({ env: { LOOKOUT_INTERNAL_SECRET: 'internal-secret-of-this-test' } });
  defer(t, () => lookout[Symbol.asyncDispose]());
  const stats = await (await fetch(`${lookout.url}/stats`, { headers: { 'x-internal-auth': 'internal-secret-of-this-test' } })).json() as { grpc: { port: number } };
  assert.ok(lookout.lines.some((line) => line.includes('gRPC is served') && line.includes(`"port":${stats.grpc.port}`)));
  const client = grpcClient(t, stats.grpc.port, { token: 'test-admin-token-of-this-run' });
  const watch = client.stream('WatchStreams');
  const last = () => watch.events.map(({ stream }) => stream as Message | undefined).filter((stream) => stream !== undefined).at(-1);

  const asked = { id: 'gate', url: cameras.url('street') };
  const [one, two] = await Promise.all([client.call('SetupStream', asked), client.call('SetupStream', asked)]);
  assert.deepEqual([one['outcome'], two['outcome']].toSorted(), ['SETUP_OUTCOME_CREATED', 'SETUP_OUTCOME_UNCHANGED'], 'twice at the same moment is once');
  await eventually(() => last()?.['substate'] === 'live', { timeoutMs: 10_000, what: 'the stream to be live' });
  assert.equal((await lookout.camera('gate')).state, 'streaming');

  const other = { ...asked, url: cameras.url('yard') };
  assert.equal((await client.call('SetupStream', other))['outcome'], 'SETUP_OUTCOME_CHANGED');
  assert.equal((await client.call('SetupStream', other))['outcome'], 'SETUP_OUTCOME_UNCHANGED');
  await eventually(async () => (await lookout.camera('gate')).url === cameras.url('yard') && (await lookout.camera('gate')).substate === 'live', { timeoutMs: 10_000, what: 'the other picture' });
  const types = (await lookout.events('gate')).map(({ type }) => type);
  assert.ok(types.includes('camera.created') && types.includes('camera.changed'));
  assert.equal(types.filter((type) => type === 'camera.changed').length, 1, 'nothing changed the second time');

  assert.deepEqual(await client.call('TeardownStream', { id: 'gate' }), { existed: true });
  await eventually(() => watch.events.some(({ removed }) => removed === 'gate'), { what: 'the removal' });
  assert.deepEqual(await lookout.cameras(), []);
  await lookout.stop();
  assert.equal((await watch.ended)?.reason, 'LOOKOUT_SHUTTING_DOWN');
});
