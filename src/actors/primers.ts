/** The primer machine with its effects: a share of the budget, a leased port, transport and producer, and a player in the thread. */
import { randomInt } from 'node:crypto';
import { fromPromise } from 'xstate';
import { primerMachine, type PathCommand, type PathFact, type PrimerInput } from '../machines/primer.ts';
import type { Ports } from '../native/ports.ts';
import { createPrimerPath, type PrimerPath } from '../native/primer-path.ts';
import type { Playing, PrimerPump } from '../native/primer-pump.ts';
import type { Registry } from '../native/registry.ts';
import { effect } from './effect.ts';
import type { CatchUpFigures, CatchUps } from './catch-ups.ts';
import type { MediaPlane } from './media-plane.ts';

/** What primers need. `most` is the budget of the whole fleet; 0 makes none. */
export type PrimerDeps = { plane: MediaPlane; catchUps: CatchUps; ports: Ports; registry: Registry; pump: PrimerPump; most: number; maxBytes: number; recvBufferBytes: number };

/** A primer as others see it. */
export type PrimerView = { viewer: string; camera: string; live: boolean };

/** The primers of the program. */
export type Primers = {
  machine: typeof primerMachine;
  /** Somebody joins: the thread starts, so that it runs when it is needed. */
  warm(): void;
  /** The path of a viewer's primer once it is made; undefined where there is none, or not within `ms`. */
  path(viewer: string, ms: number): Promise<PrimerPath | undefined>;
  list(): PrimerView[];
  figures(): PrimerFigures;
};

/** `active` at the moment, the others since the program began. `refused`: there were `most` already; `failed`: for another reason; `repeats`: a browser that had lost pictures asked for a keyframe. */
export type PrimerFigures = { active: number; started: number; refused: number; failed: number; repeats: number; bytes: number; catchUps: CatchUpFigures };

type Entry = PrimerView & { made: PromiseWithResolvers<PrimerPath | undefined> };

/** Makes the book of primers and the machine that writes it. */
export function createPrimers(deps: PrimerDeps): Primers {
  const entries = new Map<string, Entry>();
  const counts = { started: 0, refused: 0, failed: 0 };
  const path = effect<PathCommand, PrimerInput>(({ input, sendBack, receive }) => {
    const tell = (fact: PathFact): void => void queueMicrotask(() => sendBack(fact));
    if (entries.size >= deps.most) {
      counts.refused += 1;
      tell({ type: 'path.ended', reason: `${deps.most} primers play already` });
      return () => undefined;
    }
    const entry: Entry = { viewer: input.viewer, camera: input.camera, live: false, made: Promise.withResolvers() };
    entries.set(input.viewer, entry);
    const held = holdPath(deps, input, {
      made(made) {
        entry.made.resolve(made);
        tell({ type: 'path.made' });
      },
      live() {
        entry.live = true;
        tell({ type: 'path.live' });
      },
      late: () => tell({ type: 'path.late' }),
      ended(reason) {
        counts.failed += 1;
        tell({ type: 'path.ended', reason });
      },
    });
    receive(({ held: isHeld }) => {
      if (held.play(isHeld)) counts.started += 1;
    });
    return () => {
      entry.made.resolve(undefined);
      entries.delete(input.viewer);
      held.close();
    };
  });
  const confirm = fromPromise<void, { viewer: string }>(({ input }) => deps.registry.revoke(`viewer:${input.viewer}/primer`));

  return {
    machine: primerMachine.provide({ actors: { path, confirm } }),
    warm() {
      if (deps.most > 0) deps.pump.from().catch(() => undefined);
    },
    async path(viewer, ms) {
      const entry = entries.get(viewer);
      if (!entry) return undefined;
      const late = Promise.withResolvers<undefined>();
      const timer = setTimeout(late.resolve, ms, undefined);
      return Promise.race([entry.made.promise, late.promise]).finally(() => clearTimeout(timer));
    },
    figures: () => ({ active: entries.size, ...counts, ...deps.pump.totals(), catchUps: deps.catchUps.figures() }),
    list: () => [...entries.values()].map(({ viewer, camera, live }) => ({ viewer, camera, live })),
  };
}

type PathEvents = { made(path: PrimerPath): void; live(): void; late(): void; ended(reason: string): void };

/** Takes everything a primer needs; whatever comes after `close` is let go at once. `play` is true where that begins it. */
function holdPath(deps: PrimerDeps, { viewer, camera, hubPort, way }: PrimerInput, events: PathEvents): { play(held: boolean): boolean; close(): void } {
  const ssrc = randomInt(1, 0xffff_ffff);
  let closed = false;
  let made: { path: PrimerPath; port: number } | undefined;
  let playing: Playing | undefined;
  // From the first moment on: it needs all the time that the browser takes to connect.
  const share = way.type === 'catch-up' ? deps.catchUps.join({ camera, hubPort, form: way.form }) : undefined;
  if (way.type === 'catch-up' && share === undefined) events.late();

  const make = async (): Promise<void> => {
    const ingest = deps.plane.ingest(camera);
    if (!ingest) return events.ended('the camera has no live path');
    const [from, lease] = await Promise.all([deps.pump.from(), deps.ports.lease(`viewer:${viewer}/primer`)]);
    if (closed) return void lease.release();
    const path = await createPrimerPath(ingest, { viewer, port: lease.port, from, ssrc, recvBufferBytes: deps.recvBufferBytes });
    if (closed) return path.close();
    made = { path, port: lease.port };
    path.transport.observer.once('close', () => closed || events.ended('the live path of the camera was replaced'));
    events.made(path);
  };
  make().catch((error: unknown) => closed || events.ended(error instanceof Error ? error.message : String(error)));

  const begin = ({ path: { producer }, port }: { path: PrimerPath; port: number }, held: boolean): Playing => {
    const payloadType = producer.rtpParameters.codecs[0]?.payloadType ?? 0;
    return deps.pump.play(viewer, { hubPort, port, ssrc, payloadType, maxBytes: deps.maxBytes, held }, events);
  };

  return {
    play(held) {
      if (!made || closed) return false;
      if (playing) {
        if (held) return false;
        share?.release();
        playing.burst();
        return false;
      }
      playing = begin(made, held);
      if (held) void share?.port.then((port) => {
        if (closed) return;
        if (port === null) events.late();
        else playing?.catchUp(port);
      });
      return true;
    },
    close() {
      closed = true;
      playing?.stop();
      share?.release();
      made?.path.close();
    },
  };
}
