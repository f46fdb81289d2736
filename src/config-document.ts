/** `docs/configuration.md` and `docs/lookout.schema.json`, made from the schema; tests keep the files equal. */
import { settings, type Setting } from './config.ts';
import { ConfigSchema } from './config-schema.ts';

const introduction = `# Configuration

Lookout reads \`lookout.yaml\` in the working directory, or the file of \`--config FILE\` or \`LOOKOUT_CONFIG\`. Environment
variables win over the file, flags over both. All settings have defaults; an empty file is a valid one. A mistake ends the
program with exit code 2 and one line for each: path, value, and where the value came from. Unknown settings are mistakes.

\`lookout config check\` tells every mistake without starting anything. Editors that know JSON Schema complete and check the file with
this as its first line: \`# yaml-language-server: $schema=docs/lookout.schema.json\` ([lookout.schema.json](lookout.schema.json)).

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

## Cameras in the file

Cameras are added in the page, over REST or gRPC, and kept in the data directory; or they are declared here, and the file alone decides:

\`\`\`yaml
cameras:
  - id: gate
    name: Gate
    url: rtsp://\${GATE_LOGIN}@192.0.2.20/stream1   # from the environment
    sub: {url: 'rtsp://\${GATE_LOGIN}@192.0.2.20/stream2'}   # a second, smaller stream, which walls play
  - id: yard
    urlFile: /run/secrets/yard                      # the address is the file's content
    transport: tcp
\`\`\`

An entry takes what \`POST /api/v1/cameras\` takes, with \`id\` required and \`urlFile\` as another way to give an address. Declared cameras are not
stored; the API shows and commands them, and answers \`LOOKOUT_CAMERA_DECLARED\` (409) to changes. A stop lasts until the next start of
Lookout, or until \`enabled\` of its entry changes. Where a camera of the same id was managed over the API, the declared one takes its
place for good. Environment variables that are named in an address are not handed to child processes.

## Changes while it runs

The file is read again when it changes, and on SIGHUP (not from a terminal that closes). Either all of it is right, or nothing is changed
and every mistake is in the log and the journal. Then cameras are created, changed and removed as it says, those whose entries are as they were
are not disturbed, and \`log.level\` is set. All other settings need a restart; one log line names those that differ. Secrets in files are
read again only with the file that names them.
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

/** The schema for editors: standard keywords alone. */
export function publishedSchema(): string {
  const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'lookout.yaml', ...plain(ConfigSchema) as object };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

/** Without keywords of ours, without the defaults of sections, which say nothing, and asking for nothing that has a default. */
function plain(node: unknown, names = false): unknown {
  if (Array.isArray(node)) return node.map((entry) => plain(entry));
  if (typeof node !== 'object' || node === null) return node;
  // The names of settings are no keywords.
  if (names) return Object.fromEntries(Object.entries(node).map(([name, schema]) => [name, plain(schema)]));
  const { required = [], properties = {} } = node as { required?: string[]; properties?: Record<string, { default?: unknown }> };
  const own = (key: string, value: unknown) => ['env', 'flag', 'secret', 'required'].includes(key) || (key === 'default' && typeof value === 'object' && !Array.isArray(value));
  const needed = required.filter((name) => properties[name]?.default === undefined);
  return {
    ...Object.fromEntries(Object.entries(node).filter(([key, value]) => !own(key, value)).map(([key, value]) => [key, plain(value, key === 'properties')])),
    ...(needed.length === 0 ? {} : { required: needed }),
  };
}
