/** The book of WHEP sessions: one viewer each, gone with its connection, its camera or the credential that opened it. */
import { randomUUID } from 'node:crypto';
import { LookoutError } from '../../errors.ts';
import type { Auth, Identity } from '../auth.ts';
import type { OfferAnswer, ViewerService } from '../control.ts';
import { withDeadline } from '../deadline.ts';
import type { StreamName } from '../protocol.ts';
import type { Offer } from './offer.ts';

/** A session that was opened. */
export type WhepSession = { id: string; answer: OfferAnswer };

/** Opens and closes them. */
export type WhepSessions = {
  /** Throws what `ViewerService` throws, `LOOKOUT_RATE_LIMITED` where `address` holds too many, and `LOOKOUT_DEADLINE`. */
  open(request: { camera: string; stream: StreamName; offer: Offer; identity: Identity; address: string }): Promise<WhepSession>;
  /** Throws `LOOKOUT_VIEWER_NOT_FOUND`, also where another credential opened it. */
  close(request: { camera: string; id: string; identity: Identity }): Promise<void>;
  /** The same as a question. */
  must(request: { camera: string; id: string; identity: Identity }): void;
  stop(): void;
};

type Entry = { id: string; camera: string; identity: Identity; holder: string };
type Options = { viewers: ViewerService; auth: Auth; most: number; requestMs: number };

const expiryCheckMs = 5_000;

/** Makes an empty book. */
export function createWhepSessions({ viewers, auth, most, requestMs }: Options): WhepSessions {
  const entries = new Map<string, Entry>();
  /** Every session is an owner of its own: what it holds ends by its id alone. */
  const end = ({ id }: Entry): void => {
    entries.delete(id);
    viewers.leaveAll(id);
  };
  const endWhere = (ends: (identity: Identity) => boolean): void => {
    for (const entry of [...entries.values()]) if (ends(entry.identity)) end(entry);
  };
  auth.onEnd((key) => endWhere((identity) => identity.key === key));
  const expiry = setInterval(() => endWhere(({ expiresAt }) => expiresAt <= Date.now()), expiryCheckMs).unref();

  const find = ({ camera, id, identity }: { camera: string; id: string; identity: Identity }): Entry => {
    const entry = entries.get(id);
    if (!entry || entry.camera !== camera || entry.identity.token !== identity.token) throw new LookoutError('LOOKOUT_VIEWER_NOT_FOUND', { message: 'There is no such session.' });
    return entry;
  };
  return {
    async open({ camera, stream, offer: { video, dtls }, identity, address }) {
      const holder = `${identity.token} ${address}`;
      if ([...entries.values()].filter((entry) => entry.holder === holder).length >= most) throw new LookoutError('LOOKOUT_RATE_LIMITED', { message: `One address holds at most ${most} viewers.` });
      const entry: Entry = { id: randomUUID(), camera, identity, holder };
      const { id: owner } = entry;
      // Counted from now on, so that a flood of offers cannot pass the limit.
      entries.set(owner, entry);
      try {
        const answer = await withDeadline(async (deadline) => {
          const { viewer } = await viewers.join({ camera, stream, owner, notify: { viewer: () => undefined, gone: () => void entries.delete(owner) } });
          if (deadline.passed || !entries.has(owner)) throw new LookoutError('LOOKOUT_DEADLINE');
          return viewers.answer({ viewer, owner, video, dtls });
        }, requestMs, 'offer');
        if (!entries.has(owner)) throw new LookoutError('LOOKOUT_VIEWER_NOT_FOUND', { message: 'The session ended while it was being made.' });
        return { id: owner, answer };
      } catch (error) {
        end(entry);
        throw error;
      }
    },
    async close(request) {
      end(find(request));
    },
    must: (request) => void find(request),
    stop: () => clearInterval(expiry),
  };
}
