/** How far sound and picture of a simulated camera are apart: its clips flash and beep at the start of each second. Measured by ffmpeg. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const most = { maxBuffer: 256 * 1024 * 1024, timeout: 60_000 };
const rate = 8_000;
/** The flash is a white square near the top right corner, for 320 × 180: side, left, top. */
const square = { 180: '18:18:293:9', 360: '36:36:586:18' } as const;
const white = 180;
/** Of 8,000, the height of the beep; quiet for so long before one. */
const loud = 1_500;
const quietMs = 400;

/** What was measured: ms from the flash to the beep nearest to it, one for each; positive where sound is late. */
export async function soundOffsets(path: string, height: keyof typeof square = 180): Promise<number[]> {
  const [flashes, beeps] = await Promise.all([flashTimes(path, height), beepTimes(path)]);
  return beeps.flatMap((beep) => {
    const nearest = flashes.reduce((best, flash) => (Math.abs(flash - beep) < Math.abs(best - beep) ? flash : best), Infinity);
    return Math.abs(nearest - beep) < 500 ? [Math.round(beep - nearest)] : [];
  });
}

/** When the square turns white, ms on the file's own time line. */
async function flashTimes(path: string, height: keyof typeof square): Promise<number[]> {
  const { stdout: list } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'frame=pts_time', '-of', 'csv=p=0', path], most);
  const times = list.split('\n').map((line) => Number.parseFloat(line) * 1_000).filter((time) => !Number.isNaN(time));
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', path, '-map', '0:v:0', '-fps_mode', 'passthrough', '-vf', `crop=${square[height]},scale=1:1,format=gray`, '-f', 'rawvideo', '-'], { ...most, encoding: 'buffer' });
  return times.filter((_, index) => (stdout[index] ?? 0) > white && (stdout[index - 1] ?? 255) <= white);
}

/** When sound begins after a silence. */
async function beepTimes(path: string): Promise<number[]> {
  const { stdout: first } = await run('ffprobe', ['-v', 'error', '-select_streams', 'a:0', '-show_entries', 'packet=pts_time', '-read_intervals', '%+#1', '-of', 'csv=p=0', path], most);
  const start = Number.parseFloat(first) * 1_000;
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', path, '-map', '0:a:0', '-af', 'aresample=async=1', '-ac', '1', '-ar', String(rate), '-f', 's16le', '-'], { ...most, encoding: 'buffer' });
  const beeps: number[] = [];
  let lastLoud = -Infinity;
  for (let index = 0; index * 2 + 1 < stdout.length; index += 1) {
    if (Math.abs(stdout.readInt16LE(index * 2)) < loud) continue;
    const ms = (index / rate) * 1_000;
    if (ms - lastLoud > quietMs && ms > quietMs) beeps.push(start + ms);
    lastLoud = ms;
  }
  return beeps;
}
