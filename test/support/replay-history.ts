/** Runs an exported history of the inspector through the machine itself, without effects: the pure `transition` of XState. */
import { createEmptyActor, getInitialSnapshot, transition, type AnyStateMachine } from 'xstate';
import { FailureError, type Failure } from '../../src/errors.ts';
import type { StateValueView, StepView } from '../../src/api/protocol.ts';

export type Replayed = { n: number; event: string; recorded: StateValueView; replayed: StateValueView }[];

/** The state after each step, as it was recorded and as the machine has it now. `input`: whatever the machine needs to begin. */
export function replayHistory(machine: AnyStateMachine, { actor, children, steps }: { actor: { id: string }; children: readonly string[]; steps: readonly StepView[] }, input: unknown): Replayed {
  const [first, ...rest] = steps;
  if (!first) return [];
  const begin = getInitialSnapshot(machine, input as never);
  // Actors that live longer than the history; nobody of them answers here: the history has the answers.
  const below = `${actor.id}/`;
  const ids = new Set([...children, ...steps.flatMap(({ from }) => (from?.startsWith(below) ? [from.slice(below.length)] : []))]);
  const context = { ...begin.context, ...(first.context as object) };
  let snapshot = { ...machine.resolveState({ value: first.value as never, context }), children: Object.fromEntries([...ids].map((id) => [id, createEmptyActor()])) } as ReturnType<typeof machine.resolveState>;
  return rest.flatMap(({ n, event, value }) => {
    if (!event) return [];
    [snapshot] = transition(machine, snapshot, revived(event) as never) as [typeof snapshot, unknown];
    return [{ n, event: event.type, recorded: value, replayed: snapshot.value as StateValueView }];
  });
}

/** JSON knows no errors; what a failed actor threw was written down as its failure. */
function revived(event: NonNullable<StepView['event']>): object {
  const { failure } = (event['error'] ?? {}) as { failure?: Failure };
  return failure ? { ...event, error: new FailureError(failure) } : event;
}
