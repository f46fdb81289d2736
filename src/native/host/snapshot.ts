/**
 * Takes pictures from hubs inside a host, one after the other: of each hub the latest keyframe alone, decoded and encoded
 * as JPEG by one pipeline that stays. Between two pictures it does nothing, and reads nothing.
 */
import { failure } from '../../errors.ts';
import { failureOfMessage } from '../bus.ts';
import { child, loadGst, playAndListen, type GstAppSink, type GstAppSource, type GstElement, type GstPipeline } from '../gst.ts';
import { readHubUnits, type AccessUnit, type HubUnits } from '../hub-units.ts';
import { pictureElements as names, pictureLaunch, sizeCaps } from '../launch-picture.ts';
import type { HostCommand, HostEvent } from '../protocol.ts';

type Order = Extract<HostCommand, { type: 'snapshot.take' }>;

/** Pictures of one camera. */
export type Pictures = { take(order: Order): void; stop(): void };

/** How often it is looked whether the decoder is through with a keyframe, and how many looks later its picture must be here. */
const lookMs = 100;
const graceLooks = 3;
/** Each picture takes two forms: one ends the session of its keyframe, and where the other has arrived that end is behind the decoder. */
const forms = 3;
/** Each change of form costs some hundred bytes, which the addon never frees. */
const mostSessions = 5_000;

/** Makes the pipeline. Each order is answered by `snapshot.taken` or `snapshot.failed`. */
export function startPictures(first: Order, emit: (event: HostEvent) => void): Pictures {
  return new PictureTaker(first, emit);
}

class PictureTaker implements Pictures {
  readonly #pipeline: GstPipeline;
  readonly #source: GstAppSource;
  readonly #sink: GstAppSink;
  readonly #size: GstElement;
  readonly #passed: GstElement;
  readonly #emit: (event: HostEvent) => void;
  #width = 0;
  #form = '';
  #session = 0;
  #hub: HubUnits | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** It was used often, or more than the keyframe was decoded: pictures may follow that nobody asked for. */
  #isSpent = false;

  constructor(order: Order, emit: (event: HostEvent) => void) {
    this.#emit = emit;
    this.#pipeline = new (loadGst().Pipeline)(pictureLaunch(order));
    this.#source = child<GstAppSource>(this.#pipeline, names.source);
    this.#size = child(this.#pipeline, names.size);
    this.#passed = child(this.#pipeline, names.passed);
    this.#sink = child<GstAppSink>(this.#pipeline, names.picture);
    playAndListen(this.#pipeline, (message) => {
      const failed = failureOfMessage({ ...message, element: message._src_element_name } as Parameters<typeof failureOfMessage>[0]);
      if (failed !== null) this.#finish({ type: 'snapshot.failed', failure: failed });
    });
    // Only now: an appsink that was not started yet answers with the end.
    this.#pull();
  }

  take({ hubPort: port, codec, width }: Order): void {
    if (width !== this.#width) this.#size['caps'] = sizeCaps(width);
    this.#width = width;
    const units: AccessUnit[] = [];
    let isAlone = true;
    const onUnit = (unit: AccessUnit): void => {
      if (!isAlone) return this.#decode(unit);
      if (units.push(unit) > 1) return;
      this.#hub?.pause();
      this.#decode(unit);
      this.#nextForm(unit);
      this.#nextForm(unit);
    };
    // Some streams give no picture by their keyframe alone: it is decoded again, with the units behind it.
    let looks = 0;
    this.#timer = setInterval(() => {
      if (units.length === 0 || !this.#isThrough() || (looks += 1) < graceLooks) return;
      clearInterval(this.#timer);
      isAlone = false;
      this.#isSpent = true;
      for (const unit of units) this.#decode(unit);
      this.#hub?.resume();
    }, lookMs);
    this.#hub = readHubUnits({ port, codec }, {
      onUnit,
      onEnd: (reason) => {
        if (units.length === 0 || !isAlone) this.#finish({ type: 'snapshot.failed', failure: failure('eos', 'no-picture', 'The hub ended before it gave a picture.', reason) });
      },
    });
  }

  stop(): void {
    this.#rest();
    this.#pipeline.stop();
  }

  #decode(unit: AccessUnit): void {
    this.#setForm(unit);
    this.#source.push(unit.bytes);
  }

  /** The form of what is pushed changes in a field that means nothing, and a decoder whose input changes gives at once what it held back. */
  #nextForm(unit: AccessUnit): void {
    this.#session += 1;
    if (this.#session > mostSessions) this.#isSpent = true;
    this.#setForm(unit);
  }

  /** True once the newest form stands before the decoder, which then has given what it had. */
  #isThrough(): boolean {
    return new RegExp(`session\\W+int\\W+${this.#session % forms}\\b`, 'u').test(String(this.#passed['last-message']));
  }

  #setForm({ caps }: AccessUnit): void {
    const form = `${caps},session=(int)${this.#session % forms}`;
    if (form !== this.#form) this.#source['caps'] = form;
    this.#form = form;
  }

  #pull(): void {
    this.#sink.pull((jpeg, caps) => {
      if (jpeg === null) return;
      this.#finish({ type: 'snapshot.taken', jpeg, width: Number(caps.width ?? 0), height: Number(caps.height ?? 0), spent: this.#isSpent });
      this.#pull();
    });
  }

  #finish(event: HostEvent): void {
    // Pictures that nobody asked for come of a host that is spent.
    if (this.#hub === undefined && event.type === 'snapshot.taken') return;
    this.#rest();
    this.#emit(event);
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#hub?.close();
    this.#hub = undefined;
  }
}
