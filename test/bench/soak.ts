/** `npm run soak [-- restarts]`: restarts of one camera (2,000) while three stream; memory, descriptors, threads, actors and leases must return to where they were. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plot, slopeOf, soak } from '../support/soak.ts';

const restarts = Number(process.argv[2] ?? 2_000);
const every = Math.max(1, Math.round(restarts / 100));
const megabyte = 1_048_576;

// The heap grows to its working size first; what follows must not grow.
const report = await soak({
  restarts, every, warmUp: Math.min(100, restarts),
  onSample: ({ restart, rssBytes, descriptors, threads, actors, leases }) => console.log(`${String(restart).padStart(5)}  ${(rssBytes / megabyte).toFixed(1)} MB  ${descriptors} fds  ${threads} threads  ${actors} actors  ${leases} leases`),
});
const output = join(import.meta.dirname, '..', '..', 'test-output');
mkdirSync(output, { recursive: true });
writeFileSync(join(output, 'soak.svg'), plot(report.samples));

const { baseline, end } = report;
const { slope, halfWidth } = slopeOf(report.samples.map(({ restart, rssBytes }) => ({ x: restart, y: rssBytes })));
const checks: [string, boolean][] = [
  [`resident memory: slope ${(slope / 1_024).toFixed(2)} ± ${(halfWidth / 1_024).toFixed(2)} kB a restart, the 95 % interval contains 0 or lies below`, slope - halfWidth <= 0],
  [`resident memory: end − start ${((end.rssBytes - baseline.rssBytes) / megabyte).toFixed(1)} MB, at most 2`, end.rssBytes - baseline.rssBytes <= 2 * megabyte],
  ...(['descriptors', 'threads', 'actors', 'leases', 'children'] as const).map((key): [string, boolean] => [`${key}: ${baseline[key]} → ${end[key]}`, end[key] === baseline[key]]),
  [`neighbours that changed state: ${report.neighbours.join(', ') || 'none'}`, report.neighbours.length === 0],
];
console.log(`\n${restarts} restarts in ${report.seconds.toFixed(0)} s; plot: test-output/soak.svg`);
for (const [text, fine] of checks) console.log(`${fine ? '✔' : '✖'} ${text}`);
process.exit(checks.every(([, fine]) => fine) ? 0 : 1);
