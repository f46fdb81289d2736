/** The login form: one token, as printed when Lookout starts. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { messageOf } from '../adapter.ts';
import { useApp } from '../app.ts';
import { Logo } from './icons.tsx';

export function Login({ message }: { message: string | null }): JSX.Element {
  const { session } = useApp();
  const [token, setToken] = useState('');
  const [error, setError] = useState(message);
  const [busy, setBusy] = useState(false);
  const login = async (): Promise<void> => {
    setBusy(true);
    try {
      await session.login(token.trim());
    } catch (thrown) {
      setError(messageOf(thrown));
      setBusy(false);
    }
  };
  return (
    <main class="full" id="main">
      <form class="login" noValidate onSubmit={(event) => { event.preventDefault(); void login(); }}>
        <Logo />
        <h1>Lookout</h1>
        <p class="muted">Open the link that Lookout printed when it started, or enter a token.</p>
        <div class="field">
          <label for="token">Token</label>
          <input id="token" type="password" autocomplete="current-password" required autofocus aria-invalid={error !== null} aria-describedby="token-error" value={token} onInput={(event) => setToken(event.currentTarget.value)} />
          <p id="token-error" class="field-error" role="alert">{error ?? ''}</p>
        </div>
        <button type="submit" class="button button-primary" disabled={busy || token.trim() === ''}>{busy ? 'Logging in …' : 'Log in'}</button>
      </form>
    </main>
  );
}
