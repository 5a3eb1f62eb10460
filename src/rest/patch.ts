// https://hl7.org/fhir/R4/http.html#patch, https://hl7.org/fhir/R4/fhirpatch.html
import { applyFhirPathPatch } from '../fhir/patch/fhirpath-patch.ts';
import { applyJsonPatch } from '../fhir/patch/json-patch.ts';
import type { Json, Resource } from '../fhir/types.ts';
import { Failure } from '../outcome.ts';
import type { View } from '../store/store.ts';
import { condition, theOne } from './conditional.ts';
import { assertVersion, checkId, type FhirRequest, type RestParts } from './fhir.ts';
import { jsonPatchType, parseJson } from './format.ts';
import { alone, type Plan, type Target, toPut, type Write } from './write.ts';

/** `PATCH [base]/[type]/[id]` with JSON Patch or FHIRPath Patch; 404 for what is not there, 410 for what was deleted. */
export const planPatch: Plan = (request, parts) => {
  const [type, id] = request.path as [string, string];
  checkId(id);
  const key = { type, id };
  const found: Found = {
    keys: [key],
    target: (view) => ({ ...key, current: view.get(key) }),
    json: async () => (await parts.store.read(key))?.json,
  };
  return planned(request, found, parts);
};

/** `PATCH [base]/[type]?…`: the one that fits; 404 when none does. */
export const planConditionalPatch: Plan = async (request, parts) => {
  const [type] = request.path as [string];
  const query = await condition(type, request.query, parts);
  const found: Found = {
    keys: [{ query }],
    target: (view) => theOne(query, view) ?? { type, id: '', current: undefined },
    json: async () => {
      const { hits } = await parts.store.search({ query });
      return hits.length === 1 ? hits[0]?.json : undefined;
    },
  };
  return planned(request, found, parts);
};

/** What a patch is about. */
interface Found {
  readonly keys: Write['keys'];
  target(view: View): Target;
  /** As it is before the commit; undefined when there is none. */
  json(): Promise<string | undefined>;
}

function planned(request: FhirRequest, found: Found, parts: RestParts): Write {
  const contentType = request.header('content-type');
  return {
    keys: found.keys,
    targets: (view) => [found.target(view)],
    check: async (body) => {
      const json = await found.json();
      if (json === undefined) return;
      const resource = JSON.parse(json) as Resource;
      assertVersion(request, { version: Number(resource.meta?.versionId), json });
      await parts.canonicals.assertProfiles(patched(resource, body, contentType));
    },
    become: ({ type, id, current }, body) => {
      if (!current) throw new Failure('not-found', `there is no ${type} that fits`);
      if (!current.resource) throw new Failure('gone', `this ${type} was deleted`);
      assertVersion(request, current);
      return toPut(patched(current.resource, body, contentType), id, current, parts);
    },
  };
}

/** FHIRPath Patch is a Parameters resource; JSON Patch an array, or a Binary that holds one inside a Bundle (R4 http.html#patch). */
function patched(resource: Resource, body: unknown, contentType: string | undefined): Resource {
  if ((body as Json | undefined)?.resourceType === 'Parameters') return applyFhirPathPatch(resource, body);
  if (Array.isArray(body)) return applyJsonPatch(resource, body);
  const { resourceType, contentType: type, data } = (body ?? {}) as Json;
  if (resourceType === 'Binary' && type === jsonPatchType) return applyJsonPatch(resource, operationsOf(data));
  if (contentType?.startsWith(jsonPatchType)) throw new Failure('malformed', 'a JSON Patch is an array of operations');
  throw new Failure('unsupported-media-type', `a patch is ${jsonPatchType}, or Parameters as application/fhir+json`);
}

function operationsOf(data: unknown): unknown {
  return parseJson(Buffer.from(String(data), 'base64').toString('utf8'), 'Binary.data');
}

export const patch = alone(planPatch);
export const conditionalPatch = alone(planConditionalPatch);
