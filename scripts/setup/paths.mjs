/** Where set-up keeps things: inside the clone what belongs to it, in the user's cache what every clone can share. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A path inside the clone. */
export const inRoot = (...parts) => join(root, ...parts);

/** What the program reads: `{ node, workerBin, compileCache }`. */
export const setupFile = inRoot('.cache', 'setup.json');

/** V8's compile cache of the supervisor and what else runs from its sources (`NODE_COMPILE_CACHE`). */
export const compileCache = inRoot('.cache', 'compile');

/** Lookout's GStreamer plugin, in a directory of its own (`GST_PLUGIN_PATH` of the hosts). */
export const gstPlugin = inRoot('.cache', 'gst', 'liblookout.so');

/** Shared by every clone of this user; the worker's binary is kept here. */
export const sharedCache = (environment = process.env) =>
  join(environment.XDG_CACHE_HOME || join(environment.HOME || homedir(), '.cache'), 'lookout');
