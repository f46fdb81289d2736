/** The flight recorder's GStreamer plugin (`src/native/flight/lookoutflight.c`), compiled against the GStreamer of this machine. */
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { flightPlugin, inRoot, root } from './paths.mjs';
import { SetupProblem } from './problem.mjs';
import { run, succeeds } from './run.mjs';
import { hashOf, stampIs, writeStamp } from './stamp.mjs';

const source = inRoot('src', 'native', 'flight', 'lookoutflight.c');
const stamp = inRoot('.cache', 'stamps', 'flight-plugin');
const libraries = ['gstreamer-1.0', 'gstreamer-base-1.0', 'gstreamer-rtsp-1.0'];

/** Whether the plugin is there and made of today's source. */
export const flightPluginIsCurrent = () => stampIs(stamp, stampValue());

/** Compiles the plugin, proves that GStreamer takes it, and makes the hosts' own plugin registry, so that no host has to scan. */
export const buildFlightPlugin = async () => {
  mkdirSync(dirname(flightPlugin), { recursive: true });
  const fresh = `${flightPlugin}.new`;
  const flags = (await run(['pkg-config', '--cflags', '--libs', ...libraries], { what: 'Finding GStreamer' })).join(' ').split(/\s+/).filter(Boolean);
  await run(['gcc', '-std=gnu11', '-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-o', fresh, source, ...flags], { cwd: root, what: 'Compiling the flight recorder' });
  // In its place in one step: a host may be loading the old one.
  renameSync(fresh, flightPlugin);
  const registry = `${dirname(flightPlugin)}/registry.bin`;
  rmSync(registry, { force: true });
  const env = { GST_PLUGIN_PATH: dirname(flightPlugin), GST_REGISTRY: registry };
  if (!(await succeeds(['gst-inspect-1.0', 'lookoutflight'], { env, deadlineMs: 60_000 }))) throw new SetupProblem('The flight recorder was compiled, but GStreamer does not load it.');
  writeStamp(stamp, stampValue());
};

const stampValue = () => hashOf(readFileSync(source, 'utf8'), String(bytesOf(flightPlugin) > 0));

const bytesOf = (path) => {
  try {
    return readFileSync(path).length;
  } catch {
    return 0;
  }
};
