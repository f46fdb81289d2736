/** A program with one live camera that takes whatever a test throws at it, and the question whether it took harm. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { isAlive, startLookout, type Lookout } from './lookout.ts';
import { startSimulator } from './simulator.ts';

/** `camera`: address of the camera `gate`. */
export type FuzzedLookout = AsyncDisposable & { lookout: Lookout; camera: string; unharmed(): Promise<void> };

/** Made by launch descriptions that somebody's text got into (`schema-arbitraries.ts`). */
const injected = '/tmp/lookout-fuzz';

/** Limits of rates are wide: they would keep everything else from being tried. */
export async function fuzzedLookout(): Promise<FuzzedLookout> {
  const simulator = await startSimulator({ mounts: [{ name: 'gate', video: 'tiny-320x180-main' }] });
  const lookout = await startLookout({ config: { api: { requestsPerMinute: 1_000_000, loginsPerMinute: 10_000 } } });
  await lookout.add({ id: 'gate', url: simulator.url('gate') });
  await lookout.until('gate', 'streaming.live');
  return {
    lookout, camera: simulator.url('gate'),
    async unharmed() {
      assert.ok(await isAlive(lookout.pid));
      assert.deepEqual(lookout.lines.filter((line) => /mistake of ours|"level":"fatal"|uncaught|unhandled/u.test(line)), []);
      assert.ok(!existsSync(injected), 'no text became part of a pipeline');
      assert.ok(Array.isArray(await lookout.cameras()));
      assert.deepEqual(await lookout.stop(), { code: 0, signal: null }, 'it ends in order');
    },
    async [Symbol.asyncDispose]() {
      await lookout[Symbol.asyncDispose]();
      await simulator[Symbol.asyncDispose]();
    },
  };
}
