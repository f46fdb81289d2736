/** `lookout tokens …`: who may ask Lookout for what. */
import { writeFileSync } from 'node:fs';
import type { TokenView } from '../../api/protocol.ts';
import { createApi } from '../client.ts';
import { argument, atMost, commonHelp, print, table, UsageError, type Call, type Command } from '../command.ts';

const dayMs = 86_400_000;

/** The command. */
export const tokensCommand: Command = {
  summary: 'List, make and revoke tokens',
  help: () => `Usage: lookout tokens list
       lookout tokens create NAME --role admin|operator|viewer [--camera ID]… [--days N] [--out FILE]
       lookout tokens revoke NAME|ID

  --role ROLE         What it may do
  --camera ID         A viewer sees this camera alone; can be given more than once
  --days N            It expires after this many days
  --out FILE          Writes the token there (mode 0600) instead of printing it
${commonHelp}`,
  options: { role: { type: 'string' }, camera: { type: 'string', multiple: true }, days: { type: 'string' }, out: { type: 'string' } },
  async run(call) {
    const [verb = 'list'] = call.positionals;
    if (!['list', 'create', 'revoke'].includes(verb)) throw new UsageError(`"${verb}" is none of list, create, revoke.`);
    atMost(call, verb === 'list' ? 1 : 2);
    if (verb === 'create') await create(call);
    else if (verb === 'revoke') await revoke(call);
    else await list(call);
    return 0;
  },
};

async function list(call: Call): Promise<void> {
  const { tokens } = await createApi(call)<{ tokens: TokenView[] }>('GET', '/api/v1/tokens');
  print(call, { tokens }, () => table(['NAME', 'ROLE', 'CAMERAS', 'MADE', 'EXPIRES', 'ID'], tokens.map(({ name, role, cameras, createdAt, expiresAt, id }) => [name, role, cameras?.join(' ') ?? 'all', createdAt, expiresAt ?? 'never', id])));
}

async function create(call: Call): Promise<void> {
  const name = argument(call, 1, 'a name for the token');
  const { role, camera, days, out } = call.values as { role?: string; camera?: string[]; days?: string; out?: string };
  if (role === undefined) throw new UsageError('Say what it may do: --role admin, operator or viewer.');
  if (days !== undefined && !(Number(days) > 0 && Number(days) <= 36_500)) throw new UsageError('--days must be a number of days.');
  const { token, ...made } = await createApi(call)<TokenView & { token: string }>('POST', '/api/v1/tokens', {
    name, role, ...(camera === undefined ? {} : { cameras: camera }), ...(days === undefined ? {} : { expiresAt: new Date(Date.now() + Number(days) * dayMs).toISOString() }),
  });
  if (out === undefined) return print(call, { ...made, token }, () => `${token}\n\nThis is the token "${name}" (${role}). Keep it: it is not told again.`);
  writeFileSync(out, `${token}\n`, { mode: 0o600 });
  print(call, made, () => `The token "${name}" (${role}) is in ${out}.`);
}

async function revoke(call: Call): Promise<void> {
  const which = argument(call, 1, 'which token, by name or id');
  const api = createApi(call);
  const { tokens } = await api<{ tokens: TokenView[] }>('GET', '/api/v1/tokens');
  const found = tokens.find(({ id }) => id === which) ?? tokens.find(({ name }) => name === which);
  if (found === undefined) throw new Error(`There is no token "${which}".`);
  await api('DELETE', `/api/v1/tokens/${found.id}`);
  print(call, { revoked: found }, () => `Revoked "${found.name}" (${found.role}); its sessions have ended.`);
}
