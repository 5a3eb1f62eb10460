import { beforeAll, describe, expect, test } from '@jest/globals';
import { evalFhirPath } from '@medplum/core';
import { loadSearchParameters } from '../../src/fhir/definitions.ts';
import { compileExpression, compileRelative, type Found, isSlow } from '../../src/fhir/search/expression.ts';
import type { Json, Resource } from '../../src/fhir/types.ts';
import { allTypes, filledResources, realResources } from './examples.ts';

const rows = loadSearchParameters().filter((row) => row.expression);

/** The parameters that say something of a type, each with the expression. */
function expressionsOf(type: string): { code: string; expression: string }[] {
  return rows
    .filter((row) => row.base.some((base) => [type, 'Resource', 'DomainResource'].includes(base)))
    .map((row) => ({ code: row.code, expression: row.expression as string }));
}

function walked(type: string, expression: string, resource: Json): string[] {
  const found: Found[] = [];
  compileExpression(type, expression)?.(resource, found);
  return found.map((it) => JSON.stringify(it.value));
}

/** What @medplum/core says, of the parts that are about the type; it does not know that a Patient is a Resource. */
function evaluated(type: string, expression: string, resource: Resource): string[] {
  const own = expression
    .split(/ \| /)
    .map((part) => part.trim().replace(/^(Resource|DomainResource)\./, `${type}.`))
    .filter((part) => new RegExp(`^(\\(*${type}(\\.|$)|[a-z])`).test(part))
    .join(' | ');
  return own === '' ? [] : evalFhirPath(own, resource as any).map((it) => JSON.stringify(it));
}

/** A union gives each value once, a walk may give it again: sets are compared. */
function differences(resource: Resource): string[] {
  const { resourceType: type } = resource;
  return expressionsOf(type).flatMap(({ code, expression }) => {
    const ours = [...new Set(walked(type, expression, resource))].sort();
    const theirs = [...new Set(evaluated(type, expression, resource))].sort();
    return JSON.stringify(ours) === JSON.stringify(theirs) ? [] : [`${type}.${code}: ${ours} is not ${theirs}`];
  });
}

describe('a compiled expression', () => {
  let real: Resource[];
  beforeAll(() => {
    real = realResources();
  });

  test('finds what @medplum/core finds, in every resource of the hospital day and its care plans', () => {
    const types = new Set(real.map((it) => it.resourceType));
    expect([...types]).toEqual(
      expect.arrayContaining(['Patient', 'Encounter', 'CarePlan', 'Task', 'Appointment', 'QuestionnaireResponse']),
    );
    // One of each shape is enough: evaluating is slow.
    const byShape = new Map(real.map((it) => [`${it.resourceType} ${Object.keys(it).sort()}`, it]));
    expect([...byShape.values()].flatMap(differences)).toEqual([]);
  });

  test('finds what @medplum/core finds, for every parameter of every resource type, all elements filled in', () => {
    expect(allTypes.flatMap((type) => filledResources(type, 2)).flatMap(differences)).toEqual([]);
  });

  test('finds something for every parameter of every type when all elements are filled in', () => {
    const empty = allTypes.flatMap((type) => {
      let open = expressionsOf(type);
      for (let variants = 2; variants <= 16 && open.length > 0; variants *= 2) {
        const resources = filledResources(type, variants);
        open = open.filter(({ expression }) => !resources.some((it) => walked(type, expression, it).length > 0));
      }
      return open.map(({ code }) => `${type}.${code}`);
    });
    // The package adds this one: R4 has no such element.
    expect(empty).toEqual([]);
  });

  test('is left to the slow evaluator for three parameters only', () => {
    const slow = allTypes.flatMap((type) =>
      expressionsOf(type)
        .filter(({ expression }) => isSlow(type, expression))
        .map(({ code }) => `${type}.${code}`),
    );
    expect(slow.sort()).toEqual(['Bundle.composition', 'Bundle.message', 'Patient.deceased']);
  });

  test('says nothing of a type that it does not name', () => {
    expect(compileExpression('Task', 'Patient.name | Person.name')).toBeUndefined();
    expect(compileExpression('Patient', 'Person.name')).toBeUndefined();
  });

  test('skips what is null in a list, and elements that are not there', () => {
    const resource = { resourceType: 'Patient', name: [{ given: [null, 'A'] }, { family: 'B' }] };
    expect(walked('Patient', 'Patient.name.given', resource)).toEqual(['"A"']);
    expect(walked('Patient', 'Patient.contact.name', resource)).toEqual([]);
  });

  test('knows the type of a choice by its name', () => {
    const found: Found[] = [];
    compileExpression('Observation', 'Observation.value')?.({ resourceType: 'Observation', valuePeriod: {} }, found);
    expect(found).toEqual([{ type: 'Period', value: {} }]);
    expect(walked('Observation', '(Observation.value as Quantity)', { valuePeriod: {} })).toEqual([]);
    expect(walked('Observation', '(Observation.value as Quantity)', { valueQuantity: { value: 1 } })).toEqual([
      '{"value":1}',
    ]);
  });

  test('takes a reference as one to a type by its text or its type', () => {
    const subject = (value: object): number =>
      walked('Encounter', 'Encounter.subject.where(resolve() is Patient)', { subject: value }).length;
    expect(subject({ reference: 'Patient/1' })).toBe(1);
    expect(subject({ reference: 'https://x.example/fhir/Patient/1' })).toBe(1);
    expect(subject({ reference: 'urn:uuid:1', type: 'Patient' })).toBe(1);
    expect(subject({ reference: 'Group/1' })).toBe(0);
    expect(subject({ display: 'x' })).toBe(0);
  });

  test('of a part begins at its element', () => {
    const component = { code: { text: 'c' }, valueQuantity: { value: 1 } };
    const found = (expression: string): Found[] => {
      const all: Found[] = [];
      compileRelative(expression)?.({ type: 'Observation.component', value: component }, all);
      return all;
    };
    expect(found('code')).toEqual([{ type: 'CodeableConcept', value: { text: 'c' } }]);
    expect(found('value.ofType(Quantity)')).toEqual([{ type: 'Quantity', value: { value: 1 } }]);
    expect(found('value.ofType(Range) | value.ofType(Quantity)')).toHaveLength(1);
    expect(found('value.ofType(string)')).toEqual([]);
    expect(compileRelative('value > 3')).toBeUndefined();
  });

  test('does not trip over keys that every object has', () => {
    expect(walked('Patient', 'Patient.constructor', { resourceType: 'Patient' })).toEqual([]);
    expect(walked('Patient', 'Patient.name', JSON.parse('{"__proto__":{"name":[{"family":"x"}]}}'))).toEqual([]);
  });
});
