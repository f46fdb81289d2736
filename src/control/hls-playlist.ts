/** Playlists as RFC 8216 writes them, and the window of a live one that only ever goes on. Pure. */

/** A segment in a playlist; `uri` and `map` relative to it. `startAt` in ms since the epoch. */
export type PlaylistSegment = { uri: string; map: string | null; startAt: number; durationMs: number; discontinuity: boolean };

/** A playlist to write. */
export type Playlist = { sequence: number; discontinuities: number; targetMs: number; segments: readonly PlaylistSegment[] };

/** The window of a live playlist. Numbers never go back, whatever happens to the source. */
export type Window = Playlist & { /** The next segment follows another source. */ broken: boolean };

/**
 * A window before its first segment. Segments are numbered from where no earlier run of the program can have been; the
 * discontinuities are not, since hls.js 1.7 keeps an array by that number and walks it: 23 s without an answer for 1.8 · 10⁹.
 */
export function emptyWindow(now: number, targetMs: number): Window {
  return { sequence: Math.floor(now / 1_000), discontinuities: 0, targetMs, segments: [], broken: false };
}

/** With one more segment, and none more than `most`. */
export function appended(window: Window, segment: Omit<PlaylistSegment, 'discontinuity'>, most: number): Window {
  const segments = [...window.segments, { ...segment, discontinuity: window.broken || changesMap(window, segment) }];
  const next = { ...window, broken: false, segments, targetMs: Math.max(window.targetMs, Math.ceil(segment.durationMs / 1_000) * 1_000) };
  return dropped(next, Math.max(0, segments.length - most));
}

/** Sound that came or went, another picture: what plays must begin anew (RFC 8216 §4.3.2.3). */
function changesMap({ segments }: Window, { map }: Pick<PlaylistSegment, 'map'>): boolean {
  const last = segments.at(-1);
  return last !== undefined && last.map !== map;
}

/** Without its first segments. */
export function dropped(window: Window, count: number): Window {
  const gone = window.segments.slice(0, count);
  return { ...window, segments: window.segments.slice(count), sequence: window.sequence + gone.length, discontinuities: window.discontinuities + gone.filter(({ discontinuity }) => discontinuity).length };
}

/** The text. `token`, where the playlist was fetched with one, goes into every URI in it; `whole`: nothing will follow. */
export function playlistText({ sequence, discontinuities, targetMs, segments }: Playlist, token?: string, whole = false): string {
  const uri = (path: string): string => (token === undefined ? path : `${path}?token=${encodeURIComponent(token)}`);
  const lines = [
    '#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS', `#EXT-X-TARGETDURATION:${Math.round(targetMs / 1_000)}`,
    ...(whole ? ['#EXT-X-PLAYLIST-TYPE:VOD'] : []), `#EXT-X-MEDIA-SEQUENCE:${sequence}`, `#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuities}`,
  ];
  let map: string | null = null;
  for (const segment of segments) {
    if (segment.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
    if (segment.map !== null && (segment.map !== map || segment.discontinuity)) lines.push(`#EXT-X-MAP:URI="${uri(segment.map)}"`);
    map = segment.map;
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startAt).toISOString()}`);
    lines.push(`#EXTINF:${(segment.durationMs / 1_000).toFixed(3)},`, uri(segment.uri));
  }
  if (whole) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}
