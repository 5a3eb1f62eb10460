/** Row 2: an A03 fully applied (resources, history, search rows, care plan) against the bare driver writing the same rows. */
import Database from 'better-sqlite3';
import { openDatabase } from '../adapters/sqlite/open.ts';
import { parseProtocol } from '../src/care/protocol.ts';
import { careStage } from '../src/care/stage.ts';
import { systemClock } from '../src/clock.ts';
import { randomIds } from '../src/ids.ts';
import { ingestStage } from '../src/ingest/stage.ts';
import { receiver } from '../src/journal/receive.ts';
import { Mapping } from '../src/mapping/map.ts';
import { readMappings } from '../src/mapping/read.ts';
import { readProfiles } from '../src/profiles.ts';
import { InProcessQueue } from '../src/queue/in-process.ts';
import { dischargeMessages } from './messages.ts';
import { median, notMade, openStore, type Row, temporary, time, zone } from './support.ts';

export async function apply(count: number, rounds: number): Promise<Row> {
  const folder = temporary();
  const site = { mapping: new Mapping(readMappings('mappings')), settings: {}, version: 'bench' };
  const protocols = readProfiles('profiles')
    .filter((it) => it.resourceType === 'PlanDefinition')
    .map(parseProtocol);
  const ours: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const path = folder.path(`ours-${round}.db`);
    const queue = new InProcessQueue((_, error) => {
      throw error;
    });
    const { store, commit, parameters } = openStore(path, () => queue.ring({ kind: 'care', id: 'changes' }));
    const { receive } = receiver({
      store,
      mappingOf: () => site,
      zone,
      clock: systemClock,
      ids: randomIds,
      charsetDefault: 'utf-8',
      kept: () => {},
    });
    const ingest = { store, commit, parameters, mappingOf: () => site, zone, clock: systemClock };
    queue.handle(
      'ingest',
      ingestStage(ingest, () => {}),
    );
    queue.handle('care', careStage({ store, commit, parameters, protocols, zone, clock: systemClock, notMade }));
    queue.start();
    const applied = async (): Promise<void> => {
      queue.ring({ kind: 'ingest', id: 'journal' });
      await queue.idle();
    };
    // As at the start of the program: what waits then is applied one by one.
    await applied();
    await Promise.all(
      dischargeMessages(0, count).map((bytes) => receive(bytes, { listener: 'mllp:2575', peer: '127.0.0.1' })),
    );
    const took = await time(applied);
    await store.close();
    const bare = copyRows(path, folder.path(`floor-${round}.db`), count);
    // The first round warms the compiler and the file system.
    if (round === 0) continue;
    ours.push(took);
    floor.push(bare);
  }
  folder.remove();
  const perSecond = (ms: number): number => (count / ms) * 1000;
  const [a, b] = [median(ours), median(floor)];
  return {
    what: 'A03 fully applied',
    unit: 'discharges/s',
    ours: perSecond(a),
    floor: perSecond(b),
    ratio: b / a,
    promise: 0.6,
  };
}

/** Reads every row into memory, then writes them with the driver alone, in as many transactions as the stage has groups. ms */
function copyRows(from: string, to: string, count: number): number {
  const source = new Database(from, { readonly: true });
  const target = openDatabase(to);
  const tables = source
    .prepare(
      "SELECT DISTINCT s.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c ON c.name = 'rid' WHERE s.type = 'table'",
    )
    .pluck()
    .all() as string[];
  const rows = tables.flatMap((table) => {
    const all = source.prepare(`SELECT * FROM ${table}`).raw().all() as unknown[][];
    const born = source
      .prepare(`SELECT * FROM ${table}`)
      .columns()
      .findIndex(({ name }) => name === 'born' || name === 'sequence');
    const width = all[0]?.length;
    if (!width) return [];
    const insert = target.prepare(
      `INSERT INTO ${table} VALUES (${Array.from({ length: width }, () => '?').join(', ')})`,
    );
    return all.map((values) => ({ insert, values, born: values[born] as number }));
  });
  source.close();
  rows.sort((a, b) => a.born - b.born);
  const size = Math.ceil(rows.length / Math.ceil((2 * count) / 16));
  const group = target.transaction((begin: number) => {
    for (const { insert, values } of rows.slice(begin, begin + size)) insert.run(...values);
  });
  const begun = performance.now();
  for (let i = 0; i < rows.length; i += size) group.immediate(i);
  const took = performance.now() - begun;
  target.close();
  return took;
}
