/** Row 4: search at many resources against hand-written SQL for the same rows, prepared once. */
import Database from 'better-sqlite3';
import { parseQuery } from '../src/fhir/search/query.ts';
import type { StoredResource } from '../src/fhir/types.ts';
import { alternate, openStore, type Row, temporary, time } from './support.ts';

const repeat = 300;

/** @param count resources in the database: a fifth are patients, the rest their encounters */
export async function search(count: number, rounds: number, progress: (text: string) => void): Promise<Row[]> {
  const folder = temporary();
  const path = folder.path('search.db');
  const { store, commit, parameters } = openStore(path);
  const patients = Math.floor(count / 5);
  const begun = performance.now();
  for (let from = 0; from < count; from += 1000) {
    const resources = Array.from({ length: Math.min(1000, count - from) }, (_, i) => resourceOf(from + i, patients));
    await commit.run({
      cause: 'system:bench',
      keys: [],
      decide: () => ({ intentions: resources.map((resource) => ({ kind: 'put', resource })) }),
    });
    if ((from / 1000) % 50 === 49)
      progress(`${from + 1000} resources, ${Math.round((performance.now() - begun) / 1000)} s`);
  }
  const bare = new Database(path, { readonly: true });
  const rows: Row[] = [];
  for (const { what, url, sql, values } of cases(patients)) {
    const [type, query] = url(0).split('?') as [string, string];
    if (!type || !query) throw new Error(url(0));
    const ours = (): Promise<number> =>
      time(async () => {
        for (let i = 0; i < repeat; i++) {
          const [resource, text] = url(i).split('?') as [string, string];
          const page = await store.search({ query: parseQuery(resource, new URLSearchParams(text), parameters, true) });
          if (page.hits.length === 0) throw new Error(`nothing found: ${url(i)}`);
        }
      });
    // The floor gets what we know of SQLite: see `#compiled` in adapters/sqlite/resources.ts.
    const statement = bare.prepare(sql.replaceAll('?', '+?'));
    const floor = (): Promise<number> =>
      time(() => {
        for (let i = 0; i < repeat; i++)
          if (statement.all(...values(i, bare)).length === 0) throw new Error('nothing found');
      });
    const times = await alternate(rounds, ours, floor);
    const perSecond = (ms: number): number => (repeat / ms) * 1000;
    rows.push({
      what: `search ${what}, ${count.toLocaleString('en')} resources`,
      unit: 'searches/s',
      ours: perSecond(times.ours),
      floor: perSecond(times.floor),
      ratio: times.floor / times.ours,
      promise: 1 / 3,
    });
  }
  bare.close();
  await store.close();
  folder.remove();
  return rows;
}

function resourceOf(n: number, patients: number): StoredResource {
  if (n < patients) {
    return {
      resourceType: 'Patient',
      id: `p${n}`,
      identifier: [{ system: 'urn:id:RENHE', value: String(100_000 + n) }],
      name: [{ family: `Family${n % 977}`, given: [`Given${n % 331}`] }],
      gender: n % 2 ? 'male' : 'female',
      birthDate: `19${String(10 + (n % 90))}-0${1 + (n % 9)}-1${n % 10}`,
    };
  }
  const visit = n - patients;
  return {
    resourceType: 'Encounter',
    id: `e${visit}`,
    identifier: [{ system: 'urn:id:RENHE', value: `V${visit}` }],
    // Skewed on purpose: nearly all visits are finished, and nearly all are inpatient.
    status: visit % 50 ? 'finished' : 'in-progress',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: visit % 40 ? 'IMP' : 'AMB' },
    subject: { reference: `Patient/p${visit % patients}` },
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
  readonly values: (i: number, db: Database.Database) => unknown[];
}

function cases(patients: number): Case[] {
  const content =
    'SELECT r.type, r.id, c.json FROM found f JOIN resource r ON r.rid = f.rid JOIN change c ON c.sequence = r.sequence ORDER BY f.rid';
  const param = (db: Database.Database, type: string, code: string): number =>
    (db.prepare('SELECT param FROM parameter WHERE type = ? AND code = ?').get(type, code) as { param: number }).param;
  const numbers = new Map<string, number>();
  const known = (db: Database.Database, type: string, code: string): number => {
    const key = `${type}.${code}`;
    if (!numbers.has(key)) numbers.set(key, param(db, type, code));
    return numbers.get(key) as number;
  };
  return [
    {
      what: 'by identifier',
      url: (i) => `Patient?identifier=urn:id:RENHE|${100_000 + ((i * 37) % patients)}`,
      sql: `WITH found AS (SELECT rid FROM token_row WHERE param = ? AND code = ? AND system = 'urn:id:RENHE' AND gone IS NULL LIMIT 21) ${content}`,
      values: (i, db) => [known(db, 'Patient', 'identifier'), String(100_000 + ((i * 37) % patients))],
    },
    {
      what: 'by patient and type',
      url: (i) => `Encounter?subject=Patient/p${(i * 41) % patients}`,
      sql: `WITH found AS (SELECT rid FROM reference_row WHERE param = ? AND id = ? AND target = 'Patient' AND gone IS NULL ORDER BY rid LIMIT 21) ${content}`,
      values: (i, db) => [known(db, 'Encounter', 'subject'), `p${(i * 41) % patients}`],
    },
    {
      what: 'by two skewed parameters',
      url: () => 'Encounter?status=in-progress&class=AMB',
      sql: `WITH found AS (SELECT a.rid FROM token_row a CROSS JOIN token_row b ON b.param = ? AND b.code = ? AND b.rid = a.rid AND b.gone IS NULL
              WHERE a.param = ? AND a.code = ? AND a.gone IS NULL ORDER BY a.rid LIMIT 21) ${content}`,
      values: (_, db) => [known(db, 'Encounter', 'class'), 'AMB', known(db, 'Encounter', 'status'), 'in-progress'],
    },
  ];
}
