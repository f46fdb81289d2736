/** Ten thousand random requests over every route (LOOKOUT_FUZZ for another number), and clients that are slow on purpose. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import test from 'node:test';
import { eventually } from '../support/eventually.ts';
import { fuzzedLookout } from '../support/fuzzed-lookout.ts';
import { fuzzRest } from '../support/rest-fuzz.ts';

test('ten thousand random requests over every route are answered without a 5xx', async (t) => {
  await using bench = await fuzzedLookout();
  const statuses = await fuzzRest(bench.lookout, bench.camera, { count: Number(process.env['LOOKOUT_FUZZ'] ?? 10_000) });
  t.diagnostic([...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`).join(', '));
  await bench.unharmed();
});

test('two hundred clients that never finish a request hinder nobody and are put out within a minute', async () => {
  await using bench = await fuzzedLookout();
  const { port } = new URL(bench.lookout.url);
  let ended = 0;
  const sockets = Array.from({ length: 200 }, (_, index) => {
    const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined).once('close', () => (ended += 1));
    // Half in their headers, half in their body.
    socket.write(index % 2 === 0 ? 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ' : 'POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{');
    return socket;
  });
  const drip = setInterval(() => sockets.forEach((socket) => socket.writable && socket.write('a')), 1_000);
  try {
    const worst = await eventually(async () => {
      const began = performance.now();
      await bench.lookout.cameras();
      return performance.now() - began;
    });
    assert.ok(worst < 5_000);
    await eventually(() => ended === sockets.length, { timeoutMs: 90_000, intervalMs: 500, what: 'all of them to be put out' });
  } finally {
    clearInterval(drip);
    for (const socket of sockets) socket.destroy();
  }
  await bench.unharmed();
});
