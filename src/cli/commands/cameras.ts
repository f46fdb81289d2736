/** `lookout cameras …`: list, show, add, remove, command, and why one is as it is. */
import type { CameraView, ExplanationView } from '../../api/protocol.ts';
import { createApi, type Api } from '../client.ts';
import { addressOrStdin, argument, atMost, commonHelp, print, table, UsageError, type Call, type Command } from '../command.ts';

const verbs = ['start', 'stop', 'restart', 'retry'] as const;
const shownRows = 5;

/** The command. */
export const camerasCommand: Command = {
  summary: 'List, show, add, remove and command cameras; tell why one is down',
  help: () => `Usage: lookout cameras list
       lookout cameras show ID
       lookout cameras add URL|- [--id ID] [--name NAME] [--transport auto|tcp|udp] [--stopped]
       lookout cameras remove ID
       lookout cameras start|stop|restart|retry ID
       lookout cameras why ID

"-" reads the address from standard input, where no other user can see its password:
  lookout cameras add - --id gate < address.txt
${commonHelp}`,
  options: { id: { type: 'string' }, name: { type: 'string' }, transport: { type: 'string' }, stopped: { type: 'boolean' } },
  async run(call) {
    const [verb = 'list'] = call.positionals;
    const known = ['list', 'show', 'add', 'remove', 'why', ...verbs];
    if (!known.includes(verb)) throw new UsageError(`"${verb}" is none of ${known.join(', ')}.`);
    atMost(call, verb === 'list' ? 1 : 2);
    const api = createApi(call);
    if (verb === 'list') await list(api, call);
    else if (verb === 'add') await add(api, call);
    else await one(api, call, { verb, path: `/api/v1/cameras/${encodeURIComponent(argument(call, 1, 'which camera'))}` });
    return 0;
  },
};

async function list(api: Api, call: Call): Promise<void> {
  const { cameras } = await api<{ cameras: CameraView[] }>('GET', '/api/v1/cameras');
  print(call, { cameras }, () => (cameras.length === 0 ? 'There is no camera.' : table(['ID', 'NAME', 'STATE', 'SINCE', 'VIEWERS', 'LAST FAILURE'],
    cameras.map(({ id, name, state, substate, since, viewers, lastError }) => [id, name, substate === null ? state : `${state}, ${substate}`, since, viewers, lastError === null ? '' : `${lastError.class}: ${lastError.message}`]))));
}

async function add(api: Api, call: Call): Promise<void> {
  const url = addressOrStdin(argument(call, 1, 'the address of the camera, or "-" for standard input'));
  const { id, name, transport, stopped } = call.values;
  const camera = await api<CameraView>('POST', '/api/v1/cameras', { url, ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }), ...(transport === undefined ? {} : { transport }), ...(stopped === true ? { enabled: false } : {}) });
  print(call, camera, () => `Added ${camera.id} (${camera.url}).`);
}

async function one(api: Api, call: Call, { verb, path }: { verb: string; path: string }): Promise<void> {
  if (verb === 'show') {
    const camera = await api<CameraView>('GET', path);
    print(call, camera, () => cameraText(camera));
  } else if (verb === 'why') {
    const explanation = await api<ExplanationView>('GET', `${path}/explanation`);
    print(call, explanation, () => explanationText(explanation));
  } else if (verb === 'remove') {
    await api('DELETE', path);
    print(call, { removed: true }, () => 'Removed.');
  } else {
    const camera = await api<CameraView>('POST', `${path}/${verb}`);
    print(call, camera, () => `${camera.id} is ${camera.substate ?? camera.state}.`);
  }
}

function cameraText({ id, name, url, desired, state, substate, since, attempt, nextRetryAt, lastError, restarts, media, freshness, viewers, host, worker }: CameraView): string {
  const seconds = (ms: number | null) => (ms === null ? '–' : `${(ms / 1000).toFixed(1)} s`);
  return table(['camera', id], [
    ['name', name], ['address', url], ['wanted', desired], ['state', substate === null ? state : `${state}, ${substate}`], ['since', since],
    ...(nextRetryAt === null ? [] : [['next attempt', nextRetryAt], ['attempts', attempt]]),
    ...(lastError === null ? [] : [['last failure', `${lastError.class} (${lastError.code}), ${lastError.at}: ${lastError.message}`]]),
    ['video', media === null ? 'not known yet' : [media.codec, media.profile, media.width === null ? null : `${media.width}×${media.height}`, media.fps === null ? null : `${media.fps.toFixed(1)} fps`, media.bitrate === null ? null : `${Math.round(media.bitrate / 1000)} kbit/s`].filter((part) => part !== null).join(', ')],
    ['audio', media?.audio == null ? 'none' : `${media.audio.codec}, ${media.audio.rate} Hz`],
    ['last packet', seconds(freshness.packetAgeMs)], ['last keyframe', seconds(freshness.keyframeAgeMs)],
    ['restarts', restarts], ['viewers', viewers], ['host', host?.pid ?? null], ['worker', worker?.pid ?? null],
  ]);
}

/** The answer to "why is it down", for a terminal. */
export function explanationText({ camera, why, evidence, downSince, nextRetryAt, before, availability }: ExplanationView): string {
  const percent = availability.uptime === null ? 'not known' : `${(availability.uptime * 100).toFixed(2)} %, ${availability.losses} losses`;
  return [
    `${camera}: ${why}`, '',
    ...(downSince === null ? [] : [`Down since   ${downSince}`]),
    ...(nextRetryAt === null ? [] : [`Next attempt ${nextRetryAt}`]),
    ...(evidence === null ? [] : [`Evidence     ${evidence}`]),
    `Available    ${percent} of the last 30 days`, '',
    table(['WHEN', 'STATE', 'WHAT HAPPENED'], before.slice(0, shownRows).map(({ at, to, type, message }) => [at, to ?? type, message])),
  ].join('\n');
}
