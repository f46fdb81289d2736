/** Programs that read raw frames, each a process of its own: ours in Python, and stock GStreamer. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import type { FramesAddress } from '../../clients/typescript/frames.ts';
import { defer } from './defer.ts';

/** A reading process. `lines`: what it said, one line a frame; `stop` ends it by a signal and waits. */
export type ReaderProcess = { pid: number; lines: string[]; signal(name: NodeJS.Signals): void; stop(name?: NodeJS.Signals): Promise<void> };

/** The folder of readers in Python. */
export const pythonClients = join(import.meta.dirname, '..', '..', 'clients', 'python');

/** Reads with `lookout_frames.py`; a line is the run and the number of a frame. */
export function readInPython(t: TestContext, address: FramesAddress): ReaderProcess {
  const place = 'port' in address ? String(address.port) : JSON.stringify(address.socket);
  return start(t, '/usr/bin/python3', ['-c', `import sys\nsys.path.insert(0, ${JSON.stringify(pythonClients)})\nsys.dont_write_bytecode = True\nfrom lookout_frames import read_frames\nfor frame in read_frames(${place}): print(frame.run, frame.sequence, frame.format, frame.width, frame.height, len(frame.data), sum(frame.data[::97]), flush=True)`]);
}

/** Reads with the elements that come with GStreamer; a line is a buffer as `fakesink` describes it. */
export function readInGStreamer(t: TestContext, address: FramesAddress): ReaderProcess {
  const source = 'port' in address ? ['tcpclientsrc', 'host=127.0.0.1', `port=${address.port}`] : ['shmsrc', `socket-path=${address.socket}`];
  return start(t, 'gst-launch-1.0', ['-v', ...source, '!', 'gdpdepay', '!', 'fakesink', 'silent=false', 'sync=false']);
}

/** Any program; what it says is kept. */
export function start(t: TestContext, program: string, args: string[], env: Record<string, string> = {}): ReaderProcess {
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...env } });
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line));
  const exited = once(child, 'exit');
  const stop = async (name: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(name);
    await exited;
  };
  defer(t, () => stop());
  return { pid: child.pid!, lines, signal: (name) => void child.kill(name), stop };
}
