/** The watchdog over this process: says when its event loop is late or its memory large, and ends it before it is half alive. */
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { addSample, withinLimit, type LimitState } from '../machines/limit.ts';
import type { SystemSample } from './system.ts';

/** What can be passed. */
export type WatchedLimit = 'delay' | 'memory';

/** The watchdog of one program. */
export type Watchdog = {
  /** Looks at a sample; `now` in ms of a monotonic clock. */
  look(sample: SystemSample, now: number): void;
  /** Limits that are passed now. */
  passed(): WatchedLimit[];
  /** One sentence for each, for readiness. */
  reasons(): string[];
  /** Resolves with the reason when a limit was passed that nothing but a new process mends. */
  readonly gaveUp: Promise<string>;
};

type Measure = { limit: WatchedLimit; over: boolean; fatal: boolean; sentence: string };
type Watched = { soft: LimitState; hard: LimitState; sentence: string };

const mebibyte = 1024 ** 2;

/** Makes it; it has no timer of its own, a sample is its clock. */
export function createWatchdog({ settings, log }: { settings: Config['watchdog']; log: Log }): Watchdog {
  const { sustainMs } = settings;
  const gaveUp = Promise.withResolvers<string>();
  const watched = new Map<WatchedLimit, Watched>();
  const passed = () => [...watched].filter(([, { soft }]) => soft.passed);

  const take = ({ limit, over, fatal, sentence }: Measure, now: number): void => {
    const before = watched.get(limit) ?? { soft: withinLimit, hard: withinLimit, sentence };
    const after = { soft: addSample(before.soft, over, now, sustainMs), hard: addSample(before.hard, fatal, now, sustainMs), sentence };
    watched.set(limit, after);
    if (after.soft.passed && !before.soft.passed) log.warn({ limit, reason: sentence }, 'the watchdog: a limit is passed');
    if (before.soft.passed && !after.soft.passed) log.info({ limit, now: sentence }, 'the watchdog: all is well again');
    if (after.hard.passed && !before.hard.passed) gaveUp.resolve(sentence);
  };
  return {
    look(sample, now) {
      for (const measure of [delayOf(sample, settings), memoryOf(sample, settings)]) take(measure, now);
    },
    passed: () => passed().map(([limit]) => limit),
    reasons: () => passed().map(([, { sentence }]) => `${sentence}.`),
    gaveUp: gaveUp.promise,
  };
}

const over = (value: number, limit: number): boolean => limit > 0 && value >= limit;

function delayOf({ eventLoopDelayMs }: SystemSample, { delayMs, exitDelayMs }: Config['watchdog']): Measure {
  return { limit: 'delay', over: over(eventLoopDelayMs, delayMs), fatal: over(eventLoopDelayMs, exitDelayMs), sentence: `the event loop is late by ${Math.round(eventLoopDelayMs)} ms` };
}

function memoryOf({ rssBytes, heapBytes, heapLimitBytes }: SystemSample, { rssBytes: most, exitRssBytes, heapPercent, exitHeapPercent }: Config['watchdog']): Measure {
  const percent = heapBytes / heapLimitBytes * 100;
  return {
    limit: 'memory',
    over: over(rssBytes, most) || over(percent, heapPercent),
    fatal: over(rssBytes, exitRssBytes) || over(percent, exitHeapPercent),
    sentence: `memory is ${Math.round(rssBytes / mebibyte)} MiB, of which the heap has ${Math.round(percent)} % of what it may`,
  };
}
