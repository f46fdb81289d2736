/** A small RTSP client for tests: plays a camera, keeps every packet and report, and tells how the connection ended. */
import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CameraUrl } from '../../src/camera-url.ts';
import { parseRtp } from '../../src/rtp/packet.ts';
import type { RtpPacket } from '../../src/rtp/packet.ts';
import { parseRtcp } from '../../src/rtp/rtcp.ts';
import type { RtcpPacket } from '../../src/rtp/rtcp.ts';
import { authorize, parseChallenges, strongest } from '../../src/rtsp/auth.ts';
import type { Challenge } from '../../src/rtsp/auth.ts';
import { RtspParser, header, headerValues, serialiseRequest } from '../../src/rtsp/message.ts';
import type { RtspResponse } from '../../src/rtsp/message.ts';
import { controlBase, parseSdp, resolveControl } from '../../src/rtsp/sdp.ts';
import type { SessionDescription } from '../../src/rtsp/sdp.ts';

/** A received packet: `track` as in the SDP, `atMs` of `performance.now()`, or for RTCP of the wall clock. */
export type Received = RtpPacket & { track: number; atMs: number };
export type ReceivedReport = RtcpPacket & { track: number; wallMs: number };

/** A request was answered with something else than 200. */
export class StatusError extends Error {
  readonly response: RtspResponse;

  constructor(method: string, response: RtspResponse) {
    super(`${method}: ${response.status} ${response.reason}`);
    this.response = response;
  }
}

/** Client of one camera. Reads nothing while `pause()`d. */
export class RtspPlayer implements AsyncDisposable {
  readonly packets: Received[] = [];
  readonly reports: ReceivedReport[] = [];
  /** How the connection ended. */
  ended: 'fin' | 'reset' | undefined;
  sdp: SessionDescription = { name: '', control: undefined, range: undefined, media: [] };
  /** Answer to PLAY. */
  playing: RtspResponse | undefined;
  readonly #url: CameraUrl;
  readonly #socket: Socket;
  readonly #parser = new RtspParser();
  readonly #udp: UdpSocket[] = [];
  #cseq = 0;
  #challenge: Challenge | undefined;
  #session: string | undefined;
  #base = '';
  #waiting: ((response: RtspResponse) => void) | undefined;

  private constructor(url: CameraUrl, socket: Socket) {
    this.#url = url;
    this.#socket = socket;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('end', () => (this.ended ??= 'fin'));
    socket.on('error', () => (this.ended ??= 'reset'));
  }

  /** Connects; rejects with the socket's error. */
  static async connect(url: string): Promise<RtspPlayer> {
    const parsed = CameraUrl.parse(url);
    // Whether a certificate is to be trusted is the product's business, not this player's.
    const socket = parsed.secure ? connectTls({ host: parsed.host, port: parsed.port, rejectUnauthorized: false }) : connect(parsed.port, parsed.host);
    await once(socket, parsed.secure ? 'secureConnect' : 'connect');
    return new RtspPlayer(parsed, socket);
  }

  /** Connects and plays. Rejects with {@link StatusError} where the camera refuses. */
  static async play(url: string, { transport = 'tcp' }: { transport?: 'tcp' | 'udp' } = {}): Promise<RtspPlayer> {
    const player = await RtspPlayer.connect(url);
    try {
      await player.start(transport);
      return player;
    } catch (error) {
      player.vanish();
      throw error;
    }
  }

  async start(transport: 'tcp' | 'udp'): Promise<void> {
    const description = await this.demand('DESCRIBE', this.#url.safe, { Accept: 'application/sdp' });
    this.#base = controlBase(description, this.#url.safe);
    this.sdp = parseSdp(description.body.toString());
    for (const [track, { control }] of this.sdp.media.entries()) {
      const spec = transport === 'tcp' ? `RTP/AVP/TCP;unicast;interleaved=${track * 2}-${track * 2 + 1}` : `RTP/AVP;unicast;client_port=${await this.#bindUdp(track)}`;
      const answer = await this.demand('SETUP', resolveControl(this.#base, control), { Transport: spec });
      this.#session = header(answer, 'session')?.split(';')[0];
    }
    this.playing = await this.demand('PLAY', this.#base);
  }

  /** Sends a request; resolves with its answer whatever its status. Challenges are met once. */
  async request(method: string, uri = this.#base || this.#url.safe, headers: Record<string, string> = {}): Promise<RtspResponse> {
    const response = await this.#exchange(method, uri, headers);
    const challenge = strongest(parseChallenges(headerValues(response, 'www-authenticate')));
    if (response.status !== 401 || this.#challenge || !challenge || !this.#url.credentials) return response;
    this.#challenge = challenge;
    return this.#exchange(method, uri, headers);
  }

  /** As {@link RtspPlayer.request}, but anything else than 200 is thrown. */
  async demand(method: string, uri?: string, headers?: Record<string, string>): Promise<RtspResponse> {
    const response = await this.request(method, uri, headers);
    if (response.status !== 200) throw new StatusError(method, response);
    return response;
  }

  /** Stops or goes on reading. */
  pause(paused: boolean): void {
    if (paused) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Video packets so far. */
  get video(): Received[] {
    return this.packets.filter(({ track }) => this.sdp.media[track]?.kind === 'video');
  }

  /** Ends without a word, as a crashed client does. */
  vanish(): void {
    this.#socket.destroy();
    for (const socket of this.#udp.splice(0)) socket.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.vanish();
  }

  #exchange(method: string, uri: string, headers: Record<string, string>): Promise<RtspResponse> {
    this.#cseq += 1;
    const authorization = this.#challenge && this.#url.credentials ? { Authorization: authorize(this.#challenge, { credentials: this.#url.credentials, method, uri, nonceCount: this.#cseq }) } : {};
    const session = this.#session === undefined ? {} : { Session: this.#session };
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error(`The connection ended before ${method} was sent`));
      const onClose = (): void => reject(new Error(`The connection ended before ${method} was answered`));
      this.#socket.once('close', onClose);
      this.#waiting = (response) => {
        this.#socket.off('close', onClose);
        resolve(response);
      };
      this.#socket.write(serialiseRequest({ method, uri, headers: { CSeq: this.#cseq, ...session, ...authorization, ...headers } }));
    });
  }

  #read(chunk: Buffer): void {
    for (const item of this.#parser.push(chunk)) {
      if (item.type === 'response') this.#waiting?.(item);
      else if (item.type === 'frame') this.#receive(item.channel, Buffer.from(item.data));
    }
  }

  #receive(channel: number, data: Buffer): void {
    const track = channel >> 1;
    if (channel % 2 === 1) return void this.reports.push(...parseRtcp(data).map((report) => ({ ...report, track, wallMs: Date.now() })));
    const packet = parseRtp(data);
    if (packet) this.packets.push({ ...packet, track, atMs: performance.now() });
  }

  async #bindUdp(track: number): Promise<string> {
    const ports: number[] = [];
    for (const channel of [track * 2, track * 2 + 1]) {
      const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 }, (message) => this.#receive(channel, message));
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      this.#udp.push(socket);
      ports.push(socket.address().port);
    }
    return ports.join('-');
  }
}
