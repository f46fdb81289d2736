/** Moments as words, in the viewer's zone; the day has 24 hours everywhere, as logs and recordings do. Pure. */

const two = (value: number): string => String(value).padStart(2, '0');

/** The day as its field has it: `2026-11-28`. `at`: ms since the epoch. */
export function dateText(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The time of day as its field has it: `08:05:00`. `at`: ms since the epoch, or ISO 8601. */
export function timeText(at: number | string): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Local time, with UTC behind it. `iso`: ISO 8601 in UTC. */
export function moment(iso: string): string {
  return `${new Date(iso).toLocaleDateString()}, ${timeText(iso)} (${iso.replace('T', ' ').replace(/\.\d+Z$/u, '')} UTC)`;
}
