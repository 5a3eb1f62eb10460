// https://hl7.org/fhir/R4/http.html#read
import { assertThere, etagOf, type FhirRequest, type FhirResponse, type RestParts } from './fhir.ts';
import { shapeOf } from './present.ts';

/** `GET [base]/[type]/[id]`; 410 for a deleted resource, 304 when the client has this version. */
export async function read(request: FhirRequest, { store }: RestParts): Promise<FhirResponse> {
  const [type, id] = request.path as [string, string];
  const shape = shapeOf(request.query);
  const version = await store.read({ type, id });
  assertThere(type, version);
  const etag = etagOf(version.version);
  if (isKnown(request, etag, version.at)) return { status: 304, etag, lastModified: version.at };
  return { status: 200, etag, lastModified: version.at, body: shape(type, version.json) };
}

/** R4 http.html#cread; RFC 9110 13.2.2: If-None-Match decides alone when both are sent. */
function isKnown(request: FhirRequest, etag: string, at: number): boolean {
  const tags = request.header('if-none-match');
  if (tags !== undefined)
    return tags
      .split(',')
      .some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag.replace(/^W\//, ''));
  const since = Date.parse(request.header('if-modified-since') ?? '');
  return !Number.isNaN(since) && Math.floor(at / 1000) * 1000 <= since;
}
