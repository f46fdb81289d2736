/** Durations as people say them. */

const units = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'min'], [1_000, 's']] as const;

/** `850 ms`, `2.5 s`, `45 s`, `1 min 30 s`, `2 h 5 min`: two units at most, one digit after the point below ten seconds. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${Math.round(ms / 100) / 10} s`;
  const whole = Math.round(ms / 1_000) * 1_000;
  const index = units.findIndex(([size]) => whole >= size);
  const [size, name] = units[index] ?? units[3];
  const next = units[index + 1];
  const rest = next ? Math.floor((whole % size) / next[0]) : 0;
  return `${Math.floor(whole / size)} ${name}${next && rest > 0 ? ` ${rest} ${next[1]}` : ''}`;
}
