/** The index of recordings in SQLite: every statement of it. Runs in the store's thread only. */
import type { DatabaseSync } from 'node:sqlite';
import type { Segment, SegmentGap, SegmentQuery, SegmentUsage } from './types.ts';

/** What the thread is asked about segments. */
export type SegmentRequest =
  | { type: 'segments.put'; segments: Segment[] }
  | { type: 'segments.list'; query: SegmentQuery }
  | { type: 'segments.get'; id: string }
  | { type: 'segments.remove'; ids: string[] }
  | { type: 'segments.before'; camera: string; at: number }
  | { type: 'segments.oldest'; camera: string | null; limit: number }
  | { type: 'segments.usage' };

type Row = Omit<Segment, 'closed' | 'gapBefore'> & { closed: number; gapBefore: string | null };

const columns = 'id, camera, path, start_at AS startAt, end_at AS endAt, duration_ms AS durationMs, bytes, frames, codec, width, height, sound, closed, gap_before AS gapBefore';

/** Binds the statements. */
export function segmentsOf(db: DatabaseSync): (request: SegmentRequest) => unknown {
  const put = db.prepare('INSERT OR REPLACE INTO segments (id, camera, path, start_at, end_at, duration_ms, bytes, frames, codec, width, height, sound, closed, gap_before) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const get = db.prepare(`SELECT ${columns} FROM segments WHERE id = ?`);
  const remove = db.prepare('DELETE FROM segments WHERE id = ?');
  const before = db.prepare(`SELECT ${columns} FROM segments WHERE camera = ? AND start_at < ? ORDER BY start_at DESC LIMIT 1`);
  const ofAll = 'start_at < ? AND (end_at IS NULL OR end_at > ?) AND (start_at, id) < (?, ?) ORDER BY start_at DESC, id DESC LIMIT ?';
  const list = db.prepare(`SELECT ${columns} FROM segments WHERE ${ofAll}`);
  const listCameras = db.prepare(`SELECT ${columns} FROM segments WHERE camera IN (SELECT value FROM json_each(?)) AND ${ofAll}`);
  const oldest = db.prepare(`SELECT ${columns} FROM segments WHERE closed = 1 ORDER BY start_at LIMIT ?`);
  const oldestOfCamera = db.prepare(`SELECT ${columns} FROM segments WHERE camera = ? AND closed = 1 ORDER BY start_at LIMIT ?`);
  const usage = db.prepare('SELECT camera, sum(bytes) AS bytes, count(*) AS files, min(start_at) AS oldestAt FROM segments WHERE closed = 1 GROUP BY camera');

  return (request) => {
    switch (request.type) {
      case 'segments.put':
        return together(db, () => {
          for (const { id, camera, path, startAt, endAt, durationMs, bytes, frames, codec, width, height, sound, closed, gapBefore } of request.segments) {
            put.run(id, camera, path, startAt, endAt, durationMs, bytes, frames, codec, width, height, sound, closed ? 1 : 0, gapBefore === null ? null : JSON.stringify(gapBefore));
          }
        });
      case 'segments.remove': return together(db, () => request.ids.forEach((id) => remove.run(id)));
      case 'segments.get': return segment(get.get(request.id));
      case 'segments.before': return segment(before.get(request.camera, request.at));
      case 'segments.list': {
        const { cameras, from, to, limit, after } = request.query;
        const page = [to ?? Number.MAX_SAFE_INTEGER, from ?? 0, after?.startAt ?? Number.MAX_SAFE_INTEGER, after?.id ?? '', limit] as const;
        return (cameras === undefined ? list.all(...page) : listCameras.all(JSON.stringify(cameras), ...page)).map(segment);
      }
      case 'segments.oldest': return (request.camera === null ? oldest.all(request.limit) : oldestOfCamera.all(request.camera, request.limit)).map(segment);
      case 'segments.usage': return usage.all().map((row) => ({ ...(row as SegmentUsage) }));
    }
  };
}

function together(db: DatabaseSync, work: () => void): null {
  db.exec('BEGIN IMMEDIATE');
  try {
    work();
    db.exec('COMMIT');
  } catch (error) {
    // SQLITE_FULL may have rolled back already, and then ROLLBACK itself is the error.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
  return null;
}

function segment(row: unknown): Segment | undefined {
  if (row === undefined) return undefined;
  const { closed, gapBefore, ...rest } = row as Row;
  return { ...rest, closed: closed === 1, gapBefore: gapBefore === null ? null : JSON.parse(gapBefore) as SegmentGap };
}
