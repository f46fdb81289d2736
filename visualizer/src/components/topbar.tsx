/** The bar above every view: where you are, how the fleet is, what you look for. */
import type { JSX } from 'preact';
import { useApp } from '../app.ts';
import type { Tone } from '../models/describe.ts';
import { densities, themes, type Theme } from '../models/preferences.ts';
import { href } from '../models/route.ts';
import { AutoIcon, ChartIcon, ExpandIcon, KeysIcon, ListIcon, Logo, LogoutIcon, MoonIcon, PlusIcon, RecordIcon, SearchIcon, SunIcon, WallIcon } from './icons.tsx';
import { Dot } from './state.tsx';

export function Topbar(): JSX.Element {
  const { router, dialog, session } = useApp();
  const route = router.route.value;
  const { view } = route;
  const state = session.state.value;
  const admin = state.status === 'ready' && state.session.role === 'admin';
  return (
    <header class="topbar">
      <a class="brand" href="#/" aria-label="Lookout, camera wall"><Logo /><span class="brand-name">Lookout</span></a>
      <nav class="tabs" aria-label="Views">
        <a class="tab" href={href({ view: 'wall' })} aria-current={view === 'wall' ? 'page' : undefined}><WallIcon /><span>Wall</span></a>
        <a class="tab" href={href({ view: 'cameras' })} aria-current={view === 'cameras' ? 'page' : undefined}><ListIcon /><span>Cameras</span></a>
        <a class="tab" href={href({ view: 'recordings', camera: route.view === 'camera' ? route.id : null })} aria-current={view === 'recordings' ? 'page' : undefined}><RecordIcon /><span>Recordings</span></a>
        {admin && <a class="tab" href={href({ view: 'inspect', actor: null })} aria-current={view === 'inspect' ? 'page' : undefined}><ChartIcon /><span>Inspector</span></a>}
      </nav>
      <FleetSummary />
      <div class="topbar-tools">
        {(view === 'wall' || view === 'cameras') && <Search />}
        {view === 'wall' && <DensityChoice />}
        {view === 'wall' && <ArrangementReset />}
        {view === 'wall' && <button type="button" class="icon-button wide-only" aria-label="Full screen" title="Full screen (F)" data-action="fullscreen" onClick={() => void document.getElementById('main')?.requestFullscreen().catch(() => undefined)}><ExpandIcon /></button>}
        <ThemeButton />
        <button type="button" class="icon-button wide-only" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" onClick={() => { dialog.value = { kind: 'keys' }; }}><KeysIcon /></button>
        <button type="button" class="icon-button" aria-label="Log out" title="Log out" onClick={() => void session.logout()}><LogoutIcon /></button>
        <button type="button" class="button button-primary" title="Add camera (A)" onClick={() => { dialog.value = { kind: 'add' }; }}><PlusIcon /><span class="wide-only">Add camera</span><span class="hidden narrow-only">Add camera</span></button>
      </div>
    </header>
  );
}

const toneWords: [Tone, string][] = [['live', 'live'], ['busy', 'connecting'], ['warn', 'reconnecting'], ['bad', 'quarantined'], ['off', 'off']];

function FleetSummary(): JSX.Element {
  const { fleet, session } = useApp();
  const counts = fleet.counts.value;
  if (fleet.ids.value === null || session.connection.value.status === 'offline') return <div class="summary" />;
  return (
    <ul class="summary" aria-label="Fleet">
      {toneWords.map(([tone, word]) => (tone === 'live' || counts[tone] > 0) && (
        <li key={tone} class={`summary-item tone-${tone}`} title={`${counts[tone]} ${word}`}><Dot tone={tone} /><b>{counts[tone]}</b><span class="summary-word">{word}</span></li>
      ))}
    </ul>
  );
}

function Search(): JSX.Element {
  const { search } = useApp();
  return (
    <label class="search">
      <SearchIcon />
      <span class="hidden">Search cameras</span>
      <input
        id="search" type="search" placeholder="Search" autocomplete="off" spellcheck={false} value={search.value}
        onInput={(event) => { search.value = event.currentTarget.value; }}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          search.value = '';
          event.currentTarget.blur();
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

function DensityChoice(): JSX.Element {
  const { preferences } = useApp();
  return (
    <label class="select" title="Tiles on one screen">
      <span class="hidden">Tiles on one screen</span>
      <select value={preferences.density.value} onChange={(event) => { preferences.density.value = densities.find((one) => one === event.currentTarget.value) ?? 'auto'; }}>
        {densities.map((density) => <option key={density} value={density}>{density === 'auto' ? 'Auto' : `${density} ${density === '1' ? 'tile' : 'tiles'}`}</option>)}
      </select>
    </label>
  );
}

/** There only while the tiles are arranged by hand. */
function ArrangementReset(): JSX.Element | null {
  const { arrangement } = useApp();
  if (arrangement.order.value.length === 0) return null;
  return <button type="button" class="button" title="Show the cameras in their own order again" data-action="reset-order" onClick={arrangement.reset}>Reset order</button>;
}

const themeIcons: Record<Theme, () => JSX.Element> = { system: AutoIcon, light: SunIcon, dark: MoonIcon };

function ThemeButton(): JSX.Element {
  const { preferences } = useApp();
  const theme = preferences.theme.value;
  const Icon = themeIcons[theme];
  return <button type="button" class="icon-button" aria-label={`Theme: ${theme}`} title={`Theme: ${theme} (T)`} onClick={() => { preferences.theme.value = nextTheme(theme); }}><Icon /></button>;
}

/** System → light → dark → system. */
export function nextTheme(theme: Theme): Theme {
  return themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system';
}
