/** Messages that are applied again by another mapping: what they say now is what stands, as if it had always been so. */
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { prepareMessage } from '../../src/ingest/apply.ts';
import { preview, replay } from '../../src/ingest/replay.ts';
import { walk } from '../../src/ingest/walk.ts';
import type { Mapping } from '../../src/mapping/map.ts';
import type { JournalRow } from '../../src/store/rows.ts';
import { smallMapping } from '../support/small-mapping.ts';
import { TestJournal } from './replay-support.ts';

/** A mapping of PID (and of DG1, where it is asked for) from these rows. */
function mappingOf(rows: readonly string[], { diagnoses = false, snapshot = false, numberIn = 3 } = {}): Mapping {
  return smallMapping({
    maps: `
  - { segment: PID, map: PID-Patient }
  - { segment: MSH, map: MSH-Provenance }
${diagnoses ? `  - { segment: DG1, map: DG1-Condition, snapshot: ${snapshot} }` : ''}
`,
    segments: {
      'PID-Patient': `
segment: PID
resource: Patient
identity:
  - [PID-${numberIn}.1]
rows:
  - { to: active, value: true, when: { absent: PID-40 } }
${rows.map((row) => `  - ${row}`).join('\n')}
`,
      'MSH-Provenance': `
segment: MSH
resource: Provenance
identity:
  - [MSH-10]
rows:
  - { to: "target[]", reference: Patient }
  - { to: recorded, type: received-instant }
  - { to: "agent[a].who", value: { display: us } }
`,
      'DG1-Condition': `
segment: DG1
resource: Condition
identity:
  - ["@Patient", DG1-3.1]
rows:
  - { to: subject, reference: Patient }
  - { field: DG1-3, to: code }
  - { field: DG1-5, to: recordedDate }
`,
    },
    tables: { Sex: { F: 'female', M: 'male' }, Swapped: { F: 'male', M: 'female' } },
  });
}

const sex = '{ field: PID-8, to: gender, type: CWE-code, table: Sex }';
const birth = '{ field: PID-7, to: birthDate }';
const family = '{ field: PID-5.1, to: "name[main].family" }';
const race = '{ field: PID-10, to: extension(urn:race).valueString }';

interface Said {
  /** Hours after the first message. */
  readonly at?: number;
  readonly patient?: string;
  readonly fields?: Readonly<Record<number, string>>;
  readonly diagnoses?: readonly string[];
}

let last = 0;

function message({ at = 0, patient = '1', fields = {}, diagnoses = [] }: Said): string {
  const time = `2026031${Math.floor(at / 24)}${String(at % 24).padStart(2, '0')}0000`;
  const pid = ['PID', ...Array.from({ length: 40 }, (_, i) => fields[i + 1] ?? '')];
  pid[2] = `N${patient}`;
  pid[3] = patient;
  return [
    `MSH|^~\\&|HIS|RENHE|||${time}||ADT^A08|X${++last}X|P|2.5.1`,
    `EVN|A08|${time}`,
    pid.join('|').replace(/\|+$/, ''),
    ...diagnoses.map((code, i) => `DG1|${i + 1}||${code}||${time.slice(0, 8)}`),
    '',
  ].join('\r');
}

const open = new Set<TestJournal>();

function journalWith(mapping: Mapping): TestJournal {
  const journal = new TestJournal(mapping);
  open.add(journal);
  return journal;
}

afterEach(async () => {
  for (const journal of open) await journal.close();
  open.clear();
});

async function allOf(journal: TestJournal): Promise<JournalRow[]> {
  const rows: JournalRow[] = [];
  for await (const row of walk(journal.store, { limit: 1000 })) rows.push(row);
  return rows.reverse();
}

/** Replays messages, all when none are named. */
async function again(journal: TestJournal, ...ids: readonly number[]): Promise<number> {
  const rows = (await allOf(journal)).filter(({ id }) => ids.length === 0 || ids.includes(id));
  const moved = await replay(rows, journal.parts);
  await journal.apply();
  return moved;
}

/** The only Patient. */
async function patient(journal: TestJournal): Promise<Record<string, unknown>> {
  const all = Object.values(await journal.resources()).filter((it) => it.resourceType === 'Patient');
  expect(all).toHaveLength(1);
  return all[0] as Record<string, unknown>;
}

describe('a message that is replayed', () => {
  test('says what the mapping makes of it now, and its row remembers both outcomes', async () => {
    const journal = journalWith(mappingOf(['{ field: PID-8, to: gender, type: CWE-code, table: Swapped }']));
    const id = await journal.receive(message({ fields: { 8: 'F' } }));
    expect((await patient(journal)).gender).toBe('male');
    journal.use(mappingOf([sex]));
    expect(await again(journal, id)).toBe(1);
    expect((await patient(journal)).gender).toBe('female');
    expect(await journal.row(id)).toMatchObject({ state: 'applied', mappingVersion: 'v2' });
    expect(await journal.store.outcomes(id)).toMatchObject([{ state: 'applied', mappingVersion: 'v1' }]);
  });

  test('by the same mapping writes nothing', async () => {
    const journal = journalWith(mappingOf([sex, birth], { diagnoses: true, snapshot: true }));
    const id = await journal.receive(message({ fields: { 7: '1980', 8: 'F' }, diagnoses: ['A', 'B'] }));
    await journal.receive(message({ at: 1, fields: { 8: 'M' }, diagnoses: ['B'] }));
    const head = await journal.store.head();
    expect(await again(journal, id)).toBe(1);
    expect([await journal.store.head(), await journal.stateOf(id)]).toEqual([head, 'applied']);
  });

  test('takes back what it does not say any more', async () => {
    const journal = journalWith(mappingOf([sex, birth, race]));
    await journal.receive(message({ fields: { 7: '1980', 8: 'F', 10: 'x' } }));
    journal.use(mappingOf([sex]));
    await again(journal);
    expect(await patient(journal)).toEqual({
      resourceType: 'Patient',
      id: expect.any(String),
      active: true,
      gender: 'female',
    });
  });

  test('leaves what a later message said', async () => {
    const journal = journalWith(mappingOf([sex, birth]));
    const id = await journal.receive(message({ fields: { 7: '1980', 8: 'F' } }));
    await journal.receive(message({ at: 1, fields: { 8: 'M' } }));
    journal.use(mappingOf([birth]));
    await again(journal, id);
    expect(await patient(journal)).toMatchObject({ gender: 'male', birthDate: '1980' });
  });

  test('leaves what a later message of the same minute said', async () => {
    const journal = journalWith(mappingOf([sex]));
    const id = await journal.receive(message({ fields: { 8: 'F' } }));
    await journal.receive(message({ fields: { 8: 'M' } }));
    await again(journal, id);
    expect(await patient(journal)).toMatchObject({ gender: 'male' });
  });

  test('leaves the time of a death that another message told, when it says only that there was one', async () => {
    const death = [
      '{ field: PID-29, to: deceasedDateTime }',
      '{ field: PID-30, to: deceasedBoolean, type: ID-boolean }',
    ];
    const journal = journalWith(mappingOf(death));
    await journal.receive(message({ fields: { 29: '20260316' } }));
    const second = await journal.receive(message({ at: 1, fields: { 30: 'Y' } }));
    await again(journal, second);
    expect(await patient(journal)).toMatchObject({ deceasedDateTime: '2026-03-16' });
  });

  test('leaves what a client has changed since', async () => {
    const journal = journalWith(mappingOf([sex, birth]));
    await journal.receive(message({ fields: { 7: '1980', 8: 'F' } }));
    journal.clock.advance(60_000);
    const stored = await patient(journal);
    await journal.parts.commit.run({
      cause: 'client:test',
      keys: [{ type: 'Patient', id: stored.id as string }],
      decide: () => ({ intentions: [{ kind: 'put', resource: { ...stored, gender: 'other' } as never }] }),
    });
    journal.use(mappingOf([]));
    await again(journal);
    const { birthDate, gender } = await patient(journal);
    expect([birthDate, gender]).toEqual([undefined, 'other']);
  });

  test('gives way to what an earlier message said before it: that one is applied again too', async () => {
    const journal = journalWith(mappingOf([sex, '{ field: PID-10, to: birthDate }', birth]));
    const first = await journal.receive(message({ fields: { 7: '1980' } }));
    const second = await journal.receive(message({ at: 1, fields: { 10: '1990', 8: 'F' } }));
    journal.use(mappingOf([sex, birth]));
    await again(journal, second);
    expect(await patient(journal)).toMatchObject({ birthDate: '1980', gender: 'female' });
    expect(await journal.row(first)).toMatchObject({ state: 'applied', mappingVersion: 'v2' });
  });

  test('gives way to a message that came late and changed nothing then', async () => {
    const journal = journalWith(mappingOf([sex, birth]));
    const now = await journal.receive(message({ at: 5, fields: { 7: '1980', 8: 'F' } }));
    const late = await journal.receive(message({ at: 1, fields: { 7: '1990' } }));
    expect(await journal.stateOf(late)).toBe('stale');
    journal.use(mappingOf([sex, '{ field: PID-7, to: birthDate, when: { absent: PID-8 } }']));
    await again(journal, now);
    expect(await patient(journal)).toMatchObject({ birthDate: '1990', gender: 'female' });
  });

  test('deletes a resource that it made alone and does not make any more', async () => {
    const journal = journalWith(mappingOf([sex], { diagnoses: true }));
    await journal.receive(message({ fields: { 8: 'F' }, diagnoses: ['A'] }));
    journal.use(mappingOf([sex]));
    await again(journal);
    expect(Object.keys(await journal.resources())).toEqual([expect.stringMatching(/^Patient\//)]);
  });

  test('moves what it said to another resource when the identity is another', async () => {
    const journal = journalWith(mappingOf([sex], { diagnoses: true }));
    await journal.receive(message({ fields: { 8: 'F' }, diagnoses: ['A'] }));
    await journal.receive(message({ at: 1, fields: { 8: 'M' } }));
    const before = await patient(journal);
    journal.use(mappingOf([sex], { diagnoses: true, numberIn: 2 }));
    await again(journal);
    const { id, gender } = await patient(journal);
    expect(id).not.toBe(before.id);
    expect(gender).toBe('male');
    const conditions = Object.values(await journal.resources()).filter((it) => it.resourceType === 'Condition');
    expect(conditions.map((it) => it.subject.reference)).toEqual([`Patient/${id}`]);
  });

  test('that was unmapped is applied when its reason is gone', async () => {
    const journal = journalWith(mappingOf(['{ field: PID-7, to: extension(urn:x).valueDate, value: "no date" }']));
    const id = await journal.receive(message({ fields: { 7: '1980' } }));
    expect(await journal.stateOf(id)).toBe('unmapped');
    journal.use(mappingOf([birth]));
    await again(journal, id);
    expect(await journal.stateOf(id)).toBe('applied');
    expect(await patient(journal)).toMatchObject({ birthDate: '1980' });
  });

  test('is never the duplicate of another when it was applied itself', async () => {
    const journal = journalWith(mappingOf(['{ field: PID-7, to: extension(urn:x).valueDate, value: "no date" }']));
    const text = message({ fields: { 7: '1980' } });
    const first = await journal.receive(text);
    journal.use(mappingOf([birth]));
    const second = await journal.receive(text.replace(/X\d+X/, 'again'));
    await again(journal, first);
    await again(journal, second);
    expect([await journal.stateOf(first), await journal.stateOf(second)]).toEqual(['applied', 'applied']);
  });

  test('that repeats another stays a duplicate, and what was rejected stays so', async () => {
    const journal = journalWith(mappingOf([sex]));
    const text = message({ fields: { 8: 'F' } });
    await journal.receive(text);
    const duplicate = await journal.receive(text);
    const rejected = await journal.store.keep({
      ...(await journal.row(duplicate)),
      application: 'HIS',
      state: 'rejected',
      error: 'MSH-9: empty (101)',
    });
    expect(await again(journal, duplicate, rejected)).toBe(0);
    expect([await journal.stateOf(duplicate), await journal.stateOf(rejected)]).toEqual(['duplicate', 'rejected']);
  });

  test('is left alone when somebody else has moved it meanwhile, and the others of its batch are moved', async () => {
    const journal = journalWith(mappingOf([sex]));
    const one = await journal.receive(message({ fields: { 8: 'F' } }));
    const two = await journal.receive(message({ at: 1, fields: { 8: 'M' } }));
    const rows = await allOf(journal);
    await again(journal, one);
    expect(await replay([{ id: one, state: 'stale' }, ...rows.filter(({ id }) => id === two)], journal.parts)).toBe(1);
    expect([await journal.stateOf(one), await journal.stateOf(two)]).toEqual(['applied', 'received']);
  });
});

describe('what nobody says any more and others refer to', () => {
  const ward = (component: number): Mapping =>
    smallMapping({
      maps: `
  - { segment: PV1, map: PV1-Organization }
  - { segment: PID, map: PID-Patient }
`,
      segments: {
        'PV1-Organization': `
segment: PV1
resource: Organization
identity:
  - [PV1-3.${component}]
rows:
  - { field: PV1-3.1, to: name }
`,
        'PID-Patient': `
segment: PID
resource: Patient
identity:
  - [PID-3.1]
rows:
  - { to: managingOrganization, reference: Organization }
`,
      },
    });
  const stay = (number: string, at: number): string => `${message({ patient: number, at })}PV1|1|I|W1^R1\r`;
  const organizations = async (journal: TestJournal): Promise<string[]> =>
    Object.keys(await journal.resources()).filter((it) => it.startsWith('Organization/'));

  test('stays until the last of them is replayed, and goes then', async () => {
    const journal = journalWith(ward(1));
    const ids = [await journal.receive(stay('1', 0)), await journal.receive(stay('2', 1))];
    const [old] = await organizations(journal);
    journal.use(ward(2));
    await again(journal, ids[1] as number);
    expect(await organizations(journal)).toHaveLength(2);
    await again(journal, ids[0] as number);
    const [now, ...others] = await organizations(journal);
    expect([now === old, others]).toEqual([false, []]);
  });

  test('stays, out of use, when a client refers to it', async () => {
    const journal = journalWith(mappingOf([sex]));
    await journal.receive(message({ fields: { 8: 'F' } }));
    const { id } = await patient(journal);
    const resource = {
      resourceType: 'Basic',
      id: 'note',
      code: { text: 'note' },
      subject: { reference: `Patient/${id}` },
    };
    await journal.parts.commit.run({
      cause: 'client:test',
      keys: [{ type: 'Basic', id: 'note' }],
      decide: () => ({ intentions: [{ kind: 'put', resource }] }),
    });
    journal.use(mappingOf([sex], { numberIn: 2 }));
    await again(journal);
    expect((await journal.resources())[`Patient/${id}`]).toMatchObject({ active: false, gender: 'female' });
  });
});

test('answers that completed an open response complete that one again', async () => {
  const journal = journalWith(
    smallMapping({
      maps: `
  - { segment: PID, map: PID-Patient }
  - { segment: OBX, map: OBX-QuestionnaireResponse }
`,
      segments: {
        'PID-Patient':
          'segment: PID\nresource: Patient\nidentity:\n  - [PID-3.1]\nrows:\n  - { to: active, value: true }\n',
        'OBX-QuestionnaireResponse': `
segment: OBX
resource: QuestionnaireResponse
rows:
  - { to: questionnaire, value: "urn:how-are-you" }
  - { to: status, value: completed }
  - { to: subject, reference: Patient }
  - { field: OBX-3.1, to: "item[answer].linkId" }
  - { field: OBX-5, to: "item[answer].answer[].valueString" }
`,
      },
    }),
  );
  await journal.receive(message({}));
  const { id } = await patient(journal);
  const resource = {
    resourceType: 'QuestionnaireResponse',
    id: 'of-the-plan',
    questionnaire: 'urn:how-are-you|1',
    status: 'in-progress',
    subject: { reference: `Patient/${id}` },
  };
  await journal.parts.commit.run({
    cause: 'plan:test',
    keys: [{ type: 'QuestionnaireResponse', id: 'of-the-plan' }],
    decide: () => ({ intentions: [{ kind: 'put', resource }] }),
  });
  const answers = await journal.receive(`${message({ at: 1 })}OBX|1|ST|Q1||well\r`);
  const before = await journal.resources();
  expect(before['QuestionnaireResponse/of-the-plan']).toMatchObject({ status: 'completed', item: [{ linkId: 'Q1' }] });
  await again(journal, answers);
  expect(await journal.resources()).toEqual(before);
});

test('a message that waits while a code is answered is mapped with the answer', async () => {
  const journal = journalWith(mappingOf([birth]));
  const id = await journal.receive(message({ fields: { 8: 'F' } }));
  await replay([await journal.row(id)], journal.parts);
  const waiting = prepareMessage(await journal.row(id), false, journal.parts);
  journal.use(mappingOf([sex]));
  expect(await waiting.run()).toBe('applied');
  expect((await patient(journal)).gender).toBe('female');
  expect((await journal.row(id)).mappingVersion).toBe('v2');
});

describe('a preview', () => {
  test('tells each change of each resource, and writes nothing', async () => {
    const journal = journalWith(mappingOf([sex, birth], { diagnoses: true }));
    const id = await journal.receive(message({ fields: { 5: 'Doe', 7: '1980', 8: 'F' }, diagnoses: ['A'] }));
    const { id: patientId } = await patient(journal);
    const head = await journal.store.head();
    journal.use(mappingOf(['{ field: PID-8, to: gender, type: CWE-code, table: Swapped }', family]));
    const seen = await preview(await journal.row(id), journal.parts);
    expect(seen).toMatchObject({ to: 'applied', recalled: [] });
    expect(seen.resources).toEqual([
      {
        resource: `Patient/${patientId}`,
        change: 'update',
        elements: [
          { op: 'replace', path: 'gender', before: 'female', after: 'male' },
          { op: 'remove', path: 'birthDate', before: '1980' },
          { op: 'add', path: 'name[0]', after: { family: 'Doe' } },
        ],
      },
      { resource: expect.stringMatching(/^Condition\//), change: 'delete', elements: expect.any(Array) },
      { resource: expect.stringMatching(/^Provenance\//), change: 'unchanged', elements: [] },
    ]);
    expect([await journal.store.head(), await journal.stateOf(id)]).toEqual([head, 'applied']);
  });

  test('is empty when nothing would change', async () => {
    const journal = journalWith(mappingOf([sex], { diagnoses: true }));
    const id = await journal.receive(message({ fields: { 8: 'F' }, diagnoses: ['A'] }));
    const { resources } = await preview(await journal.row(id), journal.parts);
    expect(resources.map(({ change }) => change)).toEqual(['unchanged', 'unchanged', 'unchanged']);
  });

  test('says why a message would be refused, without its values', async () => {
    const journal = journalWith(mappingOf([sex]));
    const id = await journal.receive(message({ fields: { 7: 'secret', 8: 'F' } }));
    journal.use(mappingOf(['{ field: PID-7, to: extension(urn:x).valueDate, value: "secret" }']));
    const { to, error, resources } = await preview(await journal.row(id), journal.parts);
    expect([to, resources]).toEqual(['unmapped', []]);
    expect(error).toMatch(/^invalid: Patient\.extension\[0\]\.value /);
    expect(error).not.toContain('secret');
  });

  test('names the messages that would be applied again too', async () => {
    const journal = journalWith(mappingOf(['{ field: PID-10, to: birthDate }', birth]));
    const first = await journal.receive(message({ fields: { 7: '1980' } }));
    const second = await journal.receive(message({ at: 1, fields: { 10: '1990' } }));
    journal.use(mappingOf([birth]));
    expect((await preview(await journal.row(second), journal.parts)).recalled).toEqual([first]);
    expect(await journal.stateOf(first)).toBe('applied');
  });
});

const rowChoices = [
  [sex, '{ field: PID-8, to: gender, type: CWE-code, table: Swapped }', ''],
  [birth, '{ field: PID-10, to: birthDate }', ''],
  [family, '{ field: PID-5.1, to: "name[other].family" }', '{ field: PID-5.1, to: "name[].text" }', ''],
  [race, '{ field: PID-10, to: extension(urn:other).valueString }', ''],
  ['{ field: PID-16, to: maritalStatus }', '{ field: PID-16, to: maritalStatus.text }', ''],
  ['{ field: PID-29, to: deceasedDateTime }', ''],
  ['{ field: PID-24, to: multipleBirthBoolean, type: ID-boolean, initial: true }', ''],
];

const anyMapping = fc
  .record({
    rows: fc.tuple(...rowChoices.map((choices) => fc.constantFrom(...choices))),
    diagnoses: fc.boolean(),
    snapshot: fc.boolean(),
    numberIn: fc.constantFrom(3, 3, 3, 2),
  })
  .map(({ rows, ...rest }) => ({ rows: rows.filter((it) => it !== ''), ...rest }));

const anyMessages = fc.array(
  fc
    .record({
      at: fc.integer({ min: 0, max: 6 }),
      patient: fc.constantFrom('1', '1', '2'),
      5: fc.constantFrom('', '', 'Doe', 'Roe', '""'),
      7: fc.constantFrom('', '1980', '1990', '""'),
      8: fc.constantFrom('', 'F', 'M', '""'),
      10: fc.constantFrom('', '1970', '1960'),
      16: fc.constantFrom('', 'M', 'S'),
      24: fc.constantFrom('', 'Y', 'N'),
      29: fc.constantFrom('', '', '20260316'),
      diagnoses: fc.subarray(['A', 'B', 'C']),
    })
    .map(({ at, patient, diagnoses, ...fields }) => ({ at, patient, diagnoses, fields })),
  { minLength: 1, maxLength: 5 },
);

describe('whatever the messages and the mappings', () => {
  test('applied by one mapping and replayed by another, in any order, they stand as if the other had always been', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyMapping,
        anyMapping,
        anyMessages,
        fc.infiniteStream(fc.nat(4)),
        async (first, second, said, when) => {
          const texts = said.map(message);
          const [replayed, fresh] = [
            journalWith(mappingOf(first.rows, first)),
            journalWith(mappingOf(second.rows, second)),
          ];
          const rounds: number[][] = [[], [], [], [], []];
          for (const text of texts) rounds[when.next().value]?.push(await replayed.receive(text));
          replayed.use(mappingOf(second.rows, second));
          for (const ids of rounds) if (ids.length > 0) await again(replayed, ...ids);
          for (const text of texts) await fresh.receive(text);
          expect(await replayed.resources()).toEqual(await fresh.resources());
          expect(await replayed.store.messageCounts()).not.toHaveProperty('received');
        },
      ),
      { numRuns: 30 },
    );
  });

  test('replaying some of them by the same mapping writes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(anyMapping, anyMessages, fc.infiniteStream(fc.boolean()), async (mapping, said, chosen) => {
        const journal = journalWith(mappingOf(mapping.rows, mapping));
        const ids: number[] = [];
        for (const it of said) ids.push(await journal.receive(message(it)));
        const before = await journal.resources();
        const some = ids.filter(() => chosen.next().value);
        if (some.length > 0) await again(journal, ...some);
        expect(await journal.resources()).toEqual(before);
      }),
      { numRuns: 20 },
    );
  });
});
