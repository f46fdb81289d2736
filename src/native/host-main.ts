/** Entry of a host process: runs what the supervisor orders over IPC, and never outlives it. Small on purpose. */
import { flushCompileCache } from 'node:module';
import { failure } from '../errors.ts';
import { loadGst } from './gst.ts';
import { startSource, type Runner } from './host/source.ts';
import { startFrames } from './host/frames.ts';
import { startLiveSound } from './host/live-sound.ts';
import { startHls } from './host/hls.ts';
import { startRecord } from './host/record.ts';
import type { Output } from './host/output.ts';
import { startPictures, type Pictures } from './host/snapshot.ts';
import { startTranscode } from './host/transcode.ts';
import { warmUp } from './host/warm.ts';
import type { HostCommand, HostEvent, OutputSpec } from './protocol.ts';

/** A host that nobody has taken by then warms up. */
const warmAfterMs = 100;

function main(): void {
  let running: (Partial<Runner & Output> & { stop(): void }) | undefined;
  let pictures: Pictures | undefined;
  let statsInFlight = false;

  const emit = (event: HostEvent): void => {
    if (!process.connected) return;
    if (event.type === 'output.stats') {
      // Latest only: a supervisor that does not read gets the next one instead of a backlog.
      if (statsInFlight) return;
      statsInFlight = true;
      process.send!(event, () => (statsInFlight = false));
    } else process.send!(event);
  };

  const handle = (command: HostCommand): void => {
    switch (command.type) {
      case 'ping': return emit({ type: 'pong', seq: command.seq, rssBytes: process.memoryUsage.rss(), feed: running?.fed?.() });
      case 'source.start': running = startSource(command.spec, emit); return;
      case 'feed.set': return running?.setFeed?.(command.open);
      case 'gate.arm': return running?.armGate?.();
      case 'gate.open': return running?.openGate?.();
      case 'fault.disturb': return running?.disturb?.(command);
      // Nothing of this process runs meanwhile, as with a native call that blocks; streaming threads go on.
      case 'fault.hang': return void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, command.ms);
      case 'snapshot.take': return (running = pictures ??= startPictures(command, emit)).take(command);
      case 'output.start': running = startOutput(command.spec, emit); return;
      case 'output.finish': return running?.finish?.(command.drainMs);
      case 'stop':
        running?.stop();
        return emit({ type: 'stopped' });
    }
  };

  let coolDown = (): void => clearTimeout(warm);
  const warm = setTimeout(() => (coolDown = warmUp()), warmAfterMs);
  process.on('message', (command: HostCommand) => {
    if (command.type !== 'ping') coolDown();
    try {
      handle(command);
    } catch (error) {
      refuse(command, error, emit);
    }
  });
  process.on('disconnect', () => {
    running?.stop();
    // Not exit(): libuv would wait for the pool threads that the bus and the appsink pin.
    process.kill(process.pid, 'SIGKILL');
  });
  // A terminal's Ctrl-C reaches the whole process group; ending in order is the supervisor's business.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  loadGst();
  emit({ type: 'ready', pid: process.pid });
}

function startOutput(spec: OutputSpec, emit: (event: HostEvent) => void): Output {
  switch (spec.output) {
    case 'hls': return startHls(spec, emit);
    case 'record': return startRecord(spec, emit);
    case 'frames': return startFrames(spec, emit);
    case 'sound': return startLiveSound(spec, emit);
    case 'transcode': return startTranscode(spec, emit);
  }
}

/** An order that cannot even begin: a number out of range, a missing plugin. */
function refuse(command: HostCommand, error: unknown, emit: (event: HostEvent) => void): void {
  const failed = failure('local', 'pipeline-refused', `The pipeline could not be built: ${error instanceof Error ? error.message : String(error)}`);
  if (command.type === 'source.start') emit({ type: 'source.failed', failure: failed });
  else if (command.type === 'output.start') emit({ type: 'output.failed', failure: failed });
  else if (command.type === 'snapshot.take') emit({ type: 'snapshot.failed', failure: failed });
  else throw error;
}

if (process.argv.includes('--prime')) {
  // Set-up runs this once, so that no host ever strips types: 12 MB and 50 ms each (design §2).
  flushCompileCache();
} else main();
