/** A frames output in a real host on the hub of a real source, with what a program leases for it. */
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { createFrames } from '../../src/control/frames.ts';
import { sharedMemory, sharedPrefix } from '../../src/native/orphans.ts';
import type { FrameForm } from '../../src/camera-config.ts';
import { record, startPool } from './hosts.ts';

/** A form that a test asks for. */
export const smallForm: FrameForm = { width: 160, height: 90, fps: 25, format: 'GRAY8' };

/** Frames of hubs; `close()` it in `after`. */
export function startFramesHosts() {
  const hosts = startPool();
  const frames = createFrames({ registry: hosts.registry, instance: hosts.instance });
  return {
    ...hosts,
    frames,
    async serve({ port, codec = 'H264', form = {}, camera = `c${randomUUID().slice(0, 6)}` }: { port: number; codec?: 'H264' | 'H265'; form?: Partial<FrameForm>; camera?: string }) {
      const host = await hosts.pool.take(`camera:${camera}/frames`);
      const said = record(host);
      const { run, ...place } = frames.begin(camera);
      void host.exited.then(() => frames.end(run));
      host.send({ type: 'output.start', spec: { output: 'frames', camera, run, hub: { port, codec, gopMs: 1_000 }, form: { ...smallForm, ...form }, ...place } });
      const listening = await said.next('frames.listening');
      frames.listening(run, listening.port);
      return { host, said, run, camera, port: listening.port, socket: place.socket, stats: () => said.events.findLast((event) => event.type === 'output.stats')?.stats };
    },
    /** What lies in shared memory of all of them. */
    left: () => readdirSync(sharedMemory).filter((name) => name.startsWith(sharedPrefix(hosts.instance))),
  };
}
