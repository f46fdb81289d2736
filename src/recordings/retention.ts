/** Which recordings go: by age, by the bytes of a camera, by the space on the disk; oldest first, never one that is being written. Pure. */

/** A closed recording. */
export type Kept = { id: string; camera: string; path: string; startAt: number; endAt: number; bytes: number };

/** Why recordings are removed. */
export type RemovalReason = 'age' | 'bytes' | 'space';

/** How long and how much of one camera is kept. */
export type RetentionRule = { maxAgeHours?: number | undefined; maxBytes?: number | undefined };

const hourMs = 3_600_000;

/** Of a camera's closed recordings, oldest first, those that its rule does not keep. `bytes`: what all of them hold. */
export function beyondRule(oldest: readonly Kept[], { maxAgeHours, maxBytes }: RetentionRule, { bytes, now }: { bytes: number; now: number }): { segment: Kept; reason: RemovalReason }[] {
  const tooOld = maxAgeHours === undefined ? -Infinity : now - maxAgeHours * hourMs;
  let excess = maxBytes === undefined ? 0 : bytes - maxBytes;
  const chosen: { segment: Kept; reason: RemovalReason }[] = [];
  for (const segment of oldest) {
    const reason = segment.endAt < tooOld ? 'age' : excess > 0 ? 'bytes' : null;
    if (reason === null) break;
    chosen.push({ segment, reason });
    excess -= segment.bytes;
  }
  return chosen;
}

/** Of all closed recordings, oldest first, those that must go until so many bytes are free again. */
export function beyondSpace(oldest: readonly Kept[], missingBytes: number): { segment: Kept; reason: RemovalReason }[] {
  let missing = missingBytes;
  const chosen: { segment: Kept; reason: RemovalReason }[] = [];
  for (const segment of oldest) {
    if (missing <= 0) break;
    chosen.push({ segment, reason: 'space' });
    missing -= segment.bytes;
  }
  return chosen;
}
