/** The wall: every camera as a live tile, moved through with the arrow keys, arranged by dragging or with Shift and the arrow keys. */
import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp } from '../app.ts';
import { arranged } from '../models/arrangement.ts';
import { arranging } from './arrange.ts';
import { Empty, NothingFound, WallSkeleton } from './placeholders.tsx';
import { useSight } from './sight.ts';
import { useSize } from './size.ts';
import { Tile, tileMargin } from './tile.tsx';
import { layoutWall } from './wall-layout.ts';

/** The tile to go back to from the single view. */
let lastFocused: string | null = null;

export function Wall(): JSX.Element {
  const app = useApp();
  const { fleet, visible, preferences, arrangement } = app;
  const { ref, size } = useSize<HTMLElement>();
  const ids = useComputed(() => visible.value && arranged(visible.value, arrangement.order.value)).value;
  const sight = useSight(tileMargin);
  const focus = useSignal(lastFocused);
  const focusedOn = (id: string): void => { focus.value = lastFocused = id; };
  const layout = layoutWall({ count: ids?.length ?? 4, ...size, density: preferences.density.value });
  const focused = ids?.includes(focus.value ?? '') ? focus.value : (ids?.[0] ?? null);
  const back = useRef(lastFocused !== null);
  useEffect(() => {
    if (!back.current || size.width === 0 || focused === null) return;
    back.current = false;
    focusTile(focused);
  });

  const [told, setTold] = useState('');
  const tell = (id: string): void => {
    const place = arranged(fleet.ids.peek() ?? [], arrangement.order.peek()).indexOf(id) + 1;
    setTold(`${fleet.camera(id).peek()?.view.name ?? id} is in place ${place} now.`);
    requestAnimationFrame(() => focusTile(id));
  };

  // Made once: what is being dragged outlives a change of the fleet.
  const [drag] = useState(() => arranging(app, tell));

  const moved = (event: KeyboardEvent): void => {
    const to = ids && focused !== null ? target(event.key, { index: ids.indexOf(focused), columns: layout.columns, count: ids.length }) : null;
    const id = to === null ? undefined : ids?.[to];
    if (id === undefined) return;
    event.preventDefault();
    if (!event.shiftKey || focused === null) return focusTile(id);
    arrangement.place(fleet.ids.peek() ?? [], focused, id);
    tell(focused);
  };

  return (
    <main class="wall" ref={ref} id="main">
      <h1 class="hidden">Camera wall</h1>
      <p class="hidden" role="status">{told}</p>
      {ids === null && <WallSkeleton layout={layout} />}
      {ids?.length === 0 && (fleet.ids.value?.length === 0 ? <Empty /> : <NothingFound />)}
      {ids !== null && ids.length > 0 && size.width > 0 && (
        <ul class="wall-grid" style={{ '--columns': String(layout.columns), '--tile': `${layout.tileWidth}px` }} onKeyDown={moved} {...drag} aria-label="Cameras">
          {ids.map((id) => (
            <Tile key={id} id={id} sight={sight} width={layout.tileWidth} focused={id === focused} onFocus={focusedOn} />
          ))}
        </ul>
      )}
    </main>
  );
}

/** Index an arrow key leads to, or null. */
function target(key: string, { index, columns, count }: { index: number; columns: number; count: number }): number | null {
  const steps: Record<string, number> = { ArrowLeft: index - 1, ArrowRight: index + 1, ArrowUp: index - columns, ArrowDown: index + columns, Home: 0, End: count - 1 };
  const to = steps[key];
  return to === undefined || to < 0 || to >= count ? null : to;
}

/** Focuses a tile by its camera. */
export function focusTile(id: string): void {
  document.querySelector<HTMLElement>(`[data-tile="${CSS.escape(id)}"]`)?.focus();
}
