/** Walks paths of the camera model on the real program with a simulated camera each, a few at a time. */
import assert from 'node:assert/strict';
import type { CameraView } from '../../src/api/protocol.ts';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { told, type Behaving, type Path, type Rest, type Stimulus } from './camera-model.ts';
import { eventually } from './eventually.ts';
import { startLookout, type Lookout } from './lookout.ts';
import { startSimulator } from './simulator.ts';

/** A stall that lasts is a rest, and a camera that never sends is found soon; retries are quick and nobody is quarantined for long. */
const config = {
  supervision: {
    health: { silentMs: 60_000, firstPacketMs: 1_500 },
    quarantineProbeMs: 1_000,
    backoff: Object.fromEntries(['auth', 'refused', 'silent', 'reset', 'server-error'].map((cls) => [cls, { minMs: 300, maxMs: 600 }])),
  },
};
const restWithinMs = 15_000;

type Bench = { lookout: Lookout; cameras: SimulatorProcess };

/** Walks all paths; resolves with those that led elsewhere than the model says. */
export async function walkPaths(paths: readonly Path[], atOnce: number): Promise<string[]> {
  const names = paths.map((_, index) => `path-${index}`);
  await using cameras = await startSimulator({ mounts: names.map((name) => ({ name, video: 'tiny-320x180-main', phase: 'random' })) });
  await using lookout = await startLookout({ config });
  const wrong: string[] = [];
  const queue = paths.map((path, index) => ({ path, id: `path-${index}` }));
  const worker = async (): Promise<void> => {
    for (let entry = queue.shift(); entry; entry = queue.shift()) {
      await walk({ lookout, cameras }, entry.id, entry.path).catch((error: unknown) => wrong.push(`${told(entry.path)}: ${error instanceof Error ? error.message : String(error)}`));
      await lookout.api('DELETE', `/api/v1/cameras/${entry.id}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  await eventually(async () => (await lookout.children()).filter(({ command }) => command.includes('host-main')).length <= 1, { timeoutMs: 10_000, what: 'nothing but the spare host to be left' });
  return wrong;
}

async function walk(bench: Bench, id: string, { steps }: Path): Promise<void> {
  await bench.lookout.add({ id, url: bench.cameras.url(id) });
  let before = await bench.lookout.until(id, 'streaming.live');
  for (const { stimulus, rest } of steps) {
    await apply(bench, id, stimulus, before);
    before = await comesToRest(bench, id, { stimulus, rest, before });
  }
}

async function apply({ lookout, cameras }: Bench, id: string, { type, behaving }: Stimulus, before: CameraView): Promise<void> {
  if (type === 'reset') return cameras.act(id, { type: 'reset' });
  if (type !== 'behave') return void await lookout.api('POST', `/api/v1/cameras/${id}/${type}`);
  await cameras.script(id, behaviour(behaving ?? 'well'));
  const refuses = behaving === 'shut' || behaving === 'locked' || behaving === 'broken';
  if (refuses && before.state === 'streaming') await cameras.act(id, { type: 'reset' });
}

function behaviour(behaving: Behaving) {
  return {
    listen: behaving === 'shut' ? 'closed' as const : 'open' as const,
    status: behaving === 'locked' ? { code: 401 } : behaving === 'broken' ? { code: 503 } : null,
    media: behaving === 'mute' ? 'none' as const : 'all' as const,
  };
}

async function comesToRest({ lookout }: Bench, id: string, { stimulus, rest, before }: { stimulus: Stimulus; rest: Rest; before: CameraView }): Promise<CameraView> {
  let last: CameraView | undefined;
  const renewed = stimulus.type === 'reset' || stimulus.type === 'restart';
  try {
    return await eventually(async () => {
      last = await lookout.camera(id);
      return matches(last, rest) && !(renewed && rest.at === 'live' && last.host?.pid === before.host?.pid) ? last : undefined;
    }, { timeoutMs: restWithinMs }) as CameraView;
  } catch {
    const found = `${last?.state}.${last?.substate ?? ''} (${last?.lastError?.class ?? 'no failure'})`;
    assert.fail(`after "${stimulus.behaving ?? stimulus.type}" it should be ${rest.at} ${rest.class ?? ''}, but is ${found}`);
  }
}

function matches({ state, substate, lastError }: CameraView, { at, class: cls }: Rest): boolean {
  if (at === 'live' || at === 'stalled') return state === 'streaming' && substate === at;
  if (at === 'stopped') return state === 'stopped';
  return state !== 'streaming' && state !== 'stopped' && lastError?.class === cls;
}
