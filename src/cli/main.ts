/** `lookout`: one program for people and scripts at a terminal. Exit codes: 0 fine, 1 it failed, 2 it was not understood. */
import { parseArgs } from 'node:util';
import { redactLine } from '../log.ts';
import { ApiError } from './client.ts';
import { commonOptions, UsageError, type Command } from './command.ts';
import { camerasCommand } from './commands/cameras.ts';
import { checkCommand } from './commands/check.ts';
import { configCommand } from './commands/config.ts';
import { diagnoseCommand } from './commands/diagnose.ts';
import { doctorCommand } from './commands/doctor.ts';
import { serveCommand } from './commands/serve.ts';
import { tokensCommand } from './commands/tokens.ts';

const commands: Record<string, Command> = { serve: serveCommand, check: checkCommand, cameras: camerasCommand, tokens: tokensCommand, config: configCommand, doctor: doctorCommand, diagnose: diagnoseCommand };

const general = `Lookout, an actor-model media supervisor for IP cameras.

Usage: lookout COMMAND [arguments]

${Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`).join('\n')}

"lookout COMMAND --help" tells more. Commands that speak with a running Lookout read LOOKOUT_URL and LOOKOUT_TOKEN.
Exit codes: 0 fine, 1 it failed, 2 it was not understood.
`;

process.exitCode = await run(process.argv.slice(2));

async function run([name = '', ...argv]: string[]): Promise<number> {
  if (['', '--help', '-h', 'help'].includes(name)) {
    process.stdout.write(general);
    return name === '' ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) return complain(`There is no command "${name}".`, general);
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(`${command.summary}\n\n${command.help()}`);
    return 0;
  }
  const json = argv.includes('--json');
  try {
    if (command.raw !== undefined) return await command.raw(argv);
    const { values, positionals } = parseArgs({ args: argv, options: { ...commonOptions, ...command.options }, allowPositionals: true });
    return await command.run({ values, positionals, json });
  } catch (error) {
    if (error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true) return complain((error as Error).message, `"lookout ${name} --help" tells how.\n`);
    const { code, message } = error instanceof ApiError ? error : { code: 'LOOKOUT_CLI', message: error instanceof Error ? error.message : String(error) };
    process.stderr.write(json ? `${JSON.stringify({ error: { code, message: redactLine(message) } })}\n` : `${redactLine(message)}\n`);
    return 1;
  }
}

function complain(message: string, help: string): number {
  process.stderr.write(`${redactLine(message)}\n${help}`);
  return 2;
}
