/** Whether the program can do its work: the supervisor's word and the store's, for `/readyz` and for gRPC's health. */
import type { Store } from '../store/types.ts';
import type { ControlPlane } from './control.ts';

/** Not ready says why, one sentence each. */
export type Readiness = { ready: boolean; reasons: string[] };

/** Asks both. Never waits. */
export function readinessOf(control: ControlPlane, store: Store): Readiness {
  const own = control.readiness();
  const kept = store.status();
  const reasons = kept.ok ? own.reasons : [...own.reasons, `The store does not work: ${kept.reason ?? 'unknown reason'}.`];
  return { ready: own.ready && kept.ok, reasons };
}
