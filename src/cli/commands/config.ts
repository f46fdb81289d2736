/** `lookout config check`: every mistake of the configuration, before it is used. */
import { ConfigError, helpText, loadConfig } from '../../config.ts';
import { print, UsageError, type Command } from '../command.ts';

/** The command. After `check` come the program's own flags. */
export const configCommand: Command = {
  summary: 'Check the configuration without starting anything',
  help: () => `Usage: lookout config check [--json] [flags of serve]\n\n${helpText().split('\n').slice(4).join('\n')}`,
  options: {},
  run: () => Promise.reject(new Error('config takes its arguments as they are')),
  async raw([verb, ...rest]) {
    if (verb !== 'check') throw new UsageError('Say "config check".');
    const json = rest.includes('--json');
    try {
      const config = loadConfig(rest.filter((flag) => flag !== '--json'), process.env);
      const file = config.configFile ?? null;
      print({ json }, { ok: true, file, mistakes: [] }, () => `All right: ${file ?? 'no file, defaults and environment only'}.`);
      return 0;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      print({ json }, { ok: false, mistakes: error.mistakes }, () => `${error.message}\n${error.lines.map((line) => `  ${line}`).join('\n')}`);
      return 1;
    }
  },
};
