/** Merges, moved visits and snapshots by the mapping as it ships, replayed by one that gives everything another identity. */
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { replay } from '../../src/ingest/replay.ts';
import { Mapping } from '../../src/mapping/map.ts';
import { readMappings } from '../../src/mapping/read.ts';
import type { JournalRow } from '../../src/store/rows.ts';
import { temporaryFolder } from '../support/app.ts';
import { TestJournal } from './replay-support.ts';

const temporary = temporaryFolder();
const folder = join(temporary.path, 'mappings');
cpSync('mappings', folder, { recursive: true });
writeFileSync(join(folder, 'sites/other.yaml'), 'systems: { RENHE: "urn:other" }\n');
const [shipped, other] = [undefined, 'other'].map((site) => new Mapping(readMappings(folder, site))) as [
  Mapping,
  Mapping,
];

const open = new Set<TestJournal>();
afterEach(async () => {
  for (const journal of open) await journal.close();
  open.clear();
});
afterAll(() => temporary.remove());

function journalWith(mapping: Mapping): TestJournal {
  const journal = new TestJournal(mapping);
  open.add(journal);
  return journal;
}

/** The nth event of a day, an hour after the one before. */
function event(n: number, name: string, ...segments: readonly string[]): string {
  const at = `20260310${String(n).padStart(2, '0')}0000`;
  return [`MSH|^~\\&|HIS|RENHE|||${at}||ADT^${name}|M${n}|P|2.5.1`, `EVN|${name}|${at}`, ...segments, ''].join('\r');
}

const person = (id: string, rest = ''): string => `PID|1||${id}^^^RENHE^MR||Doe^Jane${rest}`;

function visit(id: string, fields: Readonly<Record<number, string>> = {}): string {
  const pv1 = Array.from({ length: 46 }, () => '');
  Object.assign(pv1, { 0: 'PV1', 1: '1', 2: 'I', 19: `${id}^^^RENHE^VN`, 44: '20260309080000', ...fields });
  return pv1.join('|').replace(/\|+$/, '');
}

const stories: Readonly<Record<string, readonly string[]>> = {
  'a stay with a discharge that was cancelled': [
    event(1, 'A01', person('1', '||19800229|F'), visit('V1', { 3: 'W1^1^1' })),
    event(2, 'A03', person('1'), visit('V1', { 36: '01', 45: '20260310020000' })),
    event(3, 'A13', person('1'), visit('V1', { 45: '20260310020000' })),
    event(4, 'A08', person('1', '||""|F|||||13900002222'), visit('V1')),
  ],
  'a merge': [
    event(1, 'A01', person('1'), visit('V1')),
    event(2, 'A01', person('2', '||1980|F'), visit('V2'), 'DG1|1||E11.9^Diabetes^I10'),
    event(3, 'A40', person('1'), 'MRG|2^^^RENHE^MR'),
    event(4, 'A08', person('1', '||19800229|F'), visit('V1')),
    event(5, 'A08', person('2', '||19810101|F'), visit('V2')),
  ],
  'merges in a chain, one sent the other way round': [
    event(1, 'A01', person('1'), visit('V1')),
    event(2, 'A01', person('2'), visit('V2')),
    event(3, 'A01', person('3'), visit('V3'), 'DG1|1||I10^Hypertension^I10'),
    event(4, 'A40', person('2'), 'MRG|3^^^RENHE^MR'),
    event(5, 'A40', person('1'), 'MRG|2^^^RENHE^MR'),
    event(6, 'A40', person('2'), 'MRG|1^^^RENHE^MR'),
  ],
  'a visit that was booked to the wrong patient': [
    event(1, 'A01', person('1'), visit('V1'), 'DG1|1||E11.9^Diabetes^I10'),
    event(2, 'A01', person('2'), visit('V2')),
    event(3, 'A45', person('2'), 'MRG|1^^^RENHE^MR||||V1^^^RENHE^VN', visit('V1')),
  ],
  'an identifier that was changed': [
    event(1, 'A28', person('1', '||1980|F')),
    event(2, 'A47', person('9'), 'MRG|1^^^RENHE^MR'),
    event(3, 'A31', person('9', '||19800229|F')),
  ],
  'allergies that come and go': [
    event(1, 'A01', person('1'), visit('V1'), 'AL1|1|DA|PCN^Penicillin'),
    event(2, 'A08', person('1'), visit('V1'), 'AL1|1|DA|ASA^Aspirin'),
    event(3, 'A08', person('1'), visit('V1'), 'AL1|1|DA|PCN^Penicillin', 'AL1|2|FA|NUT^Nuts'),
  ],
};

/** Replays messages in groups. */
async function again(journal: TestJournal, groups: readonly (readonly number[])[]): Promise<void> {
  for (const ids of groups) {
    const rows: JournalRow[] = [];
    for (const id of ids) rows.push(await journal.row(id));
    expect(await replay(rows, journal.parts)).toBe(ids.length);
    await journal.apply();
  }
}

const ways: Readonly<Record<string, (ids: readonly number[]) => readonly (readonly number[])[]>> = {
  'all at once': (ids) => [ids],
  'one by one': (ids) => ids.map((id) => [id]),
  'one by one from the end': (ids) => ids.toReversed().map((id) => [id]),
};

describe.each(Object.entries(stories))('%s', (_, texts) => {
  async function received(mapping: Mapping): Promise<{ journal: TestJournal; ids: number[] }> {
    const journal = journalWith(mapping);
    const ids: number[] = [];
    for (const text of texts) ids.push(await journal.receive(text));
    for (const id of ids) expect(await journal.stateOf(id)).toMatch(/^(applied|stale)$/);
    return { journal, ids };
  }

  test.each(Object.entries(ways))('replayed %s by the same mapping stands as it stood', async (_, way) => {
    const { journal, ids } = await received(shipped);
    const [before, names] = [await journal.resources(), await journal.names()];
    await again(journal, way(ids));
    expect(await journal.resources()).toEqual(before);
    expect(await journal.names()).toEqual(names);
  });

  test.each(Object.entries(ways))(
    'replayed %s by another mapping stands as if that had always been',
    async (_, way) => {
      const { journal, ids } = await received(shipped);
      journal.use(other);
      await again(journal, way(ids));
      const { journal: fresh } = await received(other);
      expect(await journal.resources()).toEqual(await fresh.resources());
      expect(await journal.names()).toEqual(await fresh.names());
    },
  );
});
