/**
 * The shipped shapes of queries with what SQLite does for each: `expected/explain-sqlite.txt`. A change of the compiler
 * shows itself there as a difference to read. `UPDATE=1` writes the file anew.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import type { Filter } from '../../src/fhir/search/filter.ts';
import { queryOf, type SearchQuery } from '../../src/fhir/search/query.ts';
import { Bench, parameters } from './rules/bench.ts';
import { ward } from './rules/ward.ts';

const golden = new URL('./expected/explain-sqlite.txt', import.meta.url);

const shapes: readonly (readonly [title: string, search: string])[] = [
  ['identifier', 'Patient?identifier=1'],
  ['identifier with system', 'Patient?identifier=urn:mrn|1'],
  ['id', 'Patient?_id=anna,bo'],
  ['patient and type', 'Encounter?patient=Patient/anna'],
  ['two tokens', 'Encounter?status=finished&class=urn:c|IMP'],
  ['name by prefix', 'Patient?name=ang'],
  ['name by prefix, sorted by birthdate', 'Patient?name=ang&_sort=birthdate'],
  ['name by what it contains', 'Patient?name:contains=ang'],
  ['everything, the latest first', 'Patient?_sort=-_lastUpdated'],
  ['date range', 'Encounter?date=ge2026-03-01&date=lt2026-04-01'],
  ['last updated', 'Patient?_lastUpdated=gt2026-03-01'],
  ['not', 'Patient?gender:not=male'],
  ['missing', 'Patient?gender:missing=true'],
  ['chain by identifier', 'Encounter?patient.identifier=urn:mrn|1'],
  ['chain by gender', 'Encounter?patient.gender=male'],
  ['chain of two', 'Encounter?patient.organization.name=renhe'],
  ['_has', 'Patient?_has:Observation:patient:code=http://loinc.org|mass'],
  ['_has by identifier', 'Patient?_has:Encounter:patient:identifier=urn:v|1'],
  ['_list', 'Patient?_list=round'],
  ['quantity', 'Observation?value-quantity=5.4|http://unitsofmeasure.org|mg'],
  ['quantity above', 'Observation?value-quantity=gt5.4|http://unitsofmeasure.org|mg'],
  [
    'composite code-value-quantity',
    'Observation?code-value-quantity=http://loinc.org|mass$gt5.4|http://unitsofmeasure.org|mg',
  ],
  ['near', 'Location?near=39.9|116.4|1|km'],
  ['_content', 'Patient?_content=angstrom anna'],
  ['_filter', 'Patient?_filter=identifier eq urn:mrn|1 and (gender eq male or not (birthdate lt 1990))'],
  ['_filter with or', 'Patient?_filter=family eq "li" or identifier eq 2'],
  ['of several types by _lastUpdated', 'Patient,Encounter?_lastUpdated=ge2026-03-01'],
  ['of several types, the latest first', 'Patient,Encounter?_sort=-_lastUpdated'],
  ['count', 'Patient?gender=male&_summary=count'],
];

/** The same page is asked for at a snapshot, behind a place. */
const nextPages: readonly (readonly [title: string, search: string, after: string])[] = [
  ['next page', 'Patient?gender=male', '[7]'],
  ['next page, sorted', 'Patient?gender=male&_sort=birthdate,-name', '[1,"a",7]'],
  ['next page, sorted, behind the last that has a value', 'Patient?gender=male&_sort=-birthdate', '[null,7]'],
  ['next page of several types', 'Patient,Encounter?_lastUpdated=ge2026', '[7]'],
];

describe('the plan of a search', () => {
  let store: SqliteStore;
  let bench: Bench;
  beforeAll(async () => {
    store = new SqliteStore(':memory:');
    bench = new Bench(store);
    await bench.write(...ward);
  });
  afterAll(() => store.close());

  function compartment(): SearchQuery {
    const filters = ['patient', 'performer', 'subject'].map(
      (code): Filter => ({
        kind: 'values',
        parameter: parameters.of('Observation').get(code)!,
        values: [{ kind: 'reference', target: 'Patient', id: 'anna' }],
      }),
    );
    return queryOf('Observation', [{ kind: 'any', filters }], 20);
  }

  function withReferred(): SearchQuery {
    const query = compartment();
    return { ...query, referred: { by: query.branches, types: ['Patient', 'Encounter'] } };
  }

  function plans(): Map<string, string> {
    return new Map([
      ...shapes.map(
        ([title, search]) => [`${title}: ${search}`, store.explain({ query: bench.query(search) })] as const,
      ),
      ['compartment: any reference of Observation to Patient/anna', store.explain({ query: compartment() })],
      ['compartment, and what it refers to', store.explain({ query: withReferred() })],
      ...nextPages.map(
        ([title, search, after]) =>
          [`${title}: ${search}`, store.explain({ query: bench.query(search), snapshot: 9, after })] as const,
      ),
    ]);
  }

  test('is the one that was looked at', () => {
    const text = [...plans()].map(([title, plan]) => `## ${title}\n\n${plan}\n`).join('\n');
    if (process.env.UPDATE) writeFileSync(golden, text);
    expect(existsSync(golden) ? readFileSync(golden, 'utf8') : '').toBe(text);
  });

  test('reads no table from one end to the other', () => {
    for (const [title, plan] of plans()) {
      const tables = [...plan.matchAll(/\b(?:\w+_row|resource|change) ([a-z]\d*)\b/g)].map(
        ([, alias]) => alias as string,
      );
      expect(tables.length).toBeGreaterThan(0);
      // What was put together on the way is read whole: that is what it is for.
      const made = [...plan.matchAll(/(?:CO-ROUTINE|MATERIALIZE) (\w+)/g)].map(([, alias]) => alias as string);
      const scanned = [...plan.matchAll(/SCAN (\w+)/g)]
        .map(([, alias]) => alias as string)
        .filter((alias) => !made.includes(alias));
      expect({ title, scanned: scanned.filter((alias) => tables.includes(alias)) }).toEqual({ title, scanned: [] });
    }
  });

  /** Aliases that begin with e and s stand for the rows of a resource that is known. */
  test('looks at a resource by its number, at the state now and at a snapshot', () => {
    for (const [title, search] of [...shapes, ...nextPages])
      for (const snapshot of [undefined, 9]) {
        const plan = store.explain({ query: bench.query(search), ...(snapshot !== undefined && { snapshot }) });
        const looks = [...plan.matchAll(/SEARCH [es]\d* .*/g)].map(([line]) => line);
        expect({ title, snapshot, walks: looks.filter((line) => !/[( ](rid|id)=\?/.test(line)) }).toEqual({
          title,
          snapshot,
          walks: [],
        });
      }
  });

  test('shows no value', () => {
    for (const [, plan] of plans()) expect(plan).not.toMatch(/anna|mrn|ang\b|loinc/);
  });
});
