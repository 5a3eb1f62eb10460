// https://hl7.org/fhir/R4/resource-operation-validate.html
import { informational } from '../../fhir/operation-outcome.ts';
import type { Json, Resource } from '../../fhir/types.ts';
import { errorsOf } from '../../fhir/validate.ts';
import { Failure, type FailureDetail } from '../../outcome.ts';
import { assertThere, checkId, type FhirRequest, type Interaction, type RestParts } from '../fhir.ts';
import { OperationParameters } from './parameters.ts';

const modes = ['create', 'update', 'delete', 'profile'];

/**
 * `[type]/$validate` and `[type]/[id]/$validate`. The answer is 200 whenever the validation could be made; what is wrong
 * stands in the OperationOutcome.
 */
export const validate: Interaction = async (request, parts) => {
  const given = new OperationParameters(request, 'resource', false);
  const [type = '', id] = request.path.filter((part) => !part.startsWith('$'));
  const mode = given.text('mode');
  if (mode !== undefined && !modes.includes(mode))
    throw new Failure('malformed', `mode: must be one of ${modes.join(', ')}`);
  const resource = await subject(request, given, mode, type, id, parts);
  const problems = resource ? await problemsOf(resource, type, id, mode, given.texts('profile'), parts) : [];
  return { status: 200, body: problems.length === 0 ? informational('no problem was found') : outcome(problems) };
};

/** @returns undefined for `mode=delete`, which looks at no content */
async function subject(
  request: FhirRequest,
  given: OperationParameters,
  mode: string | undefined,
  type: string,
  id: string | undefined,
  { store }: RestParts,
): Promise<Json | undefined> {
  if (id !== undefined) checkId(id);
  const resource = given.object('resource');
  if (resource && mode !== 'delete') return resource;
  if (id === undefined) throw new Failure('malformed', "the parameter 'resource' is missing");
  if (request.method === 'POST' && mode !== 'delete' && mode !== 'profile' && mode !== undefined)
    throw new Failure('malformed', "the parameter 'resource' is missing");
  const version = await store.read({ type, id });
  assertThere(type, version);
  return mode === 'delete' ? undefined : (JSON.parse(version.json) as Json);
}

async function problemsOf(
  resource: Json,
  type: string,
  id: string | undefined,
  mode: string | undefined,
  profiles: readonly string[],
  { canonicals }: RestParts,
): Promise<readonly FailureDetail[]> {
  if (resource.resourceType !== type) return [{ text: `resourceType is not ${type}`, expression: 'resourceType' }];
  const problems = [...errorsOf(resource)];
  if (mode === 'update' && id !== undefined && resource.id !== id)
    problems.push({ text: 'not the id of the URL', expression: `${type}.id` });
  if (mode === 'create' && id !== undefined)
    problems.push({ text: 'a resource with an id of its own is updated, not created', expression: `${type}.id` });
  if (problems.length > 0) return problems;
  const wanted = await canonicals.profiles(profiles);
  if (wanted.length < profiles.length) {
    const missing = profiles.findIndex((url) => !wanted.some((it) => it.url === url.split('|')[0]));
    throw new Failure('not-found', `this server does not have the profile ${(profiles[missing] ?? '').slice(0, 200)}`);
  }
  const claimed = await canonicals.profiles(
    ((resource as Resource).meta?.profile ?? []).filter((it: unknown) => typeof it === 'string'),
  );
  return canonicals.problems(resource, [...new Set([...wanted, ...claimed])]);
}

function outcome(problems: readonly FailureDetail[]): Json {
  return {
    resourceType: 'OperationOutcome',
    issue: problems.map(({ text, expression }) => ({
      severity: 'error',
      code: 'invalid',
      diagnostics: text,
      ...(expression && { expression: [expression] }),
    })),
  };
}
