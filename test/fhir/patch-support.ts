/** What tests of patches write, in few words. */
import type { Json, Resource } from '../../src/fhir/types.ts';
import { Failure } from '../../src/outcome.ts';

/** Operations as the tests write them ─▶ Parameters. `value` is a part without its name. */
export type Operation = {
  type: string;
  path: string;
  name?: string;
  value?: Json;
  index?: number;
  source?: number;
  destination?: number;
};

export function parameters(...operations: Operation[]): Json {
  return {
    resourceType: 'Parameters',
    parameter: operations.map(({ type, path, name, value, ...numbers }) => ({
      name: 'operation',
      part: [
        { name: 'type', valueCode: type },
        { name: 'path', valueString: path },
        ...(name === undefined ? [] : [{ name: 'name', valueString: name }]),
        ...(value === undefined ? [] : [{ name: 'value', ...value }]),
        ...Object.entries(numbers).map(([key, number]) => ({ name: key, valueInteger: number })),
      ],
    })),
  };
}

export const add = (path: string, name: string, value: Json): Operation => ({ type: 'add', path, name, value });
export const insert = (path: string, index: number, value: Json): Operation => ({ type: 'insert', path, index, value });
export const remove = (path: string): Operation => ({ type: 'delete', path });
export const replace = (path: string, value: Json): Operation => ({ type: 'replace', path, value });
export const move = (path: string, source: number, destination: number): Operation => ({
  type: 'move',
  path,
  source,
  destination,
});
export const patient = (elements: Json): Resource => ({ resourceType: 'Patient', id: 'p1', ...elements });
export const identifiers = (...values: number[]): Json => ({ identifier: values.map((it) => ({ value: `${it}` })) });
export const extension = { url: 'urn:x', valueString: 'x' };

export function failureOf(run: () => unknown): Failure {
  try {
    run();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

/** A patient with several of most things. */
export const many = patient({
  active: true,
  name: [
    { use: 'official', family: 'A', given: ['X', 'Y'], period: { start: '2020' } },
    { use: 'old', family: 'B', given: ['Z'], _given: [{ extension: [extension] }] },
    { family: 'C' },
  ],
  birthDate: '1980-01-01',
  _birthDate: { extension: [extension, { url: 'urn:y', valueString: 'y' }] },
  extension: [
    { url: 'urn:q', valueQuantity: { value: 5 } },
    { url: 'urn:s', valueString: 's' },
  ],
  contained: [
    { resourceType: 'Organization', id: 'o', name: 'Org' },
    { resourceType: 'Practitioner', id: 'd', birthDate: '1970' },
  ],
  managingOrganization: { reference: '#o' },
});
