/** What the operator sees of set-up: one line a step, with how far it is and how long it took. Silent when nothing is to do. */

const PLAIN_REPORT_MS = 10_000;

/**
 * A step's line. On a terminal it is rewritten once a second, elsewhere a line is added every ten seconds.
 * @param {string} title
 * @param {{ out?: NodeJS.WriteStream, now?: () => number }} options
 */
export const startStep = (title, { out = process.stdout, now = Date.now } = {}) => {
  const begin = now();
  let detail = '';
  let printed = begin;
  const elapsed = () => seconds(now() - begin);
  const line = () => `  ${title}${detail ? `: ${detail}` : ''} [${elapsed()}]`;
  const draw = () => {
    if (out.isTTY) out.write(`\r\u001b[K${line()}`);
    else if (now() - printed >= PLAIN_REPORT_MS) {
      printed = now();
      out.write(`${line()}\n`);
    }
  };
  out.write(out.isTTY ? line() : `  ${title} …\n`);
  const ticker = setInterval(draw, 1000);
  const close = (mark) => {
    clearInterval(ticker);
    out.write(`${out.isTTY ? '\r\u001b[K' : ''}${mark} ${title} [${elapsed()}]\n`);
  };
  return {
    /** How far the step is, in words. */
    report(text) {
      detail = text;
      if (out.isTTY) draw();
    },
    /** A line that stays. */
    note(text) {
      out.write(`${out.isTTY ? '\r\u001b[K' : ''}  ${text}\n`);
    },
    done: () => close('✔'),
    failed: () => close('✖'),
  };
};

/** `4.2 s`, `1 min 05 s`. */
export const seconds = (ms) => {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const whole = Math.round(ms / 1000);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
};

/** `7 of 22 (32 %)`. */
export const outOf = (n, m) => `${n} of ${m} (${Math.floor((n / m) * 100)} %)`;
