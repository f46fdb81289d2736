/**
 * Admission: who may try to connect now. Pure functions over plain data: at most `fleet` attempts at once and
 * `perAddress` to one address; recorded before viewed before idle, then first come, first served.
 */

/** The budget. */
export type AdmissionLimits = { fleet: number; perAddress: number };

/** Someone who wants to connect. Lower `priority` goes first: 0 recorded, 1 viewed, 2 idle. */
export type Applicant = { id: string; address: string; priority: 0 | 1 | 2 };

export type AdmissionState = { holding: readonly Applicant[]; waiting: readonly Applicant[] };

/** What changed, and who was let in by it, in order. */
export type AdmissionStep = { state: AdmissionState; granted: readonly Applicant[] };

/** Nobody connects, nobody waits. */
export const emptyAdmission: AdmissionState = { holding: [], waiting: [] };

/** Someone applies. Who applies again before releasing changes nothing. */
export function apply(state: AdmissionState, applicant: Applicant, limits: AdmissionLimits): AdmissionStep {
  const known = (entry: Applicant): boolean => entry.id === applicant.id;
  if (state.holding.some(known) || state.waiting.some(known)) return { state, granted: [] };
  return admit({ ...state, waiting: [...state.waiting, applicant] }, limits);
}

/** Someone is done, or gives up waiting. */
export function release(state: AdmissionState, id: string, limits: AdmissionLimits): AdmissionStep {
  const others = (entry: Applicant): boolean => entry.id !== id;
  return admit({ holding: state.holding.filter(others), waiting: state.waiting.filter(others) }, limits);
}

function admit(state: AdmissionState, limits: AdmissionLimits): AdmissionStep {
  const granted: Applicant[] = [];
  const holding = [...state.holding];
  // A stable sort keeps first come, first served inside a priority.
  const queue = [...state.waiting].sort((a, b) => a.priority - b.priority);
  for (const applicant of queue) {
    if (holding.length >= limits.fleet) break;
    if (holding.filter(({ address }) => address === applicant.address).length >= limits.perAddress) continue;
    holding.push(applicant);
    granted.push(applicant);
  }
  return { state: { holding, waiting: state.waiting.filter((entry) => !granted.includes(entry)) }, granted };
}
