/** `fromCallback` whose clean-up also runs when the callback itself throws: XState forgets it then, and what it held would run on. */
import { fromCallback, type AnyEventObject, type CallbackActorLogic, type EventObject, type NonReducibleUnknown } from 'xstate';

type Start<TEvent extends EventObject, TInput> = (scope: {
  input: TInput;
  sendBack: (event: AnyEventObject) => void;
  receive: (listener: (event: TEvent) => void) => void;
}) => () => void;

/** Logic of an actor that holds something of the outside world; `start` returns what lets it go. */
export function effect<TEvent extends EventObject, TInput extends NonReducibleUnknown>(start: Start<TEvent, TInput>): CallbackActorLogic<TEvent, TInput, EventObject> {
  return fromCallback<TEvent, TInput, EventObject>(({ input, sendBack, receive }) => {
    let letGo: (() => void) | undefined;
    const dispose = (): void => {
      letGo?.();
      letGo = undefined;
    };
    letGo = start({
      input,
      sendBack,
      receive: (listener) => receive((event) => {
        try {
          listener(event);
        } catch (error) {
          dispose();
          throw error;
        }
      }),
    });
    return dispose;
  });
}
