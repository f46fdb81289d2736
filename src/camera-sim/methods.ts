/** The RTSP methods of a simulated camera (RFC 2326 §10): request in, answer out. */
import { header } from '../rtsp/message.ts';
import type { RtspRequest } from '../rtsp/message.ts';
import type { Answer, ConnectionContext } from './connection.ts';
import type { Mount } from './mount.ts';
import { tcpOutlet, udpOutlet } from './outlet.ts';
import type { Outlet } from './outlet.ts';
import type { Session } from './session.ts';

/** What a method works with. */
export type MethodInput = { request: RtspRequest; mount: Mount; context: ConnectionContext };

const publicMethods = 'OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN';
const control = /\/trackID=(\d)\/?$/u;

/** Answers by method; anything else is 501. */
export const answer = {
  OPTIONS: (): Answer => ({ status: 200, headers: { Public: publicMethods } }),
  DESCRIBE: describe,
  SETUP: setup,
  PLAY: (input: MethodInput): Answer => inSession(input, play),
  PAUSE: (input: MethodInput): Answer => inSession(input, (session) => {
    session.playing = false;
    return { status: 200, headers: { Session: session.id } };
  }),
  GET_PARAMETER: keepAlive,
  SET_PARAMETER: keepAlive,
  TEARDOWN: (input: MethodInput): Answer => inSession(input, (session, { mount, context }) => {
    mount.end(session);
    context.sessions.delete(session);
    return { status: 200 };
  }),
};

function describe({ request, mount, context }: MethodInput): Answer {
  const base = request.uri.replace(/\/+$/u, '');
  const address = context.socket.localAddress ?? '127.0.0.1';
  const body = [
    'v=0', `o=- ${Date.now()} 1 IN IP${address.includes(':') ? 6 : 4} ${address}`, `s=${mount.config.name}`, 't=0 0', 'a=control:*', 'a=range:npt=now-',
    ...mount.tracks.flatMap(({ kind, payloadType, sdp }, index) => [`m=${kind} 0 RTP/AVP ${payloadType}`, 'c=IN IP4 0.0.0.0', ...sdp, `a=control:trackID=${index}`]),
    '',
  ].join('\r\n');
  return { status: 200, headers: { 'Content-Base': `${base}/`, 'Content-Type': 'application/sdp' }, body };
}

async function setup({ request, mount, context }: MethodInput): Promise<Answer> {
  const index = Number(control.exec(request.uri)?.[1] ?? (mount.tracks.length === 1 ? 0 : Number.NaN));
  const track = mount.tracks[index];
  if (!track) return { status: Number.isNaN(index) ? 459 : 404 };
  const asked = header(request, 'session') === undefined ? undefined : session({ request, mount });
  if (header(request, 'session') !== undefined && !asked) return { status: 454 };
  const spec = chooseTransport(header(request, 'transport') ?? '', mount);
  if (!spec) return { status: 461 };
  const target = asked ?? mount.open(context.client);
  if (!target) return { status: 453 };
  target.touch();
  context.sessions.add(target);
  const sender = target.add(track.kind, await makeOutlet(spec, { context, session: target }), mount.ssrcOf(track.kind));
  const timeout = mount.config.sessionTimeoutSeconds ?? 60;
  const ssrc = sender.ssrc.toString(16).toUpperCase().padStart(8, '0');
  return { status: 200, headers: { Session: `${target.id};timeout=${timeout}`, Transport: `${sender.outlet.transport};ssrc=${ssrc}` } };
}

function play(target: Session, { request, mount }: MethodInput): Answer {
  const base = request.uri.replace(/\/+$/u, '');
  const info = mount.positions(target).map(({ track, sequence, rtptime }) => `url=${base}/trackID=${track};seq=${sequence};rtptime=${rtptime}`);
  return { status: 200, headers: { Session: target.id, Range: 'npt=now-', 'RTP-Info': info.join(',') }, afterwards: () => mount.play(target) };
}

/** Without a session it is a ping of the connection, which is answered all the same. */
function keepAlive(input: MethodInput): Answer {
  return header(input.request, 'session') === undefined ? { status: 200 } : inSession(input, (target) => ({ status: 200, headers: { Session: target.id } }));
}

function inSession(input: MethodInput, act: (session: Session, input: MethodInput) => Answer): Answer {
  const target = session(input);
  if (!target) return { status: 454 };
  target.touch();
  return act(target, input);
}

function session({ request, mount }: Pick<MethodInput, 'request' | 'mount'>): Session | undefined {
  return mount.sessions.get((header(request, 'session') ?? '').split(';')[0]?.trim() ?? '');
}

type TransportSpec = { type: 'tcp'; channel: number | undefined } | { type: 'udp'; ports: [rtp: number, rtcp: number] };

/** The first of the client's alternatives that the camera offers. */
function chooseTransport(value: string, { config }: Mount): TransportSpec | undefined {
  const offered = config.transports ?? ['tcp', 'udp'];
  for (const alternative of value.split(',')) {
    const spec = parseTransport(alternative.trim());
    if (spec && offered.includes(spec.type)) return spec;
  }
  return undefined;
}

function parseTransport(value: string): TransportSpec | undefined {
  const [protocol = '', ...parameters] = value.split(';').map((part) => part.trim());
  const pair = (name: string): [number, number] | undefined => {
    const match = new RegExp(`^${name}=(\\d{1,5})(?:-(\\d{1,5}))?$`, 'u').exec(parameters.find((part) => part.startsWith(`${name}=`)) ?? '');
    return match ? [Number(match[1]), Number(match[2] ?? Number(match[1]) + 1)] : undefined;
  };
  if (parameters.includes('multicast')) return undefined;
  if (/^RTP\/AVP\/TCP$/iu.test(protocol)) return { type: 'tcp', channel: pair('interleaved')?.[0] };
  const ports = pair('client_port');
  return /^RTP\/AVP(?:\/UDP)?$/iu.test(protocol) && ports ? { type: 'udp', ports } : undefined;
}

async function makeOutlet(spec: TransportSpec, { context: { socket }, session: target }: { context: ConnectionContext; session: Session }): Promise<Outlet> {
  if (spec.type === 'tcp') return tcpOutlet(socket, (spec.channel ?? target.senders.length * 2) & 0xff);
  return udpOutlet({ localAddress: socket.localAddress ?? '127.0.0.1', address: socket.remoteAddress ?? '127.0.0.1', ports: spec.ports, onLife: () => target.touch() });
}
