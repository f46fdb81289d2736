/** Why a camera is as it is, since when, what happened before, and when the next try is: one answer for somebody at 3 a.m. */
import type { AvailabilityView, CameraView, EventView, ExplanationView, IncidentView } from '../api/protocol.ts';
import { durationText } from '../machines/duration.ts';
import type { Trace } from './observer.ts';

/** What an explanation is made of. `rows`: the newest of the journal, newest first. */
export type ExplanationFacts = {
  camera: CameraView;
  trace: Trace | undefined;
  /** The policy's own words about the delay or the quarantine. */
  decision: string | null;
  rows: EventView[];
  availability: AvailabilityView;
  incident: IncidentView | null;
  now: number;
};

/** Joins the facts. */
export function explain({ camera, trace, decision, rows, availability, incident, now }: ExplanationFacts): ExplanationView {
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
    availability,
  };
}

function sentence(camera: CameraView, lostAt: number | null, decision: string | null, now: number): string {
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
      return 'Nobody watches this on-demand camera; it connects with the first viewer.';
    case 'stopped':
      return `Stopped by an operator ${lasted} ago.`;
  }
}
