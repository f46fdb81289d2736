/** Recordings and exports over REST, and where their films are. */
import type { ExportView, RecordingView } from '../../src/api/protocol.ts';
import type { CameraSpan, Recordings } from './adapter.ts';
import { rest } from './rest.ts';

const pageSize = 1_000;
/** A day of files of 30 s; more is told to be more. */
const maxPages = 3;

const query = ({ from, to }: CameraSpan): string => `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;

/** Of the same origin. */
export const recordings: Recordings = {
  list: async (span) => {
    const found: RecordingView[] = [];
    let after: string | null = null;
    for (let page = 0; page < maxPages; page += 1) {
      const answer: { recordings: RecordingView[]; next: string | null } = await rest(`api/v1/recordings?camera=${encodeURIComponent(span.camera)}&${query(span)}&limit=${pageSize}${after === null ? '' : `&after=${encodeURIComponent(after)}`}`);
      found.push(...answer.recordings);
      after = answer.next;
      if (after === null) break;
    }
    return { recordings: found.reverse(), all: after === null };
  },
  playlist: (span) => `hls/${encodeURIComponent(span.camera)}/recorded.m3u8?${query(span)}`,
  exports: async () => (await rest<{ exports: ExportView[] }>('api/v1/exports')).exports,
  export: ({ camera, from, to }, format) => rest<ExportView>('api/v1/exports', { method: 'POST', body: { camera, from: new Date(from).toISOString(), to: new Date(to).toISOString(), format } }),
  exportFile: (id) => `api/v1/exports/${encodeURIComponent(id)}/file`,
  removeExport: async (id) => {
    await rest(`api/v1/exports/${encodeURIComponent(id)}`, { method: 'DELETE' });
  },
};
