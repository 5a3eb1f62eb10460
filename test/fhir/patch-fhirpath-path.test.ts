import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { applyFhirPathPatch } from '../../src/fhir/patch/fhirpath-patch.ts';
import type { Json, Resource } from '../../src/fhir/types.ts';
import { Failure, type FailureKind } from '../../src/outcome.ts';
import { add, failureOf, insert, many, parameters, patient, remove, replace } from './patch-support.ts';

describe('a path', () => {
  // Each path names one string; marking it shows where the path led.
  test.each([
    ['Patient.name[1].family', 'name.1.family'],
    ['name[1].family', 'name.1.family'],
    ['(Patient.name)[1].family', 'name.1.family'],
    ['Patient.name.family[2]', 'name.2.family'],
    ['Patient.name.first().family', 'name.0.family'],
    ['Patient.name.last().family', 'name.2.family'],
    ['Patient.name.given.last()', 'name.1.given.0'],
    ['Patient.name.given[1]', 'name.0.given.1'],
    ["Patient.name.where(use = 'old').family", 'name.1.family'],
    ["Patient.name.where(use = 'old').single().given", 'name.1.given.0'],
    ["Patient.name.where(use = 'official' and period.exists()).family", 'name.0.family'],
    ["Patient.name.where(family = 'B' or family = 'Q').family", 'name.1.family'],
    ['Patient.name.where(use.empty()).family', 'name.2.family'],
    ["Patient.name.where(use != 'old').family", 'name.0.family'],
    ["Patient.name.where(given.where($this = 'Y').exists()).family", 'name.0.family'],
    ['Patient.name.where(given.count() = 2).family', 'name.0.family'],
    ["Patient.name.where(family.lower() = 'c').family", 'name.2.family'],
    ["Patient.name.given.where(extension('urn:x').exists())", 'name.1.given.0'],
    ["Patient.name.given.where($this.startsWith('X'))", 'name.0.given.0'],
    ["Patient.birthDate.extension('urn:y').value", '_birthDate.extension.1.valueString'],
    ["Patient.extension('urn:s').value", 'extension.1.valueString'],
    ['Patient.extension.value.ofType(string)', 'extension.1.valueString'],
    ['Patient.extension.value.ofType(FHIR.string)', 'extension.1.valueString'],
    ['(Patient.extension.value as string)', 'extension.1.valueString'],
    ['Patient.extension.where(value is string).value', 'extension.1.valueString'],
    ['Patient.extension.valueString', 'extension.1.valueString'],
    ['Patient.contained.ofType(Organization).name', 'contained.0.name'],
    ["Patient.contained.where(id = 'o').name", 'contained.0.name'],
    ['Patient.managingOrganization.resolve().name', 'contained.0.name'],
    ["DomainResource.extension('urn:s').value", 'extension.1.valueString'],
  ])('%s leads to %s', (path, place) => {
    const expected = structuredClone(many);
    const steps = place.split('.');
    const holder = steps.slice(0, -1).reduce<Json>((node, step) => node[step], expected);
    holder[steps.at(-1) as string] = 'here';
    const patched = applyFhirPathPatch(many, parameters(replace(path, { valueString: 'here' })));
    // The extensions of what is replaced go with it; that is not what is asked here.
    const bare = (it: Resource): Json[] => it.name.map(({ _given, ...name }: Json) => name);
    expect({ ...patched, name: bare(patched) }).toEqual({ ...expected, name: bare(expected) });
  });

  test('may name elements that are called as FHIRPath operators are', () => {
    const before = { resourceType: 'ValueSet', expansion: { contains: [{ code: 'a', contains: [{ code: 'b' }] }] } };
    const patched = applyFhirPathPatch(
      before,
      parameters(replace("ValueSet.expansion.contains[0].contains.where(code = 'b').code", { valueCode: 'c' })),
    );
    expect(patched.expansion).toEqual({ contains: [{ code: 'a', contains: [{ code: 'c' }] }] });
  });

  test.each<[string, FailureKind]>([
    ['', 'malformed'],
    ['Patient.', 'malformed'],
    ['Patient..name', 'malformed'],
    ['Patient.name[0', 'malformed'],
    ['Patient.active Patient.name', 'malformed'],
    ['Patient.active)', 'malformed'],
    ['Patient.name.where()', 'malformed'],
    ["Patient.name.where(use = 'old' use)", 'malformed'],
    ['Patient.name[-1]', 'malformed'],
    ["Patient.name['x']", 'malformed'],
    ['Patient.name | Patient.telecom', 'malformed'],
    ["'text'", 'malformed'],
    ['Patient.name.tail()', 'malformed'],
    ['Patient.descendants()', 'malformed'],
    ['Patient.repeat(name)', 'malformed'],
    ["Patient.name.where(family.matches('(a+)+$'))", 'malformed'],
    ['Patient.name.where(period.start > @2020)', 'malformed'],
    ["Patient.name.where((use = 'old').not())", 'malformed'],
    ['Patient.name.where(%resource.active)', 'malformed'],
    ['Patient.name.where(constructor.exists())', 'malformed'],
    ['Patient.name.where(__proto__.exists())', 'malformed'],
    ['Patient.name.where(toString())', 'malformed'],
    ["Patient.constructor('x')", 'malformed'],
    [`Patient${'.name'.repeat(200)}`, 'malformed'],
    ['Patient', 'malformed'],
    ['Patient.nothing', 'invalid'],
    ['Patient.constructor', 'invalid'],
    ['Patient.__proto__', 'invalid'],
    ['Patient.resourceType', 'invalid'],
    ['Patient.birthDate.value', 'invalid'],
    ['Observation.status', 'invalid'],
    ['Patient.name', 'invalid'],
    ['Patient.name.single()', 'invalid'],
    ['Patient.name.where(use)', 'invalid'],
    ["Patient.name.where(given = 'X' and given).family", 'invalid'],
    ['Patient.extension.value.ofType(text)', 'invalid'],
    ['Patient.birthDate.resolve()', 'invalid'],
  ])('%s is refused when it is to be deleted', (path, kind) => {
    const failure = failureOf(() => applyFhirPathPatch(many, parameters(remove('Patient.photo'), remove(path))));
    expect(failure.kind).toBe(kind);
    expect(failure.message).toMatch(/^operation 1: /);
    expect(failure.details[0]?.expression).toBe('Parameters.parameter[1]');
  });

  test('is refused without quoting it or the resource', () => {
    const path = "Patient.name.where(family = 'Geheim' and 'X')";
    const failure = failureOf(() => applyFhirPathPatch(many, parameters(remove(path))));
    expect(JSON.stringify([failure.message, failure.details])).not.toMatch(/Geheim|1980/);
  });

  test('does not leave the resource', () => {
    const elsewhere = patient({ managingOrganization: { reference: 'Organization/o' } });
    const path = 'Patient.managingOrganization.resolve().name';
    expect(failureOf(() => applyFhirPathPatch(elsewhere, parameters(remove(path)))).kind).toBe('invalid');
  });

  test('made at random gives a patched resource or a Failure, and changes nothing that it was given', () => {
    const piece = fc.constantFrom(
      ...['Patient', 'name', 'family', 'given', 'extension', 'value', 'birthDate', 'contained', 'nothing', '$this'],
      ...['.', '.', '.', '(', ')', '[0]', '[1]', "'x'", ' = ', ' and ', ' as ', '|', '0', '@2020', '%resource', '\\'],
      ...['where(', "where(use = 'old')", 'exists()', 'first()', 'ofType(string)', "extension('urn:x')", 'resolve()'],
    );
    const path = fc.array(piece, { minLength: 1, maxLength: 9 }).map((pieces) => pieces.join(''));
    const operation = fc.oneof(
      path.map(remove),
      path.map((it) => replace(it, { valueString: 'x' })),
      path.map((it) => insert(it, 0, { valueString: 'x' })),
      fc
        .tuple(path, fc.constantFrom('given', 'id', 'extension', '__proto__'))
        .map(([it, name]) => add(it, name, { valueString: 'x' })),
    );
    const before = structuredClone(many);
    fc.assert(
      fc.property(operation, (it) => {
        try {
          expect(applyFhirPathPatch(many, parameters(it))).toMatchObject({ resourceType: 'Patient', id: 'p1' });
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
        }
        expect(many).toEqual(before);
      }),
      { numRuns: 2000 },
    );
  });
});
