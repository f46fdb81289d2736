/** A port that opens and closes while the simulator runs, always the same one, with TLS where asked for. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { TLSSocket, createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { serve } from './connection.ts';
import type { Mount } from './mount.ts';

/** Ports are taken from here: below the ephemeral range, so that a closed camera's port is still its own when it returns. */
const portRange = { first: 15_000, count: 5000 } as const;

/** `only` is the camera whose port it is; `find` gives the camera of a request's address. Port 0: one is chosen. */
export type ListenerOptions = { host: string; port: number; find: (uri: string) => Mount | undefined; only: Mount | undefined; tls: { key: string; cert: string } | undefined };

/** Changes happen one after the other. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #secureContext: SecureContext | undefined;
  #server: Server | undefined;
  #port: number;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#secureContext = options.tls && createSecureContext(options.tls);
    this.#port = options.port;
  }

  get port(): number {
    return this.#port;
  }

  /** Opens or closes the port. Connections that exist go on. */
  set(open: boolean): Promise<void> {
    this.#work = this.#work.then(() => (open ? this.#open() : this.#shut()));
    return this.#work;
  }

  /** Resolves when all changes so far are made. */
  settled(): Promise<void> {
    return this.#work;
  }

  async #open(): Promise<void> {
    if (this.#server) return;
    const { host } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      const port = this.#port === 0 ? portRange.first + Math.floor(Math.random() * portRange.count) : this.#port;
      const server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
      server.listen({ host, port, backlog: 512 });
      try {
        await once(server, 'listening');
        this.#server = server;
        this.#port = (server.address() as AddressInfo).port;
        return;
      } catch (error) {
        if (this.#port !== 0 || attempt > 100) throw error;
      }
    }
  }

  /** Not awaited to the end: `close` reports only once the last connection is gone, the port refuses at once. */
  async #shut(): Promise<void> {
    this.#server?.close();
    this.#server = undefined;
  }

  /** A reset must hit the TCP connection: below TLS there is no RST. */
  #accept(socket: Socket): void {
    const secure = this.#secureContext && new TLSSocket(socket, { isServer: true, secureContext: this.#secureContext });
    serve(secure ?? socket, { ...this.#options, reset: () => socket.resetAndDestroy() });
  }
}
