/** What reading and writing FHIR XML have in common. R4 xml.html. */
import { Failure, type FailureKind } from '../../outcome.ts';
import { isPrimitive, isResourceType } from '../definitions.ts';

export const fhirNamespace = 'http://hl7.org/fhir';
export const xhtmlNamespace = 'http://www.w3.org/1999/xhtml';

/** R4 xml.html: values, URLs of extensions and ids of elements are attributes; the id of a resource is an element. */
export function isAttribute(type: string, name: string): boolean {
  if (name === 'id') return !isResourceType(type);
  return (name === 'value' && isPrimitive(type)) || (name === 'url' && type === 'Extension');
}

/** `contained`, `Bundle.entry.resource` …: XML wraps a whole resource, under its own name, in the element. */
export function holdsResource(type: string): boolean {
  return type === 'Resource' || isResourceType(type);
}

/** Where we are. A chain, so that a step costs nothing until a failure asks for the expression. */
export interface Place {
  readonly within?: Place;
  readonly name: string;
  readonly index?: number | undefined;
}

/** `Patient.name[0].given[1]` */
export function expressionOf(place: Place): string {
  const parts: string[] = [];
  for (let at: Place | undefined = place; at; at = at.within)
    parts.push(at.index === undefined ? at.name : `${at.name}[${at.index}]`);
  return parts.reverse().join('.');
}

export function failAt(kind: FailureKind, text: string, place: Place): never {
  throw new Failure(kind, text, [{ text, expression: expressionOf(place) }]);
}
