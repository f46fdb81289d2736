/** The files for operators: alert rules and dashboard name only metrics, labels and states that there are, and runbooks that can be read. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { createMetrics } from '../src/api/metrics.ts';
import { settings } from '../src/config.ts';
import { outputMachine } from '../src/machines/output.ts';
import type { Store } from '../src/store/types.ts';
import { scriptedControl } from './support/scripted-control.ts';

type Rule = { alert: string; expr: string; labels?: Record<string, string>; annotations?: Record<string, string> };
type Panel = { id: number; title: string; type: string; datasource?: { uid: string }; targets?: { expr: string; legendFormat: string }[]; gridPos: Record<'x' | 'y' | 'w' | 'h', number> };
type Dashboard = { uid: string; panels: Panel[]; templating: { list: { name: string; type: string; definition?: string }[] } };

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const rules = (parse(read('deploy/prometheus/lookout.rules.yaml')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read('deploy/grafana/lookout.json')) as Dashboard;
const expressions = [...rules.map(({ expr }) => expr), ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))];

/** Labels that Prometheus puts on whatever it scrapes. */
const ofPrometheus = ['instance', 'job'];

const metrics = createMetrics({ control: scriptedControl().control, store: { status: () => ({ ok: true, reason: null, droppedEvents: 0, pendingEvents: 0 }) } as Store });
const catalogue = new Map(metrics.list().flatMap(({ name, type, labels }) => type === 'histogram'
  ? ['_bucket', '_sum', '_count'].map((suffix): [string, string[]] => [`${name}${suffix}`, suffix === '_bucket' ? [...labels, 'le'] : labels])
  : [[name, labels] as [string, string[]]]));
const text = await metrics.text();
metrics.close();

/** Values that a label of a metric can have, where the set is closed. */
const values: Record<string, Set<string>> = {
  'vms_media_camera_state state': new Set([...text.matchAll(/^vms_media_camera_state\{.*state="(\w+)"/gmu)].map((match) => match[1] ?? '')),
  'vms_media_output_state state': new Set(['off', 'finishing', ...Object.keys(outputMachine.config.states ?? {}), ...Object.values(outputMachine.config.states ?? {}).flatMap((state) => Object.keys(state.states ?? {}))]),
  'vms_media_output_state output': new Set(Object.keys(scriptedControl().control.cameras()[0]?.outputs ?? {})),
};

const metricsIn = (expr: string): string[] => expr.match(/\bvms_media_\w+/gu) ?? [];
const labelsOf = (expr: string): string[] => metricsIn(expr).flatMap((name) => catalogue.get(name) ?? []);

/** Every matcher of an expression: metric, label, and the values it names. */
function matchers(expr: string): { metric: string; label: string; named: string[] }[] {
  return [...expr.matchAll(/(vms_media_\w+)\{([^}]*)\}/gu)].flatMap(([, metric = '', inside = '']) =>
    [...inside.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/gu)].map(([, label = '', value = '']) => ({ metric, label, named: value.includes('$') ? [] : value.split('|') })));
}

/** What an expression names that is not in the catalogue. */
function unknown(expr: string): string[] {
  const grouped = [...expr.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/gu)].flatMap((match) => (match[1] ?? '').split(/\s*,\s*/u));
  return [
    ...metricsIn(expr).filter((name) => !catalogue.has(name)),
    ...matchers(expr).filter(({ metric, label }) => !(catalogue.get(metric)?.includes(label) ?? false)).map(({ metric, label }) => `${metric}{${label}}`),
    ...matchers(expr).flatMap(({ metric, label, named }) => named.filter((value) => values[`${metric} ${label}`]?.has(value) === false).map((value) => `${metric}{${label}="${value}"}`)),
    ...grouped.filter((label) => ![...labelsOf(expr), ...ofPrometheus].includes(label)),
  ];
}

describe('what is named in deploy', () => {
  it('is of the catalogue: metrics, labels, states', () => {
    assert.ok(expressions.length > 30, 'expressions were found');
    for (const expr of expressions) assert.notDeepEqual(metricsIn(expr), [], `${expr} reads a metric`);
    assert.deepEqual(expressions.flatMap(unknown), []);
  });

  it('would be found out if it were wrong', () => {
    const wrong = ['vms_media_nothing', 'vms_media_viewers{room="a"}', 'sum by (room) (vms_media_viewers)', 'vms_media_camera_state{state="quarantine"}', 'vms_media_output_state{output="tape"}', 'vms_media_output_state{state="broken"}'];
    assert.deepEqual(wrong.map((expr) => unknown(expr).length), wrong.map(() => 1));
  });
});

describe('the alert rules', () => {
  it('have a name of their own, a severity, a summary, and a runbook in docs/failures.md', () => {
    const headings = [...read('docs/failures.md').matchAll(/^#+ (.+)$/gmu)].map((match) => (match[1] ?? '').toLowerCase().replaceAll(' ', '-'));
    assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
    for (const { alert, labels, annotations } of rules) {
      assert.ok(['page', 'ticket'].includes(labels?.['severity'] ?? ''), `${alert} has a severity`);
      assert.ok((annotations?.['summary'] ?? '') !== '', `${alert} has a summary`);
      assert.equal(annotations?.['runbook_url'], `docs/failures.md#${alert.toLowerCase()}`);
      assert.ok(headings.includes(alert.toLowerCase()), `docs/failures.md says what to do about ${alert}`);
    }
    const runbooks = headings.filter((heading) => /^lookout[a-z]+$/u.test(heading));
    assert.deepEqual(runbooks.filter((name) => !rules.some(({ alert }) => alert.toLowerCase() === name)), []);
  });

  it('speak of labels that their expression leaves', () => {
    const gone = rules.flatMap(({ alert, expr, annotations }) => {
      const grouped = /^\w+ by \(([^)]*)\)/u.exec(expr)?.[1]?.split(/\s*,\s*/u);
      const left = grouped ?? [...labelsOf(expr), ...ofPrometheus];
      return [...Object.values(annotations ?? {}).join(' ').matchAll(/\$labels\.(\w+)/gu)].filter((match) => !left.includes(match[1] ?? '')).map((match) => `${alert}: ${match[1]}`);
    });
    assert.deepEqual(gone, []);
  });
});

describe('the dashboard', () => {
  it('asks the data source and the cameras that were chosen', () => {
    assert.deepEqual(dashboard.templating.list.map(({ name, type }) => [name, type]), [['datasource', 'datasource'], ['camera', 'query']]);
    const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/u.exec(dashboard.templating.list[1]?.definition ?? '') ?? [];
    assert.ok(catalogue.get(metric)?.includes(label), `${metric} has ${label}`);
    const graphs = dashboard.panels.filter(({ type }) => type !== 'row');
    assert.deepEqual(graphs.filter(({ datasource }) => datasource?.uid !== '${datasource}').map(({ title }) => title), []);
    const names = expressions.flatMap((expr) => [...expr.matchAll(/\$(\w+)/gu)].map((match) => match[1]));
    assert.deepEqual([...new Set(names)].toSorted(), ['__rate_interval', 'camera']);
  });

  it('names its lines by labels that the expression leaves', () => {
    const wrong = dashboard.panels.flatMap(({ title, targets = [] }) => targets.flatMap(({ expr, legendFormat }) => {
      const grouped = /\bby \(([^)]*)\)/u.exec(expr)?.[1]?.split(/\s*,\s*/u);
      return [...legendFormat.matchAll(/\{\{(\w+)\}\}/gu)].filter((match) => !(grouped ?? labelsOf(expr)).includes(match[1] ?? '')).map((match) => `${title}: ${match[1]}`);
    }));
    assert.deepEqual(wrong, []);
  });

  it('has its panels beside one another, not on top', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) => Array.from({ length: w * h }, (_, index) => `${x + (index % w)} ${y + Math.floor(index / w)}`));
    assert.equal(new Set(cells).size, cells.length);
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
    assert.ok(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24));
  });
});

describe('the unit and the image', () => {
  const unit = read('deploy/lookout.service');
  const image = read('deploy/Dockerfile');
  const known = settings().map(({ schema }) => schema.env);

  it('set variables that the program reads', () => {
    const named = [...unit.matchAll(/\b(LOOKOUT_[A-Z_]+)=/gu), ...image.matchAll(/\b(LOOKOUT_[A-Z_]+)=/gu)].map(([, name]) => name);
    assert.ok(named.length >= 5);
    assert.deepEqual(named.filter((name) => !known.includes(name)), []);
  });

  it('start a command that exists, of the place where it is', () => {
    for (const text of [unit, image]) assert.match(text, /\/opt\/lookout\/bin\/lookout/u);
    assert.match(read('bin/lookout'), /^#!\/bin\/sh/u);
    assert.match(read('src/cli/main.ts'), /serve/u);
  });

  it('give the guardian the time that it takes to end', () => {
    const orderlyMs = Number(/^const orderlyMs = ([\d_]+);$/mu.exec(read('src/cli/guardian.ts'))?.[1]?.replaceAll('_', ''));
    assert.ok(Number(/^TimeoutStopSec=(\d+)$/mu.exec(unit)?.[1]) * 1000 > orderlyMs);
    assert.match(unit, /^KillMode=mixed$/mu);
  });

  it('do not forbid what the hosts need', () => {
    assert.doesNotMatch(unit, /^(?:MemoryDenyWriteExecute|PrivateNetwork|ProcSubset)=/mu);
  });

  it('keep keys, stores and local state out of the image', () => {
    const ignored = read('.dockerignore').split('\n');
    for (const path of ['data', '.git', '**/node_modules', '.cache', 'lookout.yaml', '**/*.key', '**/*.db*']) assert.ok(ignored.includes(path), path);
  });
});
