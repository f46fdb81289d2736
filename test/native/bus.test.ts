/** The bus table against messages recorded from GStreamer 1.22 (`bus-messages.json`): what happened → class and code. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failureOfMessage, type BusFact } from '../../src/native/bus.ts';
import { rtspStatusFailure } from '../../src/native/rtsp-status.ts';
import recorded from './bus-messages.json' with { type: 'json' };

/** As the source runner does: the first message that stands for a failure, warnings remembered. */
function firstFailure(messages: readonly BusFact[]) {
  let warning = '';
  for (const message of messages) {
    if (message.name === 'GstMessageWarning') warning = message.debug ?? '';
    const found = failureOfMessage(message, warning);
    if (found !== null) return found;
  }
  return null;
}

describe('bus table', () => {
  for (const { happened, class: cls, code, messages } of recorded) {
    test(`${happened} is ${cls} (${code})`, () => {
      const found = firstFailure(messages as BusFact[]);
      assert.deepEqual([found?.class, found?.code], [cls, code]);
      assert.ok(found!.evidence !== undefined && found!.evidence.length > 0 && found!.evidence.length <= 400);
    });
  }

  test('warning about the audio sink that a camera without audio causes is no failure', () => {
    const debug = 'gst/parse/grammar.y(853): gst_parse_no_more_pads (): /GstPipeline:pipeline0/GstRTSPSrc:src:\nfailed delayed linking some pad of GstRTSPSrc named src to some pad of GstCapsFilter named sound';
    assert.equal(failureOfMessage({ type: 'warning', name: 'GstMessageWarning', element: 'src', debug }), null);
  });

  test('error that no rule knows still ends the source, with what GStreamer said', () => {
    const found = failureOfMessage({ type: 'error', element: 'depay', message: 'Something new.', debug: 'x.c(1): f ():\nnever seen' });
    assert.deepEqual([found?.class, found?.code, found?.evidence], ['reset', 'pipeline-error', 'depay: Something new.: never seen']);
  });

  test('evidence never repeats credentials that an element quoted', () => {
    const found = failureOfMessage({ type: 'error', element: 'src', message: 'Could not open rtsp://admin:secret@10.0.0.1/', debug: 'a\nFailed to connect to rtsp://admin:secret@10.0.0.1/' });
    assert.equal(JSON.stringify(found).includes('secret'), false);
  });
});

describe('RTSP status table', () => {
  for (const [status, cls] of [[401, 'auth'], [403, 'auth'], [404, 'not-found'], [453, 'busy'], [454, 'server-error'], [461, 'unsupported'], [500, 'server-error'], [503, 'server-error'], [551, 'server-error'], [302, 'unsupported'], [400, 'server-error']] as const) {
    test(`${status} is ${cls}`, () => assert.equal(rtspStatusFailure(status, '').class, cls));
  }
});
