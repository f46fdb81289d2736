/** One client's RTSP connection: parses, finds the camera, authenticates, answers. */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { RtspParser, header, serialiseResponse } from '../rtsp/message.ts';
import type { HeaderFields, RtspRequest } from '../rtsp/message.ts';
import { answer } from './methods.ts';
import type { Mount } from './mount.ts';
import type { Client, Session } from './session.ts';

/** An answer, and what follows once it is sent. */
export type Answer = { status: number; headers?: HeaderFields; body?: string; afterwards?: () => void };

/** What a connection knows while it lasts. */
export type ConnectionContext = { socket: Socket; client: Client; sessions: Set<Session>; /** Requests so far, by method. */ asked: Record<string, number> };

/** `find` gives the camera of a request, `only` is the one whose port this is, `reset` ends the connection with RST. */
export type Service = { find: (uri: string) => Mount | undefined; only: Mount | undefined; reset: () => void };

/** Serves a connection until it ends. */
export function serve(socket: Socket, { find, only, reset }: Service): void {
  const parser = new RtspParser();
  const client: Client = { close: () => socket.end(), reset };
  const context: ConnectionContext = { socket, client, sessions: new Set(), asked: {} };
  const mounts = new Set<Mount>();
  let work = Promise.resolve();
  const join = (mount: Mount): void => {
    if (!mounts.has(mount)) mount.count({ accepted: true });
    mounts.add(mount);
    mount.clients.add(client);
  };
  if (only) join(only);

  const respond = async (request: RtspRequest): Promise<void> => {
    const mount = find(request.uri);
    if (mount) join(mount);
    mount?.count({ method: request.method });
    if (mount && !mount.behaviour.answer) return;
    const result = mount?.replay ? await replayed(request, { mount, context }) : await decide(request, { mount, context });
    if (!result) return mount?.finish(client);
    mount?.count({ status: result.status });
    if (socket.destroyed) return;
    const { status, headers = {}, body } = result;
    socket.write(serialiseResponse({ status, headers: { CSeq: header(request, 'cseq'), Server: 'camera-sim', ...headers }, ...(body === undefined ? {} : { body }) }));
    result.afterwards?.();
  };

  socket.setNoDelay(true);
  socket.on('data', (chunk) => {
    try {
      for (const item of parser.push(chunk)) {
        // RTCP of an interleaved client.
        if (item.type === 'frame') for (const session of context.sessions) session.touch();
        else if (item.type === 'request') work = work.then(() => respond(item)).catch((error: unknown) => {
          process.stderr.write(`camera-sim: ${item.method} failed: ${error instanceof Error ? error.message : String(error)}\n`);
          socket.destroy();
        });
      }
    } catch {
      socket.end(serialiseResponse({ status: 400, headers: {} }));
    }
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    for (const mount of mounts) {
      mount.clients.delete(client);
      for (const session of context.sessions) if (!mount.config.linger) mount.end(session);
    }
    // A lingering session keeps its place, but nothing can reach its client any more.
    for (const session of context.sessions) session.playing = false;
  });
}

/** What the recording says; undefined where the camera gave no answer. */
async function replayed(request: RtspRequest, { mount, context }: { mount: Mount; context: ConnectionContext }): Promise<Answer | undefined> {
  const { method } = request;
  const recorded = mount.replay?.answer(method, context.asked);
  context.asked[method] = (context.asked[method] ?? 0) + 1;
  if (recorded?.type === 'none') return undefined;
  if (recorded) await delay(recorded.afterMs);
  if (recorded?.type === 'refuse') return { status: recorded.status, headers: { ...recorded.headers, ...(recorded.status === 401 ? { 'WWW-Authenticate': mount.verifier.challenge() } : {}) } };
  const healthy = await decide(request, { mount, context });
  if (recorded === undefined || healthy.status !== 200) return healthy;
  return { ...healthy, headers: { ...healthy.headers, ...recorded.extra }, ...(recorded.body === undefined ? {} : { body: recorded.body }) };
}

async function decide(request: RtspRequest, { mount, context }: { mount: Mount | undefined; context: ConnectionContext }): Promise<Answer> {
  if (!mount) return request.method === 'OPTIONS' ? answer.OPTIONS() : { status: 404 };
  const refusal = mount.refusal(request.method);
  if (refusal !== undefined) return { status: refusal, headers: refusal === 401 ? { 'WWW-Authenticate': mount.verifier.challenge() } : {} };
  if (mount.config.auth && request.method !== 'OPTIONS') {
    const verdict = mount.verifier.verify(header(request, 'authorization'), request.method);
    if (verdict !== 'ok') return { status: 401, headers: { 'WWW-Authenticate': mount.verifier.challenge({ stale: verdict === 'stale' }) } };
  }
  const method = Object.hasOwn(answer, request.method) ? answer[request.method as keyof typeof answer] : undefined;
  return method ? method({ request, mount, context }) : { status: 501 };
}
