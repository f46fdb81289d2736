/** The metrics of a running program: complete for rules and dashboard, and in a form that Prometheus takes. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startLookout } from '../support/lookout.ts';
import { startSimulator } from '../support/simulator.ts';

const deploy = join(import.meta.dirname, '..', '..', 'deploy');
const files = ['prometheus/lookout.rules.yaml', 'grafana/lookout.json'].map((name) => join(deploy, name));
/** promtool is in Debian's prometheus, 96 MB that nothing else here needs: set-up does not install it. `PROMTOOL` names another. */
const promtool = process.env['PROMTOOL'] ?? 'promtool';

/** Writes that Prometheus would not take (text format 0.0.4), by the rules that promtool and its parser have. */
function mistakes(text: string): string[] {
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\w+)$/gmu)].map(([, name = '', type = '']) => [name, type]));
  const series = new Set<string>();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).flatMap((line) => {
    const [, name = '', labels = '', value = ''] = /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)$/u.exec(line) ?? [];
    if (name === '') return [`cannot be read: ${line}`];
    const own = types.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/u, '');
    const seen = series.has(name + labels);
    series.add(name + labels);
    return [
      ...(seen ? [`twice: ${name}${labels}`] : []),
      ...(types.has(own) ? [] : [`without type: ${name}`]),
      ...(Number.isNaN(Number(value)) && !['NaN', 'Nan', '+Inf', '-Inf'].includes(value) ? [`no number: ${line}`] : []),
      ...(types.get(own) === 'counter' && !name.endsWith('_total') ? [`a counter without _total: ${name}`] : []),
    ];
  });
}

test('every metric of the alert rules and the dashboard is exposed by a running program, in the form of Prometheus', async (t) => {
  await using simulator = await startSimulator({ mounts: [{ name: 'one', video: 'tiny-320x180-main' }] });
  await using lookout = await startLookout();
  await lookout.add({ id: 'gate', url: simulator.url('one') });
  await lookout.until('gate', 'streaming.live');
  const scrape = async (): Promise<string> => (await fetch(`${lookout.url}/metrics`, { headers: { authorization: 'Bearer test-admin-token-of-this-run' } })).text();
  const text = await eventually(async () => {
    const scraped = await scrape();
    return /camera_packets_total\{camera="gate"\} [1-9]/u.test(scraped) ? scraped : undefined;
  }, { what: 'packets to be counted' }) as string;

  const exposed = new Set([...text.matchAll(/^# TYPE (\S+) (\w+)$/gmu)].flatMap(([, name = '', type]) => (type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name])));
  const named = new Set(files.flatMap((file) => readFileSync(file, 'utf8').match(/\bvms_media_\w+/gu) ?? []));
  assert.ok(named.size > 25, 'names were found');
  assert.deepEqual([...named].filter((name) => !exposed.has(name)), []);
  assert.deepEqual(mistakes(text), []);
  assert.deepEqual(mistakes('a_total 1\n# TYPE b counter\nb{x="1"} 1\nb{x="1"} x\nc{ 1').length, 6, 'mistakes would be found');

  if (spawnSync(promtool, ['--version']).error !== undefined) return t.diagnostic('promtool is not installed: it was not asked');
  execFileSync(promtool, ['check', 'rules', files[0] ?? ''], { stdio: 'pipe' });
  const { stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' });
  // Three names of prom-client's process defaults are not to promtool's taste.
  assert.deepEqual(`${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !/^vms_media_nodejs_active_\w+_total non-counter metrics/u.test(line)), []);
  t.diagnostic('promtool accepts both');
});
