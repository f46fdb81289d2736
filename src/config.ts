/** Loads the configuration: defaults, then `lookout.yaml`, then the environment, then flags; every mistake is told at once. */
import { readFileSync } from 'node:fs';
import { availableParallelism, networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { TSchema } from 'typebox';
import { Settings as TypeboxSettings } from 'typebox/system';
import Value from 'typebox/value';
import { parseDocument } from 'yaml';
import type { CameraConfig } from './camera-config.ts';
import { ConfigSchema, type SettingSource, type Settings } from './config-schema.ts';
import { CertificateError, readCertificate, type CertificateFiles } from './certificate.ts';
import { resolveCameras, secretOf, type Problem } from './config-secrets.ts';
import { redactLine } from './log.ts';

// Every mistake is told at once; typebox stops at eight unless told otherwise.
TypeboxSettings.Set({ maxErrors: 200 });

type DeepReadonly<T> = T extends readonly (infer E)[] ? readonly DeepReadonly<E>[] : T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** Everything the program was told, complete and frozen. */
export type Config = DeepReadonly<Omit<Settings, 'sfu' | 'grpc' | 'tls' | 'secretFile' | 'recordings' | 'cameras'> & {
  /** Absolute path of the data directory. */
  data: string;
  /** The file that was read, if any. */
  configFile: string | undefined;
  /** Absolute path of the key file. */
  secretFile: string;
  /** With an absolute directory. */
  recordings: Omit<Settings['recordings'], 'dir'> & { dir: string };
  /** Absolute paths; undefined where everything is served without TLS. */
  tls: CertificateFiles | undefined;
  grpc: Omit<Settings['grpc'], 'host'> & { host: string };
  sfu: Omit<Settings['sfu'], 'listenIp' | 'announcedAddress'> & { listenIp: string; announcedAddress: string | undefined };
}> & {
  /** Cameras that the file declares, with their addresses: never to be printed as a whole. */
  readonly cameras: readonly CameraConfig[];
  /** Environment variables that hold secrets; children must not inherit them. */
  readonly secretVariables: readonly string[];
};

/** One mistake: where, what, and from which source the value came. Secret values are masked. */
export type ConfigMistake = { path: string; message: string; source: string };

/** The configuration cannot be used. `main.ts` prints `lines` and ends with exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly mistakes: readonly ConfigMistake[];

  constructor(mistakes: ConfigMistake[]) {
    super(`The configuration has ${mistakes.length} ${mistakes.length === 1 ? 'mistake' : 'mistakes'}.`);
    this.mistakes = mistakes;
  }

  /** One line per mistake, for the terminal. */
  get lines(): string[] {
    return this.mistakes.map(({ path, message, source }) => `${path}: ${message} (${source})`);
  }
}

/** A setting of the schema with its dotted path. */
export type Setting = { path: string; schema: TSchema & SettingSource & { type?: string; description?: string; default?: unknown } };

/** Every single setting, sections left out, in the order of the schema. */
export function settings(schema: TSchema = ConfigSchema, prefix = ''): Setting[] {
  const properties = (schema as { properties?: Record<string, TSchema> }).properties;
  if (properties === undefined) return [{ path: prefix, schema }];
  return Object.entries(properties).flatMap(([key, child]) => settings(child, prefix === '' ? key : `${prefix}.${key}`));
}

/** Reads file, environment and flags (`argv` without node and script). Throws {@link ConfigError}. */
export function loadConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Config {
  const mistakes: ConfigMistake[] = [];
  const flags = readFlags(argv, mistakes);
  const file = readFile(flags['config'] ?? env['LOOKOUT_CONFIG'], mistakes);
  const raw = file.content;
  const sources = new Map<string, string>();
  for (const { path, schema } of settings()) {
    const fromEnv = schema.env === undefined ? undefined : env[schema.env];
    const fromFlag = schema.flag === undefined ? undefined : flags[schema.flag];
    const given = fromFlag ?? (fromEnv === '' ? undefined : fromEnv);
    if (given === undefined) continue;
    sources.set(path, fromFlag === undefined ? String(schema.env) : `--${schema.flag}`);
    put(raw, path.split('.'), typed(given, schema));
  }
  const complete = Value.Default(ConfigSchema, raw);
  mistakes.push(...check(complete, (path) => sources.get(path) ?? file.name));
  const loaded = complete as Settings;
  const problems: Problem[] = [];
  // What has the right form is looked at further, whatever is wrong elsewhere.
  const sound = (section: string): boolean => !mistakes.some(({ path }) => path.split('.')[0] === section || path === 'config');
  const secretSettings = ['token', 'internalSecret'].filter((setting) => sound(setting) && sound(`${setting}File`));
  if (sound('tls')) problems.push(...checkTls(loaded.tls));
  const secrets = Object.fromEntries(secretSettings.map((setting) => [setting, secretOf(loaded, setting, problems)]));
  const declared = resolveCameras(sound('cameras') ? loaded.cameras : [], env);
  mistakes.push(...[...problems, ...declared.problems].map((problem) => ({ ...problem, source: sources.get(problem.path) ?? file.name })));
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  const secretVariables = [...declared.variables, ...settings().flatMap(({ schema }) => (schema.secret && schema.env !== undefined ? [schema.env] : []))];
  const config: Config = { ...derive({ ...loaded, ...secrets }, file.path), cameras: declared.value, secretVariables };
  const contradictions = crossCheck(config, (path) => sources.get(path) ?? file.name);
  if (contradictions.length > 0) throw new ConfigError(contradictions);
  return freeze(config);
}

/** Text of `--help`, made from the schema. */
export function helpText(): string {
  const rows = settings().filter(({ schema }) => schema.flag !== undefined || schema.env !== undefined).map(({ path, schema }) => {
    const flag = schema.flag === undefined ? '' : schema.type === 'boolean' ? `--no-${schema.flag}` : `--${schema.flag} ${path.toUpperCase()}`;
    const fallback = schema.default === undefined ? '' : ` [${String(schema.default)}]`;
    return `  ${flag.padEnd(14)}${(schema.env ?? '').padEnd(28)}${schema.description ?? ''}${fallback}`;
  });
  return [
    'Lookout, an actor-model media supervisor for IP cameras.', '', 'Usage: npm start -- [flags]', '',
    `  ${'flag'.padEnd(14)}${'environment'.padEnd(28)}meaning [default]`,
    `  ${'--config FILE'.padEnd(14)}${'LOOKOUT_CONFIG'.padEnd(28)}Configuration file [lookout.yaml, where there is one]`,
    ...rows, '',
    'Flags win over the environment, the environment over the file. Every setting of the file: docs/configuration.md', '',
  ].join('\n');
}

function readFlags(argv: readonly string[], mistakes: ConfigMistake[]): Record<string, string> {
  const options: Record<string, { type: 'string' | 'boolean' }> = { config: { type: 'string' } };
  for (const { schema } of settings()) {
    if (schema.flag !== undefined) options[schema.flag] = { type: schema.type === 'boolean' ? 'boolean' : 'string' };
  }
  try {
    const { values } = parseArgs({ args: [...argv], options, allowNegative: true });
    return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).split('. ')[0] ?? '';
    mistakes.push({ path: 'command line', message: redactLine(message), source: 'see --help' });
    return {};
  }
}

function readFile(named: string | undefined, mistakes: ConfigMistake[]): { name: string; path: string | undefined; content: Record<string, unknown> } {
  const name = named ?? 'lookout.yaml';
  const path = resolve(name);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    if (named === undefined && code === 'ENOENT') return { name: 'default', path: undefined, content: {} };
    mistakes.push({ path: 'config', message: `cannot be read: ${code}`, source: name });
    return { name, path, content: {} };
  }
  // Without pretty errors no line of the file, which may hold the token, gets into the message.
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: true });
  for (const error of document.errors) {
    const line = text.slice(0, error.pos[0]).split('\n').length;
    mistakes.push({ path: `line ${line}`, message: `is not valid YAML: ${error.code.toLowerCase().replaceAll('_', ' ')}`, source: name });
  }
  const content: unknown = document.errors.length > 0 ? {} : document.toJS({ maxAliasCount: 50 });
  if (content === null || content === undefined) return { name, path, content: {} };
  if (typeof content !== 'object' || Array.isArray(content)) {
    mistakes.push({ path: 'config', message: 'must be a mapping of settings', source: name });
    return { name, path, content: {} };
  }
  return { name, path, content: withoutNulls(content as Record<string, unknown>) };
}

/** A key with nothing behind it means the default: sections whose lines are all commented out stay valid. */
function withoutNulls(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== null).map(([key, entry]) => [
    key, typeof entry === 'object' && !Array.isArray(entry) ? withoutNulls(entry as Record<string, unknown>) : entry,
  ]));
}

function put(target: Record<string, unknown>, [key = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) {
    target[key] = value;
    return;
  }
  const child = target[key];
  const section = typeof child === 'object' && child !== null ? child as Record<string, unknown> : {};
  target[key] = section;
  put(section, rest, value);
}

/** Environment and flags are text; what does not convert stays text, and the schema tells. */
function typed(given: string, schema: TSchema & SettingSource): unknown {
  const type = (schema as { type?: string }).type;
  if (type === 'boolean') return /^(1|true|yes|on)$/iu.test(given) ? true : /^(0|false|no|off)$/iu.test(given) ? false : given;
  if ((type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?$/u.test(given)) return Number(given);
  return given;
}

/** May hold a password however wrong it is. */
const cameraAddress = /^cameras\.\d+(?:\.sub)?(?:\.url)?$/u;

function check(value: unknown, sourceOf: (path: string) => string): ConfigMistake[] {
  const secrets = new Set(settings().filter(({ schema }) => schema.secret).map(({ path }) => path));
  const mistakes = new Map<string, ConfigMistake>();
  for (const error of Value.Errors(ConfigSchema, value)) {
    const path = error.instancePath.slice(1).replaceAll('/', '.') || 'config';
    // A foreign key is told twice: once for its section, once (`boolean`) under its own path.
    if (error.keyword === 'additionalProperties' || mistakes.has(path)) continue;
    const shown = secrets.has(path) || cameraAddress.test(path) ? '***' : redactLine(JSON.stringify(at(value, error.instancePath)) ?? 'nothing').slice(0, 120);
    mistakes.set(path, { path, message: error.keyword === 'boolean' ? 'is not a setting' : `${expectation(error)}, but is ${shown}`, source: sourceOf(path) });
  }
  return [...mistakes.values()];
}

function expectation(error: { keyword: string; message: string; params: object }): string {
  const allowed = (error.params as { allowedValues?: unknown[] }).allowedValues;
  return allowed === undefined ? error.message : `must be one of ${allowed.join(', ')}`;
}

function at(value: unknown, pointer: string): unknown {
  return pointer.split('/').slice(1).reduce<unknown>((node, key) => (typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[key] : undefined), value);
}

/** One without the other would be served without TLS in silence. */
function checkTls({ cert, key }: Settings['tls']): Problem[] {
  if (cert === undefined && key === undefined) return [];
  if (cert === undefined || key === undefined) return [{ path: cert === undefined ? 'tls.cert' : 'tls.key', message: 'is needed: certificate and key go together' }];
  try {
    readCertificate({ cert, key });
    return [];
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return [{ path: error.setting, message: error.message }];
  }
}

function derive(loaded: Settings, configFile: string | undefined): Omit<Config, 'cameras' | 'secretVariables'> {
  const data = resolve(loaded.data);
  const host = listenHost(loaded.host);
  const listenIp = loaded.sfu.listenIp ?? host;
  return {
    ...loaded,
    host,
    data,
    configFile,
    secretFile: loaded.secretFile === undefined ? join(data, 'secret.key') : resolve(loaded.secretFile),
    recordings: { ...loaded.recordings, dir: loaded.recordings.dir === undefined ? join(data, 'recordings') : resolve(loaded.recordings.dir) },
    tls: loaded.tls.cert === undefined || loaded.tls.key === undefined ? undefined : { cert: resolve(loaded.tls.cert), key: resolve(loaded.tls.key) },
    grpc: { ...loaded.grpc, host: listenHost(loaded.grpc.host ?? host) },
    primers: { ...loaded.primers, catchUps: loaded.primers.catchUps === 0 ? Math.max(1, Math.floor(availableParallelism() / 2)) : loaded.primers.catchUps },
    transcode: { ...loaded.transcode, cores: loaded.transcode.cores === 0 ? Math.max(1, availableParallelism() / 2) : loaded.transcode.cores },
    sfu: {
      ...loaded.sfu,
      workers: loaded.sfu.workers === 0 ? availableParallelism() : loaded.sfu.workers,
      listenIp,
      announcedAddress: loaded.sfu.announcedAddress ?? (isWildcard(listenIp) ? firstAddress() : undefined),
    },
  };
}

/** "localhost" would listen twice (IPv4, IPv6), and Socket.IO is attached to one server. */
const listenHost = (host: string): string => (host === 'localhost' ? '127.0.0.1' : host);

function crossCheck(config: Config, sourceOf: (path: string) => string): ConfigMistake[] {
  const mistakes: ConfigMistake[] = [];
  const need = (fine: boolean, path: string, message: string) => fine || mistakes.push({ path, message, source: sourceOf(path) });
  const { sfu, supervision, grpc } = config;
  need(!grpc.enabled || grpc.port === 0 || grpc.port !== config.port, 'grpc.port', `must not be the port of the page (${config.port})`);
  need(sfu.portMin <= sfu.portMax, 'sfu.portMax', `must be at least sfu.portMin (${sfu.portMin}), not ${sfu.portMax}`);
  need(sfu.internalPortMin < sfu.internalPortMax, 'sfu.internalPortMax', `must be greater than sfu.internalPortMin (${sfu.internalPortMin}), not ${sfu.internalPortMax}`);
  need(sfu.internalPortMax < sfu.portMin || sfu.portMax < sfu.internalPortMin, 'sfu.internalPortMin', 'must not overlap the range of sfu.portMin and sfu.portMax');
  need(sfu.portMax - sfu.portMin + 1 >= sfu.workers, 'sfu.portMax', `must leave one port for each of ${sfu.workers} workers, not ${sfu.portMax}`);
  need(!isWildcard(sfu.listenIp) || sfu.announcedAddress !== undefined, 'sfu.announcedAddress', `is needed because WebRTC listens on ${sfu.listenIp} and this machine has no other address`);
  const { issuer, audience, jwksUrl } = config.auth.jwt;
  const outside = Object.entries({ issuer, audience, jwksUrl });
  if (outside.some(([, value]) => value !== undefined)) for (const [name, value] of outside) need(value !== undefined, `auth.jwt.${name}`, 'is needed: issuer, audience and jwksUrl go together');
  need(jwksUrl === undefined || isSafeAddress(jwksUrl), 'auth.jwt.jwksUrl', 'must be an address with https, or with http on this machine: whoever can change the keys on their way can sign in');
  const { watchdog } = config;
  for (const [soft, hard] of [['delayMs', 'exitDelayMs'], ['rssBytes', 'exitRssBytes'], ['heapPercent', 'exitHeapPercent']] as const) {
    need(watchdog[hard] === 0 || watchdog[soft] <= watchdog[hard], `watchdog.${hard}`, `must be at least watchdog.${soft} (${watchdog[soft]}), not ${watchdog[hard]}`);
  }
  for (const [cls, { minMs, maxMs }] of Object.entries(supervision.backoff)) {
    need(minMs <= maxMs, `supervision.backoff.${cls}.maxMs`, `must be at least minMs (${minMs}), not ${maxMs}`);
  }
  return mistakes;
}

/** Nobody between us and it can change what it answers. */
function isSafeAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
}

const isWildcard = (address: string) => address === '0.0.0.0' || address === '::';

function firstAddress(): string | undefined {
  return Object.values(networkInterfaces()).flat().find((entry) => entry?.family === 'IPv4' && !entry.internal)?.address;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const entry of Object.values(value)) freeze(entry);
  }
  return value;
}
