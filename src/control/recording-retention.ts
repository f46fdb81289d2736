/** Removes recordings that nobody wants to keep, or that there is no room for: now and then, beside everything else. */
import type { Config } from '../config.ts';
import type { RecordConfig } from '../camera-config.ts';
import type { Log } from '../log.ts';
import type { Keeper } from '../recordings/keeper.ts';
import { beyondRule, beyondSpace, type Kept, type RemovalReason } from '../recordings/retention.ts';
import type { Segment, Store } from '../store/types.ts';
import { plainEvent, type Observer } from './observer.ts';

/** What retention needs. `rules` are those of the cameras that exist. */
export type RetentionDeps = {
  segments: Store['segments'];
  keeper: Keeper;
  settings: Config['recordings'];
  rules: () => Map<string, RecordConfig['retention']>;
  note: Observer['note'];
  log: Log;
};

/** Runs until it is stopped; `run` is one round. */
export type Retention = { run(): Promise<void>; stop(): void };

/** What goes in one round; the next one goes on. */
const batch = 200;

type Removal = { segment: Kept; reason: RemovalReason };

/** Starts it. One round at a time. */
export function startRetention(deps: RetentionDeps): Retention {
  let running: Promise<void> | undefined;
  const run = (): Promise<void> => {
    running ??= round(deps).catch((error: unknown) => deps.log.warn({ err: error }, 'recordings cannot be removed')).finally(() => (running = undefined));
    return running;
  };
  const timer = setInterval(() => void run(), deps.settings.checkMs).unref();
  return { run, stop: () => clearInterval(timer) };
}

async function round({ segments, keeper, settings, rules, note }: RetentionDeps): Promise<void> {
  const usage = await segments.usage();
  if (usage.length === 0) return;
  const now = Date.now();
  const chosen: Removal[] = [];
  for (const { camera, bytes } of usage) {
    const rule = rules().get(camera);
    if (!rule || (rule.maxAgeHours === undefined && rule.maxBytes === undefined)) continue;
    chosen.push(...beyondRule(kept(await segments.oldest(camera, batch)), rule, { bytes, now }));
  }
  const { freeBytes } = await keeper.space();
  const freed = chosen.reduce((sum, { segment }) => sum + segment.bytes, 0);
  const missing = settings.minFreeBytes - freeBytes - freed;
  if (missing > 0) {
    const already = new Set(chosen.map(({ segment }) => segment.id));
    chosen.push(...beyondSpace(kept(await segments.oldest(null, batch)).filter(({ id }) => !already.has(id)), missing));
  }
  if (chosen.length === 0) return;
  await keeper.remove(chosen.map(({ segment }) => segment.path));
  await segments.remove(...chosen.map(({ segment }) => segment.id));
  for (const [, removals] of Map.groupBy(chosen, ({ segment, reason }) => `${segment.camera} ${reason}`)) note(row(removals));
}

/** One row for everything of a camera that goes for one reason in one round. */
function row(removals: Removal[]): Parameters<Observer['note']>[0] {
  const [{ segment: { camera, startAt }, reason }] = removals as [Removal];
  const words: Record<RemovalReason, string> = { age: 'older than wanted', bytes: 'more than wanted of this camera', space: 'too little space on the disk' };
  const megabytes = removals.reduce((sum, { segment }) => sum + segment.bytes, 0) / 1e6;
  return { ...plainEvent(camera, 'recording.removed', `${removals.length} ${removals.length === 1 ? 'recording' : 'recordings'} (${megabytes.toFixed(1)} MB) from ${new Date(startAt).toISOString()} on removed: ${words[reason]}.`), code: reason };
}

const kept = (segments: Segment[]): Kept[] => segments.flatMap(({ id, camera, path, startAt, endAt, bytes }) => (endAt === null ? [] : [{ id, camera, path, startAt, endAt, bytes }]));
