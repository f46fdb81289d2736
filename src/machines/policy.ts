/**
 * What follows a failure: the policy of each class (design §3) and the pure decision from the history to the next step.
 * No clock and no randomness of its own: times come with the failures, random numbers from a seed the caller keeps.
 */
import type { Failure, FailureClass } from '../errors.ts';
import { durationText } from './duration.ts';

/** Policy of one failure class; every number is configuration. */
export type ClassPolicy = {
  /** Never sooner than this, ms. Keeps slow classes slow whatever the jitter says. */
  floorMs: number;
  /** The window's upper bound for the first delayed attempt, ms. */
  baseMs: number;
  /** How the upper bound grows from one attempt to the next. */
  factor: number;
  /** The upper bound's limit, ms. */
  capMs: number;
  /** The first attempt after a fresh stream follows at once. */
  immediateFirst: boolean;
  /** Counts towards the intensity window. Absence is not misbehaviour. */
  counts: boolean;
  /** A presence watch on the camera's port may cut the delay short. */
  presence: boolean;
  /** So many in a row → quarantined, whatever the window says. 0: never by this rule. */
  quarantineAfter: number;
};

/** A policy for every class. */
export type PolicyTable = Readonly<Record<FailureClass, ClassPolicy>>;

/** More than `failures` counting failures within `windowMs` → quarantined. */
export type Intensity = { failures: number; windowMs: number };

const network: ClassPolicy = { floorMs: 0, baseMs: 500, factor: 2, capMs: 30_000, immediateFirst: false, counts: false, presence: true, quarantineAfter: 0 };
const playing: ClassPolicy = { ...network, immediateFirst: true, counts: true, presence: false };

/** The defaults of design §3. */
export const defaultPolicy: PolicyTable = {
  auth: { ...network, floorMs: 30_000, baseMs: 45_000, factor: 3, capMs: 600_000, counts: true, presence: false, quarantineAfter: 3 },
  'not-found': { ...network, floorMs: 30_000, baseMs: 45_000, capMs: 300_000, counts: true, presence: false },
  busy: { ...network, floorMs: 10_000, baseMs: 15_000, capMs: 120_000, counts: true, presence: false },
  reset: playing,
  eos: playing,
  refused: network,
  unreachable: network,
  timeout: network,
  dns: { ...network, presence: false },
  booting: { ...network, floorMs: 750, baseMs: 1_250, capMs: 1_250, presence: false },
  'server-error': { ...network, baseMs: 1_000, counts: true, presence: false },
  silent: playing,
  'no-keyframe': playing,
  'video-missing': playing,
  timestamps: playing,
  local: { ...network, floorMs: 5_000, baseMs: 5_000, capMs: 5_000, counts: true, presence: false },
  'media-changed': { ...playing, counts: false },
  unsupported: { ...network, presence: false, quarantineAfter: 1 },
  'host-crash': playing,
  'native-frozen': playing,
  sfu: { ...network, baseMs: 500, capMs: 5_000, presence: false },
  storage: { ...network, floorMs: 5_000, baseMs: 5_000, capMs: 60_000, presence: false },
};

/** What a machine keeps of its failures. */
export type History = {
  /** Failures since the last time the stream was fresh for long enough. */
  attempt: number;
  /** Times (ms) of the counting failures inside the window, oldest first. */
  window: readonly number[];
  /** How many of the same class came last in a row. */
  sameInARow: number;
  lastClass: FailureClass | null;
  /** State of the random sequence, a uint32. */
  seed: number;
};

/** An empty history; the seed makes runs repeatable. */
export function emptyHistory(seed: number): History {
  return { attempt: 0, window: [], sameInARow: 0, lastClass: null, seed: seed >>> 0 };
}

/** The step after a failure, with the sentence that explains it in the journal. */
export type Decision =
  | { step: 'retry'; delayMs: number; presence: boolean; why: string; history: History }
  | { step: 'quarantine'; why: string; history: History };

/** Decides. Pure: same arguments, same answer. */
export function decide(failure: Failure, history: History, rules: { policy: PolicyTable; intensity: Intensity }): Decision {
  const policy = rules.policy[failure.class];
  const sameInARow = history.lastClass === failure.class ? history.sameInARow + 1 : 1;
  const recent = history.window.filter((at) => at > failure.at - rules.intensity.windowMs);
  const window = policy.counts ? [...recent, failure.at] : recent;
  const next: History = { attempt: history.attempt + 1, window, sameInARow, lastClass: failure.class, seed: history.seed };

  if (policy.quarantineAfter > 0 && sameInARow >= policy.quarantineAfter) {
    return { step: 'quarantine', why: `"${failure.class}" ${sameInARow} times in a row`, history: next };
  }
  if (policy.counts && window.length > rules.intensity.failures) {
    return { step: 'quarantine', why: `${window.length} failures within ${durationText(rules.intensity.windowMs)}`, history: next };
  }
  if (policy.immediateFirst && history.attempt === 0) {
    return { step: 'retry', delayMs: 0, presence: false, why: `first "${failure.class}" after a fresh stream: at once`, history: next };
  }
  const exponent = policy.immediateFirst ? history.attempt - 1 : history.attempt;
  const drawn = random(history.seed);
  const { delayMs, bound } = jittered(policy, exponent, drawn.value);
  return {
    step: 'retry',
    delayMs,
    presence: policy.presence,
    why: `attempt ${next.attempt} after "${failure.class}": ${policy.floorMs > 0 ? `between ${durationText(policy.floorMs)} and ${durationText(bound)}` : `within ${durationText(bound)}`}`,
    history: { ...next, seed: drawn.seed },
  };
}

/** Full jitter between the floor and the exponentially growing, capped bound. */
export function jittered(policy: Pick<ClassPolicy, 'floorMs' | 'baseMs' | 'factor' | 'capMs'>, exponent: number, unit: number): { delayMs: number; bound: number } {
  const bound = Math.max(policy.floorMs, Math.min(policy.capMs, policy.baseMs * policy.factor ** Math.min(30, Math.max(0, exponent))));
  return { delayMs: Math.round(policy.floorMs + unit * (bound - policy.floorMs)), bound };
}

/** mulberry32: one uniform number in [0, 1) and the next seed. Not for secrets. */
export function random(seed: number): { value: number; seed: number } {
  const next = (seed + 0x6d2b79f5) >>> 0;
  let t = next;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return { value: ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296, seed: next };
}

/** A camera that has just come back, or had just been fresh, may still be booting: its 404, 454 and 5xx mean that (design §3). */
export function reclassify(failure: Failure, lastAliveAt: number | null, bootingWindowMs: number): Failure {
  const mayBoot = failure.class === 'not-found' || failure.class === 'server-error';
  if (!mayBoot || lastAliveAt === null || failure.at - lastAliveAt > bootingWindowMs) return failure;
  return { ...failure, class: 'booting' };
}
