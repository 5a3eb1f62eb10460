// https://hl7.org/fhir/R4/resource-operation-meta.html
import type { Json, StoredResource } from '../../fhir/types.ts';
import { Failure } from '../../outcome.ts';
import type { FhirResponse, Interaction } from '../fhir.ts';
import { assertThere, assertVersion, checkId } from '../fhir.ts';
import type { Plan } from '../write.ts';
import { OperationParameters, out, parametersOf } from './parameters.ts';

/** `[type]/[id]/$meta`: profiles, tags and security labels of a resource. */
export const meta: Interaction = async (request, { store }) => {
  const [type = '', id = ''] = request.path;
  const version = await store.read({ type, id });
  assertThere(type, version);
  return answered(version.json);
};

type Merge = (own: readonly unknown[], given: readonly unknown[]) => unknown[];

/** `[type]/[id]/$meta-add`: what is there already is not there twice. */
export const planMetaAdd: Plan = planned((own, more) => {
  const known = new Set(own.map(identity));
  return [...own, ...more.filter((it) => !known.has(identity(it)) && known.add(identity(it)))];
});

/** `[type]/[id]/$meta-delete`: what is not there does no harm. */
export const planMetaDelete: Plan = planned((own, less) => {
  const gone = new Set(less.map(identity));
  return own.filter((it) => !gone.has(identity(it)));
});

/** Labels are the same by system and code: the operation says nothing of displays. */
function identity(it: unknown): string {
  const { system, code } = (it ?? {}) as Json;
  return typeof it === 'string' ? it : JSON.stringify([system, code]);
}

function planned(merge: Merge): Plan {
  return (request, { store, canonicals }) => {
    const [type, id] = request.path as [string, string];
    checkId(id);
    const given = new OperationParameters(request).object('meta');
    if (!given) throw new Failure('malformed', "the parameter 'meta' is missing");
    const key = { type, id };
    return {
      keys: [key],
      targets: (view) => [{ ...key, current: view.get(key) }],
      become: ({ current }) => {
        if (!current) throw new Failure('not-found', `there is no ${type} with this id`);
        if (!current.resource) throw new Failure('gone', `this ${type} was deleted`);
        assertVersion(request, current);
        return { kind: 'put', resource: merged(current.resource, given, merge) };
      },
      check: async () => {
        const json = listOf(given, 'profile').length > 0 ? (await store.read(key))?.json : undefined;
        if (json !== undefined) await canonicals.assertProfiles(merged(JSON.parse(json), given, merge));
      },
      answer: ({ json }) => answered(json as string),
    };
  };
}

const lists = ['profile', 'tag', 'security'] as const;

function listOf(meta: Json, list: (typeof lists)[number]): readonly unknown[] {
  return meta[list] ?? [];
}

function merged(resource: StoredResource, given: Json, merge: Merge): StoredResource {
  const own: Json = { ...resource.meta };
  for (const list of lists) {
    const items = merge(listOf(own, list), listOf(given, list));
    delete own[list];
    if (items.length > 0) own[list] = items;
  }
  return { ...resource, meta: own };
}

function answered(json: string): FhirResponse {
  return { status: 200, body: parametersOf([out('return', 'Meta', (JSON.parse(json) as Json).meta)]) };
}
