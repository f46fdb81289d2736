/** Sound of one viewer: a consumer beside the video's, taken up and dropped while the viewer stays. */
import type { types } from 'mediasoup-client';
import { messageOf, type PlayerSink } from '../adapter.ts';
import type { Signalling } from './signalling.ts';

/** What is needed of the viewer that listens. */
export type SoundOptions = { viewer: string; transport: types.Transport; request: Signalling['request']; tell: PlayerSink['sound'] };

/** Sound of one viewer. */
export type Sound = {
  /** The last word counts, however fast they follow each other. */
  set: (on: boolean) => void;
  close: () => void;
};

/** Makes it, silent. */
export function createSound({ viewer, transport, request, tell }: SoundOptions): Sound {
  let [wanted, closed] = [false, false];
  let consumer: types.Consumer | undefined;
  let work = Promise.resolve();
  const drop = (): void => {
    consumer?.close();
    consumer = undefined;
  };
  const tune = async (): Promise<void> => {
    if (closed || wanted === (consumer !== undefined)) return;
    if (!wanted) drop();
    const { consumers } = await request('consume', { viewer, audio: wanted });
    const offered = consumers.find(({ kind }) => kind === 'audio');
    if (closed || !wanted) return tell(null, null);
    if (!offered) return tell(null, 'There is no sound at the moment.');
    consumer = await transport.consume(offered as unknown as types.ConsumerOptions);
    if (closed) return drop();
    tell(new MediaStream([consumer.track]), null);
    await request('resume', { viewer });
  };
  return {
    set(on) {
      wanted = on;
      work = work.then(tune).catch((error: unknown) => {
        if (!closed) tell(null, messageOf(error));
      });
    },
    close() {
      closed = true;
      drop();
      tell(null, null);
    },
  };
}
