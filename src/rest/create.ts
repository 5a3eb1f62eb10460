// https://hl7.org/fhir/R4/http.html#create
import { Failure } from '../outcome.ts';
import { type FhirRequest, type FhirResponse, type RestParts, resourceOf } from './fhir.ts';
import { toPut, written } from './write.ts';

/** `POST [base]/[type]`. The server gives the id: one that the client sends is ignored, as the specification says. */
export async function create(request: FhirRequest, parts: RestParts): Promise<FhirResponse> {
  const type = request.path[0] as string;
  const resource = resourceOf(request, type);
  if (request.header('if-none-exist') !== undefined)
    throw new Failure('malformed', 'If-None-Exist: conditional create is not supported');
  const id = parts.ids.next();
  const [result] = await parts.commit.run({
    cause: 'client:rest',
    keys: [{ type, id }],
    decide: (view) => ({ intentions: [toPut(resource, id, view, parts)] }),
  });
  return written(request, result!, parts);
}
