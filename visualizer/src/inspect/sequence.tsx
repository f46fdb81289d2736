/** Messages between actors as a sequence: a lane for each actor, an arrow for each message, the newest below. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { MessageView } from '../../../src/api/protocol.ts';
import { DownloadIcon } from '../components/icons.tsx';
import { timeText } from '../models/times.ts';
import { download, fileName, messagesText, svgText } from './export.ts';
import type { InspectModel } from './model.ts';

const laneWidth = 168;
const rowHeight = 26;
const headHeight = 44;
const timeWidth = 74;
const outside = 'outside';

export type SequenceDrawing = { width: number; height: number; lanes: { id: string; name: string; x: number }[]; arrows: { message: MessageView; from: number; to: number; y: number }[] };

/** Lanes in the order in which actors first spoke; where nobody of the tree sent it, it comes from outside. */
export function drawSequence(messages: readonly MessageView[]): SequenceDrawing {
  const ids = [...new Set(messages.flatMap(({ from, to }) => [from ?? outside, to]))];
  const lanes = ids.map((id, index) => ({ id, name: id.split('/').at(-1)!, x: timeWidth + laneWidth * (index + 0.5) }));
  const place = new Map(lanes.map(({ id, x }) => [id, x]));
  const arrows = messages.map((message, index) => ({ message, from: place.get(message.from ?? outside)!, to: place.get(message.to)!, y: headHeight + rowHeight * (index + 0.8) }));
  return { width: timeWidth + laneWidth * Math.max(1, lanes.length), height: headHeight + rowHeight * (messages.length + 1), lanes, arrows };
}

export function Sequence({ model, below }: { model: InspectModel; below: string }): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const picture = useRef<SVGSVGElement>(null);
  useEffect(() => model.followMessages(below), [model, below]);
  const messages = model.messages.value;
  const drawing = drawSequence(messages);
  const newest = messages.at(-1)?.n;
  useEffect(() => {
    const element = frame.current;
    // Whoever has scrolled back reads; whoever is at the end follows.
    if (element && element.scrollHeight - element.scrollTop - element.clientHeight < 4 * rowHeight) element.scrollTop = element.scrollHeight;
  }, [newest]);
  return (
    <div class="sequence-frame">
      <div class="sequence" ref={frame} tabIndex={0} role="region" aria-label={`Messages at and below ${below}`}>
        {messages.length === 0 ? <p class="muted pane-note">Nothing has passed since you look.</p> : <Picture drawing={drawing} refTo={picture} />}
      </div>
      <div class="canvas-tools" role="toolbar" aria-label="Messages">
        <button type="button" class="button button-small" disabled={messages.length === 0} aria-label="Save messages as JSON" title="Save messages as JSON" onClick={() => download(`${fileName(below)}-messages.json`, 'application/json', messagesText(below, messages))}><DownloadIcon />JSON</button>
        <button type="button" class="button button-small" disabled={messages.length === 0} aria-label="Save messages as SVG" title="Save messages as SVG" onClick={() => { if (picture.current) download(`${fileName(below)}-messages.svg`, 'image/svg+xml', svgText(picture.current, drawing)); }}><DownloadIcon />SVG</button>
      </div>
    </div>
  );
}

function Picture({ drawing: { width, height, lanes, arrows }, refTo }: { drawing: SequenceDrawing; refTo: { current: SVGSVGElement | null } }): JSX.Element {
  return (
    <svg ref={refTo} width={width} height={height} role="group" aria-label="Sequence of messages">
      {lanes.map(({ id, name, x }) => (
        <g key={id} data-lane={id}>
          <title>{id}</title>
          <text class="lane-name" x={x} y={20} text-anchor="middle">{shortened(name, 22)}</text>
          <line class="lane" x1={x} x2={x} y1={30} y2={height} />
        </g>
      ))}
      {arrows.map(({ message: { n, at, from, to, type, times }, from: x1, to: x2, y }) => {
        const towards = x2 >= x1 ? 1 : -1;
        return (
          <g key={n} data-message={n} data-type={type}>
            <title>{`${from ?? outside} → ${to}: ${type}`}</title>
            <text class="lane-time" x={4} y={y + 4}>{timeText(at)}</text>
            <path class="message" d={`M${x1} ${y}H${x2 - 7 * towards}`} />
            <path class="message-head" d={`M${x2} ${y}l${-8 * towards} -4v8z`} />
            <text class="message-name" x={Math.min(x1, x2) + Math.abs(x2 - x1) / 2} y={y - 4} text-anchor="middle">{shortened(type, Math.max(20, Math.abs(x2 - x1) / 7))}{times > 1 ? ` × ${times}` : ''}</text>
          </g>
        );
      })}
    </svg>
  );
}

function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
