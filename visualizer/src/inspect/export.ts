/** Takes what is shown along: a chart as an SVG that needs no style sheet, a history as JSON. */
import type { ActorView, ChartView, MessageView, StepView } from '../../../src/api/protocol.ts';

const inlined = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linecap', 'font-family', 'font-size', 'font-weight', 'opacity'];
/** What only a page needs. */
const controls = ['tabindex', 'role', 'aria-pressed', 'aria-current', 'aria-description', 'class'];
const frame = 16;

/** The whole drawing, with the colours it has now. */
export function svgText(picture: SVGSVGElement, { width, height }: { width: number; height: number }): string {
  const copy = picture.cloneNode(true) as SVGSVGElement;
  const [originals, copies] = [picture, copy].map((root) => [...root.querySelectorAll<SVGElement>('*')]);
  originals!.forEach((original, index) => {
    if (original.matches('.line-pulse')) copies![index]!.remove();
    const style = getComputedStyle(original);
    const target = copies![index]!;
    for (const name of inlined) target.style.setProperty(name, style.getPropertyValue(name));
    for (const name of controls) target.removeAttribute(name);
  });
  copy.querySelectorAll('[data-scene]').forEach((scene) => scene.removeAttribute('transform'));
  const box = [-frame, -frame, width + 2 * frame, height + 2 * frame].map(Math.ceil);
  copy.removeAttribute('class');
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('viewBox', box.join(' '));
  copy.setAttribute('width', String(box[2]));
  copy.setAttribute('height', String(box[3]));
  // Not as an attribute: the page's policy forbids inline styles, and the picture would lose its ground.
  copy.style.setProperty('background', getComputedStyle(document.body).backgroundColor);
  return new XMLSerializer().serializeToString(copy);
}

/** The chart, what is kept of the actor, and the ids of its children: everything that the machine needs to go the same way again. */
export function historyText({ actor, children, chart, steps }: { actor: ActorView; children: string[]; chart: ChartView | null; steps: readonly StepView[] }): string {
  return JSON.stringify({ format: 'lookout-inspect/1', exportedAt: new Date().toISOString(), actor, children, chart, steps }, null, 2);
}

/** Messages between actors. */
export function messagesText(below: string, messages: readonly MessageView[]): string {
  return JSON.stringify({ format: 'lookout-messages/1', exportedAt: new Date().toISOString(), below, messages }, null, 2);
}

/** Hands a text to the browser as a download. */
export function download(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  // The download has begun when the click returns; Chromium reads the blob a little later.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A file name for an actor: `supervisor/camera:gate` → `camera-gate`. */
export function fileName(actor: string): string {
  return (actor.split('/').slice(1).join('.') || actor).replace(/[^a-z0-9.]+/giu, '-');
}
