/** Messages between actors while somebody follows them: who told whom what, bounded, the same one again only counted. */
import type { MessageView } from '../api/protocol.ts';

/** Kept; what a person follows back. */
export const messagesKept = 200;
/** Figures pass from host to source to camera four times a second: their chain is looked for among this many. */
const lookBack = 6;

/** One that is kept; `touched` counts changes, so that a listener knows what it has not heard yet. */
type Message = MessageView & { touched: number };

export type Messages = {
  record(from: string | null, to: string, type: string): void;
  /** Those at or below this actor, that changed since `mark`; and the mark for the next time. */
  since(mark: number, below: string): { messages: MessageView[]; mark: number };
  /** Where `since` goes on from now. */
  mark(): number;
  clear(): void;
};

/** Makes it, empty. */
export function createMessages(): Messages {
  let kept: Message[] = [];
  let next = 0;
  let touched = 0;
  return {
    record(from, to, type) {
      touched += 1;
      const again = kept.slice(-lookBack).find((message) => message.from === from && message.to === to && message.type === type);
      if (again) return void Object.assign(again, { times: again.times + 1, at: new Date().toISOString(), touched });
      kept.push({ n: next, at: new Date().toISOString(), from, to, type, times: 1, touched });
      next += 1;
      if (kept.length > messagesKept) kept.shift();
    },
    since(mark, below) {
      const within = (id: string | null): boolean => id !== null && (id === below || id.startsWith(`${below}/`));
      const messages = kept.filter((message) => message.touched > mark && (within(message.from) || within(message.to)));
      return { messages: messages.map(({ n, at, from, to, type, times }) => ({ n, at, from, to, type, times })), mark: touched };
    },
    mark: () => touched,
    clear() {
      kept = [];
      next = touched = 0;
    },
  };
}
