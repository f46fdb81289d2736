/** Signed links: one camera for a while, by an address alone, for players and people that have no token. */
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { LookoutError } from '../errors.ts';
import { openKey } from '../store/cipher.ts';
import type { Store } from '../store/types.ts';
import { hashToken, sameText, type Identity } from './auth.ts';

/** What a link opens. */
export type LinkPath = 'hls' | 'whep';

/** Makes and reads them. */
export type Links = {
  /** The text that goes where a token may be in an address; `expiresAt` in ms since the epoch. */
  make(request: { camera: string; path: LinkPath; expiresAt: number; maker: Identity }): string;
  /** Throws `LOOKOUT_UNAUTHENTICATED` for one that is forged, expired, for another path, or of a maker whose token is gone. */
  identify(text: string, url: string): Promise<Identity>;
};

/** In front of every link's text, for tokens and links are told apart by it. */
const prefix = 'link.';
/** Longer than any link of ours. */
const longest = 512;
const claims = Compile(Type.Object({ camera: Type.String(), path: Type.String(), until: Type.Integer(), maker: Type.String() }, { additionalProperties: false }));

/** True where a text in the place of a token is a link. */
export const isLink = (text: string): boolean => text.startsWith(prefix);

/** Opens the key in the data directory, or makes it, readable by us alone. */
export function createLinks({ dir, tokens }: { dir: string; tokens: Pick<Store['tokens'], 'has'> }): Links {
  const key = openKey(join(dir, 'links.key'));
  const sign = (body: string): string => createHmac('sha256', key).update(`lookout link ${body}`).digest('base64url');
  return {
    make({ camera, path, expiresAt, maker }) {
      const body = Buffer.from(JSON.stringify({ camera, path, until: expiresAt, maker: maker.token })).toString('base64url');
      return `${prefix}${body}.${sign(body)}`;
    },
    async identify(text, url) {
      const [body = '', signature = '', ...rest] = text.length > longest ? [] : text.slice(prefix.length).split('.');
      if (rest.length > 0 || !sameText(signature, sign(body))) throw invalid();
      const said: unknown = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
      if (!claims.Check(said) || !url.startsWith(`/${said.path}/`)) throw invalid();
      if (said.until <= Date.now()) throw invalid('This link has expired.');
      if (!(await tokens.has(said.maker))) throw invalid();
      return { name: 'link', role: 'viewer', cameras: [said.camera], via: 'token', key: hashToken(text), token: said.maker, expiresAt: said.until };
    },
  };
}

const invalid = (message = 'This link is not valid.') => new LookoutError('LOOKOUT_UNAUTHENTICATED', { message });
