// https://hl7.org/fhir/R4/operations.html#executing
import type { Json } from '../../fhir/types.ts';
import { assertValid } from '../../fhir/validate.ts';
import { Failure } from '../../outcome.ts';
import type { FhirRequest } from '../fhir.ts';

/**
 * The in parameters of an operation: from the URL of a GET, and from the Parameters of a POST. A POST of another resource is
 * taken for the one parameter that it can be.
 */
export class OperationParameters {
  readonly #values = new Map<string, unknown[]>();

  /**
   * @param resourceName the parameter that a bare resource in the body stands for
   * @param checked false for a body that may be unsound: to say so is what the operation is for
   * @throws Failure `malformed`, `invalid` for a body that is not sound R4
   */
  constructor(request: FhirRequest, resourceName?: string, checked = true) {
    for (const [name, value] of request.query)
      if (!['_format', '_pretty'].includes(name) && value !== '') this.#add(name, value);
    const body = request.body as Json | null | undefined;
    if (body === undefined || request.method === 'GET') return;
    if (body instanceof URLSearchParams) {
      for (const [name, value] of body) this.#add(name, value);
      return;
    }
    const { resourceType } = body ?? {};
    if (resourceType !== 'Parameters' && (resourceName === undefined || typeof resourceType !== 'string'))
      throw new Failure('malformed', 'the body is not a Parameters resource');
    if (checked) assertValid(body);
    if (resourceType === 'Parameters') this.#take(body as Json);
    else this.#add(resourceName as string, body);
  }

  #add(name: string, value: unknown): void {
    const values = this.#values.get(name);
    if (values) values.push(value);
    else this.#values.set(name, [value]);
  }

  #take({ parameter = [] }: Json): void {
    if (!Array.isArray(parameter)) throw new Failure('malformed', 'Parameters.parameter is not an array');
    for (const part of parameter as Json[]) {
      if (typeof part?.name !== 'string') throw new Failure('malformed', 'a parameter has no name');
      const key = Object.keys(part).find((it) => it.startsWith('value'));
      const value = part.resource ?? (key ? part[key] : part.part);
      if (value === undefined) throw new Failure('malformed', `the parameter '${part.name.slice(0, 64)}' has no value`);
      this.#add(part.name, value);
    }
  }

  /** @throws Failure `malformed` when it is there and no string */
  text(name: string): string | undefined {
    return this.texts(name)[0];
  }

  texts(name: string): readonly string[] {
    return (this.#values.get(name) ?? []).map((value) => {
      if (typeof value === 'object') throw new Failure('malformed', `the parameter '${name}' is not a simple value`);
      return String(value);
    });
  }

  /** @throws Failure `malformed` when it is missing */
  required(name: string): string {
    const text = this.text(name);
    if (text === undefined) throw new Failure('malformed', `the parameter '${name}' is missing`);
    return text;
  }

  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!/^-?\d{1,9}$/.test(text)) throw new Failure('malformed', `the parameter '${name}' is not a whole number`);
    return Number(text);
  }

  flag(name: string): boolean | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (text !== 'true' && text !== 'false')
      throw new Failure('malformed', `the parameter '${name}' is not true or false`);
    return text === 'true';
  }

  /** A Coding, CodeableConcept or resource. @throws Failure `malformed` when it is something else */
  object(name: string): Json | undefined {
    return this.objects(name)[0];
  }

  objects(name: string): readonly Json[] {
    return (this.#values.get(name) ?? []).map((value) => {
      if (typeof value !== 'object' || value === null)
        throw new Failure('malformed', `the parameter '${name}' is not an object`);
      return value as Json;
    });
  }
}

/** Out parameters: values by name and type; what is undefined is left out. */
export function parametersOf(parameter: readonly (Json | undefined)[]): Json {
  return { resourceType: 'Parameters', parameter: parameter.filter((it) => it !== undefined) };
}

/** One out parameter, or none. @param type `String`, `Boolean` … as in `valueString` */
export function out(name: string, type: string, value: unknown): Json | undefined {
  return value === undefined ? undefined : { name, [`value${type}`]: value };
}
