/** Players that are not ours really play the simulator: ffprobe decodes its frames, `gst-launch-1.0 rtspsrc` its tracks. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import type { SimulatorProcess } from '../../src/camera-sim/process.ts';
import { startSimulator } from '../support/simulator.ts';

const run = promisify(execFile);
const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], LC_ALL: 'C' };
const credentials = { username: 'admin', password: 'secret' };
let simulator: SimulatorProcess;

const mounts = [
  { name: 'baseline', video: 'entrance-360p-baseline', audio: 'beep-pcmu' },
  { name: 'main', video: 'parking-360p-main', audio: 'beep-pcma' },
  { name: 'high', video: 'bframes-360p-high', audio: 'beep-aac' },
  { name: 'hevc', video: 'hevc-360p' },
  { name: 'odd', video: 'odd-504x282-baseline' },
  { name: 'basic', video: 'tiny-320x180-main', auth: { scheme: 'basic' as const, credentials } },
  { name: 'digest', video: 'tiny-320x180-main', auth: { scheme: 'digest-md5' as const, credentials } },
];

before(async () => {
  simulator = await startSimulator({ mounts });
});
after(() => simulator.close());

/** How far rtpbin may move a track when it learns, from RTCP, how the tracks belong together. */
const lipSyncSeconds = 0.1;

type Stream = { codec_name: string; profile?: string; width?: number; height?: number; nb_read_frames?: string; sample_rate?: string };

async function ffprobe(name: string, transport: 'tcp' | 'udp'): Promise<Stream[]> {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-rtsp_transport', transport, '-analyzeduration', '2000000', '-read_intervals', '%+2.5', '-count_frames', '-show_streams', '-of', 'json', simulator.url(name)], { env, timeout: 25_000 });
  return (JSON.parse(stdout) as { streams: Stream[] }).streams;
}

const expected: Record<string, Partial<Stream>[]> = {
  baseline: [{ codec_name: 'h264', profile: 'Constrained Baseline', width: 640, height: 360 }, { codec_name: 'pcm_mulaw', sample_rate: '8000' }],
  main: [{ codec_name: 'h264', profile: 'Main' }, { codec_name: 'pcm_alaw' }],
  high: [{ codec_name: 'h264', profile: 'High' }, { codec_name: 'aac', sample_rate: '16000' }],
  hevc: [{ codec_name: 'hevc', width: 640, height: 360 }],
  odd: [{ codec_name: 'h264', width: 504, height: 282 }],
  basic: [{ codec_name: 'h264', width: 320 }],
  digest: [{ codec_name: 'h264', width: 320 }],
};

suite('players that are not ours', { concurrency: 4 }, () => {
  for (const [name, streams] of Object.entries(expected)) {
    for (const transport of ['tcp', 'udp'] as const) {
      test(`ffprobe decodes ${name} over ${transport}`, async () => {
        const found = await ffprobe(name, transport);
        assert.equal(found.length, streams.length);
        for (const [index, stream] of streams.entries()) assert.partialDeepStrictEqual(found[index], stream);
        assert.ok(Number(found[0]!.nb_read_frames) > 12, `${found[0]!.nb_read_frames} frames decoded`);
      });
    }
  }

  // Filters that are elements: one written into a link with a pad that comes later is made anew by the threads of both tracks, and sometimes one track is lost.
  const branches: Record<string, string> = {
    baseline: 's. ! capsfilter caps=application/x-rtp,media=video ! rtph264depay ! avdec_h264 ! fakesink name=v s. ! capsfilter caps=application/x-rtp,media=audio ! rtppcmudepay ! mulawdec ! fakesink name=a',
    main: 's. ! capsfilter caps=application/x-rtp,media=video ! rtph264depay ! avdec_h264 ! fakesink name=v s. ! capsfilter caps=application/x-rtp,media=audio ! rtppcmadepay ! alawdec ! fakesink name=a',
    high: 's. ! capsfilter caps=application/x-rtp,media=video ! rtph264depay ! avdec_h264 ! fakesink name=v s. ! capsfilter caps=application/x-rtp,media=audio ! rtpmp4gdepay ! avdec_aac ! fakesink name=a',
    hevc: 's. ! rtph265depay ! avdec_h265 ! fakesink name=v',
    digest: 's. ! rtph264depay ! avdec_h264 ! fakesink name=v',
  };

  for (const [name, branch] of Object.entries(branches)) {
    for (const transport of ['tcp', 'udp'] as const) {
      test(`rtspsrc plays ${name} over ${transport} and every sink gets decoded buffers in order`, async () => {
        const sinks = branch.replaceAll('fakesink', 'fakesink silent=false num-buffers=40 sync=false async=false');
        const launch = `-v rtspsrc name=s latency=100 protocols=${transport} location=${simulator.url(name)} ${sinks}`;
        const { stdout } = await run('gst-launch-1.0', launch.split(' '), { env, timeout: 25_000, maxBuffer: 8 << 20 });
        for (const sink of branch.includes('name=a') ? ['v', 'a'] : ['v']) {
          const stamps = [...stdout.matchAll(new RegExp(`GstFakeSink:${sink}: last-message = chain.*?pts: (\\d+):(\\d+):([\\d.]+)`, 'gu'))].map(([, hours, minutes, seconds]) => Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
          // gst-launch prints a message when it gets round to it: one may come twice in place of its predecessor.
          assert.ok(new Set(stamps).size >= 10, `${stamps.length} buffers at ${sink}`);
          // The first sender report moves a track to where the other one is: by what two packets were late, not by more.
          assert.ok(stamps.slice(1).every((stamp, index) => stamp >= stamps[index]! - lipSyncSeconds), `timestamps at ${sink} go back: ${stamps.join(' ')}`);
          assert.ok(stamps.at(-1)! > stamps[0]! + 0.2, `timestamps at ${sink} grow: ${stamps.join(' ')}`);
        }
      });
    }
  }
});
