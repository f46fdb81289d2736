/** Which part of a drawing is seen: moved by pointer, wheel and keys, and following what happens. */
import { signal, type Signal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';

/** The drawing is scaled by `k`, then moved by `x` and `y` (pixels of the screen). */
export type View = { x: number; y: number; k: number };
type Rect = { x: number; y: number; width: number; height: number };

export type Viewport = {
  view: Signal<View>;
  /** Scales around a point of the frame, or its middle. */
  zoom: (factor: number, at?: { x: number; y: number }) => void;
  fit: () => void;
  /** Moves this part of the drawing into sight, where it is not. */
  show: (part: Rect) => void;
  press: (event: KeyboardEvent) => void;
};

const smallest = 0.2;
const largest = 2.5;
/** Smaller than this nothing can be read; a larger chart begins at what is active. */
const readable = 0.75;
const stepPx = 60;
const margin = 20;

const clamp = (k: number): number => Math.min(largest, Math.max(smallest, k));

/** A viewport over a drawing of this size in `frame`. */
export function useViewport(frame: RefObject<HTMLElement | null>, size: { width: number; height: number }): Viewport {
  const viewport = useMemo(() => createViewport(frame, size), [size.width, size.height]);
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    viewport.fit();
    return follow(element, viewport);
  }, [viewport]);
  return viewport;
}

function createViewport(frame: RefObject<HTMLElement | null>, { width, height }: { width: number; height: number }): Viewport {
  const view = signal<View>({ x: margin, y: margin, k: 1 });
  const around = (factor: number, at: { x: number; y: number }): void => {
    const { x, y, k } = view.peek();
    const next = clamp(k * factor);
    view.value = { k: next, x: at.x - ((at.x - x) * next) / k, y: at.y - ((at.y - y) * next) / k };
  };
  const middle = (): { x: number; y: number } => ({ x: (frame.current?.clientWidth ?? 0) / 2, y: (frame.current?.clientHeight ?? 0) / 2 });
  const move = (dx: number, dy: number): void => {
    view.value = { ...view.peek(), x: view.peek().x + dx, y: view.peek().y + dy };
  };
  const actions: Record<string, () => void> = {
    '+': () => around(1.25, middle()), '=': () => around(1.25, middle()), '-': () => around(0.8, middle()), 0: () => fit(),
    ArrowLeft: () => move(stepPx, 0), ArrowRight: () => move(-stepPx, 0), ArrowUp: () => move(0, stepPx), ArrowDown: () => move(0, -stepPx),
  };
  const fit = (): void => {
    const { clientWidth = 0, clientHeight = 0 } = frame.current ?? {};
    const k = Math.max(Math.min((clientWidth - 2 * margin) / width, (clientHeight - 2 * margin) / height, 1), Math.min(readable, Math.max(smallest, (clientWidth - 2 * margin) / width)));
    view.value = { k, x: Math.max(margin, (clientWidth - width * k) / 2), y: Math.max(margin, (clientHeight - height * k) / 2) };
  };
  return {
    view, fit,
    zoom: (factor, at = middle()) => around(factor, at),
    show: (part) => {
      const { x, y, k } = view.peek();
      const { clientWidth = 0, clientHeight = 0 } = frame.current ?? {};
      const [left, top, right, bottom] = [x + part.x * k, y + part.y * k, x + (part.x + part.width) * k, y + (part.y + part.height) * k];
      if (left >= 0 && top >= 0 && right <= clientWidth && bottom <= clientHeight) return;
      view.value = { k, x: x + clientWidth / 2 - (left + right) / 2, y: y + clientHeight / 2 - (top + bottom) / 2 };
    },
    press: (event) => {
      const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : actions[event.key];
      if (!action) return;
      event.preventDefault();
      event.stopPropagation();
      action();
    },
  };
}

/** Wheel: scroll, with Ctrl (and pinching, which arrives as such) zoom. Pointer: drag. Returns what stops it. */
function follow(element: HTMLElement, { view, zoom }: Viewport): () => void {
  const listening = new AbortController();
  const { signal: until } = listening;
  element.addEventListener('wheel', (event) => {
    event.preventDefault();
    const { x, y, k } = view.peek();
    if (!event.ctrlKey) {
      view.value = { k, x: x - event.deltaX, y: y - event.deltaY };
      return;
    }
    const { left, top } = element.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY / 300), { x: event.clientX - left, y: event.clientY - top });
  }, { passive: false, signal: until });
  element.addEventListener('pointerdown', (down) => {
    if (down.button !== 0) return;
    const from = { ...view.peek(), px: down.clientX, py: down.clientY };
    const dragging = new AbortController();
    const moved = (event: PointerEvent): void => {
      view.value = { k: view.peek().k, x: from.x + event.clientX - from.px, y: from.y + event.clientY - from.py };
    };
    const options = { signal: AbortSignal.any([dragging.signal, until]) };
    addEventListener('pointermove', moved, options);
    for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => dragging.abort(), options);
  }, { signal: until });
  return () => listening.abort();
}
