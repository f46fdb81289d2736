/** `lookout doctor`: what this machine lacks to run Lookout well, and the command that mends it. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ConfigError, helpText, loadConfig, type Config } from '../../config.ts';
import { maxReceiveBuffer, receiveBufferRemedy } from '../../receive-buffer.ts';
import { print, table, type Command } from '../command.ts';

/** One finding. `warn` is bearable, `bad` is not: exit code 1. */
export type Finding = { name: string; status: 'ok' | 'warn' | 'bad'; detail: string; remedy: string | null };

/** Every element that a pipeline of ours names; a test holds it against `src/native`. */
export const elements = [
  'appsink', 'appsrc', 'audioconvert', 'audioresample', 'avdec_aac', 'avdec_h264', 'avdec_h265', 'breakmydata', 'capsfilter', 'fakesink', 'filesink', 'h264parse', 'h265parse', 'identity', 'jpegenc', 'matroskademux', 'matroskamux', 'mpegtsmux', 'opusenc', 'queue', 'rtph264depay',
  'rtph264pay', 'rtph265depay', 'rtpjitterbuffer', 'rtpmp4gdepay', 'rtpopuspay', 'rtppcmadepay', 'rtppcmapay', 'rtppcmudepay', 'rtppcmupay', 'rtpstreamdepay', 'rtpstreampay', 'rtspsrc', 'splitmuxsink', 'tcpclientsrc', 'tcpserversink', 'tee', 'udpsink', 'valve', 'videoconvert', 'videoscale', 'videotestsrc', 'x264enc',
] as const;

const run = promisify(execFile);
const repository = join(import.meta.dirname, '..', '..', '..');
const commandMs = 15_000;
const oldestNode = 24;
const fewFiles = 4096;
const littleDisk = 1024 ** 3;
const mebibyte = 1024 ** 2;
const installGstreamer = 'apt-get install gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav';

const ok = (name: string, detail: string): Finding => ({ name, status: 'ok', detail, remedy: null });
const bad = (name: string, detail: string, remedy: string): Finding => ({ name, status: 'bad', detail, remedy });
const warn = (name: string, detail: string, remedy: string): Finding => ({ name, status: 'warn', detail, remedy });

/** The command. After its name come the program's own flags, since ports and directories are configuration. */
export const doctorCommand: Command = {
  summary: 'Tell what this machine lacks: GStreamer, worker, ports, limits',
  help: () => `Usage: lookout doctor [--json] [flags of serve]\n\nExit code: 0 where nothing is bad, else 1.\n\n${helpText().split('\n').slice(4).join('\n')}`,
  options: {},
  run: () => Promise.reject(new Error('doctor takes its arguments as they are')),
  async raw(argv) {
    const json = argv.includes('--json');
    const findings = await examine(argv.filter((flag) => flag !== '--json'));
    const sick = findings.some(({ status }) => status === 'bad');
    print({ json }, { ok: !sick, findings }, () => [
      table(['', 'WHAT', 'FOUND'], findings.map(({ status, name, detail }) => [{ ok: 'ok', warn: 'WARN', bad: 'BAD' }[status], name, detail])), '',
      ...findings.flatMap(({ name, remedy }) => (remedy === null ? [] : [`${name}: ${remedy}`])),
    ].join('\n'));
    return sick ? 1 : 0;
  },
};

/** Looks at the machine, with the configuration that these flags and the environment make. */
export async function examine(argv: string[]): Promise<Finding[]> {
  const config = configuration(argv);
  const groups = await Promise.all([node(), gstreamer(), worker(), setpriv(), openFiles(), ...ports(config), disk(config)]);
  return [config.finding, receiveBuffer(config.sfu), ...groups.flat()];
}

function configuration(argv: string[]): Pick<Config, 'host' | 'port' | 'grpc' | 'data' | 'sfu'> & { finding: Finding } {
  try {
    const config = loadConfig(argv, process.env);
    return { ...config, finding: ok('configuration', config.configFile ?? 'defaults and environment') };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ...loadConfig(['--config', '/dev/null'], {}), finding: bad('configuration', `${error.message} The rest is checked with defaults.`, 'lookout config check') };
  }
}

async function node(): Promise<Finding> {
  const { node: version } = process.versions;
  return Number(version.split('.')[0]) >= oldestNode ? ok('Node', version) : bad('Node', version, `npm start installs Node ${oldestNode} beside Lookout; run bin/lookout, not another Node`);
}

async function gstreamer(): Promise<Finding[]> {
  const version = await output('gst-inspect-1.0', ['--version']);
  if (version === undefined) return [bad('GStreamer', 'gst-inspect-1.0 does not run', installGstreamer)];
  const missing = (await Promise.all(elements.map(async (name) => ((await output('gst-inspect-1.0', ['--exists', name])) === undefined ? [name] : [])))).flat();
  return [
    ok('GStreamer', /version ([\d.]+)/u.exec(version)?.[1] ?? version.trim()),
    missing.length === 0 ? ok('elements', `all ${elements.length} that pipelines use`) : bad('elements', `missing: ${missing.join(', ')}`, installGstreamer),
  ];
}

/** Without its settings a sound worker ends with 41 at once. */
async function worker(): Promise<Finding> {
  const noted = join(repository, '.cache', 'setup.json');
  const path = process.env['MEDIASOUP_WORKER_BIN'] ?? (existsSync(noted) ? (JSON.parse(readFileSync(noted, 'utf8')) as { workerBin?: string }).workerBin : undefined);
  if (path === undefined || !existsSync(path)) return bad('media worker', path === undefined ? 'set-up has not run' : `${path} is not there`, 'npm start');
  const code = await run(path, [], { env: {}, timeout: commandMs }).then(() => 0, (error: { code?: number | string }) => error.code);
  return code === 41 ? ok('media worker', path) : bad('media worker', `${path} does not run (${String(code)})`, `rm ${path} && npm start`);
}

async function setpriv(): Promise<Finding> {
  const version = await output('setpriv', ['--version']);
  return version === undefined ? bad('setpriv', 'does not run', 'apt-get install util-linux') : ok('setpriv', version.trim());
}

/** `cap`: what the kernel grants at most. */
export function receiveBuffer({ recvBufferBytes: wanted }: Pick<Config['sfu'], 'recvBufferBytes'>, cap = maxReceiveBuffer()): Finding {
  const detail = `${cap} bytes of ${wanted} wanted`;
  const remedy = receiveBufferRemedy({ wanted, cap });
  return remedy ? warn('net.core.rmem_max', `${detail}: keyframes of large cameras lose packets`, `${remedy.now}; for good: ${remedy.forGood}`) : ok('net.core.rmem_max', detail);
}

async function openFiles(): Promise<Finding> {
  const soft = /^Max open files\s+(\d+|unlimited)/mu.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? '0';
  const fine = soft === 'unlimited' || Number(soft) >= fewFiles;
  return fine ? ok('open files', soft) : warn('open files', `${soft}: enough for few cameras`, `ulimit -n ${fewFiles * 4}, or LimitNOFILE=${fewFiles * 4} in the unit`);
}

function ports({ host, port, grpc }: Pick<Config, 'host' | 'port' | 'grpc'>): Promise<Finding>[] {
  const wanted = [{ name: 'port of the page', host, port, change: '--port' }, ...(grpc.enabled ? [{ name: 'port of gRPC', host: grpc.host, port: grpc.port, change: 'LOOKOUT_GRPC_PORT' }] : [])];
  return wanted.map(async ({ name, host: address, port: number, change }) => {
    if (number === 0) return ok(name, 'any free one');
    const problem = await listenOnce(address, number);
    const where = `${address}:${number}`;
    if (problem === undefined) return ok(name, `${where} is free`);
    const held = problem === 'EADDRINUSE';
    return warn(name, `${where}: ${held ? 'in use, by a running Lookout or another program' : problem}`, `end the other program, or choose another port with ${change}`);
  });
}

function listenOnce(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}

async function disk({ data }: Pick<Config, 'data'>): Promise<Finding> {
  let there = data;
  while (!existsSync(there)) there = dirname(there);
  const { bavail, bsize } = await statfs(there);
  const free = bavail * bsize;
  const detail = `${Math.round(free / mebibyte)} MiB free for ${data}`;
  return free >= littleDisk ? ok('disk', detail) : warn('disk', detail, 'free some, or choose another directory with --data');
}

/** What a command prints, or undefined where it fails. */
function output(command: string, args: string[]): Promise<string | undefined> {
  return run(command, args, { timeout: commandMs }).then(({ stdout }) => stdout, () => undefined);
}
