/** The part of gstreamer-superficial 1.7.4 that hosts use, typed, and its loading. Imported by hosts only (design §2). */
import { createRequire } from 'node:module';

/** A value of a GObject property: 64-bit numbers, enums and structures arrive as text. */
export type GstValue = string | number | boolean | null | undefined;

/** Fields of a caps structure; fractions such as `framerate` are text (`25/1`), `codec_data` is bytes. */
export type GstCaps = Record<string, GstValue | Uint8Array>;

/** What `last-sample` and `pull` hand out. */
export type GstSample = { buf: Buffer | null; caps: GstCaps };

/** An element. Numbers are set as float32: anything of 2²⁴ and more belongs into the launch description. */
export type GstElement = Record<string, GstValue>;

/** An `appsink`: `pull` occupies one thread of libuv's pool until a sample, or null at the end, is there. */
export type GstAppSink = GstElement & { pull(callback: (data: Buffer | null, caps: GstCaps) => void): void };

/**
 * A bus message. The fields of its structure are copied over `type` and `name`, so a progress message says
 * `type: 'GST_PROGRESS_TYPE_COMPLETE', name: 'GstMessageProgress'`.
 */
export type GstMessage = {
  type: string;
  name?: string;
  _src_element_name: string;
  message?: string;
  debug?: string;
  code?: string;
  text?: string;
  gerror?: string;
} & Record<string, unknown>;

/** A pipeline. Never freed by the addon: a host lives as long as its pipelines. */
export type GstPipeline = {
  /** Whether the bus throws away what nobody read on the way to NULL. */
  'auto-flush-bus': boolean;
  /** Returns at once with live sources; synchronous all the same. */
  play(): void;
  /** To NULL; blocks until the streaming threads ended and the RTSP TEARDOWN was sent. */
  stop(): void;
  sendEOS(): void;
  /** Undefined where there is no such element. Each call leaks a reference: look up once. */
  findChild(name: string): GstElement | undefined;
  /** Occupies one thread of libuv's pool for as long as the pipeline exists. */
  pollBus(callback: (message: GstMessage) => void): void;
};

type Gst = { Pipeline: new (launch: string) => GstPipeline };

/** Loads the addon and initialises GStreamer. Blocks for the registry scan where there is no registry cache yet. */
export function loadGst(): Gst {
  return createRequire(import.meta.url)('gstreamer-superficial') as Gst;
}

/** An element that the launch description names; its absence is a mistake of ours. */
export function child<T extends GstElement = GstElement>(pipeline: GstPipeline, name: string): T {
  const element = pipeline.findChild(name);
  if (element === undefined) throw new Error(`The pipeline has no element named ${name}.`);
  return element as T;
}

/** One number out of a structure that came as text, for instance `num-buffers` of `stats`; undefined where it is absent. */
export function fieldOf(structure: GstValue, field: string): number | undefined {
  if (typeof structure !== 'string') return undefined;
  const start = structure.indexOf(` ${field}=(`);
  if (start < 0) return undefined;
  const value = Number.parseFloat(structure.slice(structure.indexOf(')', start) + 1));
  return Number.isNaN(value) ? undefined : value;
}

/**
 * Sends what a `udpsink` sends to another port of 127.0.0.1, in one step. Setting its `port` takes the old receiver away
 * before it adds the new one, and a packet that comes between the two goes nowhere.
 */
export function aim(udp: GstElement, port: number): void {
  udp['clients'] = `127.0.0.1:${port}`;
}

/** How long the pipeline's own first state change may take to arrive before its absence means that it never came up. */
const comeUpMs = 100;
/** What a pipeline has to say comes faster one after the other. */
const silenceMs = 30;

/**
 * Plays and listens. The addon stops polling for good when it finds the pipeline at NULL after a message, which is where
 * a pipeline stays whose sink cannot even open (a port in use): the error would sit in the bus unread. So a pipeline
 * that does not come up is polled again whenever it fell silent: each poll of one that is merely slow takes a thread for good.
 */
export function playAndListen(pipeline: GstPipeline, onMessage: (message: GstMessage) => void): void {
  let isUp = false;
  let again: NodeJS.Timeout | undefined;
  const poll = (): void => pipeline.pollBus((message) => {
    if (message.name === 'GstMessageStateChanged' && /^pipeline\d+$/u.test(message._src_element_name)) isUp = true;
    onMessage(message);
    if (isUp) clearTimeout(again);
    else again?.refresh();
  });
  poll();
  pipeline.play();
  // A turn later: a timer counts from when its turn began, and playing may have taken longer than that.
  setImmediate(() => {
    if (isUp) return;
    again = setTimeout(() => {
      poll();
      again = setTimeout(poll, silenceMs);
    }, comeUpMs);
  });
}

/**
 * To NULL, in a process that goes on. The thread that waits for this bus ends with the next message that it gets when the
 * pipeline is at NULL; the bus would throw those away that tell of the way there.
 */
export function stopAndUnlisten(pipeline: GstPipeline): void {
  pipeline['auto-flush-bus'] = false;
  pipeline.stop();
}
