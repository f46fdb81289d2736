/** Why a camera is as it is, since when, what happened before, and when the next try is: one answer for somebody at 3 a.m. */
import type { AvailabilityView, EventView, ExplanationView, IncidentView, SubView } from '../api/protocol.ts';
import { durationText } from '../machines/duration.ts';
import type { Trace } from './observer.ts';

/** What an explanation is made of. `rows`: the newest of the journal, newest first. */
export type ExplanationFacts = {
  /** Its health, or that of its second stream; `id` is the camera's. */
  camera: Pick<SubView, 'state' | 'substate' | 'since' | 'lastError' | 'nextRetryAt' | 'attempt'> & { id: string };
  trace: Trace | undefined;
  /** The policy's own words about the delay or the quarantine. */
  decision: string | null;
  rows: EventView[];
  incident: IncidentView | null;
  now: number;
};

/** Joins the facts of a camera, with its availability and the explanation of its second stream. */
export function explain(facts: ExplanationFacts, availability: AvailabilityView, sub?: ExplanationFacts): ExplanationView {
  return { ...explainStream(facts), availability, ...(sub && { sub: explainStream(sub) }) };
}

function explainStream({ camera, trace, decision, rows, incident, now }: ExplanationFacts): NonNullable<ExplanationView['sub']> {
  const lost = trace?.lost ?? null;
  const evidence = rows.find(({ to, evidence: proof }) => to === 'teardown' && proof !== null)?.evidence ?? null;
  return {
    camera: camera.id,
    state: camera.state,
    substate: camera.substate,
    since: camera.since,
    downSince: lost === null ? null : new Date(lost.at).toISOString(),
    why: sentence(camera, lost?.at ?? null, decision, now) + (incident ? ` It is one of ${incident.cameras.length} cameras that were lost together. ${incident.message}` : ''),
    lastError: camera.lastError,
    evidence: camera.lastError === null ? null : evidence,
    nextRetryAt: camera.nextRetryAt,
    attempts: camera.attempt,
    incident: incident?.id ?? null,
    before: rows,
  };
}

function sentence(camera: ExplanationFacts['camera'], lostAt: number | null, decision: string | null, now: number): string {
  const lasted = durationText(Math.max(0, now - Date.parse(camera.since)));
  const down = lostAt === null ? '' : ` Down for ${durationText(Math.max(0, now - lostAt))}.`;
  const cause = camera.lastError === null ? '' : ` ${camera.lastError.message}`;
  const because = decision === null ? '' : ` (${decision})`;
  switch (camera.state) {
    case 'streaming':
      return camera.substate === 'live' ? `Live for ${lasted}.` : `The connection is open, but no packets arrive since ${lasted}. If none come it is released and connected again.`;
    case 'backoff':
    case 'quarantined':
      return `${camera.state === 'backoff' ? 'Waiting' : 'Quarantined'}${because}; the next try is in ${durationText(Math.max(0, Date.parse(camera.nextRetryAt ?? camera.since) - now))}.${down}${cause}`;
    case 'connecting':
      return `Connecting since ${lasted}: ${camera.substate === 'admitting' ? 'waiting for its turn, too many cameras connect at once' : camera.substate === 'probing' ? 'asking the camera what it offers' : 'starting the stream'}.${down}${camera.attempt > 0 ? cause : ''}`;
    case 'teardown':
      return `Releasing what the last attempt held.${down}${cause}`;
    case 'idle':
      return `Nobody watches, and it is pulled on demand: it connects with the first viewer.${camera.attempt > 0 && cause !== '' ? ` The last attempt failed:${cause}` : ''}`;
    case 'stopped':
      return `Stopped by an operator ${lasted} ago.`;
  }
}
