/** Takes what proves an identity out of an RTSP message that is going to be kept: header values, user info, passwords in addresses. */
import type { Credentials } from './auth.ts';

const removed = '[removed]';
/** The scheme stays: it says how the camera asks, and nothing about the answer. */
const secretFields = /^((?:proxy-)?(?:authorization|authenticate|authentication-info)|www-authenticate|(?:set-)?cookie)[ \t]*:[ \t]*(basic|digest|bearer)?.*$/gimu;
const folded = /\r?\n[ \t]+/gu;
const userInfo = /(rtsps?:\/\/)[^\s/"'<>]*@/giu;
const inQuery = /([?&;/](?:user(?:name)?|usr|login|pass(?:word|wd)?|pwd|auth|token|key|secret)=)[^&;\s"'/]+/giu;
/** Shorter ones would be found in every message, and taking them out would tell where. */
const shortest = 4;

/** `credentials` are those that were used, to be taken out wherever the camera repeats them. */
export function redactMessage(text: string, credentials?: Credentials): string {
  const [head = '', ...body] = text.split(/(?<=\r?\n\r?\n)/u);
  const safe = head.replace(folded, ' ').replace(secretFields, (_, name: string, scheme?: string) => `${name}: ${scheme === undefined ? '' : `${scheme} `}${removed}`);
  const plain = [safe, ...body].join('').replace(userInfo, '$1').replace(inQuery, `$1${removed}`);
  return secretsOf(credentials).reduce((rest, secret) => rest.replaceAll(secret, removed), plain);
}

function secretsOf(credentials: Credentials | undefined): string[] {
  if (credentials === undefined) return [];
  const { username, password } = credentials;
  const forms = [password, encodeURIComponent(password), Buffer.from(password).toString('base64'), Buffer.from(`${username}:${password}`).toString('base64')];
  return forms.filter((form) => form.length >= shortest);
}
