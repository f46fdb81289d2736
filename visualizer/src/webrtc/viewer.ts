/** One subscription to one camera over mediasoup: joins, shows, waits while the camera is away, joins again when it was lost. */
import type { types } from 'mediasoup-client';
import type { StreamName } from '../../../src/api/protocol.ts';
import type { Player, PlayerPhase, PlayerSink, PlayerStats } from '../adapter.ts';
import { ApiError, messageOf } from '../adapter.ts';
import type { Signalling } from './signalling.ts';
import { createSound, type Sound } from './sound.ts';
import { createStatsReader } from './stats.ts';

const firstDelayMs = 500;
/** After the camera's own pictures took over; the server has stopped it long before. */
const primerCloseMs = 2_000;
/** Told by the server to join again, a viewer does so almost at once: the server holds the join until there is a live path. */
const rejoinDelayMs = 50;
const maxDelayMs = 10_000;
/** A camera that is really removed answers the one attempt after this with "not found", and that is the end. */
const removedRetryMs = 1_000;
/** A server without room for a transcode is asked again so much later. */
const refusedRetryMs = 15_000;
/** ICE often heals by itself within this. */
const iceGraceMs = 4_000;
/** A connection that is up but brings no packet for two of these is not one: a firewall, a NAT that forgot us. */
const packetCheckMs = 5_000;

/** What belongs to one joining; a new joining makes a new one, and whatever still runs for the old one finds it closed. */
type Joining = {
  closed: boolean;
  startedAt: number;
  viewer: string | undefined;
  transport: types.Transport | undefined;
  /** The camera's own. */
  consumer: types.Consumer | undefined;
  /** Shows what the server had cached, until the camera's own has a picture. */
  primer: types.Consumer | undefined;
  sound: Sound | undefined;
  firstFrameSent: boolean;
  /** What the server said last of the camera, which may be before the consumer is there. */
  away: string | null;
  cleanup: (() => void)[];
};

/** A {@link Player} over WebRTC. Every failure ends in `#lost`, the only place that decides to join again. */
export class Viewer implements Player {
  readonly #wish: { camera: string; stream?: StreamName };
  readonly #sink: PlayerSink;
  readonly #signalling: Signalling;
  readonly #stopListening: () => void;
  #joining: Joining | undefined;
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #active = true;
  #listens = false;
  #available = false;
  #closed = false;
  #readStats: ReturnType<typeof createStatsReader> | undefined;

  constructor({ camera, stream = 'main', sink, signalling }: { camera: string; stream?: StreamName; sink: PlayerSink; signalling: Signalling }) {
    this.#wish = { camera, ...(stream !== 'main' && { stream }) };
    this.#sink = sink;
    this.#signalling = signalling;
    this.#stopListening = signalling.onConnection((connected) => {
      if (connected) this.#joinNow();
      else this.#lost(this.#joining, 'connection to Lookout lost');
    });
  }

  setAvailable(available: boolean): void {
    this.#available = available;
    if (available) this.#joinNow();
  }

  setActive(active: boolean): void {
    if (active === this.#active) return;
    this.#active = active;
    const joining = this.#joining;
    if (!joining?.viewer || !joining.consumer) return;
    this.#signalling.request(active ? 'resume' : 'pause', { viewer: joining.viewer }).catch((error: unknown) => this.#lost(joining, messageOf(error)));
  }

  setSound(on: boolean): void {
    if (on === this.#listens) return;
    this.#listens = on;
    this.#joining?.sound?.set(on);
  }

  frame(): void {
    const joining = this.#joining;
    if (!joining?.viewer || joining.firstFrameSent) return;
    joining.firstFrameSent = true;
    this.#attempt = 0;
    this.#signalling.firstFrame({ viewer: joining.viewer, milliseconds: Math.round(performance.now() - joining.startedAt) });
  }

  tookOver(): void {
    const joining = this.#joining;
    if (!joining?.viewer || !joining.primer) return;
    const { primer } = joining;
    joining.primer = undefined;
    this.#readStats = createStatsReader();
    // Closing it negotiates, which keeps the page busy for some frames: not now, while pictures change.
    const timer = setTimeout(() => primer.close(), primerCloseMs);
    joining.cleanup.push(() => clearTimeout(timer));
    void this.#signalling.request('tookOver', { viewer: joining.viewer }).catch(() => undefined);
  }

  async stats(): Promise<PlayerStats | null> {
    const consumer = this.#joining && shown(this.#joining);
    if (!consumer || consumer.closed) return null;
    return this.#readStats?.(await consumer.getStats()) ?? null;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#stopListening();
    const joining = this.#joining;
    this.#joining = undefined;
    if (joining) this.#dispose(joining, { leave: true });
  }

  #joinNow(): void {
    if (this.#joining) return;
    this.#attempt = 0;
    void this.#join();
  }

  async #join(): Promise<void> {
    clearTimeout(this.#retry);
    // A camera that is away has no live path: asking for it would only hold a slot that its neighbours need.
    if (this.#closed || this.#joining || !this.#available || !this.#signalling.connected()) return;
    const joining: Joining = { closed: false, startedAt: performance.now(), viewer: undefined, transport: undefined, consumer: undefined, primer: undefined, sound: undefined, firstFrameSent: false, away: null, cleanup: [] };
    this.#joining = joining;
    this.#sink.phase('joining', null);
    const release = await this.#signalling.negotiate();
    try {
      if (!joining.closed) await this.#negotiate(joining);
    } catch (error) {
      this.#lost(joining, messageOf(error), error);
    } finally {
      release();
    }
  }

  /** The protocol, top to bottom: join → device → transport → consume → resume. */
  async #negotiate(joining: Joining): Promise<void> {
    const { request } = this.#signalling;
    joining.startedAt = performance.now();
    const [{ loadDevice }, { viewer, routerRtpCapabilities }] = await Promise.all([import('./device.ts'), request('join', this.#wish)]);
    if (joining.closed) {
      // The tile went away while the server made the viewer: it would live until the socket closes.
      void request('leave', { viewer }).catch(() => undefined);
      return;
    }
    joining.viewer = viewer;
    joining.cleanup.push(this.#signalling.listen(viewer, {
      viewer: ({ state, reason }) => {
        joining.away = state === 'paused' ? (reason ?? 'camera away') : null;
        this.#sink.phase(state, reason);
      },
      gone: ({ reason, message }) => {
        if (reason === 'removed') this.#removed(joining, message);
        else this.#lost(joining, message, undefined, reason === 'rejoin' ? rejoinDelayMs : firstDelayMs);
      },
    }));
    const { device, profiles } = await loadDevice(routerRtpCapabilities);
    if (joining.closed) return;
    const offer = await request('transport', { viewer, rtpCapabilities: profiles.toServer(device.recvRtpCapabilities) as never, primer: true });
    if (joining.closed) return;
    const transport = device.createRecvTransport(offer as unknown as types.TransportOptions);
    joining.transport = transport;
    this.#watchTransport(joining, transport);
    const { consumers } = await request('consume', { viewer, audio: false });
    const video = consumers.find(({ kind, primer }) => kind === 'video' && !primer);
    if (joining.closed) return;
    if (!video) throw new ApiError({ code: 'LOOKOUT_NOT_LIVE', statusCode: 503, message: 'The camera sends no video yet.' });
    // In one go: that is one negotiation.
    const [consumer, primer] = await Promise.all([video, ...consumers.filter((each) => each.primer)].map((offered) => {
      const { rtpParameters, ...identity } = offered as unknown as types.ConsumerOptions & { rtpParameters: types.RtpParameters };
      return transport.consume({ ...identity, rtpParameters: profiles.toBrowser(rtpParameters) });
    }));
    if (joining.closed || !consumer) return;
    joining.consumer = consumer;
    joining.primer = primer;
    this.#readStats = createStatsReader();
    consumer.on('transportclose', () => this.#lost(joining, 'media transport closed'));
    consumer.on('trackended', () => this.#lost(joining, 'media track ended'));
    const stream = new MediaStream([consumer.track]);
    if (primer) this.#sink.stream(new MediaStream([primer.track]), stream);
    else this.#sink.stream(stream, null);
    if (this.#active) await request('resume', { viewer });
    if (joining.closed) return;
    this.#sink.phase(joining.away === null ? 'flowing' : 'paused', joining.away);
    this.#watchPackets(joining);
    joining.sound = createSound({ viewer, transport, request, tell: this.#sink.sound });
    if (this.#listens) joining.sound.set(true);
  }

  #watchTransport(joining: Joining, transport: types.Transport): void {
    let grace: ReturnType<typeof setTimeout> | undefined;
    joining.cleanup.push(() => clearTimeout(grace));
    transport.on('connect', ({ dtlsParameters }, resolve, reject) => {
      this.#signalling.request('connectTransport', { viewer: joining.viewer ?? '', dtlsParameters: dtlsParameters as never }).then(() => resolve(), reject);
    });
    transport.on('connectionstatechange', (state) => {
      clearTimeout(grace);
      if (state === 'failed') this.#lost(joining, 'media connection failed');
      if (state === 'disconnected') grace = setTimeout(() => this.#lost(joining, 'media connection lost'), iceGraceMs);
    });
  }

  #watchPackets(joining: Joining): void {
    let last = -1;
    let silent = 0;
    const check = async (): Promise<void> => {
      const consumer = shown(joining);
      if (!consumer) return;
      const packets = createStatsReader()(await consumer.getStats())?.packetsReceived ?? 0;
      const expected = this.#active && this.#available && joining.away === null && !document.hidden;
      silent = expected && packets === last ? silent + 1 : 0;
      last = packets;
      if (silent >= 2) this.#lost(joining, 'no packets arrive');
    };
    const timer = setInterval(() => void check().catch(() => undefined), packetCheckMs);
    joining.cleanup.push(() => clearInterval(timer));
  }

  #removed(joining: Joining, message: string): void {
    if (joining.closed || this.#closed) return;
    this.#joining = undefined;
    this.#dispose(joining, { leave: false });
    this.#sink.phase('removed', message);
    // A camera of the same name may take its place before anybody here hears that it was gone.
    this.#retry = setTimeout(() => void this.#join(), removedRetryMs);
  }

  /** The one error funnel: whatever failed, the joining is over, the picture stays, and the next try is due. */
  #lost(joining: Joining | undefined, why: string, error?: unknown, delayMs = firstDelayMs): void {
    if (!joining || joining.closed || this.#closed) return;
    this.#joining = undefined;
    this.#dispose(joining, { leave: this.#signalling.connected() });
    const phase = phaseAfter(error);
    this.#sink.phase(phase, why);
    if (phase !== 'waiting' && phase !== 'refused') return;
    const ceiling = phase === 'refused' ? refusedRetryMs : Math.min(maxDelayMs, delayMs * 2 ** this.#attempt);
    this.#attempt += 1;
    // Full jitter: a wall of viewers that was lost together must not come back together.
    this.#retry = setTimeout(() => void this.#join(), ceiling * (0.3 + 0.7 * Math.random()));
  }

  #dispose(joining: Joining, { leave }: { leave: boolean }): void {
    joining.closed = true;
    joining.sound?.close();
    joining.cleanup.forEach((undo) => undo());
    joining.transport?.close();
    if (leave && joining.viewer) void this.#signalling.request('leave', { viewer: joining.viewer }).catch(() => undefined);
  }
}

const shown = ({ primer, consumer }: Joining): types.Consumer | undefined => primer ?? consumer;

/** Trying again helps, unless the camera is gone or this browser cannot play it. */
function phaseAfter(error: unknown): PlayerPhase {
  if (error instanceof ApiError && error.code === 'LOOKOUT_CAMERA_NOT_FOUND') return 'removed';
  if (error instanceof ApiError && error.code === 'LOOKOUT_TRANSCODE_BUDGET') return 'refused';
  const refused = error instanceof ApiError && error.code === 'LOOKOUT_UNSUPPORTED_MEDIA';
  return refused || (error instanceof Error && error.name === 'UnsupportedError') ? 'unsupported' : 'waiting';
}
