/** The whole interface on a scripted supervisor and a real store, ended with its test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { buildApp } from '../../src/api/app.ts';
import { hashToken } from '../../src/api/auth.ts';
import { loadConfig, type Config } from '../../src/config.ts';
import { createLog, type LogLevel } from '../../src/log.ts';
import { openStore } from '../../src/store/index.ts';
import type { Role, Store } from '../../src/store/types.ts';
import { scriptedControl, type Script } from './scripted-control.ts';
import { defer } from './defer.ts';

/** What a test of the interface works with. */
export type ApiBench = {
  app: FastifyInstance;
  script: Script;
  store: Store;
  config: Config;
  /** Log lines so far. */
  lines: string[];
  /** Authorization header of a role. */
  as(role: Role): { authorization: string };
  token(role: Role): string;
  /** Listens on a free port of 127.0.0.1; the address. */
  listen(): Promise<string>;
};

type Options = { script?: Script; env?: Record<string, string>; change?: (config: Config) => Config; pageDir?: string; level?: LogLevel };

/** A directory that is gone after the test. */
export async function temporaryDir(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'lookout-test-'));
  defer(t, () => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Builds it. Tokens `admin-token`, `operator-token` and `viewer-token` open it. */
export async function apiBench(t: TestContext, { script = scriptedControl(), env = {}, change = (config) => config, pageDir, level = 'debug' }: Options = {}): Promise<ApiBench> {
  const lines: string[] = [];
  const log = createLog({ level, destination: { write: (line: string) => void lines.push(line) } });
  const dir = await temporaryDir(t);
  const store = await openStore({ dir, log });
  const config = change(loadConfig([], { LOOKOUT_DATA: dir, LOOKOUT_PORT: '0', LOOKOUT_GRPC_PORT: '0', ...env }));
  for (const role of ['admin', 'operator', 'viewer'] as const) await store.tokens.put({ name: role, role, hash: hashToken(`${role}-token`) });
  const app = await buildApp({ control: script.control, store, config, log, pageDir: pageDir ?? join(dir, 'no-page') });
  defer(t, async () => {
    await app.close();
    await store.close();
  });
  return {
    app, script, store, config, lines,
    as: (role) => ({ authorization: `Bearer ${role}-token` }),
    token: (role) => `${role}-token`,
    async listen() {
      const address = await app.listen({ host: '127.0.0.1', port: 0 });
      await app.grpc?.tried;
      return address;
    },
  };
}
