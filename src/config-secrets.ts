/** What the configuration only names: secrets in files, and addresses of declared cameras in files or the environment. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseCamera, type CameraConfig, type CameraInput, type DeclaredCamera } from './camera-config.ts';
import { LookoutError } from './errors.ts';

/** A mistake and where it is. */
export type Problem = { path: string; message: string };

/** What was found. `variables`: the environment variables that hold addresses, which no child process must inherit. */
export type Resolved<T> = { value: T; problems: Problem[]; variables: string[] };

type Environment = Readonly<Record<string, string | undefined>>;

/** The secret of a setting, or of the file that `fileSetting` names. */
export function secretOf(loaded: Readonly<Record<string, unknown>>, setting: string, problems: Problem[]): string | undefined {
  const fileSetting = `${setting}File`;
  const [direct, file] = [loaded[setting], loaded[fileSetting]];
  if (typeof file !== 'string') return direct as string | undefined;
  if (direct !== undefined) {
    problems.push({ path: fileSetting, message: `is set, and so is ${setting}: one of them is enough` });
    return undefined;
  }
  return read(file, fileSetting, problems);
}

/** The declared cameras with their addresses. */
export function resolveCameras(declared: readonly DeclaredCamera[], env: Environment): Resolved<CameraConfig[]> {
  const problems: Problem[] = [];
  const variables = new Set<string>();
  const seen = new Set<string>();
  const value = declared.flatMap(({ urlFile, sub, ...rest }, index) => {
    const path = `cameras.${index}`;
    if (seen.has(rest.id)) problems.push({ path: `${path}.id`, message: `must be unique, but "${rest.id}" is there already` });
    seen.add(rest.id);
    const url = addressOf({ url: rest.url, urlFile }, path, { env, problems, variables });
    const second = sub && addressOf(sub, `${path}.sub`, { env, problems, variables });
    if (url === undefined || (sub !== undefined && second === undefined)) return [];
    const input: CameraInput & { id: string } = { ...rest, url, ...(second === undefined ? {} : { sub: { url: second } }) };
    return [parseCamera(input)];
  });
  return { value, problems, variables: [...variables] };
}

type Context = { env: Environment; problems: Problem[]; variables: Set<string> };

/** The address, checked; undefined where there is a mistake, which never repeats it. */
function addressOf({ url, urlFile }: { url?: string | undefined; urlFile?: string | undefined }, path: string, context: Context): string | undefined {
  const { problems } = context;
  if ((url === undefined) === (urlFile === undefined)) {
    problems.push({ path, message: url === undefined ? 'needs an address: url or urlFile' : 'has both url and urlFile: one of them is enough' });
    return undefined;
  }
  const field = `${path}.${url === undefined ? 'urlFile' : 'url'}`;
  const address = url === undefined ? read(urlFile ?? '', field, problems) : expanded(url, field, context);
  if (address === undefined) return undefined;
  try {
    parseCamera({ id: 'x', url: address });
    return address;
  } catch (error) {
    if (!(error instanceof LookoutError)) throw error;
    problems.push({ path: field, message: `is no address of a camera: ${error.message}` });
    return undefined;
  }
}

function expanded(text: string, path: string, { env, problems, variables }: Context): string | undefined {
  let complete = true;
  const value = text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/gu, (_, name: string) => {
    variables.add(name);
    const found = env[name];
    if (found === undefined || found === '') {
      complete = false;
      problems.push({ path, message: `names the environment variable ${name}, which is not set` });
    }
    return found ?? '';
  });
  return complete ? value : undefined;
}

function read(file: string, path: string, problems: Problem[]): string | undefined {
  try {
    const text = readFileSync(resolve(file), 'utf8').trim();
    if (text !== '') return text;
    problems.push({ path, message: `names ${file}, which is empty` });
  } catch (error) {
    problems.push({ path, message: `names ${file}, which cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}` });
  }
  return undefined;
}
