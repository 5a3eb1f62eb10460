/** The databases that the bench measures. */
import { systemClock } from '../../src/clock.ts';
import { Commit } from '../../src/commit/commit.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import type { Store } from '../../src/store/store.ts';
import { zone } from '../support.ts';
import type { BenchDatabase } from './database.ts';
import { sqlite } from './sqlite.ts';

/** One line for each database. */
export function benchDatabases(): readonly BenchDatabase[] {
  return [sqlite];
}

/** @param name of one of {@link benchDatabases} */
export function databaseNamed(name: string): BenchDatabase {
  const found = benchDatabases().find((it) => it.name === name);
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
