/** `lookout serve`: the supervisor under its guardian, as `npm start` runs it after set-up. */
import { helpText } from '../../config.ts';
import type { Command } from '../command.ts';

/** The command. Its arguments are the program's. */
export const serveCommand: Command = {
  summary: 'Run Lookout until it is told to stop',
  help: () => helpText().replace('npm start -- [flags]', 'lookout serve [flags]'),
  options: {},
  run: () => Promise.reject(new Error('serve takes its arguments as they are')),
  async raw(argv) {
    // The guardian reads the command line of its process and ends it with the exit code.
    process.argv.splice(2, Infinity, ...argv);
    await import('../guardian.ts');
    return new Promise<number>(() => undefined);
  },
};
