/** Encryption of camera addresses at rest: AES-256-GCM, one key per installation. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { mkdirSync, openSync, readFileSync, closeSync, fsyncSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Seals and opens texts; `context` (the camera id) is authenticated, so that a row cannot be moved to another camera. */
export type Cipher = {
  seal(text: string, context: string): Uint8Array;
  /** Throws where key, context or bytes do not fit. */
  open(sealed: Uint8Array, context: string): string;
};

const version = 1;
const ivBytes = 12;
const tagBytes = 16;
const shortestKey = 16;

/** Reads the key file, or makes it with mode 0600. `notices` says what the operator should know about it. */
export function openCipher(secretFile: string): { cipher: Cipher; notices: string[] } {
  const notices: string[] = [];
  const material = openKey(secretFile);
  if ((statSync(secretFile).mode & 0o077) !== 0) notices.push(`The key file ${secretFile} is readable by other users; run: chmod 600 ${secretFile}`);
  const key = Buffer.from(hkdfSync('sha256', material, '', 'lookout camera addresses', 32));
  return { cipher: { seal: (text, context) => seal(key, text, context), open: (sealed, context) => unseal(key, sealed, context) }, notices };
}

/** What a key file holds; made with mode 0600 where there is none. Throws where it is too short. */
export function openKey(file: string): string {
  const material = readKey(file) ?? makeKey(file);
  if (material.length < shortestKey) throw new Error(`The key file ${file} holds less than ${shortestKey} characters.`);
  return material;
}

function readKey(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function makeKey(file: string): string {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const key = randomBytes(32).toString('base64url');
  const fd = openSync(file, 'wx', 0o600);
  try {
    writeSync(fd, `${key}\n`);
    // Without its key the database is worth nothing: it must be on the disk before the first camera is.
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  return key;
}

function seal(key: Buffer, text: string, context: string): Uint8Array {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(version), iv, cipher.getAuthTag(), body]);
}

function unseal(key: Buffer, sealed: Uint8Array, context: string): string {
  const bytes = Buffer.from(sealed);
  if (bytes[0] !== version || bytes.length < 1 + ivBytes + tagBytes) throw new Error('not a sealed text of this version');
  const iv = bytes.subarray(1, 1 + ivBytes);
  const tag = bytes.subarray(1 + ivBytes, 1 + ivBytes + tagBytes);
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes }).setAAD(Buffer.from(context)).setAuthTag(tag);
  return Buffer.concat([decipher.update(bytes.subarray(1 + ivBytes + tagBytes)), decipher.final()]).toString('utf8');
}
