/** Viewers that misbehave — never connect, talk garbage, flood — hurt nobody: others lose no packet, and nothing of them is left. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { after, before, test, type TestContext } from 'node:test';
import type { Socket } from 'socket.io-client';
import { eventually } from '../support/eventually.ts';
import { harm, internalPorts, settledHoldings, startFaultRig, undecoded, type FaultRig, type RigState } from '../support/fault-rig.ts';
import { ask, connectSocket } from '../support/socket-client.ts';

const negotiateMs = 2_000;
let rig: FaultRig;

before(async () => {
  rig = await startFaultRig(4, { viewers: { joinMs: negotiateMs, negotiateMs } });
});

after(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const open = (t: TestContext): Promise<Socket> => connectSocket(t, `${rig.lookout.url}/viewer`, { auth: { token: 'test-admin-token-of-this-run' } });
const victim = { victim: '', spared: () => false };

/** Runs a misbehaviour; afterwards nobody has lost anything, and only the page's own viewers are left. */
async function unharmedBy(misbehave: () => Promise<void>): Promise<void> {
  const held = await settledHoldings(rig);
  const { before: was, now } = await undisturbed(misbehave);
  assert.deepEqual(harm(was, now, victim), []);
  await eventually(async () => {
    assert.deepEqual(undecoded([was, now, await rig.state()], victim), []);
    return true;
  }, { timeoutMs: 4_000 });
  await eventually(async () => {
    const { transports, consumers } = await rig.lookout.sfu();
    assert.equal(transports.filter(({ kind }) => kind === 'webrtc').length, 4);
    assert.equal(consumers.length, 4);
    assert.deepEqual((await rig.lookout.cameras()).map(({ viewers }) => viewers), [1, 1, 1, 1]);
    return true;
  }, { timeoutMs: negotiateMs + 5_000 });
  assert.deepEqual(await settledHoldings(rig), held);
}

/** Once more where this machine lost packets of a stream that has nothing to do with Lookout. */
async function undisturbed(misbehave: () => Promise<void>): Promise<{ before: RigState; now: RigState }> {
  for (let left = 2; ; left -= 1) {
    rig.controlLoss();
    const state = await rig.state();
    await misbehave();
    const now = await rig.state();
    if (left === 0 || rig.controlLoss() === 0) return { before: state, now };
  }
}

test('sixty viewers that ask for a transport and never connect are ended at their deadline', async (t) => {
  await unharmedBy(async () => {
    const socket = await open(t);
    const gone: unknown[] = [];
    socket.on('gone', (event) => gone.push(event));
    await Promise.all(Array.from({ length: 60 }, async (_, index) => {
      const joined = await ask(socket, 'join', { camera: `cam${(index % 4) + 1}` });
      assert.ok(joined.ok);
      const { viewer } = joined.value as unknown as { viewer: string };
      assert.ok((await ask(socket, 'transport', { viewer, rtpCapabilities: {} })).ok);
    }));
    assert.equal((await rig.lookout.sfu()).transports.filter(({ kind }) => kind === 'webrtc').length, 64);
    await eventually(() => gone.length === 60, { timeoutMs: negotiateMs + 3_000, what: 'sixty farewells' });
  });
});

test('garbage in every request is answered with an error of the catalogue, and the connection goes on', async (t) => {
  await unharmedBy(async () => {
    const socket = await open(t);
    const joined = await ask(socket, 'join', { camera: 'cam1' });
    const { viewer } = joined.value as unknown as { viewer: string };
    await ask(socket, 'transport', { viewer, rtpCapabilities: { codecs: 'many', headerExtensions: [null] } });
    const nonsense = [undefined, null, 42, 'x'.repeat(5_000), [], { viewer }, { viewer: { $gt: '' } }, { viewer, dtlsParameters: { role: 'king', fingerprints: [{ algorithm: 'rot13', value: 'ff' }] } }, { viewer, rtpCapabilities: { codecs: [{ mimeType: 'video/x', rtcpFeedback: 7 }] } }];
    for (const event of ['join', 'transport', 'connectTransport', 'consume', 'resume', 'pause', 'leave']) {
      for (const request of nonsense.filter((each) => event !== 'leave' || each === null || typeof each !== 'object' || !('viewer' in each))) {
        const answer = await ask(socket, event, request);
        if (!answer.ok) assert.match(answer.error?.code ?? '', /^LOOKOUT_/u);
      }
    }
    assert.ok(socket.connected);
    assert.ok((await ask(socket, 'join', { camera: 'cam2' })).ok);
    socket.disconnect();
  });
});

test('a flood of joins over ten connections is refused beyond its limits while others watch on', async (t) => {
  await unharmedBy(async () => {
    const sockets = await Promise.all(Array.from({ length: 10 }, () => open(t)));
    const answers = await Promise.all(sockets.flatMap((socket) => Array.from({ length: 600 }, () => ask(socket, 'join', { camera: 'cam1' }))));
    const codes = new Set(answers.flatMap(({ ok, error }) => (ok ? [] : [error?.code])));
    assert.ok(codes.has('LOOKOUT_RATE_LIMITED'), [...codes].join());
    assert.ok(answers.filter(({ ok }) => ok).length <= 640);
    for (const socket of sockets) socket.disconnect();
  });
});

test('garbage on the workers\' WebRTC ports, and forged RTP on an ingest\'s port, changes nothing', async () => {
  await unharmedBy(async () => {
    const udp = createSocket('udp4');
    const { workers } = await rig.lookout.sfu();
    const ports = workers.flatMap(({ port }) => port ?? []);
    assert.equal(ports.length, 2);
    // STUN, DTLS, RTP and RTCP by their first byte (RFC 7983), and whatever else.
    const firsts = [0x00, 0x16, 0x80, 0x81, 0xff];
    const ingests = internalPorts(rig.lookout.pid);
    assert.ok(ingests.length >= 4, `${ingests.length} ingest ports`);
    for (let round = 0; round < 400; round += 1) {
      for (const port of [...ports, ...ingests]) {
        const packet = randomBytes(20 + Math.floor(Math.random() * 1_200));
        packet[0] = firsts[round % firsts.length] as number;
        packet[1] = 96;
        await new Promise((sent) => udp.send(packet, port, '127.0.0.1', sent));
      }
    }
    await Promise.all(ports.map((port) => new Promise<void>((resolve) => {
      const tcp = connect(port, '127.0.0.1', () => tcp.end(randomBytes(60_000)));
      tcp.on('error', () => undefined).on('close', () => resolve()).resume();
      setTimeout(() => tcp.destroy(), 2_000).unref();
    })));
    await new Promise<void>((resolve) => udp.close(resolve));
  });
});
