/**
 * A power cut: cameras (100, small clips) vanish at the same moment and return together. How long until each is live
 * again, and how many connect at once: admission has to keep them within its budget.
 * Usage: npm run bench -- powercut [cameras=100] [seconds away=10]
 */
import { eventually } from '../support/eventually.ts';
import { startLookout } from '../support/lookout.ts';
import { rank } from '../support/percentiles.ts';
import { startSimulator } from '../support/simulator.ts';

const [cameras = 100, awaySeconds = 10] = process.argv.slice(2, 4).map(Number);
const targetMs = 30_000;
const internalSecret = 'bench-internal-secret';
const ids = Array.from({ length: cameras }, (_, index) => `camera${String(index).padStart(3, '0')}`);

await using simulator = await startSimulator({ mounts: ids.map((name) => ({ name, video: 'tiny-320x180-main', phase: 'random' as const })) });
// All cameras share 127.0.0.1 here, which a site does not: the limit for each address would be what is measured.
const fleet = 16;
await using lookout = await startLookout({ config: { internalSecret, supervision: { admission: { fleet, perAddress: fleet } } } });
for (const id of ids) await lookout.add({ id, url: simulator.url(id), transport: 'tcp' });
await eventually(async () => (await lookout.cameras()).every(({ substate }) => substate === 'live'), { timeoutMs: 180_000, intervalMs: 1_000, what: 'all cameras live' });
console.log(`${cameras} cameras are live; they lose their power now, all at once, for ${awaySeconds} s`);

const returnAt = Date.now() + awaySeconds * 1_000;
await Promise.all(ids.map((id) => simulator.act(id, { type: 'reboot', seconds: awaySeconds })));
await eventually(async () => (await lookout.cameras()).every(({ substate }) => substate !== 'live'), { timeoutMs: 30_000, intervalMs: 1_000, what: 'all of them to be noticed' });
const backMs = new Map<string, number>();
await eventually(async () => {
  for (const { id, substate, since } of await lookout.cameras()) if (substate === 'live') backMs.set(id, Date.parse(since) - returnAt);
  return backMs.size === cameras;
  // `since` is exact: asking more often would only take the processor away from what is measured.
}, { timeoutMs: 120_000, intervalMs: 1_000, what: 'all cameras live again' });

const [p50, p95, last] = [0.5, 0.95, 1].map((share) => rank([...backMs.values()], share)) as [number, number, number];
const stats = await (await fetch(`${lookout.url}/stats`, { headers: { 'x-internal-auth': internalSecret } })).json() as { held: { admission: { peak: number } } };
const { incidents } = await lookout.api<{ incidents: { cameras: unknown[]; message: string }[] }>('GET', '/api/v1/incidents');
const failed = new Map<string, number>();
const slowest = [...backMs].sort((a, b) => b[1] - a[1])[0]?.[0] ?? '';
for (const id of ids) {
  for (const { at, to, class: cls } of await lookout.events(id)) if (to === 'teardown' && cls && Date.parse(at) >= returnAt) failed.set(cls, (failed.get(cls) ?? 0) + 1);
}
console.log(`failed attempts after the power came back: ${[...failed].map(([cls, count]) => `${count} × ${cls}`).join(', ') || 'none'}`);
console.log(`the last one's story (s after the return):\n${(await lookout.events(slowest)).filter(({ at }) => Date.parse(at) > returnAt - 1_000).toReversed().map(({ at, message }) => `  ${((Date.parse(at) - returnAt) / 1_000).toFixed(1).padStart(5)}  ${message}`).join('\n')}`);
console.table({ 'live again after the power came back, ms': { p50, p95, last, target: targetMs } });
console.log(`connected at once: at most ${stats.held.admission.peak} of ${fleet}; incidents: ${incidents.map(({ message }) => message).join(' ')}`);
console.log(JSON.stringify({ bench: 'powercut', cameras, awaySeconds, p50, p95, last, peak: stats.held.admission.peak, fleet, incidents: incidents.length }));
process.exitCode = last <= targetMs && stats.held.admission.peak <= fleet ? 0 : 1;
