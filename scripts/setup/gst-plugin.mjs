/** Lookout's GStreamer plugin (`src/native/plugin`), compiled against the GStreamer of this machine. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gstPlugin, inRoot, root } from './paths.mjs';
import { SetupProblem } from './problem.mjs';
import { run, succeeds } from './run.mjs';
import { hashOf, stampIs, writeStamp } from './stamp.mjs';

const folder = inRoot('src', 'native', 'plugin');
const stamp = inRoot('.cache', 'stamps', 'gst-plugin');
const directory = dirname(gstPlugin);
const libraries = ['gstreamer-1.0', 'gstreamer-base-1.0', 'gstreamer-rtsp-1.0', 'gio-2.0'];

/** Whether the plugin is there and made of today's source. */
export const gstPluginIsCurrent = () => stampIs(stamp, stampValue());

/** Compiles the plugin, proves that GStreamer takes it, and makes the hosts' own plugin registry, so that no host has to scan. */
export const buildGstPlugin = async () => {
  mkdirSync(directory, { recursive: true });
  const fresh = `${gstPlugin}.new`;
  const flags = (await run(['pkg-config', '--cflags', '--libs', ...libraries], { what: 'Finding GStreamer' })).join(' ').split(/\s+/).filter(Boolean);
  await run(['gcc', '-std=gnu11', '-O2', '-Wall', '-Wextra', '-shared', '-fPIC', '-o', fresh, ...files().filter((file) => file.endsWith('.c')), ...flags], { cwd: root, what: 'Compiling the GStreamer plugin' });
  // In its place in one step: a host may be loading the old one.
  renameSync(fresh, gstPlugin);
  // One of another name, of an older checkout, would offer the same elements.
  for (const name of readdirSync(directory)) if (name.endsWith('.so') && join(directory, name) !== gstPlugin) rmSync(join(directory, name));
  const registry = join(directory, 'registry.bin');
  rmSync(registry, { force: true });
  const env = { GST_PLUGIN_PATH: directory, GST_REGISTRY: registry };
  if (!(await succeeds(['gst-inspect-1.0', 'lookouthub'], { env, deadlineMs: 60_000 }))) throw new SetupProblem('The GStreamer plugin was compiled, but GStreamer does not load it.');
  writeStamp(stamp, stampValue());
};

const files = () => readdirSync(folder).sort().map((name) => join(folder, name));

const stampValue = () => hashOf(...files().map((file) => readFileSync(file, 'utf8')), String(bytesOf(gstPlugin) > 0));

const bytesOf = (path) => {
  try {
    return readFileSync(path).length;
  } catch {
    return 0;
  }
};
