/** Opens the store: cameras, journal, tokens, sessions and settings on SQLite, in a thread of its own. */
import { join } from 'node:path';
import type { Log } from '../log.ts';
import { createJournal } from './journal.ts';
import { startStoreThread } from './thread.ts';
import type { Store } from './types.ts';

const defaultRowsPerCamera = 5000;
const defaultRecordingsPerCamera = 20;

/** Where the store lives: `dir` gets `lookout.db` and, unless `secretFile` says otherwise, `secret.key`. */
export type StoreOptions = { dir: string; secretFile?: string; rowsPerCamera?: number; flightsPerCamera?: number; log: Log };

/**
 * Opens or makes the database. Rejects with `LOOKOUT_STORE_UNAVAILABLE` and the reason where nothing could be kept
 * (no permission, wrong key, written by a newer program); a damaged database is moved aside and a new one begun.
 */
export async function openStore({ dir, secretFile, rowsPerCamera, flightsPerCamera, log }: StoreOptions): Promise<Store> {
  const bounds = { rowsPerCamera: rowsPerCamera ?? defaultRowsPerCamera, flightsPerCamera: flightsPerCamera ?? defaultRecordingsPerCamera };
  const thread = await startStoreThread({ dir, secretFile: secretFile ?? join(dir, 'secret.key'), ...bounds }, { log });
  const journal = createJournal(thread, log);
  const { append, list, transitions, flush, recording, forgetRecordings } = journal;
  return {
    cameras: {
      list: () => thread.ask({ type: 'cameras.list' }),
      put: async (camera) => void (await thread.ask({ type: 'cameras.put', camera })),
      async remove(id) {
        forgetRecordings(id);
        await thread.ask({ type: 'cameras.remove', id });
      },
    },
    journal: { append, list, transitions, flush },
    segments: {
      put: async (...segments) => void (await thread.ask({ type: 'segments.put', segments })),
      list: (query) => thread.ask({ type: 'segments.list', query }),
      get: (id) => thread.ask({ type: 'segments.get', id }),
      remove: async (...ids) => void (await thread.ask({ type: 'segments.remove', ids })),
      before: (camera, at) => thread.ask({ type: 'segments.before', camera, at }),
      oldest: (camera, limit) => thread.ask({ type: 'segments.oldest', camera, limit }),
      usage: () => thread.ask({ type: 'segments.usage' }),
    },
    flights: {
      find: recording,
      async remove(camera) {
        forgetRecordings(camera);
        await thread.ask({ type: 'flights.remove', camera });
      },
    },
    tokens: {
      put: async (token) => void (await thread.ask({ type: 'tokens.put', ...token })),
      add: (token) => thread.ask({ type: 'tokens.add', token }),
      find: (hash) => thread.ask({ type: 'tokens.find', hash }),
      has: (id) => thread.ask({ type: 'tokens.has', id }),
      list: () => thread.ask({ type: 'tokens.list' }),
      remove: (id) => thread.ask({ type: 'tokens.remove', id }),
    },
    sessions: {
      put: async (session) => void (await thread.ask({ type: 'sessions.put', session })),
      find: (hash) => thread.ask({ type: 'sessions.find', hash }),
      remove: async (hash) => void (await thread.ask({ type: 'sessions.remove', hash })),
    },
    settings: {
      get: (key) => thread.ask({ type: 'settings.get', key }),
      put: async (key, value) => void (await thread.ask({ type: 'settings.put', key, value })),
    },
    status() {
      const reason = thread.failing();
      return { ok: reason === null, reason, droppedEvents: journal.dropped(), pendingEvents: journal.pending() };
    },
    async close() {
      await journal.flush();
      journal.stop();
      await thread.close();
    },
  };
}
