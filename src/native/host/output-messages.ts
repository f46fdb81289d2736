/** What the bus says of an output's pipeline, in the words of the supervisor. Pure. */
import { failure, type Failure } from '../../errors.ts';
import type { GstMessage } from '../gst.ts';

/** The failure behind an error message that speaks of no disk. */
export function streamFailure(text: string, element: string): Failure {
  const evidence = `${element}: ${text}`.slice(0, 400);
  if (/Timestamping error|time is negative/u.test(text)) return failure('timestamps', 'timestamps-backwards', 'The timestamps of the stream went back: a new file begins.', evidence);
  if (/not-negotiated|not negotiated|caps/iu.test(text)) return failure('media-changed', 'not-negotiated', 'The stream changed its form in mid-file: a new file begins.', evidence);
  return failure('reset', 'output-error', 'The pipeline of the output failed.', evidence);
}

/** True for the message by which the hub's client says that it reads. */
export function isConnected(message: GstMessage): boolean {
  return message.name === 'GstMessageStateChanged' && message._src_element_name.startsWith('tcpclientsrc') && message['new-state'] === 'GST_STATE_PAUSED';
}
