/** OTP's restart intensity (`supervisor.erl`, add_restart): a pure function over the times of the last restarts. */

/** At most `restarts` within `periodMs`, else the supervisor gives up on the child and escalates. */
export type RestartIntensity = { restarts: number; periodMs: number };

/** Adds a restart at `now` (ms). `allowed` is false when it is one too many; `times` are those still inside the period. */
export function addRestart(times: readonly number[], now: number, intensity: RestartIntensity): { allowed: boolean; times: number[] } {
  const recent = [...times.filter((time) => now - time <= intensity.periodMs), now];
  return { allowed: recent.length <= intensity.restarts, times: recent };
}
