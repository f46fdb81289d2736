/** What a refusal says of the fields of a form. */
import type { ApiError } from '../adapter.ts';

/** Which of a camera's two addresses a refusal is about; null where it is about neither. */
export function refusedAddress({ code, details }: ApiError): 'url' | 'sub' | null {
  if (code !== 'LOOKOUT_CAMERA_URL') return null;
  return details.some(({ path }) => path.startsWith('sub')) ? 'sub' : 'url';
}

/** Puts each mistake beside the field that made it: `fields` are looked for in its path, in this order, with what its sentence begins with. */
export function fieldErrors<F extends string>({ details }: ApiError, fields: Record<F, string>): Partial<Record<F, string>> {
  const found: Partial<Record<F, string>> = {};
  for (const { path, message } of details) {
    const field = (Object.keys(fields) as F[]).find((name) => path.includes(name));
    if (field !== undefined) found[field] = `${fields[field]} ${message}.`;
  }
  return found;
}
