/** What a command is, and how it prints: a table for people, JSON for programs. */
import { readFileSync } from 'node:fs';
import type { ParseArgsConfig } from 'node:util';
import { stripVTControlCharacters } from 'node:util';

/** The command line was not understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What a command was called with. */
export type Call = { values: Readonly<Record<string, unknown>>; positionals: readonly string[]; json: boolean };

/** A command of `lookout`. */
export type Command = {
  summary: string;
  help(): string;
  options: NonNullable<ParseArgsConfig['options']>;
  /** Resolves with the exit code. */
  run(call: Call): Promise<number>;
  /** Takes its arguments as they are. */
  raw?(argv: string[]): Promise<number>;
};

/** Options of every command that speaks with a running Lookout. */
export const commonOptions = {
  url: { type: 'string' },
  token: { type: 'string' },
  'token-file': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies NonNullable<ParseArgsConfig['options']>;

/** Their help. A token on a command line can be read by every user of the machine: the file and the variable come first. */
export const commonHelp = `
  --url URL           Lookout's address [LOOKOUT_URL, or http://127.0.0.1:8085]
  --token-file FILE   File with the token [LOOKOUT_TOKEN]
  --token TOKEN       The token itself; other users of this machine can read it there
  --json              Answer as JSON
`;

/** Prints JSON where it is asked for, else the text. */
export function print(call: Pick<Call, 'json'>, value: unknown, text: () => string): void {
  const out = call.json ? JSON.stringify(value, undefined, 2) : text().trimEnd();
  process.stdout.write(`${out}\n`);
}

/** Rows under headings, in columns. Names of cameras are texts of others: no control character reaches the terminal. */
export function table(headings: string[], rows: (string | number | null)[][]): string {
  const clean = (cell: string | number | null) => stripVTControlCharacters(String(cell ?? '–')).replace(/[\u0000-\u001f\u007f-\u009f]/gu, ' ');
  const all = [headings, ...rows].map((row) => row.map(clean));
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
}

/** The argument at a place. */
export function argument({ positionals }: Pick<Call, 'positionals'>, index: number, what: string): string {
  const value = positionals[index];
  if (value === undefined || value === '') throw new UsageError(`Say ${what}.`);
  return value;
}

/** No more arguments than this. */
export function atMost({ positionals }: Pick<Call, 'positionals'>, count: number): void {
  if (positionals.length > count) throw new UsageError(`"${positionals[count]}" is one argument too many.`);
}

/** An address that may hold a password: `-` reads it from standard input, so that it need not be on the command line. */
export function addressOrStdin(given: string): string {
  return given === '-' ? readFileSync(0, 'utf8').trim() : given;
}
