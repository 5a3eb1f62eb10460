/** Row 7: what an A03 and a search cost when the database is large. */
import type { BenchDatabase } from './floors/database.ts';
import { benchDatabases, type Opened, openOurs } from './floors/databases.ts';
import { dischargeMessages } from './messages.ts';
import { load, searchRows } from './search.ts';
import { stages } from './stages.ts';
import { alternate, type Row, time } from './support.ts';

export interface GrowthSize {
  /** Resources in the one database and in the other. */
  readonly small: number;
  readonly large: number;
  /** A03 messages in a round. */
  readonly messages: number;
  readonly rounds: number;
}

type Progress = (text: string) => void;

export async function growth(size: GrowthSize, progress: Progress): Promise<Row[]> {
  const rows: Row[] = [];
  for (const database of benchDatabases()) rows.push(...(await onDatabase(database, size, progress)));
  return rows;
}

async function onDatabase(database: BenchDatabase, size: GrowthSize, progress: Progress): Promise<Row[]> {
  const { small, large, messages, rounds } = size;
  const [smallUrl, largeUrl] = [await database.create(), await database.create()];
  const [few, many] = [await openOurs(database, smallUrl), await openOurs(database, largeUrl)];
  const added = (rounds + 1) * messages * resourcesOfMessage;
  if (small < added) throw new Error(`the rounds add ${added} resources: too many for a database of ${small}`);
  progress(`${database.name}: ${large.toLocaleString('en')} resources`);
  await load(many.commit, large, progress);
  // The rounds make it larger: in their middle it shall have the size that is promised.
  await load(few.commit, small - added / 2, progress);
  for (const url of [smallUrl, largeUrl]) await database.tidy(url);

  const floor = await database.openFloor(largeUrl);
  const rows = await searchRows({ ...many, floor, count: large, database: database.name }, rounds);
  await floor.close();

  progress(`${database.name}: A03`);
  const [onMany, onFew] = [await discharges(many, messages), await discharges(few, messages)];
  const times = await alternate(rounds, onMany, onFew);
  const perSecond = (ms: number): number => (messages / ms) * 1000;
  rows.push({
    what: `A03 at ${large.toLocaleString('en')} resources against at ${small.toLocaleString('en')}, ${database.name}`,
    unit: 'discharges/s',
    ours: perSecond(times.ours),
    floor: perSecond(times.floor),
    ratio: times.floor / times.ours,
    promise: 0.7,
  });
  for (const { store } of [few, many]) await store.close();
  for (const url of [smallUrl, largeUrl]) await database.drop(url);
  return rows;
}

/** What a discharge of the sample day makes, on average. */
const resourcesOfMessage = 20;

/** @returns one round: keeps so many further messages, then applies them with all that follows; ms of the applying */
async function discharges({ store, commit, parameters }: Opened, messages: number): Promise<() => Promise<number>> {
  // What was loaded is none of the care stage's business: it goes on from here.
  const to = await store.head();
  await commit.run({
    cause: 'system:bench',
    keys: [],
    decide: () => ({ intentions: [], effects: () => [{ kind: 'cursor', name: 'care', from: 0, to }] }),
  });
  const { receive, applied } = await stages()({ store, parameters });
  let sent = 0;
  return async () => {
    const bytes = dischargeMessages(sent, messages);
    sent += messages;
    await receive(bytes);
    return time(applied);
  };
}
