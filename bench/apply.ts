/** Row 2: an A03 fully applied (resources, history, search rows, care plan) against the bare driver writing the same rows. */
import Database from 'better-sqlite3';
import { openDatabase } from '../adapters/sqlite/open.ts';
import { dischargeMessages } from './messages.ts';
import { stages } from './stages.ts';
import { median, openStore, type Row, temporary, time } from './support.ts';

export async function apply(count: number, rounds: number): Promise<Row> {
  const folder = temporary();
  const stagesOn = stages();
  const ours: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const path = folder.path(`ours-${round}.db`);
    const { store, parameters } = openStore(path);
    const { receive, applied } = await stagesOn({ store, parameters });
    await receive(dischargeMessages(0, count));
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
