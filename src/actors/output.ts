/** The output machine with its effect: a host from the pool that runs the output, its words translated into facts. */
import { failureOf } from '../errors.ts';
import type { TranscodeOptions } from '../machines/camera-live.ts';
import type { OutputName } from '../machines/events.ts';
import { outputMachine, type OutputProcessCommand, type OutputProcessFact, type OutputProcessInput } from '../machines/output.ts';
import type { Host, HostPool } from '../native/host.ts';
import type { ClosedFile, FramesSpec, HlsSegment, HlsSpec, HostEvent, OpenedFile, OutputSpec } from '../native/protocol.ts';
import { effect } from './effect.ts';
import { exitFailure } from './host-exit.ts';
import type { Sounds } from './sounds.ts';
import type { Transcodes } from './transcodes.ts';

/** Who keeps the book of recordings. Every call returns at once. */
export type RecordingSink = {
  opened(camera: string, file: OpenedFile): void;
  closed(camera: string, file: ClosedFile): void;
  /** It held no frame and is gone. */
  empty(camera: string, openPath: string): void;
  /** Its host is gone: nobody will finish it. */
  abandoned(camera: string, openPath: string): void;
  /** So many bytes more were written. */
  grew(camera: string, bytes: number): void;
};

/** Who keeps the playlists. Every call returns at once. */
export type HlsSink = {
  /** A new run: where its segments go (absolute), and how many of them stay. */
  begin(camera: string): { session: string; dir: string; keep: number };
  closed(session: string, segment: HlsSegment): void;
  /** Its host is gone. */
  end(session: string): void;
};

/** Who knows where programs get raw frames. Every call returns at once. */
export type FramesSink = {
  /** A new run: where its host is to serve. */
  begin(camera: string): { run: string; port: number; socket: string; areas: string };
  listening(run: string, port: number): void;
  /** Its host is gone: what it left in shared memory goes, too. */
  end(run: string): void;
};

/** What outputs need. */
export type OutputDeps = {
  pool: HostPool;
  recordings: RecordingSink;
  hls: HlsSink;
  frames: FramesSink;
  sounds: Sounds;
  transcodes: Transcodes;
  /** Absolute directory of recordings, and the largest file in it. */
  record: { dir: string; segmentBytes: number };
  /** Fault injection: what a host of this output has to suffer from its first moment. */
  afflict: (camera: string, output: string, pid: number) => Promise<void>;
};

/** Those that decode no picture: whatever a camera sends, they break nothing, and may share a process where that is asked for. */
const muxed: ReadonlySet<OutputName> = new Set(['record', 'hls', 'sound']);
/** A hub closes this soon after its camera said that it would. */
const drainMs = 400;

/** The output machine, ready to run. */
export function createOutput(deps: OutputDeps): typeof outputMachine {
  const process = effect<OutputProcessCommand, OutputProcessInput>(({ input, sendBack, receive }) => {
    const { camera, output } = input;
    const tell = (fact: OutputProcessFact): void => sendBack(fact);
    const { spec, book } = runOf(input, deps);
    let host: Host | undefined;
    let ended = false;
    deps.pool.take(`camera:${camera}/${output}`, muxed.has(output) ? { beside: 'output' } : {}).then(
      async (taken) => {
        host = taken;
        void taken.exited.then((exit) => {
          book.end();
          tell({ type: 'process.exited', failure: exitFailure(exit, { pid: taken.pid, who: `the ${output} output`, kind: 'output' }) });
        });
        if (ended) return void taken.kill();
        taken.listen((event) => {
          book.hear(event);
          translate(event, tell);
        });
        tell({ type: 'process.ready', pid: taken.pid });
        await deps.afflict(camera, output, taken.pid);
        try {
          taken.send({ type: 'output.start', spec: await spec() });
        } catch (error) {
          tell({ type: 'process.failed', failure: failureOf(error, 'sfu') });
        }
      },
      (error: unknown) => {
        book.end();
        tell({ type: 'process.exited', failure: failureOf(error, 'local') });
      },
    );
    receive((command) => {
      if (command.type === 'process.finish') host?.send({ type: 'output.finish', drainMs: command.drain ? drainMs : 0 });
      if (command.type === 'process.open') host?.send({ type: 'gate.open' });
      if (command.type === 'process.kill') {
        ended = true;
        void host?.kill();
      }
    });
    return () => {
      ended = true;
      void host?.kill();
    };
  });
  return outputMachine.provide({ actors: { process } });
}

/** What a host is told to do, and who hears what it says of its files. */
type Run = { spec: () => OutputSpec | Promise<OutputSpec>; book: { hear(event: HostEvent): void; end(): void } };

function runOf({ camera, output, hub, options }: OutputProcessInput, deps: OutputDeps): Run {
  if ('format' in options) return framesRun({ camera, hub, form: options }, deps.frames);
  if ('transcode' in options) return transcodeRun({ camera, hub, options }, deps.transcodes);
  const segmentMs = options.segmentSeconds * 1_000;
  if (output === 'sound') return soundRun({ camera, hub }, deps.sounds);
  if (output === 'hls') return hlsRun({ camera, hub, segmentMs }, deps.hls);
  return { spec: () => ({ output: 'record', camera, hub, ...deps.record, segmentMs }), book: keepBook(deps.recordings, camera) };
}

/** Its path through the SFU is there before its process sends. */
function soundRun({ camera, hub: { sound } }: Pick<OutputProcessInput, 'camera' | 'hub'>, sounds: Sounds): Run {
  if (!sound) throw new Error('Sound was attached to a hub that has none.');
  const { port: _port, ...format } = sound;
  return {
    spec: async () => ({ output: 'sound', camera, sound, feed: (await sounds.open(camera, format)).feed }),
    book: { hear: () => undefined, end: () => sounds.close(camera) },
  };
}

/** It takes its share of the cores before its process does anything. */
function transcodeRun({ camera, hub, options: { transcode: form, feed } }: Pick<OutputProcessInput, 'camera' | 'hub'> & { options: TranscodeOptions }, transcodes: Transcodes): Run {
  const { port, codec, gopMs } = hub;
  return {
    spec: () => ({ output: 'transcode', camera, hub: { port, codec, gopMs }, form, feed: { ...feed, sequence: transcodes.begin(camera, form.cores) } }),
    book: {
      hear(event) {
        if (event.type === 'output.stats' && event.stats.sequence !== undefined) transcodes.sent(camera, event.stats.sequence);
      },
      end: () => transcodes.end(camera),
    },
  };
}

function framesRun(input: Pick<FramesSpec, 'camera' | 'hub' | 'form'>, frames: FramesSink): Run {
  const place = frames.begin(input.camera);
  return {
    spec: () => ({ output: 'frames', ...input, ...place }),
    book: {
      hear(event) {
        if (event.type === 'frames.listening') frames.listening(place.run, event.port);
      },
      end: () => frames.end(place.run),
    },
  };
}

function hlsRun({ camera, hub, segmentMs }: Pick<HlsSpec, 'camera' | 'hub' | 'segmentMs'>, hls: HlsSink): Run {
  const { session, dir, keep } = hls.begin(camera);
  return {
    spec: () => ({ output: 'hls', camera, hub, dir, keep, segmentMs }),
    book: {
      hear(event) {
        if (event.type === 'segment.closed') hls.closed(session, event.segment);
      },
      end: () => hls.end(session),
    },
  };
}

/** Tells the book of recordings what a host says of its files, and at its end what it left open. */
function keepBook(recordings: RecordingSink, camera: string): { hear(event: HostEvent): void; end(): void } {
  const open = new Set<string>();
  let bytes = 0;
  return {
    hear(event) {
      switch (event.type) {
        case 'file.opened':
          open.add(event.file.path);
          return recordings.opened(camera, event.file);
        case 'file.closed':
          open.delete(event.file.openPath);
          return recordings.closed(camera, event.file);
        case 'file.empty':
          open.delete(event.openPath);
          return recordings.empty(camera, event.openPath);
        case 'output.stats':
          recordings.grew(camera, Math.max(0, event.stats.bytes - bytes));
          bytes = event.stats.bytes;
          return;
        default:
          return;
      }
    },
    end() {
      for (const path of open) recordings.abandoned(camera, path);
      open.clear();
    },
  };
}

function translate(event: HostEvent, tell: (fact: OutputProcessFact) => void): void {
  switch (event.type) {
    case 'gate.ready':
      return tell({ type: 'process.primed' });
    case 'output.started':
      return tell({ type: 'process.started' });
    case 'output.stats':
      return tell({ type: 'process.stats', stats: event.stats });
    case 'output.failed':
      return tell({ type: 'process.failed', failure: event.failure });
    case 'output.finished':
      return tell({ type: 'process.finished' });
    case 'file.opened':
      return tell({ type: 'process.file', file: event.file.path });
    case 'file.closed':
    case 'file.empty':
      return tell({ type: 'process.file', file: null });
    default:
      return;
  }
}
