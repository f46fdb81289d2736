/** Several sources in one process: who sits where, what one does to the others, and what the end of the process does to all. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { boxMessages } from '../../src/native/flight-box.ts';
import type { Host } from '../../src/native/host.ts';
import { createSeating, type Table } from '../../src/native/seating.ts';
import { eventually } from '../support/eventually.ts';
import { startGstRtspServer, type GstRtspServer } from '../support/gst-rtsp-server.ts';
import { receiveRtp, record, sequenceGaps, sourceSpec, startPool } from '../support/hosts.ts';

describe('rules of seating', () => {
  const table = (): Table & { seatings: number; rssBytes: number; hasPlace: boolean; owners: string[] } => {
    const owners: string[] = [];
    return { hasPlace: true, seatings: 0, rssBytes: 0, owners, seats: () => owners.map((owner) => ({ owner })) };
  };
  const room = (places = 3) => {
    const clock = { now: 0 };
    return { clock, seating: createSeating<Table>({ places, wornRssBytes: 1000 }, () => clock.now) };
  };

  test('a source sits down beside others where there is a place, and a successor never beside its predecessor', () => {
    const { seating } = room();
    const first = table();
    seating.open(first, 'a');
    first.owners.push('a');
    assert.equal(seating.choose('b'), first);
    assert.equal(seating.choose('a'), undefined);
    first.owners.push('x', 'y');
    assert.equal(seating.choose('b'), undefined, 'all places are taken');
    first.owners.length = 1;
    first.hasPlace = false;
    assert.equal(seating.choose('b'), undefined);
  });

  test('nobody new sits in a process that is worn or has grown', () => {
    const { seating } = room();
    const first = table();
    seating.open(first, 'a');
    first.rssBytes = 1000;
    assert.equal(seating.choose('b'), undefined);
    first.rssBytes = 0;
    first.seatings = 30;
    assert.equal(seating.choose('b'), undefined);
  });

  test('with one place nobody shares', () => {
    const { seating } = room(1);
    seating.open(table(), 'a');
    assert.equal(seating.choose('b'), undefined);
  });

  test('who was in a process that broke by itself sits alone for ten minutes; who was in one that was killed does not', () => {
    const { seating, clock } = room();
    const [broken, killed, next] = [table(), table(), table()];
    seating.open(broken, 'a');
    seating.open(killed, 'c');
    seating.close(broken, { reason: 'crashed', signal: 'SIGSEGV' }, ['a', 'b']);
    seating.close(killed, { reason: 'crashed', signal: 'SIGKILL' }, ['c', 'd']);
    seating.open(next, 'x');
    assert.deepEqual(['a', 'b', 'c', 'd'].map((owner) => seating.choose(owner) === next), [false, false, true, true]);
    const own = table();
    seating.open(own, 'a');
    next.hasPlace = false;
    assert.equal(seating.choose('c'), undefined, 'nor does anybody sit beside it');
    next.hasPlace = true;
    clock.now = 600_001;
    assert.equal(seating.choose('a'), next);
  });
});

describe('shared host', () => {
  let server: GstRtspServer;
  const hosts = startPool({ sourcesPerHost: 3 });
  before(async () => {
    server = await startGstRtspServer({ mounts: { '/a': 'h264', '/b': 'h264-pcma', '/c': 'h264-high' } });
  });
  after(async () => {
    await hosts.close();
    await server.close();
  });

  /** A source that feeds a receiver, and what the receiver got. */
  const feed = async (name: string, pool = hosts.pool) => {
    const [receiver, port] = [await receiveRtp(), await hosts.ports.lease(`camera:${name}/ingest`)];
    const host = await pool.take(`camera:${name}/source`, { beside: 'source' });
    const said = record(host);
    host.send({ type: 'source.start', spec: sourceSpec(server.url(`/${name}`), { feed: { port: receiver.port, bindPort: port.port, ssrc: 7, payloadType: 96, open: true } }) });
    const close = async (): Promise<void> => {
      await host.release();
      await port.release();
      await receiver.close();
    };
    return { host, said, packets: receiver.packets, close };
  };
  const grown = (packets: readonly unknown[]): Promise<unknown> => {
    const from = packets.length;
    return eventually(() => packets.length > from + 20, { what: 'twenty more packets' });
  };
  const started = async (host: Host, path: string) => {
    const said = record(host);
    host.send({ type: 'source.start', spec: sourceSpec(server.url(path)) });
    return said;
  };

  test('three sources share a process; one is stopped, one cannot start, and the third loses no packet', async () => {
    const [a, b] = [await feed('a'), await feed('b')];
    assert.equal(a.host.pid, b.host.pid);
    await Promise.all([a.said.next('source.flowing'), b.said.next('source.flowing')]);
    const c = await hosts.pool.take('camera:c/source', { beside: 'source' });
    const cannot = await started(c, '/nowhere');
    const alone = await hosts.pool.take('camera:d/source', { beside: 'source' });
    assert.equal(c.pid, a.host.pid);
    assert.notEqual(alone.pid, a.host.pid);
    await eventually(() => cannot.events.some((event) => event.type === 'source.failed' && event.failure.class === 'not-found'), { what: 'the refusal' });
    await c.release();
    await b.close();
    assert.deepEqual(await b.host.exited, { code: null, signal: null, reason: 'asked', beside: 1 });
    assert.deepEqual(hosts.registry.leases({ kind: 'pid' }).map(({ owner }) => owner), ['camera:a/source', 'camera:d/source']);
    await grown(a.packets);
    assert.equal(sequenceGaps(a.packets), 0);
    assert.deepEqual(a.said.events.filter(({ type }) => type === 'source.failed'), []);
    await Promise.all([a.close(), alone.kill()]);
    assert.equal((await a.host.exited).signal, 'SIGKILL', 'who is last ends the process');
  });

  test('each source notes in a box of its own, and who sits down in a place finds it empty', async () => {
    const [a, b] = [await hosts.pool.take('camera:a/source', { beside: 'source' }), await hosts.pool.take('camera:b/source', { beside: 'source' })];
    const [saidA, saidB] = [await started(a, '/a'), await started(b, '/b')];
    await Promise.all([saidA.next('source.stats'), saidB.next('source.stats')]);
    const dialogue = (host: Host): string => boxMessages(host.flight() ?? Buffer.alloc(0)).start.map(({ text }) => text).join('');
    assert.ok(/\/a /u.test(dialogue(a)) && !/\/b /u.test(dialogue(a)), dialogue(a));
    assert.ok(/\/b /u.test(dialogue(b)) && !/\/a /u.test(dialogue(b)), dialogue(b));
    await b.release();
    assert.match(dialogue(b), /TEARDOWN|\/b /u, 'what it noted is kept');
    const c = await hosts.pool.take('camera:c/source', { beside: 'source' });
    const saidC = await started(c, '/c');
    const { media } = await saidC.next('source.media');
    assert.equal(media.profile, 'high');
    assert.ok(/\/c /u.test(dialogue(c)) && !/\/b /u.test(dialogue(c)), dialogue(c));
    await Promise.all([a.kill(), c.kill()]);
  });

  test('the end of the process is told to all who sit in it, with how many they were', async () => {
    const seats = await Promise.all(['a', 'b', 'c'].map((name) => hosts.pool.take(`camera:${name}/source`, { beside: 'source' })));
    process.kill(seats[0]!.pid, 'SIGKILL');
    for (const exit of await Promise.all(seats.map(({ exited }) => exited))) assert.deepEqual(exit, { code: null, signal: 'SIGKILL', reason: 'crashed', beside: 2 });
    assert.deepEqual(hosts.registry.leases({ kind: 'pid' }), []);
  });

  test('a process that freezes is killed, and all are told', async () => {
    const seats = await Promise.all(['a', 'b'].map((name) => hosts.pool.take(`camera:${name}/source`, { beside: 'source' })));
    await Promise.all(seats.map((seat, index) => started(seat, index === 0 ? '/a' : '/b').then((said) => said.next('source.flowing'))));
    process.kill(seats[0]!.pid, 'SIGSTOP');
    assert.deepEqual((await Promise.all(seats.map(({ exited }) => exited))).map(({ reason, beside }) => [reason, beside]), [['frozen', 1], ['frozen', 1]]);
  });

  test('revoking an owner stops its source and no one else\'s', async () => {
    const patient = startPool({ sourcesPerHost: 2 });
    const [a, b] = [await feed('a', patient.pool), await patient.pool.take('camera:b/source', { beside: 'source' })];
    await (await started(b, '/b')).next('source.flowing');
    await patient.registry.revoke('camera:b');
    await grown(a.packets);
    assert.equal(sequenceGaps(a.packets), 0);
    await a.close();
    await patient.close();
  });

  test('a source that does not stop costs its neighbours the process, and they are told why', async () => {
    const patient = startPool({ sourcesPerHost: 2, frozenMs: 30_000 });
    const [a, b] = await Promise.all(['a', 'b'].map((name) => patient.pool.take(`camera:${name}/source`, { beside: 'source' })));
    await (await started(a!, '/a')).next('source.flowing');
    b!.send({ type: 'fault.hang', ms: 20_000 });
    await b!.kill();
    assert.deepEqual([(await a!.exited).reason, (await b!.exited).reason], ['stuck', 'asked']);
    await patient.close();
  });

  test('sources that come and go leave no thread and no deaf pipeline behind in a process that goes on', async (t) => {
    const pair = startPool({ sourcesPerHost: 2 });
    t.after(() => pair.close());
    const stays = await pair.pool.take('camera:a/source', { beside: 'source' });
    await (await started(stays, '/a')).next('source.flowing');
    const now = (): number => readdirSync(`/proc/${stays.pid}/task`).length;
    const threads: number[] = [];
    // More often than libuv's pool has threads: the bus of each is heard all the same.
    for (const path of ['/b', '/c', '/nowhere', '/b', '/nowhere', '/c', '/b']) {
      const host = await pair.pool.take('camera:b/source', { beside: 'source' });
      assert.equal(host.pid, stays.pid);
      const said = await started(host, path);
      if (path === '/nowhere') await eventually(() => said.events.some(({ type }) => type === 'source.failed'), { what: 'the failure' });
      else await said.next('source.started');
      await host.release();
      threads.push(now());
    }
    // A thread that was told to end may still be on its way.
    await eventually(() => now() === threads[2], { what: `as many threads as with the third: ${threads.join(', ')}` });
  });
});
