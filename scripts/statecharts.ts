/** `docs/statecharts.md`, drawn from the machines' own definitions (Mermaid). `node scripts/statecharts.ts` writes it; a test keeps it equal. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { cameraMachine } from '../src/machines/camera.ts';
import { hostMachine } from '../src/machines/host.ts';
import { ingestMachine } from '../src/machines/ingest.ts';
import { outputMachine } from '../src/machines/output.ts';
import { primerMachine } from '../src/machines/primer.ts';
import { sfuMachine } from '../src/machines/sfu.ts';
import { sourceMachine } from '../src/machines/source.ts';
import { successionMachine } from '../src/machines/succession.ts';
import { supervisorMachine } from '../src/machines/supervisor.ts';
import { viewerMachine } from '../src/machines/viewer.ts';
import { workerMachine } from '../src/machines/worker.ts';

const charts: [string, string, AnyStateMachine][] = [
  ['Camera', 'Keeps one RTSP pull alive. Nothing restarts except from `teardown`, which waits until everything is released.', cameraMachine],
  ['Source', 'One pull of a camera, in one host; for a planned restart in two, of which the second takes over at a keyframe.', sourceMachine],
  ['Succession', 'Prepares a planned restart: a slot, and what the camera offers.', successionMachine],
  ['Host', 'The process that runs a camera\'s pipeline, with a deadline for every step.', hostMachine],
  ['Ingest', 'Transport and producer of a camera; outlives its sources.', ingestMachine],
  ['Output', 'A pipeline fed by the hub of a camera, in a host of its own, which fails alone.', outputMachine],
  ['Viewer', 'One subscription of one browser to one camera.', viewerMachine],
  ['Primer', 'The first pictures of a viewer, from the camera\'s hub, until its next keyframe.', primerMachine],
  ['Worker', 'A mediasoup process, started again under intensity.', workerMachine],
  ['SFU', 'Supervisor of the workers.', sfuMachine],
  ['Supervisor', 'The root.', supervisorMachine],
];

/** The whole page. */
export function statechartsDocument(): string {
  const introduction = [
    '# Statecharts', '',
    'Drawn from the definitions in `src/machines` by `scripts/statecharts.ts`; a test keeps this page equal. An arrow says what',
    'leads from state to state; what stays inside a state (recording figures, telling children) is not drawn. What decides',
    'between retry, quarantine and their delays is the table of [failures.md](failures.md).', '',
  ];
  const sections = charts.flatMap(([name, words, machine]) => [`## ${name}`, '', words, '', '```mermaid', 'stateDiagram-v2', ...states(machine.root, 1), ...edges(machine.root), '```', '']);
  return [...introduction, ...sections].join('\n');
}

/** Nested declarations; an id is the path, since names repeat. */
function states(node: AnyStateNode, depth: number): string[] {
  const indent = '  '.repeat(depth);
  const children = Object.values(node.states);
  const lines = children.flatMap((child) => (Object.keys(child.states).length === 0
    ? [`${indent}state "${child.key}" as ${idOf(child)}`, ...(child.type === 'final' ? [`${indent}${idOf(child)} --> [*]`] : [])]
    : [`${indent}state "${child.key}" as ${idOf(child)} {`, ...states(child, depth + 1), `${indent}}`]));
  const initial = node.initial?.target[0];
  return initial ? [`${indent}[*] --> ${idOf(initial)}`, ...lines] : lines;
}

/** One arrow for each pair of states, with everything that leads along it. */
function edges(root: AnyStateNode): string[] {
  const labels = new Map<string, Set<string>>();
  for (const node of walk(root)) {
    const transitions = [...node.transitions.values()].flat().concat(node.always ?? []);
    for (const { target, eventType } of transitions) {
      for (const to of target ?? []) {
        if (to === node || node === root) continue;
        const arrow = `${idOf(node)} --> ${idOf(to)}`;
        labels.set(arrow, (labels.get(arrow) ?? new Set()).add(wordsOf(eventType)));
      }
    }
  }
  return [...labels].map(([arrow, words]) => {
    const label = [...words].filter((word) => word !== '').join(', ');
    return `  ${arrow}${label === '' ? '' : ` : ${label}`}`;
  });
}

function* walk(node: AnyStateNode): Generator<AnyStateNode> {
  yield node;
  for (const child of Object.values(node.states)) yield* walk(child);
}

const idOf = (node: AnyStateNode): string => node.path.join('_');

/** XState's internal names, in words. */
function wordsOf(eventType: string): string {
  const [, kind, rest = ''] = /^xstate\.(after|done\.state|done\.actor|error\.actor)\.(.*)$/u.exec(eventType) ?? [];
  switch (kind) {
    case 'after': return `after ${rest.split('.')[0]}`;
    case 'done.state': return 'done';
    case 'done.actor': return `${actorOf(rest)} done`;
    case 'error.actor': return `${actorOf(rest)} failed`;
    default: return eventType;
  }
}

/** An actor without an id of its own is called `0.machine.state`. */
const actorOf = (id: string): string => (/^\d+\./u.test(id) ? 'its work' : id);

if (import.meta.main) await writeFile(join(import.meta.dirname, '..', 'docs', 'statecharts.md'), statechartsDocument());
