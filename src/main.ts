/** Entry of the supervisor process: arguments and environment in, a running program out, signals until the end. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, helpText, loadConfig, type Config } from './config.ts';
import { claimInstance, InstanceLockedError } from './control/instance.ts';
import { startProgram, type Program } from './control/program.ts';
import { createLog, type Log } from './log.ts';
import { openLogFiles } from './log-files.ts';

const exitFailed = 1;
const exitUsage = 2;
/** The guardian kills who is silent for long. */
const beatMs = 1_000;
const stopWithinMs = 10_000;

if (process.env['LOOKOUT_STANDBY'] !== undefined) await ownTurn();
if (process.argv.includes('--help') || process.argv.includes('-h')) {
  process.stdout.write(helpText());
  process.exit(0);
}

/** As it was at the start: what is read again later must find what is deleted below. */
const environment = { ...process.env };
const readAgain = (): Config => loadConfig(process.argv.slice(2), environment);
const config = readConfig();
// Children inherit the environment; what they must not know goes before the first one is made.
for (const name of config.secretVariables) delete process.env[name];
const linkToken = process.env['LOOKOUT_LINK_TOKEN'];
delete process.env['LOOKOUT_LINK_TOKEN'];
const log = openLog(config);
const instance = claim(config);
process.env['LOOKOUT_INSTANCE'] = instance.name;

process.on('uncaughtException', (error) => die(error, 'uncaught exception'));
process.on('unhandledRejection', (error) => die(error, 'unhandled rejection'));

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as { version: string };
const starting = startProgram({ config, instance: instance.name, version, log, linkToken, reload: readAgain });
let ending = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (ending) process.exit(exitFailed);
    ending = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(exitFailed), stopWithinMs).unref();
    void starting.then(stop);
  });
}

process.on('SIGHUP', () => void starting.then((program) => program.reload('SIGHUP')));

starting.then(
  (program) => {
    announce(program);
    reportTo(program);
    void program.escalated.then(async (reason) => {
      if (ending) return;
      ending = true;
      log.fatal({ reason }, 'the supervisor gave up');
      if (process.connected) process.send?.({ type: 'gaveUp', reason: `gave up: ${reason}` });
      setTimeout(() => process.exit(exitFailed), stopWithinMs).unref();
      await program.stop().catch((error: unknown) => log.error({ err: error }, 'not everything could be ended in order'));
      process.exit(exitFailed);
    });
  },
  (error: unknown) => die(error, 'Lookout could not start'),
);

function openLog({ log: { level, directory, maxBytes, keep } }: Config): Log {
  const onTrouble = (file: string, error: unknown): void => made.error({ file, err: error }, 'a log file cannot be written; its lines are on standard output only');
  const files = directory === undefined ? undefined : openLogFiles({ directory, maxBytes, keep, onTrouble });
  const made = createLog({ level, ...(files ? { onLine: files.write } : {}) });
  return made;
}

/** Under a guardian: everything is loaded, and nothing happens before its word. It says which ports the one before had. */
async function ownTurn(): Promise<void> {
  delete process.env['LOOKOUT_STANDBY'];
  const title = [process.execPath, ...process.execArgv, ...process.argv.slice(1)].join(' ');
  process.title = 'lookout: standby';
  const [{ port, grpcPort }] = await once(process, 'message') as [{ port?: number; grpcPort?: number }];
  process.title = title;
  // The last flag wins.
  if (port !== undefined) process.argv.push('--port', String(port));
  if (grpcPort !== undefined) process.env['LOOKOUT_GRPC_PORT'] = String(grpcPort);
}

async function stop(program: Program): Promise<void> {
  await program.stop();
  instance.release();
  log.info('stopped');
  process.exit(0);
}

/** Tells the guardian (`cli/guardian.ts`), where there is one, what a restart must keep, and then that it still answers. */
function reportTo({ port, grpcPort }: Program): void {
  if (!process.connected) return;
  process.send?.({ type: 'running', port, grpcPort: grpcPort(), ...config.guardian });
  setInterval(() => process.connected && process.send?.({ type: 'beat' }), beatMs).unref();
}

function announce(program: Program): void {
  const demo = program.demo ? '  Four simulated cameras run until you add one of your own; "--no-demo" starts without them.\n' : '';
  process.stdout.write(`\n  Lookout is running.\n\n  Open  ${program.loginLink}\n\n${demo}  API   ${program.url}/docs\n\n`);
}

function readConfig(): Config {
  try {
    return readAgain();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n${error.lines.map((line) => `  ${line}\n`).join('')}`);
    process.exit(exitUsage);
  }
}

function claim({ data }: Config): ReturnType<typeof claimInstance> {
  try {
    return claimInstance(data);
  } catch (error) {
    if (!(error instanceof InstanceLockedError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(exitUsage);
  }
}

function die(error: unknown, message: string): never {
  log.fatal({ err: error }, message);
  process.exit(exitFailed);
}
