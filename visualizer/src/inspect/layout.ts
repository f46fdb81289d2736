/** Lays charts out with ELK in a worker of the browser, each machine once. */
import ELK from 'elkjs/lib/elk-api.js';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';
import type { ChartView } from '../../../src/api/protocol.ts';
import { drawingOf, graphOf, type Drawing, type Measure } from './graph.ts';

const fonts = { title: '600 14px', row: '400 12px', label: '500 12px' } as const;
/** As many as there are kinds of machines; a chart that changed is a new program, and a new page. */
const drawings = new Map<ChartView, Promise<Drawing>>();
let engine: InstanceType<typeof ELK> | undefined;

/** The drawing of a chart; rejects where it cannot be laid out. */
export function layOut(chart: ChartView): Promise<Drawing> {
  const known = drawings.get(chart);
  if (known) return known;
  engine ??= new ELK({ workerFactory: () => new Worker(workerUrl) });
  const { graph, groups } = graphOf(chart, measurer());
  const drawing = engine.layout(graph).then((laid) => drawingOf(chart, laid, groups));
  if (drawings.size >= 32) drawings.clear();
  drawings.set(chart, drawing);
  return drawing;
}

function measurer(): Measure {
  const context = document.createElement('canvas').getContext('2d');
  const family = getComputedStyle(document.body).fontFamily;
  return (text, font) => {
    if (!context) return text.length * 7;
    context.font = `${fonts[font]} ${family}`;
    return Math.ceil(context.measureText(text).width);
  };
}
