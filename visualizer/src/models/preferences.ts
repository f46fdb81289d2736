/** What this browser remembers: theme, density, single-key shortcuts. Nothing else is stored. */
import { effect, signal, type Signal } from '@preact/signals';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

/** Tiles on one screen; `auto` shows the whole fleet where tiles stay readable. */
export const densities = ['auto', '1', '4', '9', '16', '36'] as const;
export type Density = (typeof densities)[number];

/** Shortcuts of one character disturb those who dictate: WCAG 2.1.4 wants a switch. */
export const shortcutChoices = ['on', 'off'] as const;
export type Shortcuts = (typeof shortcutChoices)[number];

export type Preferences = { theme: Signal<Theme>; density: Signal<Density>; shortcuts: Signal<Shortcuts>; dispose: () => void };

/** Reads what is remembered and keeps it. */
export function createPreferences(): Preferences {
  const theme = remembered('theme', themes);
  const density = remembered('density', densities);
  const shortcuts = remembered('shortcuts', shortcutChoices);
  const stopTheme = effect(() => {
    document.documentElement.dataset['theme'] = theme.value;
  });
  return {
    theme: theme.signal,
    density: density.signal,
    shortcuts: shortcuts.signal,
    dispose: () => [stopTheme, theme.stop, density.stop, shortcuts.stop].forEach((stop) => stop()),
  };
}

function remembered<T extends string>(name: string, allowed: readonly [T, ...T[]]): { signal: Signal<T>; value: T; stop: () => void } {
  const key = `lookout.${name}`;
  const stored = read(key);
  const value = signal<T>(allowed.find((one) => one === stored) ?? allowed[0]);
  const stop = effect(() => {
    try {
      localStorage.setItem(key, value.value);
    } catch {
      // Private windows refuse storage: the choice lasts as long as the page.
    }
  });
  return { signal: value, get value() { return value.value; }, stop };
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
