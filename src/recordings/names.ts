/** Where a recording lies and what it is called: everything the index needs can be read from the name. Pure. */

/** Camera and start are in the path; `open` while it is being written. */
export type RecordingName = { camera: string; startAt: number; open: boolean };

const pattern = /^([a-z0-9][a-z0-9_-]{0,63})\/\d{4}\/\d{2}\/\d{2}\/(\d{4}-\d{2}-\d{2}T\d{2})-(\d{2})-(\d{2}\.\d{3}Z)(\.open)?\.mkv$/u;

/** Under the directory of recordings: camera, day and start in UTC. A file that is being written says so in its name. */
export function recordingPath({ camera, startAt, open }: RecordingName): string {
  const iso = new Date(startAt).toISOString();
  const [year, month, day] = iso.slice(0, 10).split('-');
  return `${camera}/${year}/${month}/${day}/${iso.replaceAll(':', '-')}${open ? '.open' : ''}.mkv`;
}

/** Null for a file that is none of ours. */
export function parseRecordingPath(path: string): RecordingName | null {
  const [, camera, hour, minute, second, open] = pattern.exec(path) ?? [];
  const startAt = Date.parse(`${hour}:${minute}:${second}`);
  return camera === undefined || Number.isNaN(startAt) ? null : { camera, startAt, open: open !== undefined };
}

/** The published id: the same after the index was built anew from the files. */
export function recordingId({ camera, startAt }: Pick<RecordingName, 'camera' | 'startAt'>): string {
  return `${camera}-${startAt}`;
}

/** Where a host writes until the first frame says when it was: a name that no listing takes for a recording. */
export function newFilePattern(pid: number): string {
  return `.new-${pid}-%05d.mkv`;
}

/** Whether a name is one of {@link newFilePattern}: the rest of a host that died before it knew its first frame. */
export const isNewFile = (name: string): boolean => /^\.new-\d+-\d+\.mkv$/u.test(name);
