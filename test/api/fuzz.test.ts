/** Whatever is sent to it, by whichever way: no 5xx, no crash, no mistake of ours in the log. `test/long/fuzz.test.ts` sends ten thousand. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually } from '../support/eventually.ts';
import { fuzzedLookout } from '../support/fuzzed-lookout.ts';
import { fuzzRest } from '../support/rest-fuzz.ts';
import { fuzzFrames, fuzzGrpc, fuzzHttp, fuzzSockets } from '../support/socket-fuzz.ts';

test('random requests over REST, raw HTTP, Socket.IO and gRPC are answered without a mistake of ours', async (t) => {
  await using bench = await fuzzedLookout();
  const { lookout, camera } = bench;
  await t.test('Socket.IO: every event is acknowledged', (own) => fuzzSockets(own, lookout.url, 150));
  await t.test('a camera may have the name that every object has', async () => {
    const headers = { authorization: 'Bearer test-admin-token-of-this-run', 'content-type': 'application/json' };
    const ask = async (method: string, path: string, body?: object): Promise<number> => (await fetch(`${lookout.url}/api/v1/cameras${path}`, { method, headers: body ? headers : { authorization: headers.authorization }, ...(body && { body: JSON.stringify(body) }) })).status;
    assert.equal(await ask('GET', '/constructor'), 404);
    assert.equal(await ask('POST', '', { id: 'constructor', url: 'rtsp://127.0.0.1:9/' }), 201);
    assert.equal(await ask('GET', '/constructor'), 200);
    assert.equal(await ask('DELETE', '/constructor'), 204);
  });
  await t.test('raw frames hurt nobody', () => fuzzFrames(lookout.url));
  await t.test('raw HTTP is refused', () => fuzzHttp(lookout.url));
  await t.test('gRPC: no message is the end of it', async (own) => {
    const port = await eventually(() => lookout.lines.map((line) => (line.includes('gRPC is served') ? (JSON.parse(line) as { port: number }).port : undefined)).find(Boolean)) as number;
    await fuzzGrpc(own, port, 150);
    await fuzzHttp(`http://127.0.0.1:${port}`);
  });
  await t.test('REST: three hundred over every route', async (own) => {
    const statuses = await fuzzRest(lookout, camera, { count: 300 });
    own.diagnostic([...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`).join(', '));
    assert.ok((statuses.get(200) ?? 0) > 10 && (statuses.get(400) ?? 0) > 50, 'some were good, many were not');
  });
  await bench.unharmed();
});
