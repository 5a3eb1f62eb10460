/**
 * The plans of searches on PostgreSQL. They are the same on an empty database, on which the planner knows nothing, and on a
 * large one: each look-up goes by the index that was made for it.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { clientConfig } from '../../adapters/postgres/connect.ts';
import { Parameters } from '../../adapters/postgres/parameters.ts';
import { findPage } from '../../adapters/postgres/search.ts';
import { openPostgres } from '../../adapters/postgres/store.ts';
import type { CompiledSearch } from '../../src/store/search.ts';
import { makeSchema, postgresMissing, type TestSchema } from '../support/postgres.ts';
import { Bench, patient } from './rules/bench.ts';

const missing = await postgresMissing();

if (missing) test(`skipped: ${missing}`, () => {});
else describe('a search on PostgreSQL', plansRules);

function plansRules(): void {
  let schema: TestSchema;
  let client: pg.Client;
  let bench: Bench;
  beforeAll(async () => {
    schema = await makeSchema();
    const store = await openPostgres(schema.url);
    bench = new Bench(store);
    await bench.write(patient('1'));
    await store.close();
    client = new pg.Client(clientConfig(schema.url));
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await schema.drop();
  });

  /** The indexes of a plan, from the one that drives on. A table would say that it is read from end to end. */
  async function planOf(search: CompiledSearch): Promise<string[]> {
    let steps: string[] = [];
    await findPage(search, new Parameters(), async (text, values) => {
      if (text.includes('JOIN parameter')) return [];
      const literals = values.map((value) => client.escapeLiteral(`${value}`)).join(', ');
      await client.query(`PREPARE page AS ${text}`);
      const { rows } = await client.query(`EXPLAIN (FORMAT JSON) EXECUTE page ${literals && `(${literals})`}`);
      await client.query('DEALLOCATE page');
      steps = stepsOf(rows[0]['QUERY PLAN'][0].Plan);
      return [];
    });
    return steps;
  }

  // The last two are always the content of the page. `by_value` finds by what is asked for, `of_resource` looks at one resource.
  test.each([
    ['Patient', 'date_of_resource'],
    ['Patient?identifier=urn:mrn|1', 'token_by_value'],
    ['Patient?identifier=1,2', 'token_by_value token_by_value'],
    ['Encounter?subject=Patient/1', 'reference_by_value'],
    ['Encounter?patient=1&status=finished', 'reference_by_value token_of_resource'],
    ['Encounter?status=in-progress&class=AMB', 'token_by_value token_of_resource'],
    ['Encounter?status=finished,in-progress&class=AMB', 'token_by_value token_by_value token_of_resource'],
    ['Patient?name=a', 'string_by_value'],
    ['Patient?name=a&gender=male&_sort=birthdate', 'string_by_value token_of_resource date_of_resource'],
    ['Patient?birthdate=1990', 'date_by_value'],
    ['Encounter?status=finished&date=2026-03', 'token_by_value date_of_resource'],
    ['Encounter?status=finished&date=ge2026-03', 'token_by_value date_of_resource'],
    ['Patient?_sort=-birthdate,_id', 'date_of_resource date_of_resource resource_pkey'],
    ['Encounter?subject:Patient.identifier=urn:mrn|1', 'token_by_value resource_pkey reference_by_value'],
    [
      'Encounter?subject:Patient.name=a&status=finished',
      'string_by_value resource_pkey reference_by_value token_of_resource',
    ],
    [
      'Encounter?subject:Patient.gender=male&status=finished',
      'token_by_value reference_by_value resource_type_id_key token_of_resource',
    ],
    ['Patient?_has:Observation:patient:code=x', 'date_of_resource resource_pkey reference_by_value token_of_resource'],
    [
      'Patient?_has:Observation:patient:identifier=x',
      'token_by_value reference_of_resource resource_type_id_key date_of_resource',
    ],
    ['Patient?gender:missing=true', 'date_of_resource token_of_resource'],
    ['Patient?gender:not=male', 'date_of_resource token_of_resource'],
    ['Patient?_id=1,2', 'resource_type_id_key date_of_resource'],
    ['Patient?gender=male&_id=1', 'resource_type_id_key date_of_resource token_of_resource'],
    ['Observation?code=x&value-quantity=gt5', 'token_by_value quantity_of_resource'],
    ['Patient?_content=ward', 'text_of_resource text_by_word'],
    ['Encounter?_content=ward&status=finished', 'text_of_resource text_by_word token_of_resource'],
    ['Patient?_lastUpdated=gt2026', 'date_by_value'],
    ['Patient,Encounter?_lastUpdated=2026', 'date_by_value date_by_value'],
  ])('for %s goes by %s', async (search, steps) => {
    const plan = await planOf({ query: bench.query(search) });
    // First, the sequence that the page sees; last, the content of what was found.
    expect(plan[0]).toBe('change_pkey');
    expect(plan.slice(-2)).toEqual(['resource_pkey', 'change_pkey']);
    expect(plan.slice(1, -2).join(' ')).toBe(steps);
  });
}

function stepsOf(node: any): string[] {
  const below: string[] = (node.Plans ?? []).flatMap(stepsOf);
  // A bitmap scan names its index below, its table here.
  const own = node['Index Name'] ?? (node['Node Type'] === 'Seq Scan' ? node['Relation Name'] : undefined);
  return own === undefined ? below : [own, ...below];
}
