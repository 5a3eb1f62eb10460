// https://hl7.org/fhir/R4/http.html#create, #ccreate
import type { Resource } from '../fhir/types.ts';
import { condition, theOne } from './conditional.ts';
import { resourceOf } from './fhir.ts';
import { alone, type Plan, toPut } from './write.ts';

/**
 * `POST [base]/[type]`. The server gives the id: one that the client sends is ignored, as the specification says. With
 * `If-None-Exist`, a resource that fits is left as it is and given back: looked for inside the commit, so that of many
 * clients who do this at the same time one creates.
 */
export const planCreate: Plan = async (request, parts) => {
  const type = request.path[0] as string;
  resourceOf(request, type);
  const key = { type, id: parts.ids.next() };
  const check = (body: unknown): Promise<void> => parts.canonicals.assertProfiles(body as Resource);
  const put = (body: unknown) => toPut(body as Resource, key.id, undefined, parts);
  // Clients send the search alone, or with the type or the whole URL before it.
  const search = request.header('if-none-exist')?.replace(/^[^=?]*\?/, '');
  if (search === undefined)
    return { keys: [key], targets: () => [{ ...key, current: undefined }], become: (_, body) => put(body), check };
  const query = await condition(type, search, parts);
  return {
    keys: [key, { query }],
    condition: `${type}?${new URLSearchParams(search)}`,
    targets: (view) => [theOne(query, view) ?? { ...key, current: undefined }],
    become: ({ current }, body) => (current ? undefined : put(body)),
    check,
  };
};

export const create = alone(planCreate);
