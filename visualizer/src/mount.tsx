/** Puts the page into the document: adapter → models → components. */
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/wall.css';
import './styles/single.css';
import './styles/list.css';
import './styles/large.css';
import { render } from 'preact';
import type { Adapter } from './adapter.ts';
import { AppProvider, createApp } from './app.ts';
import { Shell } from './components/shell.tsx';

/** Renders into `#app`; returns what unmounts and disconnects. */
export function mount(adapter: Adapter): () => void {
  const container = document.getElementById('app');
  if (!container) throw new Error('The document has no #app.');
  const app = createApp(adapter);
  void app.session.start();
  render(<AppProvider value={app}><Shell /></AppProvider>, container);
  return () => {
    render(null, container);
    app.dispose();
  };
}
