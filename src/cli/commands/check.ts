/** `lookout check`: is this camera all right? For a person to read and for a script to branch on. */
import type { CameraView, ExplanationView, ProbeReport } from '../../api/protocol.ts';
import { CameraUrl } from '../../camera-url.ts';
import { createApi } from '../client.ts';
import { addressOrStdin, argument, atMost, commonHelp, print, table, UsageError, type Call, type Command } from '../command.ts';
import { explanationText } from './cameras.ts';

/** A running camera whose last packet is older than this is not all right. */
const freshMs = 5_000;

/** The command. */
export const checkCommand: Command = {
  summary: 'Check a camera, or an address before it is added',
  help: () => `Usage: lookout check ID
       lookout check URL|- [--seconds N]

Of a camera of Lookout it tells whether it is live and why not; an address it plays for some seconds (5) and tells what it
sends and what can carry it. "-" reads the address from standard input. Exit code: 0 all right, 1 not, 2 not understood.

  --seconds N         How long an address is played
${commonHelp}`,
  options: { seconds: { type: 'string' } },
  async run(call) {
    atMost(call, 1);
    const what = argument(call, 0, 'which camera or address');
    return what === '-' || what.includes('://') ? probe(call, addressOrStdin(what)) : camera(call, what);
  },
};

async function probe(call: Call, address: string): Promise<number> {
  const seconds = call.values['seconds'] === undefined ? undefined : Number(call.values['seconds']);
  if (seconds !== undefined && !(seconds >= 0.5 && seconds <= 30)) throw new UsageError('--seconds must be from 0.5 to 30.');
  let url: CameraUrl;
  try {
    url = CameraUrl.parse(address);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  // A terminal shows no picture.
  const { picture: _, ...report } = await createApi(call)<ProbeReport>('POST', '/api/v1/probe', { url: url.reveal(), ...(seconds === undefined ? {} : { seconds }) });
  const ok = report.media !== null && Object.values(report.verdicts).some((verdict) => verdict.ok);
  print(call, { ok, ...report }, () => reportText(ok, report));
  return ok ? 0 : 1;
}

async function camera(call: Call, id: string): Promise<number> {
  const api = createApi(call);
  const path = `/api/v1/cameras/${encodeURIComponent(id)}`;
  const view = await api<CameraView>('GET', path);
  const explanation = await api<ExplanationView>('GET', `${path}/explanation`);
  const ok = view.substate === 'live' && (view.freshness.packetAgeMs ?? Infinity) < freshMs;
  print(call, { ok, camera: view, explanation }, () => `${ok ? 'All right' : 'Not all right'}.\n${explanationText(explanation)}`);
  return ok ? 0 : 1;
}

function reportText(ok: boolean, { url, server, media, gopMs, bFrames, verdicts }: Omit<ProbeReport, 'picture'>): string {
  const known = (value: unknown, unit = '') => (value === null ? 'not seen' : `${String(value)}${unit}`);
  return [
    `${ok ? 'All right' : 'Not all right'}: ${url}`, '',
    table(['server', server ?? '–'], [
      ['video', media === null ? 'not seen' : `${media.codec} ${media.profile ?? ''}`],
      ['size', media?.width == null ? 'not seen' : `${media.width}×${media.height}`],
      ['rate', media?.fps == null ? 'not seen' : `${media.fps.toFixed(1)} fps, ${media.bitrate === null ? '–' : `${Math.round(media.bitrate / 1000)} kbit/s`}`],
      ['keyframes', known(gopMs, ' ms apart')], ['B-frames', known(bFrames)],
      ['audio', media?.audio == null ? 'none' : `${media.audio.codec}, ${media.audio.rate} Hz`],
    ]), '',
    table(['PATH', 'CAN', 'WHY'], Object.entries(verdicts).map(([path, verdict]) => [path, verdict.ok ? 'yes' : 'no', verdict.why])),
  ].join('\n');
}
