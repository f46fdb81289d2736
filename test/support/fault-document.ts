/** The fault matrix as a table of docs/failures.md, between its markers: written by a full run, held against the table otherwise. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { FaultOutcome } from './fault-run.ts';
import type { FaultCase } from './fault-table.ts';

const document = new URL('../../docs/failures.md', import.meta.url);
const between = /(<!-- matrix -->\n)([^]*?)(<!-- \/matrix -->)/u;

/** What the document says: fault and class of each row. */
export function documentedFaults(): string[] {
  const table = between.exec(readFileSync(document, 'utf8'))?.[2] ?? '';
  return [...table.matchAll(/^\| A camera (.+?) \| (.+?) \|/gmu)].map(([, fault, cls]) => `${fault}: ${cls?.replaceAll('`', '')}`);
}

/** The same of the rows of the matrix. */
export function expectedFaults(rows: readonly FaultCase[]): string[] {
  return rows.map(({ fault, class: cls }) => `${fault}: ${cls ?? 'none'}`);
}

/** Writes the table. Several outcomes of one fault (other positions) are told by their worst. */
export function writeFaultTable(rows: readonly FaultCase[], outcomes: readonly FaultOutcome[]): void {
  const lines = rows.map(({ fault, class: cls }) => {
    const own = outcomes.filter((outcome) => outcome.fault === fault);
    const worst = (values: number[]): string => (values.length === 0 ? '–' : `${(Math.max(...values) / 1_000).toFixed(2)} s`);
    const detected = own.flatMap(({ detectMs }) => detectMs ?? []);
    return `| A camera ${fault} | ${cls === null ? 'none' : `\`${cls}\``} | ${worst(detected)} | ${cls === null ? '–' : worst(own.map(({ recoverMs }) => recoverMs))} | ${own.length} |`;
  });
  const table = ['', '| fault | class | in the journal after | live again after its end | runs |', '|---|---|---|---|---|', ...lines, '', ''].join('\n');
  writeFileSync(document, readFileSync(document, 'utf8').replace(between, `$1${table}$3`));
}
