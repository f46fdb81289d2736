/** The one redacting type: a camera's address whose credentials show only where `reveal()` is called. */
import { inspect } from 'node:util';
import { LookoutError } from './errors.ts';

const defaultPorts = { 'rtsp:': 554, 'rtsps:': 322 } as const;

/**
 * An `rtsp://` or `rtsps://` address (RFC 2326 §3.2, RFC 7826 §4.2). Printing, serialising and inspecting it give the
 * address without user and password; only {@link CameraUrl.reveal} and {@link CameraUrl.credentials} give them back.
 */
export class CameraUrl {
  readonly #url: URL;

  private constructor(url: URL) {
    this.#url = url;
  }

  /** Parses and checks. Throws {@link LookoutError} `LOOKOUT_CAMERA_URL`, whose message never repeats the input. */
  static parse(text: string): CameraUrl {
    let url: URL;
    try {
      url = new URL(text);
    } catch {
      throw new LookoutError('LOOKOUT_CAMERA_URL', { message: 'The camera URL cannot be parsed: it must look like rtsp://host:554/path.' });
    }
    if (url.protocol !== 'rtsp:' && url.protocol !== 'rtsps:') {
      throw new LookoutError('LOOKOUT_CAMERA_URL', { message: `The camera URL must begin with rtsp:// or rtsps://, not ${url.protocol}//` });
    }
    if (url.hostname === '') throw new LookoutError('LOOKOUT_CAMERA_URL', { message: 'The camera URL names no host.' });
    if (/[\s"'\\]/u.test(text)) throw new LookoutError('LOOKOUT_CAMERA_URL', { message: 'The camera URL holds white space or quotes: percent-encode them.' });
    return new CameraUrl(url);
  }

  /** The whole address, credentials included. Never log, answer or put it on a command line. */
  reveal(): string {
    return this.#url.href;
  }

  /** User name and password, percent-decoded, or undefined where the address has none. */
  get credentials(): { username: string; password: string } | undefined {
    if (this.#url.username === '' && this.#url.password === '') return undefined;
    return { username: decode(this.#url.username), password: decode(this.#url.password) };
  }

  /** Host name or address, without brackets around an IPv6 address. */
  get host(): string {
    return this.#url.hostname.replace(/^\[|\]$/gu, '');
  }

  /** TCP port; 554 for rtsp, 322 for rtsps where none is given. */
  get port(): number {
    return this.#url.port === '' ? defaultPorts[this.#url.protocol as keyof typeof defaultPorts] : Number(this.#url.port);
  }

  /** True for `rtsps`. */
  get secure(): boolean {
    return this.#url.protocol === 'rtsps:';
  }

  /** The address without user and password: what RTSP request lines, answers and logs carry. */
  get safe(): string {
    const copy = new URL(this.#url.href);
    copy.username = '';
    copy.password = '';
    return copy.href;
  }

  toString(): string {
    return this.safe;
  }

  toJSON(): string {
    return this.safe;
  }

  [inspect.custom](): string {
    return this.safe;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Replaces the credentials of every RTSP address inside a text, for messages that come from elsewhere. */
export function redactText(text: string): string {
  return text.replace(/(rtsps?:\/\/)[^\s/"']*@/giu, '$1');
}
