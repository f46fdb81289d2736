/** Moves tiles: by dragging, and with Shift and the arrow keys. */
import type { App } from '../app.ts';

const overClass = 'tile-over';

/** Handlers for the list of tiles; `done` hears which one was moved. */
export function arranging({ fleet, arrangement }: App, done: (id: string) => void): Record<'onDragStart' | 'onDragOver' | 'onDrop' | 'onDragEnd', (event: DragEvent) => void> {
  let dragged: string | null = null;
  const forget = (): void => {
    dragged = null;
    document.querySelector(`.${overClass}`)?.classList.remove(overClass);
  };
  return {
    onDragStart: (event) => {
      dragged = slotOf(event)?.id ?? null;
      if (dragged === null || !event.dataTransfer) return;
      event.dataTransfer.effectAllowed = 'move';
      event.dataTransfer.setData('text/plain', dragged);
    },
    onDragOver: (event) => {
      const slot = slotOf(event);
      if (dragged === null || !slot) return;
      event.preventDefault();
      const marked = document.querySelector(`.${overClass}`);
      if (marked === slot.element) return;
      marked?.classList.remove(overClass);
      if (slot.id !== dragged) slot.element.classList.add(overClass);
    },
    onDrop: (event) => {
      const slot = slotOf(event);
      event.preventDefault();
      if (dragged !== null && slot) {
        arrangement.place(fleet.ids.peek() ?? [], dragged, slot.id);
        done(dragged);
      }
      forget();
    },
    onDragEnd: forget,
  };
}

/** The place on the wall that an event is about. */
function slotOf({ target }: Event): { element: Element; id: string } | null {
  const element = target instanceof Element ? target.closest('.tile-slot') : null;
  const id = element?.querySelector<HTMLElement>('[data-tile]')?.dataset['tile'];
  return element && id !== undefined ? { element, id } : null;
}
