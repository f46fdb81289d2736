/** One RTSP connection of the probe: connects (TLS where asked), sends requests, reads answers, names every refusal. */
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { CameraUrl } from '../camera-url.ts';
import { failure, FailureError } from '../errors.ts';
import { messageText, RtspParseError, RtspParser, serialiseRequest, type HeaderFields, type RtspResponse } from '../rtsp/message.ts';
import type { DialogueListener } from './flight-recorder.ts';
import { socketFailure } from './socket-failure.ts';

/** How a camera's certificate is judged: by authority, by its SHA-256 fingerprint, or not at all. */
export type TlsOptions = { verify: boolean; fingerprint: string | undefined };

/** Where to connect. `addresses` are the resolved ones of `url.host`; `onMessage` hears whatever is said, credentials included. */
export type ConnectionOptions = { url: CameraUrl; addresses: string[]; tls: TlsOptions; onMessage?: DialogueListener | undefined };

/** One connection, used by one caller at a time. */
export class RtspConnection {
  readonly #socket: Socket;
  readonly #where: string;
  readonly #parser = new RtspParser();
  readonly #onMessage: DialogueListener;
  #cseq = 0;
  #waiting: { resolve: (response: RtspResponse) => void; reject: (error: unknown) => void } | undefined;
  #failed: FailureError | undefined;

  private constructor(socket: Socket, where: string, onMessage: DialogueListener) {
    this.#socket = socket;
    this.#where = where;
    this.#onMessage = onMessage;
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', (error) => this.#fail(new FailureError(socketFailure(error, where), error)));
    socket.on('close', () => this.#fail(new FailureError(failure('reset', 'closed-early', 'The camera closed the connection instead of answering.', where))));
  }

  /** Connects; `signal` ends the attempt and, later, every request. */
  static async open({ url, addresses, tls, onMessage = () => undefined }: ConnectionOptions, signal: AbortSignal): Promise<RtspConnection> {
    const where = `${url.host}:${url.port}`;
    const tcp = { host: url.host, port: url.port, lookup: lookupOf(addresses), autoSelectFamily: addresses.length > 1 };
    const socket = url.secure
      ? connectTls({ ...tcp, rejectUnauthorized: tls.verify && tls.fingerprint === undefined, ...(isIP(url.host) === 0 ? { servername: url.host } : {}) })
      : connect(tcp);
    const connection = new RtspConnection(socket, where, onMessage);
    signal.addEventListener('abort', () => connection.#abort(signal), { once: true });
    if (signal.aborted) connection.#abort(signal);
    await new Promise<void>((resolve, reject) => {
      if (connection.#failed) return reject(connection.#failed);
      connection.#waiting = { resolve: () => {}, reject };
      socket.once(url.secure ? 'secureConnect' : 'connect', resolve);
    }).finally(() => (connection.#waiting = undefined));
    if (url.secure && tls.fingerprint !== undefined) connection.#checkFingerprint(tls.fingerprint);
    return connection;
  }

  /** Sends a request and resolves with its answer, whatever its status. Rejects with a {@link FailureError}. */
  async request(method: string, uri: string, headers: HeaderFields = {}): Promise<RtspResponse> {
    if (this.#failed) throw this.#failed;
    this.#cseq += 1;
    const request = serialiseRequest({ method, uri, headers: { CSeq: this.#cseq, 'User-Agent': 'Lookout', ...headers } });
    const answer = new Promise<RtspResponse>((resolve, reject) => (this.#waiting = { resolve, reject }));
    this.#onMessage('sent', request.toString('utf8'));
    this.#socket.write(request);
    return answer;
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    try {
      for (const item of this.#parser.push(chunk)) {
        if (item.type !== 'response') continue;
        this.#onMessage('received', messageText(item));
        this.#waiting?.resolve(item);
        this.#waiting = undefined;
      }
    } catch (error) {
      const message = error instanceof RtspParseError ? error.message : 'unreadable';
      this.#fail(new FailureError(failure('server-error', 'not-rtsp', 'What answers on the camera\'s port does not speak RTSP.', message), error));
      this.#socket.destroy();
    }
  }

  #checkFingerprint(expected: string): void {
    const certificate: Partial<PeerCertificate> = (this.#socket as TLSSocket).getPeerCertificate();
    const plain = (text: string): string => text.replaceAll(':', '').toLowerCase();
    if (certificate.fingerprint256 !== undefined && plain(certificate.fingerprint256) === plain(expected)) return;
    this.close();
    throw new FailureError(failure('unsupported', 'tls-fingerprint', 'The camera\'s certificate is not the one whose fingerprint is configured.', `SHA-256 ${certificate.fingerprint256 ?? 'none'}`));
  }

  #abort(signal: AbortSignal): void {
    const late = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
    const text = late ? 'The camera did not answer in time.' : 'The probe was given up.';
    this.#fail(new FailureError(failure('timeout', late ? 'probe-timeout' : 'aborted', text, this.#where)));
    this.#socket.destroy();
  }

  #fail(error: FailureError): void {
    this.#failed ??= error;
    this.#waiting?.reject(this.#failed);
    this.#waiting = undefined;
  }
}

/** Answers node's look-up from addresses already known, so that `getaddrinfo` never occupies the thread pool. */
function lookupOf(addresses: string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_name, options, callback) => {
    const first = found[0]!;
    if (options.all) callback(null, found);
    else callback(null, first.address, first.family);
  };
}
