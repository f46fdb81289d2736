/** When a decoder is too slow for its camera: the hub keeps what it has not read yet, and it would show an ever older past. */
import { failure, type Failure } from '../../errors.ts';

/** Frames that are this old, and do not get younger within as many looks, mean that the machine does not decode in time. */
const oldMs = 5_000;
const oldLooks = 5;

/** Tells the failure once frames are too old for good. `words` says what of them, with the seconds put in for `%`. */
export function createLateness(code: string, words: string): (ageMs: number) => Failure | null {
  let ages: number[] = [];
  return (ageMs) => {
    ages = [...ages, ageMs].slice(-oldLooks);
    if (ages.length < oldLooks || ages.some((age) => age < oldMs) || ages.at(-1)! < ages[0]!) return null;
    return failure('local', code, words.replace('%', String(Math.round(ageMs / 1_000))));
  };
}
