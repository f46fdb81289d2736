/** Drains a child's stderr: whole lines, redacted and bounded, so that a child that chatters neither blocks nor floods. */
import type { Readable } from 'node:stream';
import { redactText } from '../camera-url.ts';

const maxLine = 500;
const linesPerWindow = 20;
const windowMs = 10_000;

/** Calls `onLine` for at most 20 lines in 10 s, then once with how many were dropped. Everything is read in any case. */
export function drainLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  let windowStart = performance.now();
  let count = 0;
  let dropped = 0;

  const take = (line: string): void => {
    if (line.trim() === '') return;
    const now = performance.now();
    if (now - windowStart > windowMs) {
      if (dropped > 0) onLine(`(${dropped} lines dropped)`);
      windowStart = now;
      count = dropped = 0;
    }
    count += 1;
    if (count > linesPerWindow) dropped += 1;
    else onLine(redactText(line.slice(0, maxLine)));
  };

  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(0, maxLine);
    lines.forEach(take);
  });
  stream.on('end', () => {
    take(rest);
    if (dropped > 0) onLine(`(${dropped} lines dropped)`);
  });
  stream.on('error', () => {});
}
