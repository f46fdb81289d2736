/** RTSP on the wire (RFC 2326, RFC 7826): an incremental, bounded parser of requests, responses and `$` frames, and their serialisers. */

/** Header fields by lower-case name, each with its values in the order received. */
export type RtspHeaders = ReadonlyMap<string, readonly string[]>;

/** A request as it was parsed. */
export type RtspRequest = { type: 'request'; method: string; uri: string; version: string; headers: RtspHeaders; body: Buffer };

/** A response as it was parsed; `reason` may be empty. */
export type RtspResponse = { type: 'response'; status: number; reason: string; version: string; headers: RtspHeaders; body: Buffer };

/** An interleaved frame (RFC 2326 §10.12). `data` is only valid until the next `push`. */
export type RtspFrame = { type: 'frame'; channel: number; data: Buffer };

/** Whatever comes out of an RTSP connection. */
export type RtspItem = RtspRequest | RtspResponse | RtspFrame;

/** Why a connection's bytes are not RTSP. The connection cannot be used any further. */
export class RtspParseError extends Error {
  override readonly name = 'RtspParseError';
  /** `garbage`: not RTSP; `too-large`: a bound was passed; `bad-length`: Content-Length is no number. */
  readonly code: 'garbage' | 'too-large' | 'bad-length';

  constructor(code: RtspParseError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Bounds of a message; a peer that passes one is cut off. */
export type RtspLimits = { maxHeaderBytes: number; maxBodyBytes: number };

const defaultLimits: RtspLimits = { maxHeaderBytes: 16_384, maxBodyBytes: 262_144 };
const dollar = 0x24;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const startLine = /^(?:(?<version>RTSP\/\d\.\d) +(?<status>\d{3})(?: +(?<reason>.*))?|(?<method>[A-Z_]{2,32}) +(?<uri>\S+) +(?<requestVersion>RTSP\/\d\.\d))$/u;
const couldBegin = /^[A-Z_]+(?:$|[ /])/u;

type Head = { message: RtspRequest | RtspResponse; length: number };

/** Cuts a byte stream into {@link RtspItem}s. Feed it with `push`; it keeps at most one incomplete message. */
export class RtspParser {
  readonly #limits: RtspLimits;
  #rest: Buffer = Buffer.alloc(0);
  #head: Head | undefined;

  constructor(limits: Partial<RtspLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits };
  }

  /** Bytes of an item that is not complete yet: 0 at a clean end of the connection. */
  get pendingBytes(): number {
    return this.#rest.length + (this.#head ? 1 : 0);
  }

  /** Everything completed by this chunk. Throws {@link RtspParseError}, after which the parser must not be used again. */
  push(chunk: Buffer): RtspItem[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const items: RtspItem[] = [];
    for (let item = this.#next(); item !== undefined; item = this.#next()) items.push(item);
    return items;
  }

  #next(): RtspItem | undefined {
    if (this.#head) return this.#body(this.#head);
    this.#skipBlank();
    if (this.#rest[0] === dollar) return this.#frame();
    const end = endOfHead(this.#rest);
    if ((end ?? this.#rest.length) > this.#limits.maxHeaderBytes) throw new RtspParseError('too-large', `RTSP header exceeds ${this.#limits.maxHeaderBytes} bytes`);
    if (end === undefined) {
      this.#refuseGarbage();
      return undefined;
    }
    this.#head = parseHead(this.#take(end).toString('utf8'), this.#limits);
    return this.#body(this.#head);
  }

  #body(head: Head): RtspItem | undefined {
    if (this.#rest.length < head.length) return undefined;
    head.message.body = Buffer.from(this.#take(head.length));
    this.#head = undefined;
    return head.message;
  }

  #frame(): RtspFrame | undefined {
    if (this.#rest.length < 4) return undefined;
    const length = this.#rest.readUInt16BE(2);
    if (this.#rest.length < 4 + length) return undefined;
    const bytes = this.#take(4 + length);
    return { type: 'frame', channel: bytes.readUInt8(1), data: bytes.subarray(4) };
  }

  /** Cameras send stray line ends between messages (some pad TEARDOWN answers). */
  #skipBlank(): void {
    let at = 0;
    while (this.#rest[at] === carriageReturn || this.#rest[at] === lineFeed) at += 1;
    if (at > 0) this.#take(at);
  }

  /** Says no at the first bytes that cannot begin a message, instead of waiting for a header end that never comes. */
  #refuseGarbage(): void {
    const first = this.#rest.subarray(0, 32).toString('latin1');
    if (first !== '' && !couldBegin.test(first)) throw new RtspParseError('garbage', 'These bytes are not RTSP');
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }
}

/** First value of a header field, whatever the case of `name`. */
export function header(message: { headers: RtspHeaders }, name: string): string | undefined {
  return message.headers.get(name.toLowerCase())?.[0];
}

/** All values of a header field: cameras that offer Basic and Digest send `WWW-Authenticate` twice. */
export function headerValues(message: { headers: RtspHeaders }, name: string): readonly string[] {
  return message.headers.get(name.toLowerCase()) ?? [];
}

/** Header fields to write; undefined ones are left out, arrays give one line per value. */
export type HeaderFields = Record<string, string | number | readonly string[] | undefined>;

/** A request, ready to be sent. Content-Length is added where there is a body. */
export function serialiseRequest(request: { method: string; uri: string; headers: HeaderFields; body?: string }): Buffer {
  return serialise(`${request.method} ${request.uri} RTSP/1.0`, request.headers, request.body);
}

/** A response, ready to be sent. Content-Length is added where there is a body. */
export function serialiseResponse(response: { status: number; reason?: string; headers: HeaderFields; body?: string }): Buffer {
  return serialise(`RTSP/1.0 ${response.status} ${response.reason ?? reasonPhrase(response.status)}`, response.headers, response.body);
}

/** Wraps a packet for an interleaved channel. */
export function interleave(channel: number, data: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(4 + data.length);
  frame.writeUInt8(dollar, 0);
  frame.writeUInt8(channel, 1);
  frame.writeUInt16BE(data.length, 2);
  frame.set(data, 4);
  return frame;
}

/** A message that was parsed, as text again: field names are lower case, the rest is as it came. */
export function messageText(message: RtspRequest | RtspResponse): string {
  const first = message.type === 'request' ? `${message.method} ${message.uri} ${message.version}` : `${message.version} ${message.status} ${message.reason}`;
  const fields = [...message.headers].flatMap(([name, values]) => values.map((value) => `${name}: ${value}`));
  return [first, ...fields, '', message.body.toString('utf8')].join('\r\n');
}

const reasons: Record<number, string> = {
  200: 'OK', 301: 'Moved Permanently', 302: 'Moved Temporarily', 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found',
  405: 'Method Not Allowed', 451: 'Parameter Not Understood', 453: 'Not Enough Bandwidth', 454: 'Session Not Found',
  455: 'Method Not Valid in This State', 457: 'Invalid Range', 459: 'Aggregate Operation Not Allowed', 461: 'Unsupported Transport',
  500: 'Internal Server Error', 501: 'Not Implemented', 503: 'Service Unavailable', 551: 'Option not supported',
};

/** Standard reason phrase of a status code. */
export function reasonPhrase(status: number): string {
  return reasons[status] ?? 'Unknown';
}

function serialise(first: string, headers: HeaderFields, body: string | undefined): Buffer {
  const lines = [first];
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) lines.push(`${name}: ${String(one).replace(/[\r\n]/gu, ' ')}`);
    }
  }
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`, 'utf8');
}

/** Where the empty line ends; bare line feeds are accepted because some cameras send them. */
function endOfHead(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf(lineFeed); at !== -1; at = bytes.indexOf(lineFeed, at + 1)) {
    if (bytes[at + 1] === lineFeed) return at + 2;
    if (bytes[at + 1] === carriageReturn && bytes[at + 2] === lineFeed) return at + 3;
  }
  return undefined;
}

function parseHead(text: string, limits: RtspLimits): Head {
  // A line that begins with white space continues the one before (RFC 2326 §4).
  const [first = '', ...fields] = text.replace(/\r?\n[ \t]+/gu, ' ').split(/\r?\n/u);
  const match = startLine.exec(first.trimEnd())?.groups;
  if (!match) throw new RtspParseError('garbage', 'The first line is neither an RTSP request nor a response');
  const headers = parseFields(fields);
  const length = contentLength(headers);
  if (length > limits.maxBodyBytes) throw new RtspParseError('too-large', `RTSP body of ${length} bytes exceeds ${limits.maxBodyBytes}`);
  const body = Buffer.alloc(0);
  const message: RtspRequest | RtspResponse = match['method'] === undefined
    ? { type: 'response', status: Number(match['status']), reason: match['reason'] ?? '', version: match['version'] ?? '', headers, body }
    : { type: 'request', method: match['method'], uri: match['uri'] ?? '', version: match['requestVersion'] ?? '', headers, body };
  return { message, length };
}

function parseFields(lines: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    // A line without a colon is dropped, not refused: firmware debug output has been seen between header fields.
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const values = headers.get(name);
    if (values) values.push(value);
    else headers.set(name, [value]);
  }
  return headers;
}

function contentLength(headers: RtspHeaders): number {
  const text = headers.get('content-length')?.[0];
  if (text === undefined || text === '') return 0;
  if (!/^\d{1,9}$/u.test(text)) throw new RtspParseError('bad-length', 'Content-Length is not a number');
  return Number(text);
}
