/** One simulated camera: its tracks' timelines, its sessions, its behaviour, its figures. Knows no RTSP syntax. */
import { createVerifier } from '../rtsp/auth.ts';
import type { Verifier } from '../rtsp/auth.ts';
import { damageOf } from './damage.ts';
import { Mutator, type Mutant } from './mutator.ts';
import { readReplay } from './replay.ts';
import type { Replay } from './replay.ts';
import { ReplayStream, startOfTrack } from './replay-stream.ts';
import { Session } from './session.ts';
import type { Client } from './session.ts';
import type { Ticker } from './ticker.ts';
import { Timeline } from './timeline.ts';
import { loadTrack } from './track.ts';
import type { Track } from './track.ts';
import { healthy } from './types.ts';
import type { Behaviour, Incident, MountConfig, MountStats } from './types.ts';

const realm = 'camera-sim';
const noOne = { username: '', password: '' };

/** A camera. The simulator owns its listener and hears of changes through `onListen`. */
export class Mount {
  readonly config: MountConfig;
  readonly verifier: Verifier;
  readonly clients = new Set<Client>();
  readonly sessions = new Map<string, Session>();
  /** The recording it follows, if it follows one. */
  readonly replay: Replay | undefined;
  readonly #streams = new WeakMap<Session, ReplayStream>();
  readonly #ticker: Ticker;
  readonly #onListen: () => void;
  readonly #tick = (nowMs: number): void => this.#emit(nowMs);
  #timelines: Timeline[] = [];
  #behaviour: Behaviour = healthy;
  #mutation: { mutator: Mutator; timer: NodeJS.Timeout } | undefined;
  #boot: { phase: 'down' | 'unavailable'; status: number; timer: NodeJS.Timeout } | undefined;
  #counts = { accepted: 0, packets: 0, bytes: 0, unitsDropped: 0, timedOut: 0, requests: {} as Record<string, number>, statuses: {} as Record<string, number> };

  constructor(config: MountConfig, { ticker, onListen }: { ticker: Ticker; onListen: () => void }) {
    this.config = config;
    this.#ticker = ticker;
    this.#onListen = onListen;
    this.replay = config.replay && readReplay(config.replay);
    this.verifier = createVerifier({ scheme: 'digest-md5', credentials: noOne, realm, ...config.auth });
    this.#startTimelines(config.phase === 'random' ? Math.random() * 10 : config.phase ?? 0);
  }

  get behaviour(): Behaviour {
    return this.#behaviour;
  }

  /** The camera's tracks in the order of its SDP. */
  get tracks(): Track[] {
    return this.#timelines.map(({ track }) => track);
  }

  /** Whether its port should accept connections. */
  get listening(): boolean {
    return this.#behaviour.listen === 'open' && this.#boot?.phase !== 'down' && this.replay?.refuses !== true;
  }

  /** Changes parts of the behaviour, at once. */
  script(change: Partial<Behaviour>): void {
    const next = { ...this.#behaviour, ...change };
    for (const timeline of this.#timelines) {
      timeline.freeze(next.timestamps === 'frozen');
      if (timeline.track.kind === 'video') timeline.pace(next.speed);
    }
    this.#behaviour = next;
    this.#onListen();
  }

  /** Lets something happen. */
  act(incident: Incident): void {
    if (incident.type === 'close' || incident.type === 'reset') this.#disconnect(incident.type);
    else if (incident.type === 'jump') for (const timeline of this.#timelines) timeline.jump(incident.seconds);
    else if (incident.type === 'bye') this.#goodbye(incident.close);
    else if (incident.type === 'change') this.#change(incident);
    else if (incident.type === 'mutate') this.#mutate(incident.mutant);
    else this.#reboot(incident);
  }

  /** The status that a request with this method must get, if the camera is scripted to refuse it. Counts it. */
  refusal(method: string): number | undefined {
    if (this.#boot && method !== 'OPTIONS') return this.#boot.status;
    const { status } = this.#behaviour;
    if (!status || !(status.methods ?? [method === 'OPTIONS' ? '' : method]).includes(method)) return undefined;
    const left = status.count === undefined ? undefined : status.count - 1;
    this.#behaviour = { ...this.#behaviour, status: left === 0 ? null : { ...status, ...(left === undefined ? {} : { count: left }) } };
    return status.code;
  }

  count(what: { accepted?: true; method?: string; status?: number }): void {
    const { requests, statuses } = this.#counts;
    if (what.accepted) this.#counts.accepted += 1;
    if (what.method !== undefined) requests[what.method] = (requests[what.method] ?? 0) + 1;
    if (what.status !== undefined) statuses[what.status] = (statuses[what.status] ?? 0) + 1;
  }

  /** A new session, or undefined where the camera serves no more. */
  open(client: Client): Session | undefined {
    if (this.sessions.size >= (this.config.maxSessions ?? Number.POSITIVE_INFINITY)) return undefined;
    const session = new Session(client);
    this.sessions.set(session.id, session);
    return session;
  }

  /** Starts sending to a session, which gets a sender report before its first packet. */
  play(session: Session): void {
    const nowMs = performance.now();
    this.#wake(nowMs);
    session.playing = true;
    if (this.replay) this.#streams.set(session, new ReplayStream(this.replay, nowMs));
    else this.#report(session, nowMs);
  }

  /** The SSRC of a recorded track. */
  ssrcOf(kind: Track['kind']): number | undefined {
    return this.replay && startOfTrack(this.replay, kind)?.ssrc;
  }

  /** A replay is over for this client: it ends as the recording did. */
  finish(client: Client): void {
    const ending = this.replay?.ending;
    if (ending === 'reset' || ending === 'close') client[ending]();
  }

  /**
   * Where each of a session's streams continues, for RTP-Info. The RTP times are those of one common instant, the start of
   * the range (RFC 2326 §12.33): with each track's own next unit instead, rtspsrc plays picture and sound apart until RTCP corrects it.
   */
  positions(session: Session): { track: number; sequence: number; rtptime: number }[] {
    this.#wake(performance.now());
    const startMs = Math.min(...this.#timelines.map(({ nextDueMs }) => nextDueMs));
    return session.senders.flatMap((sender) => {
      const track = this.#timelines.findIndex((timeline) => timeline.track.kind === sender.kind);
      const recorded = this.replay && startOfTrack(this.replay, sender.kind);
      if (recorded) return [{ track, sequence: recorded.sequence, rtptime: recorded.timestamp }];
      return track === -1 ? [] : [{ track, sequence: sender.sequence, rtptime: ((this.#timelines[track] as Timeline).ticksAt(startMs) + sender.timestampOffset) >>> 0 }];
    });
  }

  /** Ends a session and keeps its figures. */
  end(session: Session): void {
    if (!this.sessions.delete(session.id)) return;
    session.close();
    for (const { packets, octets, droppedUnits } of session.senders) {
      this.#counts.packets += packets;
      this.#counts.bytes += octets;
      this.#counts.unitsDropped += droppedUnits;
    }
  }

  /** Ends sessions that showed no life, and closes their connections. */
  expire(nowMs: number): void {
    if (this.config.keepAlive === 'off') return;
    const limitMs = (this.config.sessionTimeoutSeconds ?? 60) * 1000;
    for (const session of this.sessions.values()) {
      if (session.idleMs(nowMs) < limitMs) continue;
      this.#counts.timedOut += 1;
      this.end(session);
      session.client.close();
    }
  }

  stats(): Omit<MountStats, 'url'> {
    const sessions = [...this.sessions.values()];
    const senders = sessions.flatMap((session) => session.senders);
    const { packets, bytes, unitsDropped, requests, statuses, ...rest } = this.#counts;
    return {
      ...rest, requests: { ...requests }, statuses: { ...statuses },
      connections: this.clients.size, mutates: this.#mutation !== undefined, sessions: sessions.length, playing: sessions.filter(({ playing }) => playing).length,
      packets: senders.reduce((sum, sender) => sum + sender.packets, packets),
      bytes: senders.reduce((sum, sender) => sum + sender.octets, bytes),
      unitsDropped: senders.reduce((sum, sender) => sum + sender.droppedUnits, unitsDropped),
    };
  }

  close(): void {
    clearTimeout(this.#boot?.timer);
    clearTimeout(this.#mutation?.timer);
    this.#disconnect('reset');
  }

  #mutate(mutant: Mutant): void {
    const mutator = new Mutator(mutant);
    clearTimeout(this.#mutation?.timer);
    this.#mutation = { mutator, timer: setTimeout(() => (this.#mutation = undefined), mutant.ms) };
  }

  #startTimelines(phaseSeconds: number): void {
    const { video, audio } = this.config;
    const names = this.replay?.clips.map(({ clip }) => clip) ?? [video, audio];
    const originMs = performance.now();
    this.#timelines = names.flatMap((name) => {
      if (name === null || name === undefined) return [];
      const track = loadTrack(name);
      return [new Timeline(track, { originMs, position: Math.floor(phaseSeconds * track.clockRate / track.unitTicks) })];
    });
  }

  #wake(nowMs: number): void {
    if (![...this.sessions.values()].some(({ playing }) => playing)) for (const timeline of this.#timelines) timeline.skipTo(nowMs - this.#behaviour.delayMs);
    this.#ticker.add(this.#tick);
  }

  #emit(nowMs: number): void {
    const playing = [...this.sessions.values()].filter((session) => session.playing);
    if (playing.length === 0) return this.#ticker.remove(this.#tick);
    if (this.replay) return playing.forEach((session) => this.#emitReplay(session, nowMs));
    for (const timeline of this.#timelines) this.#emitTrack(timeline, { nowMs, playing });
    for (const session of playing) this.#report(session, nowMs);
  }

  #emitReplay(session: Session, nowMs: number): void {
    if (this.#behaviour.media === 'none' || this.#streams.get(session)?.emit(nowMs, session.senders)) return;
    session.playing = false;
    this.finish(session.client);
  }

  #emitTrack(timeline: Timeline, { nowMs, playing }: { nowMs: number; playing: Session[] }): void {
    const { media, keyframes, delayMs } = this.#behaviour;
    const { kind } = timeline.track;
    const flows = media === 'all' || media === `${kind}-only`;
    const damage = damageOf(this.#behaviour);
    for (let due = timeline.take(nowMs - delayMs); due; due = timeline.take(nowMs - delayMs)) {
      if (!flows || (!keyframes && kind === 'video' && due.unit.keyframe)) continue;
      const mutated = this.#mutation ? this.#mutation.mutator.take(due, timeline.track) : { due, alter: damage, control: undefined };
      if (!mutated) continue;
      for (const sender of playing.flatMap(({ senders }) => senders.filter((each) => each.kind === kind))) {
        mutated.control?.(sender);
        sender.send(mutated.due, mutated.alter);
      }
    }
  }

  /** A camera that is scripted to be silent sends no reports either. */
  #report(session: Session, nowMs: number): void {
    if (this.#behaviour.media === 'none') return;
    for (const sender of session.senders) {
      const timeline = this.#timelines.find(({ track }) => track.kind === sender.kind);
      if (timeline) sender.report(nowMs, timeline.ticksAt(nowMs));
    }
  }

  #disconnect(how: 'close' | 'reset'): void {
    for (const session of this.sessions.values()) this.end(session);
    for (const client of this.clients) client[how]();
  }

  #goodbye(close: boolean): void {
    for (const session of this.sessions.values()) {
      session.playing = false;
      for (const sender of session.senders) sender.goodbye();
    }
    if (close) this.#disconnect('close');
  }

  #change({ video, reconnect }: Extract<Incident, { type: 'change' }>): void {
    const timeline = this.#timelines.find(({ track }) => track.kind === 'video');
    if (!timeline) throw new Error(`Camera ${this.config.name} has no video track to change`);
    timeline.play(loadTrack(video));
    if (reconnect) this.#disconnect('close');
  }

  #reboot({ seconds, unavailableMs = 0, status = 503 }: Extract<Incident, { type: 'reboot' }>): void {
    clearTimeout(this.#boot?.timer);
    const enter = (phase: 'down' | 'unavailable', ms: number, then: () => void): void => {
      this.#boot = { phase, status, timer: setTimeout(then, ms) };
      this.#onListen();
    };
    const up = (): void => {
      this.#boot = undefined;
      this.#startTimelines(0);
      this.script({});
    };
    enter('down', seconds * 1000, () => enter('unavailable', unavailableMs, up));
    this.#disconnect('reset');
  }
}
