/** What a misbehaving camera does to a source: real simulator, real GStreamer, the class and how soon. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { healthy, type Behaviour, type Incident } from '../../src/camera-sim/types.ts';
import { startSimulator } from '../support/simulator.ts';
import { healthLimits, record, sourceSpec, startPool } from '../support/hosts.ts';
import type { FailureClass } from '../../src/errors.ts';
import type { SourceSpec } from '../../src/native/protocol.ts';

const health = healthLimits({ stallMs: 400, silentMs: 1000, keyframeMs: 2500, ptsJumpMs: 2000, firstPacketMs: 1500 });

type Case = { happens: string; class: FailureClass; before?: Partial<Behaviour>; during?: Incident | Partial<Behaviour>; transport?: 'tcp' | 'udp' };

const cases: Case[] = [
  { happens: 'connection is closed', class: 'eos', during: { type: 'close' } },
  { happens: 'connection is reset', class: 'reset', during: { type: 'reset' } },
  { happens: 'stream ends with RTCP BYE', class: 'eos', during: { type: 'bye', close: false } },
  { happens: 'connection of a UDP session is closed', class: 'eos', during: { type: 'close' }, transport: 'udp' },
  { happens: 'connection of a UDP session is reset', class: 'reset', during: { type: 'reset' }, transport: 'udp' },
  { happens: 'camera goes silent', class: 'silent', during: { media: 'none' } },
  { happens: 'camera sends audio only', class: 'video-missing', during: { media: 'audio-only' } },
  { happens: 'camera sends no keyframe', class: 'no-keyframe', during: { keyframes: false } },
  { happens: 'timestamps stand still', class: 'timestamps', during: { timestamps: 'frozen' } },
  { happens: 'timestamps jump an hour ahead', class: 'timestamps', during: { type: 'jump', seconds: 3600 } },
  { happens: 'timestamps jump an hour back', class: 'timestamps', during: { type: 'jump', seconds: -3600 } },
  { happens: 'camera never answers', class: 'timeout', before: { answer: false } },
  { happens: 'camera refuses the connection', class: 'unreachable', before: { listen: 'closed' } },
  { happens: 'DESCRIBE gets 403', class: 'auth', before: { status: { code: 403 } } },
  { happens: 'DESCRIBE gets 404', class: 'not-found', before: { status: { code: 404 } } },
  { happens: 'SETUP gets 453', class: 'busy', before: { status: { code: 453, methods: ['SETUP'] } } },
  { happens: 'PLAY gets 500', class: 'server-error', before: { status: { code: 500, methods: ['PLAY'] } } },
];

describe('source of a camera that fails', () => {
  let simulator: Awaited<ReturnType<typeof startSimulator>>;
  const hosts = startPool();
  before(async () => {
    simulator = await startSimulator({ mounts: [
      { name: 'camera', video: 'entrance-360p-baseline', audio: 'beep-pcmu' },
      { name: 'mute', video: 'parking-360p-main' },
      { name: 'locked', video: 'parking-360p-main', auth: { scheme: 'digest-md5', credentials: { username: 'user', password: 'right' } } },
    ] });
  });
  after(async () => {
    await hosts.close();
    await simulator.close();
  });

  const start = async (changes: Partial<SourceSpec> & { url: string }) => {
    const host = await hosts.pool.take('camera:test/source');
    const said = record(host);
    host.send({ type: 'source.start', spec: sourceSpec(changes.url, { health, ...changes }) });
    return { host, said };
  };
  const happen = (what: Incident | Partial<Behaviour>) => ('type' in what ? simulator.act('camera', what as Incident) : simulator.script('camera', what as Partial<Behaviour>));

  for (const { happens, class: cls, before: first, during, transport = 'tcp' } of cases) {
    test(`${happens}: ${cls}`, async () => {
      await simulator.script('camera', { ...healthy, ...first });
      const { host, said } = await start({ url: simulator.url('camera'), transport });
      if (during !== undefined) {
        await said.next('source.stats');
        await happen(during);
      }
      const { failure } = await said.next('source.failed', 15_000);
      assert.equal(failure.class, cls, JSON.stringify(failure));
      assert.ok(failure.evidence !== undefined);
      assert.equal(said.events.filter(({ type }) => type === 'source.failed').length, 1);
      await host.release();
    });
  }

  // As cameras mostly are: without audio, and with a feed that is shut because nobody watches.
  for (const { what, incident } of [{ what: 'is closed', incident: { type: 'close' } }, { what: 'ends with RTCP BYE', incident: { type: 'bye', close: false } }, { what: 'is reset', incident: { type: 'reset' } }] as const) {
    for (const open of [false, true]) {
      test(`a camera without audio, its feed ${open ? 'open' : 'shut'}, that ${what} is noticed as that, not as silence`, async (t) => {
        const receiver = createSocket('udp4').bind(0, '127.0.0.1');
        t.after(() => receiver.close());
        await once(receiver, 'listening');
        const bindPort = (await hosts.ports.lease('test-feed')).port;
        const { host, said } = await start({ url: simulator.url('mute'), feed: { port: receiver.address().port, bindPort, ssrc: 1, payloadType: 96, open } });
        await said.next('source.stats');
        await simulator.act('mute', incident);
        const { failure } = await said.next('source.failed');
        assert.equal(failure.class, incident.type === 'reset' ? 'reset' : 'eos', JSON.stringify(failure));
        await host.release();
      });
    }
  }

  test('wrong password is auth, and the password shows nowhere in what the host says', async () => {
    const { host, said } = await start({ url: simulator.url('locked').replace(':right@', ':hunter2@') });
    assert.equal((await said.next('source.failed')).failure.class, 'auth');
    assert.equal(/hunter2|right/u.test(JSON.stringify(said.events)), false);
    await host.release();
  });

  test('right password plays', async () => {
    const { host, said } = await start({ url: simulator.url('locked') });
    await said.next('source.flowing');
    await host.release();
  });

  test('feed port that another socket holds is local', async (t) => {
    const holder = createSocket('udp4').bind(0, '127.0.0.1');
    t.after(() => holder.close());
    await once(holder, 'listening');
    const { host, said } = await start({ url: simulator.url('camera'), feed: { port: 9, bindPort: holder.address().port, ssrc: 1, payloadType: 96, open: true } });
    const { failure } = await said.next('source.failed');
    assert.equal(failure.class, 'local', JSON.stringify(failure));
    await host.release();
  });

  test('camera that pauses for less than the silence limit is stalled, then flows on in the same source', async () => {
    await simulator.script('camera', healthy);
    const { host, said } = await start({ url: simulator.url('camera'), health: { ...health, silentMs: 5000 } });
    await said.next('source.flowing');
    await simulator.script('camera', { media: 'none' });
    await said.next('source.stalled');
    said.events.length = 0;
    await simulator.script('camera', { media: 'all' });
    await said.next('source.flowing');
    await host.release();
  });

  test('change of picture size in the middle of the stream is told as new media', async () => {
    const { host, said } = await start({ url: simulator.url('camera') });
    await said.next('source.media');
    said.events.length = 0;
    await simulator.act('camera', { type: 'change', video: 'tiny-320x180-main', reconnect: false });
    const { media } = await said.next('source.media');
    assert.deepEqual([media.width, media.height, media.profile], [320, 180, 'main']);
    await host.release();
    await simulator.act('camera', { type: 'change', video: 'entrance-360p-baseline', reconnect: true });
  });

  test('release sends TEARDOWN, so that the camera has no session left', async () => {
    const { host, said } = await start({ url: simulator.url('camera') });
    await said.next('source.flowing');
    assert.equal((await simulator.stats('camera')).sessions, 1);
    await host.release();
    const stats = await simulator.stats('camera');
    assert.equal(stats.sessions, 0);
    assert.ok((stats.requests.TEARDOWN ?? 0) >= 1, JSON.stringify(stats.requests));
  });
});
