/** Charts of machines for the inspector: read from the definitions that the running actors have, never written down twice. */
import { StateMachine, type AnyActorLogic, type AnyStateMachine, type AnyStateNode, type AnyTransitionDefinition } from 'xstate';
import type { ChartEdge, ChartState, ChartView } from '../api/protocol.ts';
import { sendableTo } from './inspect-send.ts';

/** Whether an actor runs a statechart. */
export function isMachine(logic: unknown): logic is AnyStateMachine {
  return logic instanceof StateMachine;
}

/** The machine and all that its actors may ever start, by id, each once. */
export function machinesBelow(logic: AnyActorLogic, found = new Map<string, AnyStateMachine>()): Map<string, AnyStateMachine> {
  if (!isMachine(logic) || found.has(logic.id)) return found;
  found.set(logic.id, logic);
  for (const actor of Object.values(logic.implementations.actors)) machinesBelow(actor as AnyActorLogic, found);
  return found;
}

/** What can be drawn of a machine. */
export function chartOf(machine: AnyStateMachine): ChartView {
  const edges: ChartEdge[] = [];
  return { machine: machine.id, root: stateOf(machine.root, edges), edges, sendable: sendableTo(machine) };
}

/** Ids of transitions that were taken. The initial one is no edge: nothing leads to it. */
export function edgeIds(taken: readonly AnyTransitionDefinition[]): string[] {
  return taken.flatMap((transition) => {
    const among = siblingsOf(transition);
    const index = among.indexOf(transition);
    return index < 0 ? [] : [edgeId(transition, index)];
  });
}

function siblingsOf({ source, eventType }: AnyTransitionDefinition): readonly AnyTransitionDefinition[] {
  const node = source as AnyStateNode;
  return (eventType === '' ? node.always : node.transitions.get(eventType)) ?? [];
}

const edgeId = ({ source, eventType }: AnyTransitionDefinition, index: number): string => `${source.id}#${eventType === '' ? 'always' : eventType}#${index}`;

function stateOf(node: AnyStateNode, edges: ChartEdge[]): ChartState {
  for (const among of [...node.transitions.values(), node.always ?? []]) {
    among.forEach((transition, index) => edges.push(edgeOf(transition, index)));
  }
  return {
    id: node.id,
    key: node.key,
    type: node.type,
    initial: node.type === 'compound' ? (node.initial.target[0]?.id ?? null) : null,
    entry: node.entry.filter(isOurs).map(nameOf),
    exit: node.exit.filter(isOurs).map(nameOf),
    tags: [...node.tags],
    invokes: node.invoke.map(({ id, src }) => ({ id, src: typeof src === 'string' ? src : 'inline' })),
    states: Object.values(node.states).map((state) => stateOf(state as AnyStateNode, edges)),
  };
}

function edgeOf(transition: AnyTransitionDefinition, index: number): ChartEdge {
  const { eventType, source, target, guard, actions } = transition;
  return {
    id: edgeId(transition, index),
    source: source.id,
    targets: (target ?? []).map(({ id }) => id),
    ...trigger(eventType, source.id),
    guard: guard === undefined ? null : nameOf(guard),
    actions: actions.map(nameOf),
  };
}

/** XState names what it makes itself `xstate.after.<delay>.<state>`, `xstate.done.actor.<id>` and so on. */
function trigger(eventType: string, source: string): Pick<ChartEdge, 'kind' | 'label'> {
  if (eventType === '') return { kind: 'always', label: 'always' };
  const [, made, rest = ''] = /^xstate\.(after|done\.state|done\.actor|error\.actor)\.(.*)$/u.exec(eventType) ?? [];
  if (made === undefined) return { kind: 'event', label: eventType };
  if (made === 'after') return { kind: 'after', label: rest.slice(0, -source.length - 1) };
  const kind = made === 'error.actor' ? 'error' : 'done';
  return { kind, label: made === 'done.state' ? 'done' : rest };
}

/** XState begins and ends the delay of an `after` by actions of its own. */
function isOurs(action: unknown): boolean {
  const { id, sendId } = action as { id?: unknown; sendId?: unknown };
  return !String(id ?? sendId ?? '').startsWith('xstate.after.');
}

/** A guard or an action as it was referred to. */
function nameOf(given: unknown): string {
  if (typeof given === 'string') return given;
  if (typeof given === 'function') return nameOfFunction(given as { name: string; type?: string });
  const { type, params } = given as { type?: unknown; params?: unknown };
  const name = typeof type === 'string' ? type : 'inline';
  if (typeof params !== 'object' || params === null) return name;
  const shown = Object.values(params).filter((value) => ['string', 'number', 'boolean'].includes(typeof value)).map(String);
  return shown.length === 0 ? name : `${name}(${shown.join(', ')})`;
}

/** Built-in actions carry their kind; what was written in place carries the name of its field, which says nothing. */
function nameOfFunction({ name, type }: { name: string; type?: string }): string {
  if (type !== undefined) return type.replace('xstate.', '');
  return ['', 'guard', 'actions', 'entry', 'exit'].includes(name) ? 'inline' : name;
}
