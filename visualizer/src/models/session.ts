/** Who is logged in, and the connection to the server: from the login link to a live status feed and back. */
import { batch, signal, type ReadonlySignal } from '@preact/signals';
import type { Adapter, ConnectionState, Session, StatusListener } from '../adapter.ts';
import { ApiError, messageOf } from '../adapter.ts';

export type SessionState =
  | { status: 'checking' }
  | { status: 'login'; message: string | null }
  | { status: 'unreachable'; message: string }
  | { status: 'ready'; session: Session };

export type SessionModel = {
  state: ReadonlySignal<SessionState>;
  connection: ReadonlySignal<ConnectionState>;
  start: () => Promise<void>;
  /** Rejects with what the form shows. */
  login: (token: string) => Promise<void>;
  /** Shows the login form at once. */
  logout: () => Promise<void>;
  dispose: () => void;
};

/** A server that is starting is asked again this often. */
const retryMs = 3_000;

/** Makes the model. `listener` gets what the status feed brings. */
export function createSession(adapter: Adapter, listener: Omit<StatusListener, 'connection'>): SessionModel {
  const state = signal<SessionState>({ status: 'checking' });
  const connection = signal<ConnectionState>({ status: 'connecting' });
  let disconnect: (() => void) | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;

  const leave = (message: string | null): void => {
    disconnect?.();
    disconnect = undefined;
    state.value = { status: 'login', message };
  };
  const enter = (session: Session): void => batch(() => {
    state.value = { status: 'ready', session };
    disconnect?.();
    disconnect = adapter.connect({
      ...listener,
      connection: (value) => {
        connection.value = value;
        if (value.status === 'unauthenticated') leave('Your session has ended. Log in again.');
      },
    });
  });
  // Kept until the server has answered: a link opened while Lookout still starts must work when it has.
  let token: string | null = null;
  const start = async (): Promise<void> => {
    clearTimeout(retry);
    token ??= takeToken();
    try {
      const session = token === null ? await adapter.session() : await adapter.login(token);
      token = null;
      if (session) enter(session);
      else leave(null);
    } catch (error) {
      if (error instanceof ApiError && error.code !== 'NETWORK' && error.statusCode < 500) {
        token = null;
        return leave(error.statusCode === 401 ? 'This login link is not valid any more. Enter a current token.' : error.message);
      }
      state.value = { status: 'unreachable', message: messageOf(error) };
      retry = setTimeout(() => void start(), retryMs);
    }
  };

  return {
    state,
    connection,
    start,
    login: async (token) => enter(await adapter.login(token)),
    logout: async () => {
      // First, else the server's farewell to the sockets reads as a session that has ended.
      leave(null);
      await adapter.logout().catch((error: unknown) => leave(`This browser may still be logged in: ${messageOf(error)}`));
    },
    dispose: () => {
      clearTimeout(retry);
      disconnect?.();
    },
  };
}

/** The token of the login link, which disappears from the address bar and the history at once. */
function takeToken(): string | null {
  const token = /^#token=(.+)$/u.exec(location.hash)?.[1];
  if (token === undefined) return null;
  history.replaceState(null, '', `${location.pathname}${location.search}#/`);
  return decodeURIComponent(token);
}
