/** The inspector on machines that really run, and on the whole program with a camera that dies. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { io } from 'socket.io-client';
import { assign, createActor, fromCallback, sendParent, setup, type AnyActorRef, type InspectionEvent } from 'xstate';
import { toDirectedGraph, type DirectedGraphNode } from 'xstate/graph';
import type { ActorHistoryView, ActorView, ChartState, ChartView, MessageView, StepView, TimerView } from '../../src/api/protocol.ts';
import type { Failure } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { chartOf, machinesBelow } from '../../src/control/charts.ts';
import { createInspector } from '../../src/control/inspector.ts';
import { stepsPerActor } from '../../src/control/inspect-trails.ts';
import { eventFor } from '../../src/control/inspect-send.ts';
import { plain } from '../../src/control/inspect-plain.ts';
import { CameraUrl } from '../../src/camera-url.ts';
import { cameraMachine } from '../../src/machines/camera.ts';
import { supervisorMachine } from '../../src/machines/supervisor.ts';
import { defer } from '../support/defer.ts';
import { eventually } from '../support/eventually.ts';
import { startLookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';
import { ask, collect } from '../support/socket-client.ts';

const statesOf = (state: ChartState): string[] => [state.id, ...state.states.flatMap(statesOf)];
const nodesOf = (node: DirectedGraphNode): DirectedGraphNode[] => [node, ...node.children.flatMap(nodesOf)];

for (const [name, machine] of machinesBelow(supervisorMachine)) {
  test(`the chart of the ${name} machine has the states and transitions that XState finds in it`, () => {
    const chart = chartOf(machine);
    const nodes = nodesOf(toDirectedGraph(machine));
    assert.deepEqual(statesOf(chart.root).toSorted(), nodes.map(({ stateNode }) => stateNode.id).toSorted());
    const expected = nodes.flatMap(({ stateNode }) => [...stateNode.transitions.values(), stateNode.always ?? []].flat().map(({ source, target }) => `${source.id} → ${(target ?? []).map(({ id }) => id).join()}`));
    assert.deepEqual(chart.edges.map(({ source, targets }) => `${source} → ${targets.join()}`).toSorted(), expected.toSorted());
    assert.equal(new Set(chart.edges.map(({ id }) => id)).size, chart.edges.length, 'every edge has an id of its own');
  });
}

test('the charts name every kind of machine of the program', () => {
  assert.deepEqual([...machinesBelow(supervisorMachine).keys()].toSorted(), ['camera', 'host', 'ingest', 'output', 'primer', 'sfu', 'source', 'succession', 'supervisor', 'viewer', 'worker']);
});

const toggle = setup({
  types: { context: {} as { count: number; url: CameraUrl }, events: {} as { type: 'flip' } | { type: 'count' } | { type: 'told'; password: string } },
  actors: { echo: fromCallback<{ type: 'say' }>(({ sendBack, receive }) => receive(() => sendBack({ type: 'told', password: 'hunter2' }))) },
  delays: { patience: 60_000 },
  actions: { add: assign({ count: ({ context }) => context.count + 1 }), tell: sendParent({ type: 'x' }) },
}).createMachine({
  id: 'toggle', initial: 'off', context: { count: 0, url: CameraUrl.parse('rtsp://admin:hunter2@10.0.0.1/a') },
  invoke: { id: 'echo', src: 'echo' },
  on: { count: { actions: 'add' }, told: {} },
  states: { off: { on: { flip: 'on' } }, on: { on: { flip: 'off' }, after: { patience: 'off' } } },
});

/** The machine above with its inspector, and how many events reached the inspector's own code. */
function running(t: test.TestContext) {
  const events: InspectionEvent[] = [];
  const notes: string[] = [];
  const inspector = createInspector(() => actor as AnyActorRef, createLog({ level: 'silent' }), (row) => notes.push(row.message));
  const actor = createActor(toggle, { inspect: (event) => { events.push(event); inspector.inspect(event); } });
  actor.start();
  defer(t, () => {
    inspector.stop();
    actor.stop();
  });
  return { actor, inspector, events, notes };
}

const deaf = { actors: () => undefined, steps: () => undefined, messages: () => undefined };

test('nothing is recorded while nobody looks, and all is forgotten when the last one goes', (t) => {
  const { actor, inspector, events } = running(t);
  actor.send({ type: 'flip' });
  assert.ok(events.length > 0);
  const first = inspector.open(deaf);
  const seen = first.watch('toggle');
  assert.deepEqual(seen?.steps.map(({ event, value }) => [event, value]), [[null, 'on']], 'only how it is now');
  actor.send({ type: 'flip' });
  assert.deepEqual(first.watch('toggle')?.steps.map(({ value }) => value), ['on', 'off']);
  first.close();
  actor.send({ type: 'flip' });
  const second = inspector.open(deaf);
  assert.deepEqual(second.watch('toggle')?.steps.map(({ value }) => value), ['on']);
  second.close();
});

test('a step says what was heard, from whom, which transition it took and how the actor is since, without credentials', (t) => {
  const { actor, inspector } = running(t);
  const look = inspector.open(deaf);
  actor.send({ type: 'flip' });
  actor.getSnapshot().children.echo?.send({ type: 'say' });
  const history = look.watch('toggle');
  const [, flip, told] = history?.steps ?? [];
  assert.deepEqual([flip?.event?.type, flip?.from, flip?.value, flip?.edges], ['flip', null, 'on', ['toggle.off#flip#0']]);
  assert.deepEqual([told?.event, told?.from, told?.value], [{ type: 'told', password: '[removed]' }, 'toggle/echo', 'on']);
  assert.deepEqual(told?.context, { count: 0, url: 'rtsp://10.0.0.1/a' });
  assert.deepEqual(history?.timers.map(({ event }) => event), ['xstate.after.patience.toggle.on']);
  assert.equal(look.actors().find(({ id }) => id === 'toggle/echo')?.machine, null);
  assert.throws(() => look.watch('toggle/nobody'), { code: 'LOOKOUT_ACTOR_NOT_FOUND' });
  look.close();
});

test('the history of an actor is bounded, and what repeats without changing a state is counted', (t) => {
  const { actor, inspector } = running(t);
  const look = inspector.open(deaf);
  for (let n = 0; n < 500; n += 1) actor.send({ type: 'count' });
  const counted = look.watch('toggle')?.steps ?? [];
  assert.deepEqual(counted.map(({ event, times }) => [event?.type ?? null, times]), [[null, 1], ['count', 500]]);
  assert.equal((counted.at(-1)?.context as { count: number }).count, 500, 'it shows the last of them');
  for (let n = 0; n < 500; n += 1) actor.send({ type: 'flip' });
  const flipped = look.watch('toggle')?.steps ?? [];
  assert.equal(flipped.length, stepsPerActor);
  assert.equal(flipped.at(-1)?.n, 501);
  look.close();
});

test('a look is told of every step of the actor it follows, and of every actor in another state', async (t) => {
  const { actor, inspector } = running(t);
  const states: ActorView[] = [];
  const steps: StepView[] = [];
  const timers: TimerView[][] = [];
  const look = inspector.open({ actors: ({ changed }) => void states.push(...changed), steps: (batch) => { steps.push(...batch.steps); timers.push(batch.timers); }, messages: () => undefined });
  look.watch('toggle');
  actor.send({ type: 'flip' });
  actor.send({ type: 'count' });
  await eventually(() => steps.length >= 2 && states.length >= 1, { what: 'the steps' });
  assert.deepEqual(steps.map(({ event }) => event?.type), ['flip', 'count']);
  assert.deepEqual(states.map(({ id, value }) => [id, value]), [['toggle', 'on']]);
  assert.equal(timers[0]?.length, 1);
  actor.send({ type: 'count' });
  await eventually(() => steps.at(-1)?.times === 2, { what: 'the repetition' });
  look.close();
});

test('who told whom what is told while somebody follows it, and how many events waited', async (t) => {
  const { actor, inspector } = running(t);
  const messages: MessageView[] = [];
  const look = inspector.open({ ...deaf, messages: (batch) => void messages.push(...batch.messages) });
  actor.send({ type: 'flip' });
  look.sequence('toggle');
  for (let n = 0; n < 3; n += 1) actor.getSnapshot().children.echo?.send({ type: 'say' });
  await eventually(() => messages.length >= 2, { what: 'the messages' });
  assert.deepEqual(messages.map(({ from, to, type, times }) => [from, to, type, times]), [[null, 'toggle/echo', 'say', 3], ['toggle/echo', 'toggle', 'told', 3]]);
  look.sequence(null);
  assert.ok((look.actors().find(({ id }) => id === 'toggle')?.mailbox ?? 0) >= 1);
  assert.throws(() => look.sequence('toggle/nobody'), { code: 'LOOKOUT_ACTOR_NOT_FOUND' });
  look.close();
});

test('only events that its machine hears and that carry plain values are sent by hand, made anew, and the journal says by whom', (t) => {
  const { inspector, notes } = running(t);
  const look = inspector.open(deaf);
  assert.throws(() => look.send('toggle', { type: 'flip' }, 'admin'), { code: 'LOOKOUT_EVENT_REFUSED' }, 'a machine that is not in the list');
  assert.throws(() => look.send('toggle/nobody', { type: 'flip' }, 'admin'), { code: 'LOOKOUT_ACTOR_NOT_FOUND' });
  assert.deepEqual(notes, []);
  look.close();
  assert.deepEqual(eventFor(cameraMachine, { type: 'source.stalled', sinceMs: 1_200 }), { type: 'source.stalled', sinceMs: 1_200 });
  const failed = eventFor(cameraMachine, { type: 'source.failed', failure: 'reset' })['failure'] as Failure;
  assert.deepEqual([failed.class, failed.code], ['reset', 'by-hand']);
  for (const refused of [{ type: 'camera.update', config: {} }, { type: 'camera.dispose' }, { type: 'xstate.init' }, { type: 'source.stalled' }, { type: 'source.stalled', sinceMs: -1 }, { type: 'camera.stop', extra: 1 }, { type: 'source.failed', failure: { class: 'reset' } }, { type: 'hls.set', wanted: 'yes' }, {}]) {
    assert.throws(() => eventFor(cameraMachine, refused), { code: 'LOOKOUT_EVENT_REFUSED' }, JSON.stringify(refused));
  }
  assert.throws(() => eventFor(null, { type: 'camera.stop' }), { code: 'LOOKOUT_EVENT_REFUSED' });
});

for (const [name, machine] of machinesBelow(supervisorMachine)) {
  test(`what can be sent to a ${name} is what its chart has as events`, () => {
    const { sendable = [], edges } = chartOf(machine);
    const heard = new Set(edges.filter(({ kind }) => kind === 'event').map(({ label }) => label));
    for (const { type } of sendable) assert.ok(heard.has(type), type);
    if (name === 'camera') assert.ok(sendable.length >= 10, 'the whole list is known to the machine');
  });
}

test('what is shown is plain, bounded and free of secrets, whatever a context holds', () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  const shown = plain({
    text: 'see rtsp://u:hunter2@h/x', long: 'x'.repeat(10_000), many: Array.from({ length: 1_000 }, (_, n) => n), bytes: new Uint8Array(9), map: new Map([['a', 1]]),
    token: 'hunter2', nested: { apiSecret: { deep: 'hunter2' } }, error: new Error('rtsp://u:hunter2@h refused'), socket: new AbortController(), act: () => 'hunter2', cyclic, none: null, huge: Infinity,
  });
  const text = JSON.stringify(shown);
  assert.doesNotMatch(text, /hunter2/u);
  assert.ok(text.length < 3_000, text);
  const { bytes, map, token, error, socket, huge } = shown as Record<string, unknown>;
  assert.deepEqual([bytes, map, token, error, socket, huge], ['9 bytes', { a: 1 }, '[removed]', 'Error: rtsp://h refused', '[AbortController]', 'Infinity']);
});

test('in the program: a camera that dies is seen leaving streaming for backoff, and no frame holds a credential', { timeout: 60_000 }, async (t) => {
  const credentials = { username: 'admin', password: 'hunter2-secret' };
  await using simulator = await startSimulator({ mounts: [{ name: 'gate', video: 'entrance-360p-baseline', auth: { scheme: 'digest-md5', credentials } }] });
  await using lookout = await startLookout();
  assert.match(simulator.url('gate'), /hunter2/u);
  await lookout.add({ id: 'gate', url: simulator.url('gate') });
  await lookout.until('gate', 'streaming.live');

  const frames: string[] = [];
  const socket = io(`${lookout.url}/inspect`, { transports: ['websocket'], reconnection: false, forceNew: true, auth: { token: 'test-admin-token-of-this-run' } });
  defer(t, () => void socket.disconnect());
  socket.onAny((...frame: unknown[]) => void frames.push(JSON.stringify(frame)));
  const [all] = await new Promise<[{ charts: ChartView[]; actors: ActorView[] }]>((resolve) => { socket.once('snapshot', (snapshot: { charts: ChartView[]; actors: ActorView[] }) => resolve([snapshot])); });
  assert.ok(all.charts.some(({ machine }) => machine === 'camera'));
  const ids = all.actors.map(({ id }) => id);
  for (const id of ['supervisor', 'supervisor/sfu', 'supervisor/camera:gate', 'supervisor/camera:gate/source', 'supervisor/camera:gate/source/host:a', 'supervisor/camera:gate/ingest']) assert.ok(ids.includes(id), `${id} in ${ids.join(' ')}`);

  const steps = collect<{ actor: string; steps: StepView[] }>(socket, 'steps');
  const history = (await ask(socket, 'watch', { actor: 'supervisor/camera:gate' })).value as unknown as ActorHistoryView;
  assert.deepEqual(history.actor.value, { streaming: 'live' });
  frames.push(JSON.stringify(history));
  await simulator.act('gate', { type: 'reboot', seconds: 60 });
  await eventually(() => steps.flatMap((batch) => batch.steps).some(({ value }) => typeof value === 'object' && value !== null && 'backoff' in value), { timeoutMs: 20_000, what: 'backoff' });
  const answer = await ask(socket, 'send', { actor: 'supervisor/camera:gate', event: { type: 'camera.stop' } });
  assert.equal(answer.ok, true, JSON.stringify(answer));
  await lookout.until('gate', 'stopped');
  const [row] = (await lookout.events('gate')).filter(({ type }) => type === 'inspector.sent');
  assert.match(row?.message ?? '', /^\S+ sent camera\.stop to supervisor\/camera:gate by hand\.$/u);
  const edges = new Set(all.charts.find(({ machine }) => machine === 'camera')?.edges.map(({ id }) => id));
  const taken = steps.flatMap((batch) => batch.steps).flatMap((step) => step.edges);
  assert.ok(taken.length > 0 && taken.every((id) => edges.has(id)), taken.join(' '));
  assert.doesNotMatch(frames.join('\n'), /hunter2/u);
});
