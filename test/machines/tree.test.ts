/** Random lives of the whole tree: whatever its leaves say, in whatever order, however late, and whichever of them throw, the supervisor lives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EventObject } from 'xstate';
import { parseCamera } from '../../src/camera-config.ts';
import { failure, failureClasses, type FailureClass } from '../../src/errors.ts';
import { description, settle } from '../support/scripted-camera.ts';
import { addCamera, scriptTree, type AnswerKind, type LeafKind, type ScriptedTree } from '../support/scripted-tree.ts';

const cameraIds = ['a', 'b'] as const;
const leafKinds = ['process', 'producer', 'slot', 'presence', 'worker', 'recorder'] as const satisfies LeafKind[];
const answerKinds = ['probe', 'revoke', 'close', 'cleanup'] as const satisfies AnswerKind[];
const fail = (cls: FailureClass, at: number) => ({ ...failure(cls, 'scripted', 'scripted'), at });

type Act = (tree: ScriptedTree) => void | Promise<void>;
type Step = { told: string; act: Act };

const step = (told: string, act: Act): Step => ({ told, act });
const cameraId = fc.constantFrom(...cameraIds);
const cls = fc.constantFrom(...failureClasses);
const nth = fc.nat({ max: 40 });
const configOf = (id: string, transport: 'tcp' | 'udp' | 'auto', onDemand: boolean) => parseCamera({ id, url: 'rtsp://camera.test/stream', transport, source: { mode: onDemand ? 'on-demand' : 'always', closeAfterSeconds: 10 }, outputs: { record: { mode: id === 'a' ? 'manual' : 'continuous' } } });

const toRoot = fc.oneof(
  fc.tuple(cameraId, fc.boolean()).map(([id, onDemand]) => step(`add ${id}${onDemand ? ' on demand' : ''}`, ({ root }) => root.send(addCamera(configOf(id, 'auto', onDemand))))),
  cameraId.map((id) => step(`remove ${id}`, ({ root }) => root.send({ type: 'camera.remove', id }))),
  fc.tuple(cameraId, fc.constantFrom('tcp', 'udp', 'auto')).map(([id, transport]) => step(`reconfigure ${id} ${transport}`, ({ root }) => root.send({ type: 'camera.reconfigure', config: configOf(id, transport, false) }))),
  fc.tuple(cameraId, nth).map(([camera, id]) => step(`viewer ${id % 4} of ${camera}`, ({ root }) => root.send({ type: 'viewer.add', id: `v${id % 4}`, camera, owner: 'o' }))),
  nth.map((id) => step(`viewer ${id % 4} closed`, ({ root }) => root.send({ type: 'viewer.closed', id: `v${id % 4}` }))),
);
const toCamera = fc.tuple(cameraId, fc.constantFrom('camera.start', 'camera.stop', 'camera.restart', 'camera.retry')).map(([id, type]) => step(`${type} ${id}`, (tree) => tree.child(`camera:${id}`)?.send({ type })));
const toRecorder = fc.tuple(cameraId, fc.boolean()).map(([id, wanted]) => step(`record ${id}: ${wanted}`, (tree) => tree.child(`camera:${id}`)?.send({ type: 'recording.set', wanted })));
const toViewer = fc.tuple(nth, fc.constantFrom('viewer.transportMade', 'viewer.connected', 'viewer.consuming', 'viewer.disconnected', 'viewer.producerPaused', 'viewer.producerResumed', 'viewer.end'))
  .map(([id, type]) => step(`${type} ${id % 4}`, (tree) => tree.child(`viewer:v${id % 4}`)?.send({ type, reason: 'left' })));

/** What each kind of leaf says in its life; `at` comes with the event. */
const words: Record<LeafKind, (failed: FailureClass, at: number) => EventObject[]> = {
  process: (failed, at) => [
    { type: 'source.ready', pid: 1 }, { type: 'source.started', hubPort: 9 }, { type: 'source.flowing' }, { type: 'source.stalled', sinceMs: 1_000 },
    { type: 'source.media', media: { ...description.video, profileLevelId: at % 2 ? '64001f' : '4d001f' } }, { type: 'source.stats', stats: { packets: 1 } },
    { type: 'source.failed', failure: fail(failed, at) }, { type: 'process.stopped' }, { type: 'process.exited', failure: null }, { type: 'process.exited', failure: fail('host-crash', at) },
  ] as never,
  producer: (failed, at) => [{ type: 'producer.ready', worker: 0, workerPid: 1 }, { type: 'producer.outweighed' }, { type: 'producer.failed', failure: fail('sfu', at) }, { type: 'producer.failed', failure: fail('unsupported', at) }] as never,
  recorder: (failed, at) => [
    { type: 'process.ready', pid: 2 }, { type: 'process.started' }, { type: 'process.file', file: 'x' }, { type: 'process.stats', stats: { frames: 1, bytes: 1, rssBytes: 1 } }, { type: 'process.finished' },
    { type: 'process.failed', failure: fail(failed, at) }, { type: 'process.exited', failure: null }, { type: 'process.exited', failure: fail('host-crash', at) },
  ] as never,
  slot: () => [{ type: 'slot.granted' }],
  presence: (_, at) => [{ type: 'presence.opened', at }] as never,
  worker: (_, at) => [{ type: 'worker.ready', pid: 1, port: 40_000 }, { type: 'worker.died', failure: fail('sfu', at), at }] as never,
};
const leafSpeaks = fc.tuple(fc.constantFrom(...leafKinds), nth, nth, cls, fc.boolean()).map(([kind, which, word, failed, late]) => step(`${late ? 'any' : 'living'} ${kind} ${which} says ${word} (${failed})`, (tree) => {
  const speakers = tree.leaves(kind).filter(({ alive }) => late || alive);
  const said = words[kind](failed, tree.clock.now());
  speakers.at(-1 - (which % Math.max(1, speakers.length)))?.say(said[word % said.length]!);
}));
const answers = fc.tuple(fc.constantFrom(...answerKinds), nth, fc.oneof(fc.constant('ok' as const), cls)).map(([kind, which, outcome]) => step(`${kind} ${which} answers ${outcome}`, (tree) => {
  const asked = tree.questions(kind);
  const one = asked[which % Math.max(1, asked.length)];
  if (one) tree.answer(one, outcome, which % 5 === 0 ? { ...description, video: null, unsupported: ['video/JPEG'] } : description);
}));
const time = fc.constantFrom(0, 50, 300, 1_000, 5_000, 30_000, 300_000).map((ms) => step(`${ms} ms pass`, ({ clock }) => clock.increment(ms)));
const microtasks = fc.constant(step('promises settle', settle));
const poison = fc.oneof(
  fc.constantFrom(...leafKinds).map((kind) => step(`next ${kind} throws at its start`, (tree) => tree.poisonStart(kind))),
  fc.constantFrom(...leafKinds).map((kind) => step(`next command to ${kind} throws`, (tree) => tree.poisonCommand(kind))),
  cameraId.map((id) => step(`camera ${id} throws`, (tree) => tree.child(`camera:${id}`)?.send({ type: 'camera.update', config: null }))),
  fc.tuple(cameraId, fc.constantFrom('source', 'ingest', 'output:record')).map(([id, part]) => step(`${part} of ${id} throws`, (tree) => {
    const actor = tree.child(`camera:${id}`)?.getSnapshot() as { children?: Record<string, { send(event: object): void } | undefined> } | undefined;
    actor?.children?.[part]?.send(part === 'source' ? { type: 'process.exited' } : part === 'ingest' ? { type: 'producer.failed' } : { type: 'process.failed' });
  })),
);

/** Common steps more often than rare ones, so that cameras get somewhere. */
const life = fc.array(fc.oneof(
  { weight: 4, arbitrary: toRoot }, { weight: 2, arbitrary: toCamera }, { weight: 2, arbitrary: toViewer }, { weight: 1, arbitrary: toRecorder }, { weight: 8, arbitrary: leafSpeaks },
  { weight: 5, arbitrary: answers }, { weight: 3, arbitrary: time }, { weight: 5, arbitrary: microtasks }, { weight: 2, arbitrary: poison },
), { minLength: 10, maxLength: 80, size: 'max' });

async function live(tree: ScriptedTree, steps: Step[]): Promise<void> {
  const done: string[] = [];
  for (const id of cameraIds) tree.root.send(addCamera(configOf(id, 'auto', false)));
  tree.root.subscribe({ error: () => undefined });
  for (const { told, act } of steps) {
    done.push(told);
    await act(tree);
    const { status, error } = tree.root.getSnapshot();
    assert.notEqual(status, 'error', `the supervisor itself threw after:\n${done.join('\n')}\n${error instanceof Error ? error.stack : String(error)}`);
  }
}

/** Answers everything and lets all deadlines pass. */
async function calmDown(tree: ScriptedTree): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    for (const kind of answerKinds) for (const asked of tree.questions(kind)) tree.answer(asked, 'ok', description);
    await settle();
    tree.clock.increment(10_000);
  }
}

const runs = { numRuns: Number(process.env['LOOKOUT_FUZZ_RUNS'] ?? 400) };

test('no sequence of events, answers, crashes and late words makes the supervisor throw', async () => {
  await fc.assert(fc.asyncProperty(life, async (steps) => {
    const tree = scriptTree();
    await live(tree, steps);
    tree.root.stop();
  }), runs);
});

test('after any life the supervisor stops when asked, and nothing of it runs on', async () => {
  await fc.assert(fc.asyncProperty(life, async (steps) => {
    const tree = scriptTree();
    await live(tree, [...steps, step('stop', ({ root }) => root.send({ type: 'supervisor.stop' }))]);
    await calmDown(tree);
    assert.equal(tree.root.getSnapshot().status, 'done');
    assert.equal(tree.alive(), 0, 'leaves that run on');
  }), runs);
});

test('a camera that crashed, was removed and is added again is started once, when the old one is cleaned up', async () => {
  const tree = scriptTree();
  tree.root.send(addCamera(configOf('a', 'auto', false)));
  tree.root.subscribe({ error: () => undefined });
  tree.child('camera:a')?.send({ type: 'camera.update', config: null });
  tree.root.send({ type: 'camera.remove', id: 'a' });
  tree.root.send(addCamera(configOf('a', 'auto', false)));
  assert.equal(tree.child('camera:a'), undefined);
  for (const asked of tree.questions('cleanup')) tree.answer(asked, 'ok', description);
  await settle();
  assert.equal(tree.child('camera:a')?.getSnapshot().status, 'active');
  assert.equal(tree.leaves('slot').filter(({ alive }) => alive).length, 1);
  tree.root.stop();
});

test('an ingest, a source or a worker that crashes leaves nothing of it running beside the next one', async () => {
  const tree = scriptTree();
  tree.root.send(addCamera(configOf('a', 'auto', false)));
  tree.leaves('slot')[0]?.say({ type: 'slot.granted' });
  await settle();
  for (const asked of tree.questions('probe')) tree.answer(asked, 'ok', description);
  await settle();
  const living = (kind: LeafKind) => tree.leaves(kind).filter(({ alive }) => alive).length;
  assert.deepEqual([living('process'), living('producer'), living('worker')], [1, 1, 2]);
  const parts = (tree.child('camera:a')?.getSnapshot() as { children: Record<string, { send(event: object): void }> }).children;
  parts['ingest']?.send({ type: 'producer.failed' });
  assert.equal(living('producer'), 0);
  tree.clock.increment(0);
  assert.deepEqual([tree.leaves('producer').length, living('producer')], [2, 1]);
  const workers = (tree.child('sfu')?.getSnapshot() as { children: Record<string, { send(event: object): void }> }).children;
  for (const worker of tree.leaves('worker')) worker.say({ type: 'worker.ready', pid: 1, port: 1 } as never);
  tree.poisonStart('worker');
  workers['worker:0']?.send({ type: 'worker.died', failure: fail('sfu', 0), at: 0 });
  tree.clock.increment(50);
  assert.equal(living('worker'), 1, 'the one that died, and threw at its start, is down');
  tree.clock.increment(10_000);
  assert.equal(living('worker'), 2);
  // A word that breaks its contract makes the host's chart throw.
  (parts['source'] as unknown as { getSnapshot(): { children: Record<string, { send(event: object): void }> } }).getSnapshot().children['host:a']?.send({ type: 'process.exited' });
  assert.equal(living('process'), 0);
  tree.root.stop();
});
