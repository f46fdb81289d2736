/** The ingest's moves between workers: who has no viewer leaves a worker that carries more, and nobody hears of a loss. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createActor, fromCallback, type EventObject } from 'xstate';
import { ingestMachine, type ProducerCommand, type ProducerFact } from '../../src/machines/ingest.ts';

const feed = { port: 40_000, bindPort: 40_001, ssrc: 1, payloadType: 96 };

/** An ingest whose producer is the test: what it was asked, in order, and how it speaks. */
function start() {
  const asked: string[] = [];
  const heard: EventObject[] = [];
  let say: (fact: ProducerFact) => void = () => assert.fail('no producer runs');
  const producer = fromCallback<ProducerCommand, { watched: boolean }, EventObject>(({ input, sendBack, receive }) => {
    say = sendBack as typeof say;
    asked.push(`start watched=${input.watched}`);
    receive((command) => void asked.push(command.type === 'producer.watched' ? `watched=${command.watched}` : command.type));
    return () => void asked.push('close');
  });
  const tell = ({ event }: { event: EventObject }): void => void heard.push(event);
  const actor = createActor(ingestMachine.provide({ actors: { producer: producer as never }, actions: { tellReady: tell, tellLost: tell, tellCycled: tell } as never }), { input: { camera: 'test', feed: feed as never } });
  actor.start();
  return { actor, asked, heard, say: (fact: ProducerFact) => say(fact) };
}

test('an outweighed ingest is made anew elsewhere, flows again by itself, and is no loss', () => {
  const { actor, asked, heard, say } = start();
  actor.send({ type: 'ingest.ensure', profileLevelId: '42e01f' });
  say({ type: 'producer.ready', worker: 0, workerPid: 10 });
  actor.send({ type: 'ingest.resume' });
  asked.length = 0;
  heard.length = 0;
  say({ type: 'producer.outweighed' });
  say({ type: 'producer.ready', worker: 1, workerPid: 11 });
  assert.deepEqual(asked, ['producer.pause', 'close', 'start watched=false', 'producer.resume']);
  assert.deepEqual(heard.map(({ type }) => type), ['producer.ready']);
  assert.deepEqual(actor.getSnapshot().value, { carrying: { ready: 'flowing' } });
});

test('its producer knows whether anybody watches, also one that is made later', () => {
  const { actor, asked, say } = start();
  actor.send({ type: 'ingest.watched', watched: true });
  actor.send({ type: 'ingest.ensure', profileLevelId: '42e01f' });
  say({ type: 'producer.ready', worker: 0, workerPid: 10 });
  actor.send({ type: 'ingest.watched', watched: false });
  assert.deepEqual(asked, ['start watched=true', 'watched=false']);
});
