/** A camera that behaves as a flight recording says: what it answers to each request, what it describes, and how it ends. */
import type { FlightMessage, FlightRecording } from '../media.ts';
import type { HeaderFields } from '../rtsp/message.ts';
import { parseSdp } from '../rtsp/sdp.ts';
import type { SdpMedia } from '../rtsp/sdp.ts';

/** One request of Lookout's and what the camera answered; null where no answer came. */
type Exchange = { method: string; answer: { status: number; headers: HeaderFields; body: string; afterMs: number } | null };

/** What a replaying camera does with a request. `extra` and `body` are put over what a healthy one would answer. */
export type ReplayedAnswer =
  | { type: 'refuse'; status: number; headers: HeaderFields; afterMs: number }
  | { type: 'serve'; extra: HeaderFields; body: string | undefined; afterMs: number }
  /** The recording has no answer: the camera had failed by then. */
  | { type: 'none' };

/** How the camera behaves once all is told. `go-on`: it was not at fault, the stream continues. */
export type ReplayEnding = 'reset' | 'close' | 'silence' | 'go-on';

/** A recording, taken apart. */
export type Replay = {
  readonly recording: FlightRecording;
  /** Clips with the codecs of the recording, in the order of its description; none of a kind that it has not. */
  readonly clips: { kind: 'video' | 'audio'; clip: string }[];
  readonly ending: ReplayEnding;
  /** Nobody listened. */
  readonly refuses: boolean;
  /** `asked` counts the requests of a connection by method, this one not included. Undefined: the recording knows no such request. */
  answer(method: string, asked: Readonly<Record<string, number>>): ReplayedAnswer | undefined;
};

/** Header fields that tell a client something; the others belong to one connection or one session. */
const telling = ['Public', 'Server', 'Content-Type', 'Retry-After', 'Location', 'Unsupported'];
/** Failures of Lookout's own, or of its machine. */
const ownClasses = ['host-crash', 'native-frozen', 'local', 'sfu', 'storage'];

/** Takes a recording apart. Throws where it is none. */
export function readReplay(recording: FlightRecording): Replay {
  if (!Array.isArray(recording.dialogue) || !Array.isArray(recording.rtp)) throw new Error('This is no flight recording: it has no "dialogue" and "rtp"');
  const [probe, source] = (['probe', 'source'] as const).map((by) => exchangesOf(recording.dialogue.filter((message) => message.by === by)));
  const described = [...(source ?? []), ...(probe ?? [])].find(({ method, answer }) => method === 'DESCRIBE' && answer?.status === 200)?.answer?.body;
  const sdp = described === undefined ? undefined : replayedSdp(described);
  return {
    recording,
    clips: sdp?.clips ?? [{ kind: 'video', clip: clips.fallback }],
    ending: endingOf(recording),
    refuses: recording.class === 'refused',
    answer(method, asked) {
      // rtspsrc begins with OPTIONS, Lookout's probe does not.
      const ofSource = (source?.length ?? 0) > 0 && (method === 'OPTIONS' || (asked['OPTIONS'] ?? 0) > 0);
      const known = ((ofSource ? source : probe?.length ? probe : source) ?? []).filter((exchange) => exchange.method === method);
      const exchange = known[Math.min(asked[method] ?? 0, known.length - 1)];
      return exchange && answerOf(exchange, sdp?.body);
    },
  };
}

function answerOf({ method, answer }: Exchange, sdp: string | undefined): ReplayedAnswer {
  if (answer === null) return { type: 'none' };
  const { status, headers, afterMs } = answer;
  return status === 200 ? { type: 'serve', extra: headers, body: method === 'DESCRIBE' ? sdp : undefined, afterMs } : { type: 'refuse', status, headers, afterMs };
}

/** Requests with their answers. A 401 that Lookout answered is left out: a replay knows no password and asks for none. */
function exchangesOf(messages: readonly FlightMessage[]): Exchange[] {
  const all: Exchange[] = [];
  messages.forEach(({ at, direction, text }, index) => {
    if (direction !== 'sent') return;
    const next = messages[index + 1];
    all.push({ method: text.slice(0, text.indexOf(' ')), answer: next?.direction === 'received' ? parseAnswer(next.text, next.at - at) : null });
  });
  return all.filter(({ method, answer }, index) => answer?.status !== 401 || all[index + 1]?.method !== method);
}

function parseAnswer(text: string, afterMs: number): Exchange['answer'] {
  const [head = '', ...body] = text.split(/\r?\n\r?\n/u);
  const [first = '', ...lines] = head.split(/\r?\n/u);
  // rtspsrc takes lists apart: `Public` comes once for each method then.
  const values = (name: string): string => lines.filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`)).map((line) => line.slice(name.length + 1).trim()).join(', ');
  const fields = telling.map((name) => [name, values(name)] as const).filter(([, value]) => value !== '');
  return { status: Number(/^RTSP\/\d\.\d (\d{3})/u.exec(first)?.[1] ?? 500), headers: Object.fromEntries(fields), body: body.join('\r\n\r\n'), afterMs };
}

/** The description with its first picture and its first sound, and controls that this simulator has. */
function replayedSdp(text: string): { body: string; clips: Replay['clips'] } {
  const sections = text.split(/\r?\n(?=m=)/u);
  const { media } = parseSdp(text);
  const kept = media.flatMap(({ kind }, index) => ((kind === 'video' || kind === 'audio') && media.findIndex((other) => other.kind === kind) === index ? [{ kind, index }] : []));
  const lines = (section: string): string[] => section.split(/\r?\n/u).filter((line) => line !== '' && !/^a=control:/iu.test(line));
  const body = [...lines(sections[0] ?? ''), 'a=control:*', ...kept.flatMap(({ index }, track) => [...lines(sections[index + 1] ?? ''), `a=control:trackID=${track}`]), ''].join('\r\n');
  return { body, clips: kept.map(({ kind, index }) => ({ kind: kind as 'video' | 'audio', clip: clipOf(media[index] as SdpMedia) })) };
}

const clips = { fallback: 'tiny-320x180-main', H265: 'hevc-360p', 42: 'entrance-360p-baseline', '4D': 'tiny-320x180-main', 64: 'dock-360p-high', audio: 'beep-pcmu', PCMA: 'beep-pcma', 'MPEG4-GENERIC': 'beep-aac' } as const;

/** A clip of the same codec; of H.264, one of the same profile. */
function clipOf({ kind, formats: [format] }: SdpMedia): string {
  const encoding = format?.encoding === 'HEVC' ? 'H265' : format?.encoding ?? '';
  const profile = encoding === 'H264' ? format?.parameters.get('profile-level-id')?.slice(0, 2).toUpperCase() ?? '' : encoding;
  return (clips as Record<string, string>)[profile] ?? (kind === 'audio' ? clips.audio : clips.fallback);
}

function endingOf(recording: FlightRecording): ReplayEnding {
  if (ownClasses.includes(recording.class)) return 'go-on';
  if (recording.class === 'reset') return 'reset';
  return recording.class === 'eos' ? 'close' : 'silence';
}
