/** An output's life, in simulated time: it follows the source, fails alone, waits by the policy of the class. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { createActor, createMachine, fromCallback, SimulatedClock, type ActorRefFrom, type EventObject } from 'xstate';
import { failure, type FailureClass } from '../../src/errors.ts';
import type { Hub } from '../../src/machines/events.ts';
import { outputMachine, type OutputProcessCommand, type OutputProcessFact, type OutputProcessInput } from '../../src/machines/output.ts';
import { settings } from '../support/scripted-camera.ts';

const hub = (port: number): Hub => ({ port, codec: 'H264', gopMs: 1_000 });

function script(t: TestContext, { wanted = true, autoExit = true }: { wanted?: boolean; autoExit?: boolean } = {}) {
  const clock = new SimulatedClock();
  const asked: string[] = [];
  const told: string[] = [];
  let say: ((fact: OutputProcessFact) => void) | undefined;
  const process = fromCallback<OutputProcessCommand, OutputProcessInput, EventObject>(({ input, sendBack, receive }) => {
    say = sendBack;
    asked.push(`start ${input.hub.port}`);
    receive((command) => {
      asked.push(command.type === 'process.finish' ? `finish${command.drain ? ' drain' : ''}` : 'kill');
      if (command.type === 'process.kill' && autoExit) sendBack({ type: 'process.exited', failure: null });
    });
    return () => asked.push('closed');
  });
  const parent = createMachine({
    invoke: { id: 'output', src: outputMachine.provide({ actors: { process } }), input: { camera: 'a', output: 'record', wanted, options: { segmentSeconds: 300 }, hub: null, settings: settings.output, seed: 7 } },
    on: { 'output.changed': { actions: ({ event }) => told.push((event as unknown as { open: boolean }).open ? 'open' : 'settled') } },
  });
  const root = createActor(parent, { clock }).start();
  t.after(() => root.stop());
  const output = root.getSnapshot().children['output'] as ActorRefFrom<typeof outputMachine>;
  return {
    clock, asked, told, output,
    say: (fact: OutputProcessFact) => say?.(fact),
    fail: (cls: FailureClass) => say?.({ type: 'process.failed', failure: failure(cls, 'scripted', 'scripted') }),
    run() {
      say?.({ type: 'process.ready', pid: 9 });
      say?.({ type: 'process.started' });
    },
    state() {
      const { value } = output.getSnapshot();
      return typeof value === 'string' ? value : Object.entries(value).map(([outer, inner]) => `${outer}.${String(inner)}`).join();
    },
  };
}

describe('an output', () => {
  test('that nobody wants stays off, whatever the source does', (t) => {
    const o = script(t, { wanted: false });
    o.output.send({ type: 'output.attach', hub: hub(1) });
    assert.equal(o.state(), 'off');
    o.output.send({ type: 'output.want', wanted: true });
    assert.equal(o.state(), 'attached.starting');
  });

  test('waits for the source, runs with it, and finishes its file when the source is lost', (t) => {
    const o = script(t);
    assert.equal(o.state(), 'waiting');
    o.output.send({ type: 'output.attach', hub: hub(1) });
    o.run();
    assert.equal(o.state(), 'attached.running');
    o.output.send({ type: 'output.detach' });
    assert.equal(o.state(), 'attached.finishing');
    o.say({ type: 'process.finished' });
    o.clock.increment(0);
    assert.equal(o.state(), 'waiting');
    assert.deepEqual(o.asked, ['start 1', 'finish drain', 'kill', 'closed']);
    assert.deepEqual(o.told, ['open', 'settled']);
    assert.equal(o.output.getSnapshot().context.lastError, null);
  });

  test('moves to another hub at once, without draining the old one', (t) => {
    const o = script(t);
    o.output.send({ type: 'output.attach', hub: hub(1) });
    o.run();
    o.output.send({ type: 'output.attach', hub: hub(1) });
    assert.equal(o.state(), 'attached.running');
    o.output.send({ type: 'output.attach', hub: hub(2) });
    o.say({ type: 'process.finished' });
    o.clock.increment(0);
    assert.deepEqual(o.asked, ['start 1', 'finish', 'kill', 'closed', 'start 2']);
  });

  test('whose hub closed first is not at fault when the source turns out to be gone', (t) => {
    const o = script(t);
    o.output.send({ type: 'output.attach', hub: hub(1) });
    o.run();
    o.say({ type: 'process.finished' });
    assert.equal(o.state(), 'settling');
    o.clock.increment(100);
    o.output.send({ type: 'output.detach' });
    o.clock.increment(400);
    assert.equal(o.state(), 'waiting');
    assert.equal(o.output.getSnapshot().context.lastError, null);
  });

  test('whose hub closed while the source goes on says so and attaches again', (t) => {
    const o = script(t);
    o.output.send({ type: 'output.attach', hub: hub(1) });
    o.run();
    o.say({ type: 'process.finished' });
    o.clock.increment(500);
    o.clock.increment(0);
    assert.equal(o.output.getSnapshot().context.lastError?.code, 'hub-closed');
    assert.equal(o.state(), 'attached.starting');
  });

  test('takes the hub of a source that is back before the old file was settled', (t) => {
    const o = script(t);
    o.output.send({ type: 'output.attach', hub: hub(1) });
    o.run();
    o.say({ type: 'process.finished' });
    o.output.send({ type: 'output.attach', hub: hub(2) });
    assert.equal(o.state(), 'attached.starting');
    assert.equal(o.asked.at(-1), 'start 2');
  });

  test('that meets a full disk waits 5 s at least, a minute at most, and is never given up', (t) => {
    const o = script(t);
    o.output.send({ type: 'output.attach', hub: hub(1) });
    const delays: number[] = [];
    for (let i = 0; i < 30; i += 1) {
      o.run();
      o.fail('storage');
      o.clock.increment(0);
      assert.equal(o.state(), 'backoff');
      delays.push(o.output.getSnapshot().context.delayMs);
      o.clock.increment(delays.at(-1)!);
      assert.equal(o.state(), 'attached.starting');
    }
    assert.ok(delays.every((ms) => ms >= 5_000 && ms <= 60_000), delays.join());
    assert.ok(Math.max(...delays) > 20_000);
  });

  test('whose host dies in mid-file starts again at once, and the source hears nothing', (t) => {
    const o = script(t);
    o.output.send({ type: 'output.attach', hub: hub(1) });
    o.run();
    o.say({ type: 'process.exited', failure: failure('host-crash', 'sigkill', 'gone') });
    o.clock.increment(0);
    o.clock.increment(0);
    assert.equal(o.state(), 'attached.starting');
    assert.equal(o.output.getSnapshot().context.lastError?.class, 'host-crash');
  });

  test('forgets its failures after it ran long enough', (t) => {
    const o = script(t);
    o.output.send({ type: 'output.attach', hub: hub(1) });
    o.run();
    o.fail('storage');
    o.clock.increment(0);
    o.clock.increment(60_000);
    o.run();
    o.clock.increment(30_000);
    assert.equal(o.output.getSnapshot().context.history.attempt, 0);
  });

  test('that does not finish in time is killed, and one that does not die is left to the registry', (t) => {
    const o = script(t, { autoExit: false });
    o.output.send({ type: 'output.attach', hub: hub(1) });
    o.run();
    o.output.send({ type: 'output.detach' });
    o.clock.increment(3_000);
    assert.equal(o.state(), 'attached.killing');
    o.clock.increment(2_000);
    o.clock.increment(0);
    assert.equal(o.output.getSnapshot().context.lastError?.code, 'output-finish');
    assert.equal(o.state(), 'backoff');
  });

  test('with other options finishes its file and begins anew with them; with the same it goes on', (t) => {
    const o = script(t);
    o.output.send({ type: 'output.attach', hub: hub(1) });
    o.run();
    o.output.send({ type: 'output.update', options: { segmentSeconds: 300 } });
    assert.equal(o.state(), 'attached.running');
    o.output.send({ type: 'output.update', options: { segmentSeconds: 60 } });
    assert.equal(o.state(), 'attached.finishing');
    o.say({ type: 'process.finished' });
    o.clock.increment(0);
    assert.equal(o.state(), 'attached.starting');
    assert.deepEqual(o.output.getSnapshot().context.options, { segmentSeconds: 60 });
  });
});
