/** A camera that answers its first DESCRIBEs honestly and the next with a redirect to another place, and that place, which tells who came. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

const sdp = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'm=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', 'a=fmtp:96 packetization-mode=1;profile-level-id=42e01f;sprop-parameter-sets=Z0LgH9oFB+Q=,aM4G4g==', 'a=control:track1', ''].join('\r\n');

/** Both servers, ended together. */
export type RedirectingCamera = AsyncDisposable & {
  url: string;
  /** Everything that was sent to the place it redirects to, connections without a word included as ''. */
  elsewhere: string[];
  /** Redirects that were given. */
  redirects(): number;
};

/** `honest`: how many DESCRIBEs are answered before; `method`: what is redirected then. */
export async function startRedirectingCamera({ honest, method }: { honest: number; method: 'DESCRIBE' | 'SETUP' | 'PLAY' }): Promise<RedirectingCamera> {
  const sockets = new Set<Socket>();
  const elsewhere: string[] = [];
  const listen = async (serve: (socket: Socket) => void): Promise<{ port: number; close(): Promise<unknown> }> => {
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined).once('close', () => sockets.delete(socket)));
      serve(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { port: (server.address() as AddressInfo).port, close: () => new Promise((resolve) => server.close(resolve)) };
  };
  const place = await listen((socket) => {
    const index = elsewhere.push('') - 1;
    socket.setEncoding('latin1').on('data', (text: string) => {
      elsewhere[index] += text;
      const cseq = /CSeq: (\d+)/iu.exec(text)?.[1] ?? '1';
      socket.write(`RTSP/1.0 401 Unauthorized\r\nCSeq: ${cseq}\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n`);
    });
  });
  let redirects = 0;
  let described = 0;
  const camera = await listen((socket) => void socket.setEncoding('latin1').on('data', (text: string) => {
    const [, verb = ''] = /^(\w+) /u.exec(text) ?? [];
    const cseq = /CSeq: (\d+)/iu.exec(text)?.[1] ?? '1';
    const answer = (status: string, headers: string[] = [], body = ''): void => void socket.write([`RTSP/1.0 ${status}`, `CSeq: ${cseq}`, ...headers, ...(body === '' ? [] : ['Content-Type: application/sdp', `Content-Length: ${body.length}`]), '', body].join('\r\n'));
    if (verb === 'DESCRIBE') described += 1;
    if (verb === method && described > honest) {
      redirects += 1;
      answer('302 Moved Temporarily', [`Location: rtsp://127.0.0.1:${place.port}/inside`]);
    } else if (verb === 'DESCRIBE') answer('200 OK', [], sdp);
    else if (verb === 'SETUP') answer('200 OK', ['Session: 1', 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1']);
    else answer('200 OK', verb === 'OPTIONS' ? ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN'] : ['Session: 1']);
  }));
  return {
    url: `rtsp://admin:canary-word@127.0.0.1:${camera.port}/stream`,
    elsewhere,
    redirects: () => redirects,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([camera.close(), place.close()]);
    },
  };
}
