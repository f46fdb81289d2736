/**
 * Keeps the RTSP connections of this process to the cameras that it was told to pull.
 *
 * rtspsrc (1.22, without a property against it) follows a redirect to wherever an answer names, and logs in there with the camera's
 * password: a camera that is in somebody's hands could make us connect to anything in this network. GIO, which makes its
 * connections, asks glib-networking whether to take a proxy, and that reads the environment: everything goes to a proxy that
 * does not exist, but the cameras.
 */
import { CameraUrl, redactText } from '../../camera-url.ts';
import { failure, type Failure } from '../../errors.ts';

/** Nobody listens there (port 1 of loopback), so that a connection fails at once. */
const nowhere = 'http://127.0.0.1:1';
const variables = ['http_proxy', 'https_proxy', 'all_proxy'];
const allowed = new Set<string>();

/** Before a pipeline of this address starts; those of earlier pipelines stay allowed, whose process this is, too. */
export function allowCamera(address: string): void {
  allowed.add(exceptionFor(CameraUrl.parse(address)));
  for (const name of variables) process.env[name] = nowhere;
  process.env['no_proxy'] = [...allowed].join(',');
}

/** libproxy 0.4 compares lower case, and knows no port behind an IPv6 address. */
function exceptionFor({ host, port }: CameraUrl): string {
  return host.includes(':') ? `[${host.toLowerCase()}]` : `${host.toLowerCase()}:${port}`;
}

/** What a progress message of rtspsrc stands for: it tells every address before it connects. */
export function redirectOf({ name, code, text }: { name?: string; code?: unknown; text?: unknown }, address: string): Failure | undefined {
  if (name !== 'GstMessageProgress' || code !== 'connect' || typeof text !== 'string') return undefined;
  const target = /^Connecting to (\S+)/u.exec(text)?.[1];
  if (target === undefined || isSamePlace(target, address)) return undefined;
  return failure('unsupported', 'rtsp-redirect', 'The camera redirects elsewhere. That is not followed: give its new address.', redactText(text).slice(0, 400));
}

function isSamePlace(target: string, address: string): boolean {
  try {
    const [to, own] = [CameraUrl.parse(target), CameraUrl.parse(address)];
    return to.host.toLowerCase() === own.host.toLowerCase() && to.port === own.port;
  } catch {
    // Another scheme.
    return false;
  }
}
