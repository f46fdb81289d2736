/** Composition root of the page: adapter → models; components reach them through one context. */
import { computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Adapter, Verb } from './adapter.ts';
import { messageOf } from './adapter.ts';
import { createArrangement, type Arrangement } from './models/arrangement.ts';
import { createFleet, type Fleet } from './models/cameras.ts';
import { createClock, type Clock } from './models/clock.ts';
import { gather } from './models/gather.ts';
import { createJournal, type Journal } from './models/journal.ts';
import { createNotices, type Notices } from './models/notices.ts';
import { createPlaybacks, type Playbacks } from './models/playbacks.ts';
import { createPreferences, type Preferences } from './models/preferences.ts';
import { createRouter, type Router } from './models/route.ts';
import { createSession, type SessionModel } from './models/session.ts';
import { createStills, type Stills } from './models/stills.ts';

export type Dialog = { kind: 'add' } | { kind: 'change'; id: string } | { kind: 'remove'; id: string } | { kind: 'keys' } | null;

export type App = {
  adapter: Adapter;
  arrangement: Arrangement;
  clock: Clock;
  fleet: Fleet;
  journal: Journal;
  notices: Notices;
  playbacks: Playbacks;
  preferences: Preferences;
  router: Router;
  session: SessionModel;
  stills: Stills;
  search: Signal<string>;
  dialog: Signal<Dialog>;
  /** Ids whose id, name or address contains the search. */
  visible: ReadonlySignal<string[] | null>;
  /** Sends a command; what comes of it is told in a notice. */
  command: (id: string, verb: Verb) => Promise<void>;
  /** Sends it to all of them, a few at a time; one notice tells how it went. */
  commandAll: (ids: readonly string[], verb: Verb) => Promise<void>;
  dispose: () => void;
};

/** Commands on their way at once. */
const commandsAtOnce = 6;

const done: Record<Verb, string> = { start: 'is starting', stop: 'is stopping', restart: 'is restarting', retry: 'tries again now' };

/** Wires the models. Nothing connects before `session.start()`. */
export function createApp(adapter: Adapter): App {
  const clock = createClock();
  const fleet = createFleet(clock);
  const arrangement = createArrangement();
  const journal = createJournal(adapter);
  const notices = createNotices();
  const playbacks = createPlaybacks(adapter, fleet);
  const preferences = createPreferences();
  const router = createRouter();
  const search = signal('');
  const gathered = gather(fleet);
  const session = createSession(adapter, { snapshot: gathered.snapshot, camera: gathered.camera, sfu: fleet.sfu, system: fleet.setSystem, journal: journal.append });
  let last: string[] | null = null;
  const matches = (id: string, needle: string): boolean => {
    const view = fleet.camera(id).value?.view;
    return [id, view?.name, view?.url].some((text) => text?.toLowerCase().includes(needle));
  };

  return {
    adapter, arrangement, clock, fleet, journal, notices, playbacks, preferences, router, session, search,
    stills: createStills(adapter),
    dialog: signal<Dialog>(null),
    visible: computed(() => {
      const needle = search.value.trim().toLowerCase();
      const ids = fleet.ids.value;
      const found = needle === '' || ids === null ? ids : ids.filter((id) => matches(id, needle));
      // The same list is the same object: figures that change move no tile.
      if (found !== null && last?.length === found.length && found.every((id, index) => id === last![index])) return last;
      return (last = found);
    }),
    command: async (id, verb) => {
      const name = fleet.camera(id).peek()?.view.name ?? id;
      try {
        fleet.put(await adapter.command(id, verb));
        notices.show('good', `${name} ${done[verb]}.`);
      } catch (error) {
        notices.show('bad', `${name}: ${messageOf(error)}`);
      }
    },
    commandAll: async (ids, verb) => {
      const waiting = [...ids];
      const refused: string[] = [];
      const work = async (): Promise<void> => {
        for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
          try {
            fleet.put(await adapter.command(id, verb));
          } catch (error) {
            refused.push(messageOf(error));
          }
        }
      };
      await Promise.all(Array.from({ length: commandsAtOnce }, work));
      const told = ids.length - refused.length;
      if (told > 0) notices.show('good', `${verb[0]!.toUpperCase()}${verb.slice(1)} was sent to ${told} ${told === 1 ? 'camera' : 'cameras'}.`);
      if (refused.length > 0) notices.show('bad', `${refused.length} of ${ids.length} refused: ${refused[0]}`);
    },
    dispose: () => [session, gathered, playbacks, preferences, router, clock].forEach((model) => model.dispose()),
  };
}

const AppContext = createContext<App | null>(null);

/** Gives the models to the components below. */
export const AppProvider = AppContext.Provider;

/** The models. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error('useApp outside of AppProvider');
  return app;
}
