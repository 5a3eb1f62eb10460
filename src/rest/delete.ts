// https://hl7.org/fhir/R4/http.html#delete
import { Failure } from '../outcome.ts';
import { etagOf, type FhirRequest, type FhirResponse, ifMatch, type RestParts } from './fhir.ts';
import { assertVersion } from './update.ts';

/** `DELETE [base]/[type]/[id]`; 204, also when it was deleted before; 404 when there never was one. */
export async function remove(request: FhirRequest, { commit }: RestParts): Promise<FhirResponse> {
  const [type, id] = request.path as [string, string];
  const expected = ifMatch(request);
  const [result] = await commit.run({
    cause: 'client:rest',
    keys: [{ type, id }],
    decide: (view) => {
      const current = view.get({ type, id });
      if (!current) throw new Failure('not-found', `there is no ${type} with this id`);
      assertVersion(expected, current.version);
      return { intentions: [{ kind: 'delete', key: { type, id } }] };
    },
  });
  return { status: 204, etag: etagOf(result!.version) };
}
