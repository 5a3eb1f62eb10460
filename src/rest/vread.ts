// https://hl7.org/fhir/R4/http.html#vread
import { Failure } from '../outcome.ts';
import { etagOf, type FhirRequest, type FhirResponse, type RestParts } from './fhir.ts';
import { shapeOf } from './present.ts';

/** `GET [base]/[type]/[id]/_history/[vid]`; 410 for the version that deleted it. */
export async function vread(request: FhirRequest, { store }: RestParts): Promise<FhirResponse> {
  const [type, id, , vid] = request.path as [string, string, string, string];
  const shape = shapeOf(request.query);
  const version = /^[1-9]\d{0,14}$/.test(vid) ? await store.readVersion({ type, id }, Number(vid)) : undefined;
  if (!version) throw new Failure('not-found', `there is no such version of this ${type}`);
  if (version.json === undefined) throw new Failure('gone', `with this version the ${type} was deleted`);
  return { status: 200, etag: etagOf(version.version), lastModified: version.at, body: shape(type, version.json) };
}
