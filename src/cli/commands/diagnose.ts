/** `lookout diagnose`: everything a bug report needs, in one file, without a credential. */
import { writeFileSync } from 'node:fs';
import { arch, availableParallelism, freemem, loadavg, release, totalmem, uptime, version } from 'node:os';
import { gzipSync } from 'node:zlib';
import type { CameraView } from '../../api/protocol.ts';
import { redactLine } from '../../log.ts';
import { ApiError, createApi, type Api } from '../client.ts';
import { atMost, commonHelp, print, type Command } from '../command.ts';
import { examine } from './doctor.ts';

const newestEvents = 200;

/** The command. What cannot be had is in the file as the reason why: a Lookout that does not answer is what reports are made of. */
export const diagnoseCommand: Command = {
  summary: 'Gather what a bug report needs, without credentials',
  help: () => `Usage: lookout diagnose [--out FILE]

Writes one JSON file, compressed by gzip: the machine and what "lookout doctor" says of it, every camera with why it is as it is
and its newest ${newestEvents} journal rows, incidents, media workers, metrics. Passwords and tokens are not in it; names and addresses of cameras are.

  --out FILE          Where to [lookout-diagnostics-TIME.json.gz]
${commonHelp}`,
  options: { out: { type: 'string' } },
  async run(call) {
    atMost(call, 0);
    const at = new Date().toISOString();
    const path = typeof call.values['out'] === 'string' ? call.values['out'] : `lookout-diagnostics-${at.replaceAll(/[:.]/gu, '-')}.json.gz`;
    const parts = await gather(createApi(call));
    const missing = Object.entries(parts).filter(([, part]) => isMissing(part)).map(([name]) => name);
    const text = redactLine(JSON.stringify({ at, ...parts }, undefined, 1));
    // What is in it is for those who may read it; a report of before is not written over.
    writeFileSync(path, gzipSync(text), { mode: 0o600, flag: 'wx' });
    print(call, { path, missing }, () => said(path, missing));
    return 0;
  },
};

type Missing = { missing: { code: string; message: string } };
const isMissing = (part: unknown): part is Missing => typeof part === 'object' && part !== null && 'missing' in part;

async function gather(api: Api): Promise<Record<string, unknown>> {
  const ask = async <T>(path: string): Promise<T | Missing> => api<T>('GET', path).catch((error: unknown): Missing => {
    const { code, message } = error instanceof ApiError ? error : { code: 'LOOKOUT_CLI', message: String(error) };
    return { missing: { code, message } };
  });
  const cameras = await ask<{ cameras: CameraView[] }>('/api/v1/cameras');
  const details: unknown[] = [];
  // One after the other: a Lookout that is asked about itself has trouble enough.
  for (const { id } of isMissing(cameras) ? [] : cameras.cameras) {
    const path = `/api/v1/cameras/${encodeURIComponent(id)}`;
    details.push({ id, explanation: await ask(`${path}/explanation`), events: await ask(`${path}/events?limit=${newestEvents}`) });
  }
  return {
    machine: machine(), doctor: await examine([]), readiness: await ask('/readyz'), cameras, details,
    incidents: await ask('/api/v1/incidents'), sfu: await ask('/api/v1/sfu'), metrics: await ask('/metrics'),
  };
}

function machine(): Record<string, unknown> {
  return {
    node: process.versions.node, kernel: `${version()} ${release()}`, arch: arch(), cores: availableParallelism(), upSeconds: Math.round(uptime()),
    memoryBytes: totalmem(), freeBytes: freemem(), load: loadavg(),
  };
}

function said(path: string, missing: string[]): string {
  const lacks = missing.length === 0 ? '' : `\nNot in it, since Lookout did not tell: ${missing.join(', ')}. The reason is in the file.`;
  return `Wrote ${path}. Names and addresses of cameras are in it, passwords and tokens are not.${lacks}`;
}
