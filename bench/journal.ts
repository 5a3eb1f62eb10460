/** Row 1: journal + ACK against the bare driver that writes the same bytes as group-committed rows. */
import { hash } from 'node:crypto';
import type Database from 'better-sqlite3';
import { openDatabase } from '../adapters/sqlite/open.ts';
import { systemClock } from '../src/clock.ts';
import { randomIds } from '../src/ids.ts';
import { receiver } from '../src/journal/receive.ts';
import { Mapping } from '../src/mapping/map.ts';
import { readMappings } from '../src/mapping/read.ts';
import { dischargeMessages } from './messages.ts';
import { alternate, openStore, type Row, temporary, time, zone } from './support.ts';

/** Senders, each of which waits for its acknowledgement; as many as the bench of acknowledgements has at the most. */
const senders = 128;
/** Rows in one commit of the floor: what the group commit makes of so many senders. */
const rowsTogether = 32;

export async function journal(count: number, rounds: number): Promise<Row> {
  const folder = temporary();
  const site = { mapping: new Mapping(readMappings('mappings')), settings: {}, version: 'bench' };
  const { store } = openStore(folder.path('ours.db'));
  const { receive } = receiver({
    store,
    mappingOf: () => site,
    zone,
    clock: systemClock,
    ids: randomIds,
    givenUp: () => {},
    charsetDefault: 'utf-8',
    kept: () => {},
  });
  const bare = openDatabase(folder.path('floor.db'));
  let sent = 0;
  const origin = { listener: 'mllp:2575', peer: '127.0.0.1' };
  const ours = (): Promise<number> =>
    time(async () => {
      // Anew each round: what was sent before is not kept to be applied.
      const own = dischargeMessages(sent, count);
      sent += count;
      const waiting = own.values();
      const sender = async (): Promise<void> => {
        for (const bytes of waiting) await receive(bytes, origin);
      };
      await Promise.all(Array.from({ length: senders }, sender));
    });
  const messages = dischargeMessages(0, count);
  const floor = async (): Promise<number> => time(() => insertAll(bare, messages));
  const times = await alternate(rounds, ours, floor);
  await store.close();
  bare.close();
  folder.remove();
  const perSecond = (ms: number): number => (count / ms) * 1000;
  return {
    what: 'journal + ACK',
    unit: 'messages/s',
    ours: perSecond(times.ours),
    floor: perSecond(times.floor),
    ratio: times.floor / times.ours,
    promise: 0.5,
  };
}

/** The same row, with what the driver alone needs: the values are there already. */
function insertAll(db: Database.Database, messages: readonly Buffer[]): void {
  const insert = db.prepare(
    `INSERT INTO received_message (received_at, listener, peer, site, bytes, charset, type, control_id, facility, sha256, content, answer, state, error)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const answer = Buffer.alloc(120);
  const rows = messages.map((bytes, i) => {
    const digest = hash('sha256', bytes, 'hex');
    const key = ['ADT^A03', `RH${1_000_000 + i}`, 'RENHE', digest, digest, answer, 'received', null];
    return [1_800_000_000_000, 'mllp:2575', '127.0.0.1', '', bytes, 'utf-8', ...key];
  });
  const group = db.transaction((from: number) => {
    for (const row of rows.slice(from, from + rowsTogether)) insert.run(...row);
  });
  for (let i = 0; i < rows.length; i += rowsTogether) group.immediate(i);
}
