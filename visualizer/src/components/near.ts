/** Which rows of a long list are near the screen: 500 cameras cost what fits on it, in memory, layout and listeners. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Rows this near are there, so that scrolling and the Tab key do not outrun them, px. */
const marginPx = 200;
/** The part changes by so many rows at once: scrolling by one row renders nothing. */
const step = 4;
/** Before anything is measured. */
const firstHeightPx = 49;
const firstScreenPx = 1_000;

/** Rows `from` to `to` (exclusive) are to be rendered; `above` and `below` are the places of the others, px. */
export type Near = { from: number; to: number; above: number; below: number };

/** Of `count` rows of the same height, px, whose first is, or would be, at `top` of a screen that is so high. */
export function nearRows({ count, rowHeight, top, screen }: { count: number; rowHeight: number; top: number; screen: number }): Near {
  const row = (px: number): number => Math.max(0, Math.floor(px / rowHeight / step) * step);
  const from = Math.min(row(-marginPx - top), row((count - 1) * rowHeight));
  const to = Math.min(count, Math.max(from, row(screen + marginPx - top)) + step);
  return { from, to, above: from * rowHeight, below: (count - to) * rowHeight };
}

/** Follows scrolling and sizes. `body` holds the rows, each with `data-camera`, and the two places around them. */
export function useNear<T extends HTMLElement>(count: number): { body: { current: T | null }; near: Near } {
  const body = useRef<T>(null);
  const [seen, setSeen] = useState({ rowHeight: firstHeightPx, top: 0, screen: firstScreenPx });
  const look = useRef((): void => undefined);
  look.current = () => {
    const element = body.current;
    if (!element) return;
    const rows = element.querySelectorAll(':scope > [data-camera]');
    // Of all: on a phone one that has a reason is a little higher.
    const measured = rows.length > 1 ? (rows[rows.length - 1]!.getBoundingClientRect().top - rows[0]!.getBoundingClientRect().top) / (rows.length - 1) : 0;
    const now = { rowHeight: measured || seen.rowHeight, top: element.getBoundingClientRect().top, screen: Math.min(innerHeight, element.closest('.table-frame')?.getBoundingClientRect().bottom ?? Infinity) };
    if (!isSame(nearRows({ count, ...now }), nearRows({ count, ...seen }))) setSeen(now);
  };
  useLayoutEffect(() => look.current(), [count]);
  useLayoutEffect(() => {
    let frame = 0;
    const soon = (): void => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => look.current());
    };
    // What scrolls is one of its ancestors, another one on a phone; scrolling does not bubble.
    addEventListener('scroll', soon, { capture: true, passive: true });
    addEventListener('resize', soon);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener('scroll', soon, { capture: true });
      removeEventListener('resize', soon);
    };
  }, []);
  return { body, near: nearRows({ count, ...seen }) };
}

const isSame = (a: Near, b: Near): boolean => a.from === b.from && a.to === b.to && a.above === b.above && a.below === b.below;
