// https://hl7.org/fhir/R4/binary.html#rest
import type { Json } from '../fhir/types.ts';
import { Failure } from '../outcome.ts';
import type { FhirRequest, FhirResponse } from './fhir.ts';
import { isFhir } from './format.ts';

type Head = Omit<FhirRequest, 'body'>;

/** True for a create or update whose body is the content of a Binary itself: any type that is not one of FHIR. */
export function takesContent({ method, path, header }: Head): boolean {
  const writes = (method === 'POST' && path.length === 1) || (method === 'PUT' && path.length <= 2);
  const type = header('content-type');
  return path[0] === 'Binary' && writes && type !== undefined && !isFhir(type);
}

/** True for a read or vread that asks neither for a FHIR format nor for a part of the resource. */
export function givesContent({ method, path: [type, id = '', ...version], query, header }: Head): boolean {
  const reads = version.length === 0 ? !/^[$_]/.test(id) : version.length === 2;
  if (type !== 'Binary' || id === '' || !reads || !['GET', 'HEAD'].includes(method)) return false;
  return !/fhir/.test(header('accept') ?? '') && !['_format', '_summary', '_elements'].some((it) => query.has(it));
}

/** R4 datatypes.html#code-like media type, without what could end the header line. */
const mediaTypePattern = /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(;[\x20-\x7e]{0,200})?$/;

/** Raw content ─▶ a Binary resource; the id is that of the URL of a PUT. @throws Failure `malformed` */
export function wrapped(bytes: Uint8Array, request: Head): Json {
  const contentType = request.header('content-type') ?? '';
  if (!mediaTypePattern.test(contentType)) throw new Failure('malformed', 'Content-Type is not a media type');
  const context = request.header('x-security-context');
  return {
    resourceType: 'Binary',
    ...(request.method === 'PUT' && request.path[1] !== undefined && { id: request.path[1] }),
    contentType,
    ...(context !== undefined && { securityContext: { reference: context } }),
    ...(bytes.length > 0 && { data: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64') }),
  };
}

/** A Binary ─▶ its content. What could end a header line is not sent as one. */
export function unwrapped(answer: FhirResponse): FhirResponse {
  if (answer.status !== 200 || typeof answer.body !== 'string') return answer;
  const { contentType, data, securityContext } = JSON.parse(answer.body) as Json;
  const context: string = securityContext?.reference ?? '';
  return {
    ...answer,
    body: Buffer.from(data ?? '', 'base64'),
    contentType: mediaTypePattern.test(contentType) ? contentType : 'application/octet-stream',
    ...(/^[\x21-\x7e]+$/.test(context) && { securityContext: context }),
  };
}
