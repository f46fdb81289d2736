/** @eyevinn/webrtc-player as one script for a page: `globalThis.Eyevinn.WebRTCPlayer`. */
import { fileURLToPath } from 'node:url';
import { build, type Rolldown } from 'vite';

/** Its text. */
export async function eyevinnPlayer(): Promise<string> {
  const entry = fileURLToPath(import.meta.resolve('@eyevinn/webrtc-player'));
  const made = await build({ configFile: false, logLevel: 'error', build: { write: false, minify: false, lib: { entry, formats: ['iife'], name: 'Eyevinn' } } });
  const [{ output } = { output: [] }] = [made].flat() as Rolldown.RolldownOutput[];
  const code = output.flatMap((chunk) => (chunk.type === 'chunk' ? [chunk.code] : [])).join('\n');
  if (!code.includes('WebRTCPlayer')) throw new Error('the player is not in its own bundle');
  return code;
}
