// https://hl7.org/fhir/R4/http.html#update
import { Failure } from '../outcome.ts';
import { checkId, type FhirRequest, type FhirResponse, ifMatch, type RestParts, resourceOf } from './fhir.ts';
import { toPut, written } from './write.ts';

/** `PUT [base]/[type]/[id]`; makes the resource when there is none, restores a deleted one, 412 when If-Match is another version. */
export async function update(request: FhirRequest, parts: RestParts): Promise<FhirResponse> {
  const [type, id] = request.path as [string, string];
  checkId(id);
  const resource = resourceOf(request, type);
  if (resource.id !== id)
    throw new Failure('malformed', 'the id of the body is not the id of the URL', [
      { text: 'not the id of the URL', expression: `${type}.id` },
    ]);
  const expected = ifMatch(request);
  const [result] = await parts.commit.run({
    cause: 'client:rest',
    keys: [{ type, id }],
    decide: (view) => {
      assertVersion(expected, view.get({ type, id })?.version);
      return { intentions: [toPut(resource, id, view, parts)] };
    },
  });
  return written(request, result!, parts);
}

/** R4 http.html#concurrency. @throws Failure `version-conflict` */
export function assertVersion(expected: number | undefined, version: number | undefined): void {
  if (expected === undefined || expected === version) return;
  throw new Failure(
    'version-conflict',
    `If-Match asks for version ${expected}, the current version is ${version ?? 'none'}`,
  );
}
