/** The databases that the bench measures. */
import { openPostgres } from '../../adapters/postgres/store.ts';
import { systemClock } from '../../src/clock.ts';
import { Commit } from '../../src/commit/commit.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import type { Store } from '../../src/store/store.ts';
import { zone } from '../support.ts';
import type { BenchDatabase } from './database.ts';
import { postgres } from './postgres.ts';
import { sqlite } from './sqlite.ts';

/** A database of a cluster in which the bench may make others. */
const server = process.env.TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test';

/** Both, or the one that `--on=sqlite` or `--on=postgres` names. */
export function benchDatabases(): readonly BenchDatabase[] {
  const only = process.argv.find((it) => it.startsWith('--on='))?.slice(5);
  const all = [sqlite, postgres(server, openPostgres)];
  return all.filter(({ name }) => only === undefined || only === name);
}

/** @param name of one of {@link benchDatabases} */
export function databaseNamed(name: string): BenchDatabase {
  const found = [sqlite, postgres(server, openPostgres)].find((it) => it.name === name);
  if (!found) throw new Error(`no database is named ${name}`);
  return found;
}

/** Our store on a database, with what writes through it. */
export interface Opened {
  readonly store: Store;
  readonly commit: Commit;
  readonly parameters: SearchParameters;
}

export async function openOurs(database: BenchDatabase, url: string): Promise<Opened> {
  const store = await database.openStore(url);
  const parameters = new SearchParameters(zone);
  return { store, parameters, commit: new Commit(store, parameters, systemClock) };
}
