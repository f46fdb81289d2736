/** The admission book at work: cameras hold a slot for as long as their `slot` actor runs. */
import type { CallbackActorLogic, EventObject } from 'xstate';
import { apply, emptyAdmission, release, type AdmissionLimits, type AdmissionStep } from '../machines/admission.ts';
import { effect } from './effect.ts';

type SlotInput = { camera: string; host: string; viewed: boolean };

/** What admission offers: the actor logic of a slot, and how many connect and wait. */
export type Admission = {
  slot: CallbackActorLogic<EventObject, SlotInput, EventObject>;
  /** How many hold a slot and wait for one, and the most that ever held one at once. */
  figures(): { holding: number; waiting: number; peak: number };
};

/** Makes an admission of its own budget. */
export function createAdmission(limits: AdmissionLimits): Admission {
  let state = emptyAdmission;
  const grants = new Map<string, () => void>();
  let applications = 0;
  let peak = 0;
  const step = (next: AdmissionStep): void => {
    state = next.state;
    peak = Math.max(peak, state.holding.length);
    for (const { id } of next.granted) grants.get(id)?.();
  };

  const slot = effect<EventObject, SlotInput>(({ input, sendBack }) => {
    applications += 1;
    const id = `${input.camera}#${applications}`;
    // Granted in a later turn: the camera must have taken its state before it hears of it.
    grants.set(id, () => queueMicrotask(() => sendBack({ type: 'slot.granted' })));
    step(apply(state, { id, address: input.host, priority: input.viewed ? 1 : 2 }, limits));
    return () => {
      grants.delete(id);
      step(release(state, id, limits));
    };
  });

  return { slot, figures: () => ({ holding: state.holding.length, waiting: state.waiting.length, peak }) };
}
