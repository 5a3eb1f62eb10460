// https://hl7.org/fhir/R4/http.html#delete
import { checkId, etagOf, type FhirRequest, type FhirResponse, ifMatch, type RestParts } from './fhir.ts';
import { assertVersion } from './update.ts';

/** `DELETE [base]/[type]/[id]`; 204, also when it was deleted before or there never was one. */
export async function remove(request: FhirRequest, { commit }: RestParts): Promise<FhirResponse> {
  const [type, id] = request.path as [string, string];
  checkId(id);
  const expected = ifMatch(request);
  const [result] = await commit.run({
    cause: 'client:rest',
    keys: [{ type, id }],
    decide: (view) => {
      assertVersion(expected, view.get({ type, id })?.version);
      return { intentions: [{ kind: 'delete', key: { type, id } }] };
    },
  });
  const { version } = result!;
  return { status: 204, ...(version > 0 && { etag: etagOf(version) }) };
}
