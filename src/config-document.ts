/** `docs/configuration.md`, made from the schema; a test keeps the file equal. */
import { settings, type Setting } from './config.ts';

const introduction = `# Configuration

Lookout reads \`lookout.yaml\` in the working directory, or the file of \`--config FILE\` or \`LOOKOUT_CONFIG\`. Environment
variables win over the file, flags over both. All settings have defaults; an empty file is a valid one. A mistake ends the
program with exit code 2 and one line for each: path, value, and where the value came from. Unknown settings are mistakes.

Cameras are not configured here: they are added in the page or over REST, and kept in the data directory.

\`\`\`yaml
host: 0.0.0.0
demo: false
supervision:
  backoff:
    auth: { minMs: 60000, maxMs: 3600000 }
sfu:
  announcedAddress: 192.0.2.10
\`\`\`

This page is made from the schema (\`src/config-schema.ts\`).
`;

/** The whole page. */
export function configurationDocument(): string {
  const groups = Map.groupBy(settings(), ({ path }) => path.includes('.') ? path.slice(0, path.lastIndexOf('.')) : '');
  const backoff = [...groups.keys()].filter((group) => group.startsWith('supervision.backoff.'));
  const parts = [...groups].filter(([group]) => !backoff.includes(group)).map(([group, list]) => [
    `## ${group === '' ? 'Top level' : `\`${group}\``}`, '', '| setting | default | limits | meaning |', '|---|---|---|---|', ...list.map(row), '',
  ].join('\n'));
  return [introduction, ...parts, backoffSection(groups, backoff)].join('\n');
}

function backoffSection(groups: Map<string, Setting[]>, names: string[]): string {
  const cell = (group: string, key: string) => String(groups.get(group)?.find(({ path }) => path.endsWith(`.${key}`))?.schema.default);
  const rows = names.map((group) => `| \`${group.slice('supervision.backoff.'.length)}\` | ${cell(group, 'minMs')} | ${cell(group, 'maxMs')} | ${cell(group, 'factor')} |`);
  return [
    '## `supervision.backoff`', '',
    'The delay before an attempt is drawn at random below a bound that begins at `minMs` and grows by `factor` with each attempt, up to `maxMs`.',
    'For `auth`, `not-found`, `busy`, `local`, `storage` and `unsupported`, `minMs` is a promise to the camera: never sooner.',
    'What each class means: [failures.md](failures.md).', '',
    '| class | `minMs` | `maxMs` | `factor` |', '|---|---|---|---|', ...rows, '',
  ].join('\n');
}

function row({ path, schema }: Setting): string {
  const also = [schema.flag === undefined ? '' : `\`--${schema.type === 'boolean' ? 'no-' : ''}${schema.flag}\``, schema.env === undefined ? '' : `\`${schema.env}\``].filter((name) => name !== '');
  const fallback = schema.default === undefined ? '–' : `\`${JSON.stringify(schema.default)}\``;
  return `| \`${path.slice(path.lastIndexOf('.') + 1)}\` | ${fallback} | ${limits(schema)} | ${schema.description ?? ''}${also.length > 0 ? ` (${also.join(', ')})` : ''} |`;
}

function limits(schema: Setting['schema']): string {
  const { minimum, maximum, enum: values } = schema as { minimum?: number; maximum?: number; enum?: string[] };
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(' ');
  return minimum === undefined ? '' : `${minimum} – ${maximum ?? ''}`;
}
