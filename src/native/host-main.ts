/** Entry of a host process: runs what the supervisor orders over IPC, and never outlives it. Small on purpose. */
import { createRequire } from 'node:module';
import { failure } from '../errors.ts';
import { loadGst } from './gst.ts';
import { startSource, type Runner } from './host/source.ts';
import type * as catchUp from './host/catch-up.ts';
import type * as frames from './host/frames.ts';
import type * as hls from './host/hls.ts';
import type * as record from './host/record.ts';
import type * as sound from './host/live-sound.ts';
import type * as transcode from './host/transcode.ts';
import type { Output } from './host/output.ts';
import type * as snapshot from './host/snapshot.ts';
import { createTidier } from './host/tidy.ts';
import { warmUp } from './host/warm.ts';
import type { CatchUpSpec, HostCommand, HostEvent, HostOrder, HostWord, OutputSpec, Seated } from './protocol.ts';

/** A host that nobody has taken by then warms up. */
const warmAfterMs = 100;

/** What runs in a seat. */
type Sitter = Partial<Runner & Output & snapshot.Pictures> & { stop(): void };
type Emit = (event: HostEvent) => void;

function main(): void {
  const sitters = new Map<number, Sitter>();
  const statsInFlight = new Set<number>();
  const stops = inTurn();
  const tidier = createTidier();

  const say = (word: HostWord, sent?: () => void): void => {
    if (!process.connected) return;
    if (sent) process.send!(word, sent);
    else process.send!(word);
  };
  const emitter = (seat: number): Emit => (event) => {
    if (event.type !== 'output.stats') return say({ ...event, seat });
    // Latest only: a supervisor that does not read gets the next one instead of a backlog.
    if (statsInFlight.has(seat)) return;
    statsInFlight.add(seat);
    say({ ...event, seat }, () => statsInFlight.delete(seat));
  };

  const handle = (command: Seated<HostCommand>, emit: Emit): void => {
    const { seat } = command;
    const sitter = sitters.get(seat);
    // Only this leaves something worth a collection: a viewer's coming and going would set off one in each host of a wall.
    const sit = (started: Sitter): void => {
      tidier.began();
      sitters.set(seat, started);
    };
    switch (command.type) {
      case 'source.start': return sit(startSource(command.spec, emit));
      case 'feed.set': return sitter?.setFeed?.(command.open);
      case 'gate.arm': return sitter?.armGate?.();
      case 'gate.open': return sitter?.openGate?.();
      case 'fault.disturb': return sitter?.disturb?.(command);
      // Nothing of this process runs meanwhile, as with a native call that blocks; streaming threads go on.
      case 'fault.hang': return void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, command.ms);
      case 'snapshot.take': {
        const pictures = sitter?.take ? sitter : outputs.pictures().startPictures(command, emit);
        sit(pictures);
        return pictures.take?.(command);
      }
      case 'catch-up.prepare': return outputs.catchUp().prepareCatchUp();
      case 'output.start': return sit(startOutput(command.spec, emit));
      case 'output.finish': return sitter?.finish?.(command.drainMs);
      case 'stop': return stops(() => {
        sitters.delete(seat);
        sitter?.stop();
        emit({ type: 'stopped' });
      });
    }
  };
  const pong = (seq: number): void => {
    const fed = [...sitters].flatMap(([seat, sitter]) => {
      const known = sitter.fed?.();
      return known ? [{ ...known, seat }] : [];
    });
    say({ type: 'pong', seq, rssBytes: process.memoryUsage.rss(), fed });
  };

  let coolDown = (): void => clearTimeout(warm);
  const warm = setTimeout(() => (coolDown = warmUp()), warmAfterMs);
  process.on('message', (order: HostOrder) => {
    if (order.type === 'ping') {
      pong(order.seq);
      return tidier.turn();
    }
    coolDown();
    const emit = emitter(order.seat);
    try {
      handle(order, emit);
    } catch (error) {
      refuse(order, error, emit);
    }
  });
  process.on('disconnect', () => {
    for (const sitter of sitters.values()) sitter.stop();
    // Not exit(): libuv would wait for the pool threads that the bus and the appsink pin.
    process.kill(process.pid, 'SIGKILL');
  });
  // A terminal's Ctrl-C reaches the whole process group; ending in order is the supervisor's business.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  loadGst();
  say({ type: 'ready', pid: process.pid });
}

/** Does what blocks one after the other, the first at once; in between the event loop turns, so that heartbeats are answered. */
function inTurn(): (work: () => void) => void {
  const waiting: (() => void)[] = [];
  const next = (): void => {
    waiting[0]?.();
    setImmediate(() => {
      waiting.shift();
      if (waiting.length > 0) next();
    });
  };
  return (work) => {
    if (waiting.push(work) === 1) next();
  };
}

/** Loaded when one is started: a host of a source, of which there is one for each camera, is 2 MB smaller without them. */
const outputs = {
  catchUp: () => load<typeof catchUp>('catch-up'),
  hls: () => load<typeof hls>('hls'),
  record: () => load<typeof record>('record'),
  frames: () => load<typeof frames>('frames'),
  sound: () => load<typeof sound>('live-sound'),
  transcode: () => load<typeof transcode>('transcode'),
  pictures: () => load<typeof snapshot>('snapshot'),
} as const;

/** At once, unlike `import()`: orders are carried out in the order they came in. Beside this file, bundled or not (`host-entry.ts`). */
function load<Module>(name: string): Module {
  return createRequire(import.meta.url)(`./host/${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.cjs'}`) as Module;
}

function startOutput(spec: OutputSpec | CatchUpSpec, emit: Emit): Output {
  switch (spec.output) {
    case 'hls': return outputs.hls().startHls(spec, emit);
    case 'record': return outputs.record().startRecord(spec, emit);
    case 'frames': return outputs.frames().startFrames(spec, emit);
    case 'sound': return outputs.sound().startLiveSound(spec, emit);
    case 'catch-up': return outputs.catchUp().startCatchUp(spec, emit);
    case 'transcode': return outputs.transcode().startTranscode(spec, emit);
  }
}

/** An order that cannot even begin: a number out of range, a missing plugin. */
function refuse(command: HostCommand, error: unknown, emit: Emit): void {
  const failed = failure('local', 'pipeline-refused', `The pipeline could not be built: ${error instanceof Error ? error.message : String(error)}`);
  if (command.type === 'source.start') emit({ type: 'source.failed', failure: failed });
  else if (command.type === 'output.start') emit({ type: 'output.failed', failure: failed });
  else if (command.type === 'snapshot.take') emit({ type: 'snapshot.failed', failure: failed });
  else throw error;
}

main();
