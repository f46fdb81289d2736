/**
 * Events that an admin may send to a running actor by hand. A closed list: what is in it carries plain values only, so that no
 * actor gets an object that it did not make, and nothing in it removes an actor behind its supervisor's back.
 */
import type { AnyStateMachine } from 'xstate';
import type { SendableEvent } from '../api/protocol.ts';
import { failure, failureClasses, LookoutError, type FailureClass } from '../errors.ts';

type Fields = SendableEvent['fields'];

const nothing: Fields = [];
const wanted: Fields = [{ name: 'wanted', kind: 'boolean' }];
const failed: Fields = [{ name: 'failure', kind: 'failure' }];

/** By the machine that hears them. */
const sendable: Record<string, Record<string, Fields>> = {
  camera: {
    'camera.start': nothing, 'camera.stop': nothing, 'camera.restart': nothing, 'camera.retry': nothing,
    'recording.set': wanted, 'hls.set': wanted,
    'source.flowing': nothing, 'source.stalled': [{ name: 'sinceMs', kind: 'number' }], 'source.failed': failed,
    'ingest.lost': failed, 'presence.opened': [{ name: 'at', kind: 'now' }],
  },
  source: { 'feed.set': [{ name: 'open', kind: 'boolean' }] },
  ingest: { 'ingest.pause': nothing, 'ingest.resume': nothing, 'ingest.cycle': nothing },
  output: { 'output.detach': nothing, 'output.want': wanted },
};

/** What can be sent to actors of this machine; only what the machine itself listens to. */
export function sendableTo(machine: AnyStateMachine): SendableEvent[] {
  const known = new Set<string>(machine.events);
  return Object.entries(sendable[machine.id] ?? {}).filter(([type]) => known.has(type)).map(([type, fields]) => ({ type, fields }));
}

/** The event, made anew from what was asked for. Throws `LOOKOUT_EVENT_REFUSED`. */
export function eventFor(machine: AnyStateMachine | null, given: Record<string, unknown>): { type: string } & Record<string, unknown> {
  const type = String(given['type']);
  const found = machine && sendableTo(machine).find((event) => event.type === type);
  if (!found) throw new LookoutError('LOOKOUT_EVENT_REFUSED', { message: `"${type}" cannot be sent ${machine ? `to a ${machine.id}` : 'to this actor'} by hand.` });
  const extra = Object.keys(given).find((name) => name !== 'type' && !found.fields.some((field) => field.name === name));
  if (extra !== undefined) throw new LookoutError('LOOKOUT_EVENT_REFUSED', { message: `"${type}" has no field "${extra}".` });
  return { type, ...Object.fromEntries(found.fields.map(({ name, kind }) => [name, valueOf(kind, given[name], `${type}.${name}`)])) };
}

function valueOf(kind: Fields[number]['kind'], given: unknown, what: string): unknown {
  switch (kind) {
    case 'now': return Date.now();
    case 'boolean':
      if (typeof given === 'boolean') return given;
      throw new LookoutError('LOOKOUT_EVENT_REFUSED', { message: `"${what}" must be true or false.` });
    case 'number':
      if (typeof given === 'number' && Number.isFinite(given) && given >= 0) return given;
      throw new LookoutError('LOOKOUT_EVENT_REFUSED', { message: `"${what}" must be a number from 0 on.` });
    case 'failure':
      if ((failureClasses as readonly unknown[]).includes(given)) return failure(given as FailureClass, 'by-hand', `An admin said so in the inspector: ${String(given)}.`);
      throw new LookoutError('LOOKOUT_EVENT_REFUSED', { message: `"${what}" must be a failure class, as in docs/failures.md.` });
  }
}
