/** What disks say, recorded from Node and from filesink of GStreamer 1.22 (LC_ALL=C). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storageFailure } from '../../src/native/storage-failure.ts';

for (const [text, code] of [
  ['Error while writing to file "/r/gate/.new-1-00000.mkv".\n../plugins/elements/gstfilesink.c(544): gst_file_sink_render_buffers (): /GstPipeline:pipeline0/GstSplitMuxSink:record/GstFileSink:filesink0:\nNo space left on device', 'disk-full'],
  ['Error while writing to file "/r/x".\nSystem error: File too large', 'file-too-large'],
  ['Could not open file "/r/x" for writing.\nsystem error: Read-only file system', 'read-only'],
  ['Could not open file "/r/x" for writing.\nsystem error: Permission denied', 'not-writable'],
  ['Could not open file "/r/x" for writing.\nsystem error: No such file or directory', 'folder-missing'],
  ["ENOTDIR: not a directory, mkdir '/r/gate'", 'folder-missing'],
  ["EROFS: read-only file system, mkdir '/r/gate'", 'read-only'],
  ["ENOSPC: no space left on device, mkdir '/r/gate/2026'", 'disk-full'],
  ['Error while writing to file "/r/x".\nSystem error: Input/output error', 'io-error'],
  ['Error while writing to file "/r/x".\nDisk quota exceeded', 'quota'],
] as const) {
  test(`"${text.split('\n').at(-1)}" is ${code}`, () => {
    const failure = storageFailure(text);
    assert.deepEqual([failure?.class, failure?.code], ['storage', code]);
  });
}

test('what speaks of no disk is none of it', () => {
  for (const text of ['Internal data stream error.', 'Timestamping error on input streams', '']) assert.equal(storageFailure(text), null);
});
