/** A hospital has left: its messages wait in the journal, or are replayed, and its mapping is gone. */
import { expect, test } from '@jest/globals';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { FixedClock } from '../../src/clock.ts';
import { Commit } from '../../src/commit/commit.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import { Zone } from '../../src/fhir/zone.ts';
import { preview } from '../../src/ingest/replay.ts';
import { ingestStage } from '../../src/ingest/stage.ts';
import { Mapping } from '../../src/mapping/map.ts';
import { readMappings } from '../../src/mapping/read.ts';
import type { SiteMapping } from '../../src/mapping/site-mappings.ts';
import type { JournalRow } from '../../src/store/rows.ts';
import { event, person, visit } from './orders.ts';
import { received } from './received.ts';

const zone = new Zone('Asia/Shanghai');
const parameters = new SearchParameters(zone);
const site: SiteMapping = { mapping: new Mapping(readMappings('mappings')), settings: {}, version: 'v' };

/** As the program does: '' is there, a site without a file is not. */
function mappingOf(name: string): SiteMapping {
  if (name !== '') readMappings('mappings', name);
  return site;
}

test('its message is failed with the reason, also at the start, and the one behind it is applied', async () => {
  const store = new SqliteStore(':memory:');
  const clock = new FixedClock('2026-03-12T02:31:00Z');
  const parts = { store, commit: new Commit(store, parameters, clock), parameters, mappingOf, zone, clock };
  const gone = { ...received(event(0, 'ADT^A01', person('1'), visit('V1')), clock.now()), site: 'gone' };
  const stage = ingestStage(parts, () => {});
  const first = await store.keep(gone);
  await stage();
  const second = await store.keep({ ...gone, controlId: 'M1', content: 'another' });
  const third = await store.keep(received(event(2, 'ADT^A01', person('2'), visit('V2')), clock.now()));
  await stage();
  const rows = (await Promise.all([first, second, third].map((id) => store.message(id)))) as JournalRow[];
  const reason = "there is no mapping of the site 'gone' any more";
  expect(rows.map(({ state, error }) => [state, error])).toEqual([
    ['failed', reason],
    ['failed', reason],
    ['applied', undefined],
  ]);
  expect(await preview(rows[0] as JournalRow, parts)).toMatchObject({ to: 'failed', error: reason });
  await store.close();
});
