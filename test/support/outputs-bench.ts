/** What a user of the whole program waits for: segments of HLS, and pictures. */
import { setTimeout as sleep } from 'node:timers/promises';
import HLS from 'hls-parser';
import { eventually } from './eventually.ts';
import { startLookout, type Lookout } from './lookout.ts';
import { percentiles, type Percentiles } from './percentiles.ts';
import { startSimulator } from './simulator.ts';

const headers = { authorization: 'Bearer test-admin-token-of-this-run' };
const pictures = 40;
const segments = 12;

/** A program with one camera that plays a clip, live. */
async function withCamera<T>(video: string, work: (lookout: Lookout) => Promise<T>): Promise<T> {
  await using simulator = await startSimulator({ mounts: [{ name: 'camera', video }] });
  await using lookout = await startLookout();
  await lookout.add({ id: 'camera', url: simulator.url('camera'), transport: 'tcp', outputs: { hls: { mode: 'always' } } });
  await lookout.until('camera', 'streaming.live', 30_000);
  return await work(lookout);
}

/** How old the end of a segment of 2 s is when it is listed. */
export function hlsLatency(video: string): Promise<Percentiles> {
  return withCamera(video, async (lookout) => {
    const seen = new Set<number>();
    const late: number[] = [];
    await eventually(async () => {
      const response = await fetch(`${lookout.url}/hls/camera/index.m3u8`, { headers });
      if (response.status !== 200) return false;
      const listed = (HLS.parse(await response.text()) as HLS.types.MediaPlaylist).segments;
      for (const { mediaSequenceNumber, programDateTime, duration } of listed) {
        if (!seen.has(mediaSequenceNumber) && seen.size > 0) late.push(Date.now() - programDateTime!.getTime() - duration * 1_000);
        seen.add(mediaSequenceNumber);
      }
      return late.length >= segments;
    }, { timeoutMs: 60_000, intervalMs: 20, what: `${segments} segments` });
    return percentiles(late);
  });
}

/** How long a picture takes that nobody asked for before: one behind each keyframe. */
export function snapshotTimes(video: string): Promise<Percentiles> {
  return withCamera(video, async (lookout) => {
    const times: number[] = [];
    let last = '';
    while (times.length < pictures) {
      const began = performance.now();
      const response = await fetch(`${lookout.url}/api/v1/cameras/camera/snapshot.jpg`, { headers });
      await response.arrayBuffer();
      const tag = response.headers.get('etag') ?? '';
      if (response.status === 200 && tag !== last && last !== '') times.push(performance.now() - began);
      if (response.status === 200) last = tag;
      await sleep(1_050);
    }
    return percentiles(times);
  });
}
