/** A request that is answered in time, whatever it waits for. */
import { LookoutError } from '../errors.ts';

/** Whether the asker has been told that its request took too long; the timer's word counts, since two clocks may disagree by a millisecond. */
export type Deadline = { passed: boolean };

/** Rejects with `LOOKOUT_DEADLINE` when `work` takes longer; what it still does then is not heard. */
export async function withDeadline<T>(begin: (deadline: Deadline) => Promise<T>, milliseconds: number, name: string): Promise<T> {
  const deadline: Deadline = { passed: false };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      deadline.passed = true;
      reject(new LookoutError('LOOKOUT_DEADLINE', { message: `"${name}" was not answered within ${milliseconds} ms.` }));
    }, milliseconds);
  });
  try {
    return await Promise.race([begin(deadline), late]);
  } finally {
    clearTimeout(timer);
  }
}
