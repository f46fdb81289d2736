/** The one table from what GStreamer's bus says of a source to a failure class. Pure; recorded with LC_ALL=C, GStreamer 1.22. */
import { redactText } from '../camera-url.ts';
import { failure, type Failure, type FailureClass } from '../errors.ts';
import { rtspStatusFailure } from './rtsp-status.ts';

/** The fields of a bus message that decide. */
export type BusFact = { type: string; name?: string; element: string; message?: string; debug?: string; details?: string };

type Rule = { when: RegExp; class: FailureClass; code: string; message: string };

/** Errors by the last line of `debug`, first match wins. An RTSP status in `details` goes before all of them. */
const errorRules: readonly Rule[] = [
  { when: /Unauthorized|No supported authentication protocol/u, class: 'auth', code: 'rtsp-401', message: 'The camera refused user name or password.' },
  { when: /Failed to connect\. \(Timeout/u, class: 'timeout', code: 'connect-timeout', message: 'The camera did not answer the connection in time.' },
  { when: /Failed to connect/u, class: 'unreachable', code: 'connect-failed', message: 'The connection to the camera could not be made.' },
  { when: /TLS|certificate/iu, class: 'unsupported', code: 'tls', message: 'The TLS connection to the camera could not be made.' },
  { when: /Could not (receive|send) (message|response|request).*\(?Timeout|timed? ?out/iu, class: 'timeout', code: 'rtsp-timeout', message: 'The camera stopped answering RTSP requests.' },
  { when: /Received end-of-file|End-of-file/iu, class: 'eos', code: 'connection-closed', message: 'The camera closed the connection.' },
  { when: /Could not (receive|send|read|write)|System error|Connection reset|Broken pipe/iu, class: 'reset', code: 'connection-reset', message: 'The connection to the camera broke.' },
  { when: /Too many open files|Cannot allocate|No space|could not get\/set settings|Address already in use|Failed to bind|bind failed|Could not (create|allocate)/iu, class: 'local', code: 'local-resource', message: 'This machine ran out of a resource the pipeline needs.' },
  { when: /SDP contains no streams|No supported stream was found|no streams/iu, class: 'unsupported', code: 'no-stream', message: 'The camera offers no stream that can be set up over this transport.' },
  { when: /not-linked/u, class: 'media-changed', code: 'not-linked', message: 'None of the tracks that the camera sends is one that it described.' },
  { when: /not-negotiated/u, class: 'media-changed', code: 'not-negotiated', message: 'The stream no longer has the form its description promised.' },
];

/** Warnings that end a source by themselves, or explain the EOS that follows. */
const warningRules: readonly Rule[] = [
  { when: /The server closed the connection/u, class: 'eos', code: 'connection-closed', message: 'The camera closed the connection.' },
  { when: /failed delayed linking some pad of \S+ named src to some pad of \S+ named video\b/u, class: 'media-changed', code: 'track-missing', message: 'The camera no longer offers the video track that it described.' },
];

/**
 * The failure a message stands for, or null where it stands for none. `before` is the last warning's text: with TCP a
 * lost connection shows as a warning first and as EOS some 60 ms later, and only the warning knows why.
 */
export function failureOfMessage(fact: BusFact, before = ''): Failure | null {
  if (fact.type === 'eos') return endOfStream(before);
  if (fact.type === 'error') return ofError(fact);
  if (fact.name === 'GstMessageWarning') return match(warningRules, fact);
  return null;
}

function ofError(fact: BusFact): Failure {
  const status = /rtsp-status-code=\(uint\)(\d+)/u.exec(fact.details ?? '')?.[1] ?? /(?:Error \((\d{3})\):|\((\d{3})\)\s*$)/u.exec(lastLine(fact.debug ?? ''))?.slice(1).find((group) => group !== undefined);
  if (status !== undefined) return rtspStatusFailure(Number(status), evidenceOf(fact));
  return match(errorRules, fact) ?? failure('reset', 'pipeline-error', fact.message ?? 'The pipeline failed.', evidenceOf(fact));
}

function endOfStream(before: string): Failure {
  if (/System error|Connection reset|Broken pipe/iu.test(before)) {
    return failure('reset', 'connection-reset', 'The connection to the camera broke.', lastLine(before));
  }
  return failure('eos', 'eos', 'The camera ended the stream.', before === '' ? 'EOS' : lastLine(before));
}

function match(rules: readonly Rule[], fact: BusFact): Failure | null {
  const text = `${fact.message ?? ''}\n${fact.debug ?? ''}`;
  const rule = rules.find(({ when }) => when.test(text));
  return rule === undefined ? null : failure(rule.class, rule.code, rule.message, evidenceOf(fact));
}

function evidenceOf(fact: BusFact): string {
  const detail = lastLine(fact.debug ?? '');
  return redactText([fact.element, fact.message, detail].filter((part) => part !== undefined && part !== '').join(': ')).slice(0, 400);
}

function lastLine(text: string): string {
  return redactText(text.trimEnd().split('\n').at(-1) ?? '').slice(0, 400);
}
