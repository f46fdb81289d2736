/** The real interface (REST, Socket.IO, the built page) over a scripted fleet whose cameras fail and return all the time. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApp } from '../../src/api/app.ts';
import { hashToken } from '../../src/api/auth.ts';
import type { CameraView } from '../../src/api/protocol.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { openStore } from '../../src/store/index.ts';
import { cameraView, scriptedControl, type Script } from './scripted-control.ts';

export type FlappingFleet = {
  script: Script;
  /** The page, logged in as admin; a hash of the page comes behind it after the first visit. */
  loginLink: string;
  url: string;
  /** This many changes of state a second, each of another camera, with its journal row; the returned function ends it. */
  flap: (perSecond: number) => () => void;
  close: () => Promise<void>;
};

/** The states a camera goes through, in order; with figures that change every time. */
const turns: Partial<CameraView>[] = [
  { state: 'streaming', substate: 'stalled' },
  { state: 'backoff', substate: null, attempt: 1, host: null, lastError: { class: 'reset', code: 'econnreset', message: 'The camera closed the connection.', at: '2026-01-01T00:00:00.000Z' } },
  { state: 'connecting', substate: 'probing', attempt: 1, host: null },
  { state: 'streaming', substate: 'live', attempt: 0 },
];
const batchMs = 50;

/** Serves `count` cameras with the page in `dist`. */
export async function startFlappingFleet({ count, dist }: { count: number; dist: string }): Promise<FlappingFleet> {
  const dir = await mkdtemp(join(tmpdir(), 'lookout-flapping-'));
  const log = createLog({ level: 'error' });
  const store = await openStore({ dir, log });
  const script = scriptedControl(Array.from({ length: count }, (_, index) => `camera-${String(index).padStart(3, '0')}`));
  await store.tokens.put({ name: 'admin', role: 'admin', hash: hashToken('flapping-token') });
  const app = await buildApp({ control: script.control, store, config: loadConfig([], { LOOKOUT_DATA: dir, LOOKOUT_PORT: '0', LOOKOUT_GRPC_PORT: '0' }), log, pageDir: dist });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  await app.grpc?.tried;
  return {
    script, url,
    loginLink: `${url}/#token=flapping-token`,
    flap: (perSecond) => flap(script, perSecond),
    close: async () => {
      await app.close();
      await store.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function flap(script: Script, perSecond: number): () => void {
  const ids = [...script.cameras.keys()];
  let turn = 0;
  let seq = 0;
  let owed = 0;
  const timer = setInterval(() => {
    for (owed += (perSecond * batchMs) / 1_000; owed >= 1; owed -= 1) {
      const id = ids[turn % ids.length]!;
      const round = Math.floor(turn / ids.length) + (turn % ids.length);
      const before = script.cameras.get(id)!;
      const at = new Date().toISOString();
      const changed = turns[round % turns.length]!;
      const camera = cameraView(id, { ...changed, since: at, restarts: before.restarts + (changed.state === 'connecting' ? 1 : 0), nextRetryAt: changed.state === 'backoff' ? new Date(Date.now() + 4_000).toISOString() : null });
      script.cameras.set(id, camera);
      script.emit({ type: 'camera', id, camera });
      seq += 1;
      script.emit({ type: 'journal', event: { seq, at, camera: id, type: 'camera.transition', from: before.state, to: camera.state, class: null, code: null, message: 'Flapping.', evidence: null, attempt: null, delayMs: null, recording: false } });
      turn += 1;
    }
  }, batchMs);
  return () => clearInterval(timer);
}
