/** From what a disk says, in errno or in GStreamer's words, to a failure of class `storage`. Pure. */
import { failure, type Failure } from '../errors.ts';

type Rule = { when: RegExp; code: string; message: string };

const rules: readonly Rule[] = [
  { when: /ENOSPC|No space left/iu, code: 'disk-full', message: 'The disk is full.' },
  { when: /EDQUOT|quota exceeded/iu, code: 'quota', message: 'The disk quota is used up.' },
  { when: /EFBIG|File too large/iu, code: 'file-too-large', message: 'The file may not grow any more (limit of file system or process).' },
  { when: /EROFS|Read-only file system/iu, code: 'read-only', message: 'The disk is read-only.' },
  { when: /EACCES|EPERM|Permission denied|not permitted/iu, code: 'not-writable', message: 'The folder of recordings may not be written.' },
  { when: /ENOENT|ENOTDIR|No such file|Not a directory/iu, code: 'folder-missing', message: 'The folder of recordings is missing.' },
  { when: /EIO|Input\/output error|Could not (open|write)|Error while writing|Error closing/iu, code: 'io-error', message: 'The disk could not be written.' },
];

/** The failure that a text stands for; null where it speaks of no disk. */
export function storageFailure(text: string): Failure | null {
  const rule = rules.find(({ when }) => when.test(text));
  return rule === undefined ? null : failure('storage', rule.code, rule.message, text.slice(0, 400));
}
