/** Row 4: search at many resources against hand-written SQL for the same rows, prepared once. */
import { type Commit, keyOf } from '../src/commit/commit.ts';
import { parseQuery } from '../src/fhir/search/query.ts';
import type { StoredResource } from '../src/fhir/types.ts';
import { identityId } from '../src/ids.ts';
import type { FloorDatabase, Value } from './floors/database.ts';
import { benchDatabases, type Opened, openOurs } from './floors/databases.ts';
import { parameterNumber } from './floors/search.ts';
import { alternate, type Row, time } from './support.ts';

const repeat = 2000;

/** @param count resources in each database */
export async function search(count: number, rounds: number, progress: (text: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  for (const database of benchDatabases()) {
    const url = await database.create();
    const ours = await openOurs(database, url);
    await load(ours.commit, count, progress);
    await database.tidy(url);
    const floor = await database.openFloor(url);
    rows.push(...(await searchRows({ ...ours, floor, count, database: database.name }, rounds)));
    await floor.close();
    await ours.store.close();
    await database.drop(url);
  }
  return rows;
}

/** Fills a database: a fifth of the resources are patients, the rest their encounters. */
export async function load(commit: Commit, count: number, progress: (text: string) => void): Promise<void> {
  const patients = Math.floor(count / 5);
  const begun = performance.now();
  for (let from = 0; from < count; from += 1000) {
    const resources = Array.from({ length: Math.min(1000, count - from) }, (_, i) => resourceOf(from + i, patients));
    const intentions = resources.map((resource) => ({ kind: 'put' as const, resource }));
    await commit.run({ cause: 'system:bench', keys: intentions.map(keyOf), decide: () => ({ intentions }) });
    if ((from / 1000) % 50 === 49)
      progress(`${from + 1000} resources, ${Math.round((performance.now() - begun) / 1000)} s`);
  }
}

/** A database as {@link load} filled it, open for ours and for the floor. */
export interface Loaded extends Opened {
  readonly floor: FloorDatabase;
  readonly count: number;
  readonly database: string;
}

export async function searchRows(
  { store, parameters, floor, count, database }: Loaded,
  rounds: number,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { what, url, sql, values } of await cases(floor, Math.floor(count / 5))) {
    const ours = (): Promise<number> =>
      time(async () => {
        for (let i = 0; i < repeat; i++) {
          const [resource, text] = url(i).split('?') as [string, string];
          const page = await store.search({ query: parseQuery(resource, new URLSearchParams(text), parameters) });
          if (page.hits.length === 0) throw new Error(`nothing found: ${url(i)}`);
        }
      });
    const statement = floor.prepare(sql);
    const bare = (): Promise<number> =>
      time(async () => {
        for (let i = 0; i < repeat; i++)
          if ((await statement(...values(i))).length === 0) throw new Error('nothing found');
      });
    const times = await alternate(rounds, ours, bare);
    const perSecond = (ms: number): number => (repeat / ms) * 1000;
    rows.push({
      what: `search ${what}, ${count.toLocaleString('en')} resources, ${database}`,
      unit: 'searches/s',
      ours: perSecond(times.ours),
      floor: perSecond(times.floor),
      ratio: times.floor / times.ours,
      promise: 1 / 3,
    });
  }
  return rows;
}

/** Scattered as the ids of a server are: in order they would make every index look small. */
const idOf = (type: string, n: number): string => identityId(type, String(n));

function resourceOf(n: number, patients: number): StoredResource {
  if (n < patients) {
    return {
      resourceType: 'Patient',
      id: idOf('Patient', n),
      identifier: [{ system: 'urn:id:RENHE', value: String(100_000 + n) }],
      name: [{ family: `Family${n % 977}`, given: [`Given${n % 331}`] }],
      gender: n % 2 ? 'male' : 'female',
      birthDate: `19${String(10 + (n % 90))}-0${1 + (n % 9)}-1${n % 10}`,
    };
  }
  const visit = n - patients;
  return {
    resourceType: 'Encounter',
    id: idOf('Encounter', visit),
    identifier: [{ system: 'urn:id:RENHE', value: `V${visit}` }],
    // Skewed on purpose: nearly all visits are finished, and nearly all are inpatient.
    status: visit % 50 ? 'finished' : 'in-progress',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: visit % 40 ? 'IMP' : 'AMB' },
    subject: { reference: `Patient/${idOf('Patient', visit % patients)}` },
    period: {
      start: `2026-0${1 + (visit % 9)}-10T09:00:00+08:00`,
      end: `2026-0${1 + (visit % 9)}-1${visit % 10}T10:00:00+08:00`,
    },
  };
}

interface Case {
  readonly what: string;
  readonly url: (i: number) => string;
  readonly sql: string;
  readonly values: (i: number) => readonly Value[];
}

async function cases(db: FloorDatabase, patients: number): Promise<readonly Case[]> {
  const content =
    'SELECT r.type, r.id, c.json FROM found f CROSS JOIN resource r ON r.rid = f.rid CROSS JOIN change c ON c.sequence = r.sequence ORDER BY f.rid';
  const identifier = await parameterNumber(db, 'Patient', 'identifier');
  const subject = await parameterNumber(db, 'Encounter', 'subject');
  const status = await parameterNumber(db, 'Encounter', 'status');
  const visitClass = await parameterNumber(db, 'Encounter', 'class');
  return [
    {
      what: 'by identifier',
      url: (i) => `Patient?identifier=urn:id:RENHE|${100_000 + ((i * 37) % patients)}`,
      sql: `WITH found AS (SELECT rid FROM token_row WHERE param = ? AND code = ? AND system = 'urn:id:RENHE' AND gone IS NULL LIMIT 21) ${content}`,
      values: (i) => [identifier, String(100_000 + ((i * 37) % patients))],
    },
    {
      what: 'by patient and type',
      url: (i) => `Encounter?subject=Patient/${idOf('Patient', (i * 41) % patients)}`,
      sql: `WITH found AS (SELECT rid FROM reference_row WHERE param = ? AND id = ? AND target = 'Patient' AND gone IS NULL ORDER BY rid LIMIT 21) ${content}`,
      values: (i) => [subject, idOf('Patient', (i * 41) % patients)],
    },
    {
      what: 'by two skewed parameters',
      url: () => 'Encounter?status=in-progress&class=AMB',
      sql: `WITH found AS (SELECT a.rid FROM token_row a CROSS JOIN token_row b ON b.param = ? AND b.code = ? AND b.rid = a.rid AND b.gone IS NULL
              WHERE a.param = ? AND a.code = ? AND a.gone IS NULL ORDER BY a.rid LIMIT 21) ${content}`,
      values: () => [visitClass, 'AMB', status, 'in-progress'],
    },
  ];
}
