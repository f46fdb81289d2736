/** The simulator as a process: `node src/camera-sim/main.ts --help`. Ends with its parent, or with SIGTERM. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { control } from './control.ts';
import type { ControlRequest, ListeningMessage } from './control.ts';
import { createSimulator } from './simulator.ts';
import type { Simulator } from './simulator.ts';
import type { FlightRecording } from '../media.ts';
import type { SimulatorConfig } from './types.ts';

const help = `Simulated RTSP cameras.

  node src/camera-sim/main.ts [--port N | --port per-mount] [--host ADDRESS] [--mounts FILE.json | --replay FILE.json]

  --port     one port for all cameras, or "per-mount": one each; chosen between 15000 and 19999 where not given
  --host     address to listen on (127.0.0.1)
  --mounts   cameras: a JSON list of {"name", "video", "audio"?, "auth"?, …} (docs/simulator.md); four of them where not given
  --replay   one camera, "replay", that behaves as a flight recording says: the answer of Lookout's
             GET /api/v1/cameras/ID/events/SEQ/recording

Prints one line of JSON when it listens. Reads requests, one line of JSON each, from standard input:
  {"id":1,"call":"script","mount":"entrance","change":{"media":"none"}}
  {"id":2,"call":"act","mount":"entrance","incident":{"type":"reboot","seconds":8}}
  {"id":3,"call":"stats","mount":"entrance"}
`;

const exampleMounts: SimulatorConfig['mounts'] = [
  { name: 'entrance', video: 'entrance-360p-baseline', audio: 'beep-pcmu' },
  { name: 'parking', video: 'parking-360p-main' },
  { name: 'dock', video: 'dock-360p-high', audio: 'beep-aac' },
  { name: 'street', video: 'street-720p-main' },
];

const { values } = parseArgs({ options: { help: { type: 'boolean' }, port: { type: 'string' }, host: { type: 'string' }, mounts: { type: 'string' }, replay: { type: 'string' } } });
if (values.help) {
  process.stdout.write(help);
} else if (process.send) {
  // A parent that talks IPC sends the configuration as its first message: credentials stay off the command line.
  process.once('disconnect', () => process.exit(0));
  process.once('message', (config: SimulatorConfig) => void start(config, serveIpc));
} else {
  const mounts = values.replay !== undefined ? [{ name: 'replay', replay: readJson<FlightRecording>(values.replay) }] : values.mounts === undefined ? exampleMounts : readJson<SimulatorConfig['mounts']>(values.mounts);
  // A recording may say that nobody listens, which only a camera with a port of its own can do.
  const port = values.port === 'per-mount' || (values.replay !== undefined && values.port === undefined) ? 'per-mount' : Number(values.port ?? 0);
  await start({ mounts, port, ...(values.host === undefined ? {} : { host: values.host }) }, serveLines);
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

async function start(config: SimulatorConfig, attach: (simulator: Simulator, listening: ListeningMessage) => void): Promise<void> {
  try {
    const simulator = await createSimulator(config);
    const urls = Object.fromEntries(config.mounts.map(({ name }) => [name, simulator.urlWithCredentials(name)]));
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void simulator.close().then(() => process.exit(0)));
    attach(simulator, { listening: true, pid: process.pid, urls });
  } catch (error) {
    process.stderr.write(`camera-sim: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  }
}

function serveIpc(simulator: Simulator, listening: ListeningMessage): void {
  process.on('message', (request: ControlRequest) => void control(simulator, request).then((answer) => process.send?.(answer)));
  process.send?.(listening);
}

function serveLines(simulator: Simulator, listening: ListeningMessage): void {
  const print = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    if (line.trim() === '') return;
    try {
      void control(simulator, JSON.parse(line) as ControlRequest).then(print);
    } catch {
      print({ id: null, ok: false, error: 'This line is not JSON' });
    }
  });
  print(listening);
}
