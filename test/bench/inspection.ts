/**
 * What a look at the actors costs: CPU of a supervisor with 100 scripted cameras (statistics four times a second each), with nobody
 * inspecting and with somebody who follows a camera and its messages, in turns within one run. Target: 5 % more.
 * `npm run bench -- inspection [cameras=100] [rounds=6] [seconds=5]`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { AnyActorRef } from 'xstate';
import { createInspector } from '../../src/control/inspector.ts';
import { createLog } from '../../src/log.ts';
import { benchOptions } from '../support/bench-options.ts';
import { median } from '../support/percentiles.ts';
import { addCameras, playing, startScriptedFleet } from '../support/scripted-fleet.ts';

const given = benchOptions({ cameras: '100', rounds: '6', seconds: '5' }, 'cameras');
const [cameras, rounds, seconds] = [given.cameras, given.rounds, given.seconds].map(Number) as [number, number, number];

const inspector = createInspector((): AnyActorRef => root as unknown as AnyActorRef, createLog({ level: 'silent' }), () => undefined);
let events = 0;
const root = startScriptedFleet((event) => {
  if (event.type === '@xstate.event') events += 1;
  inspector.inspect(event);
});
addCameras(root, cameras);
while (playing.size < cameras) await delay(5);
await delay(3_000);

/** ms of processor time for each second. */
async function cpu(): Promise<number> {
  const [used, at] = [process.cpuUsage(), performance.now()];
  await delay(seconds * 1_000);
  const { user, system } = process.cpuUsage(used);
  return (user + system) / (performance.now() - at);
}

let told = 0;
const count = (what: object): void => { told += JSON.stringify(what).length; };
const quiet: number[] = [];
const watched: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  quiet.push(await cpu());
  const look = inspector.open({ actors: count, steps: count, messages: count });
  count(look.charts());
  count(look.actors());
  look.watch('supervisor/camera:camera-0');
  look.sequence('supervisor/camera:camera-0');
  watched.push(await cpu());
  look.close();
}
const [alone, together] = [median(quiet), median(watched)];
console.log(`${cameras} cameras, ${Math.round(events / (3 + 2 * rounds * seconds))} events a second, ${rounds} rounds of ${seconds} s each way`);
console.log(`nobody looks: ${(alone / 10).toFixed(2)} % of a core (${quiet.map((value) => (value / 10).toFixed(2)).join(', ')})`);
console.log(`somebody looks: ${(together / 10).toFixed(2)} % of a core (${watched.map((value) => (value / 10).toFixed(2)).join(', ')}), ${Math.round(told / rounds / 1_000)} kB told a round`);
console.log(`a look costs ${((together - alone) / 10).toFixed(2)} % of a core, ${((together / alone - 1) * 100).toFixed(1)} % more than without`);
root.stop();
process.exit(0);
