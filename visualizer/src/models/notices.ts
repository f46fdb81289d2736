/** Short messages about what the operator did: at most a few, gone by themselves unless they are failures. */
import { signal, type ReadonlySignal } from '@preact/signals';

/** More than this nobody reads; the oldest goes. */
const maxNotices = 4;
const shownMs = 5_000;

export type Notice = { key: number; tone: 'good' | 'bad'; text: string };

export type Notices = {
  list: ReadonlySignal<Notice[]>;
  show: (tone: Notice['tone'], text: string) => void;
  dismiss: (key: number) => void;
};

/** Makes the model. */
export function createNotices(): Notices {
  const list = signal<Notice[]>([]);
  let key = 0;
  const dismiss = (gone: number): void => {
    list.value = list.value.filter((notice) => notice.key !== gone);
  };
  return {
    list,
    dismiss,
    show: (tone, text) => {
      key += 1;
      const notice = { key, tone, text };
      list.value = [...list.value, notice].slice(-maxNotices);
      if (tone === 'good') setTimeout(() => dismiss(notice.key), shownMs);
    },
  };
}
