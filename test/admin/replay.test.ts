/** A mapping is mended, and what was received is applied again: first to be looked at, then for good. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { replayCommand } from '../../src/cli/replay.ts';
import type { Json } from '../../src/fhir/types.ts';
import { adt, Operator, patientRows, sexRow, smallMapping } from './operator.ts';

let operator: Operator;

/** PID-8 was forgotten: the mended mapping has it, and has no row for PID-13 any more. */
const forgotten = {
  ...smallMapping,
  'segments/PID-Patient.yaml': patientRows('{ field: PID-7, to: birthDate }', phone()),
};
const mended = { 'segments/PID-Patient.yaml': patientRows('{ field: PID-7, to: birthDate }', sexRow) };

function phone(): string {
  return '{ field: PID-13, to: "extension(urn:phone).valueString" }';
}

afterEach(() => operator?.close());

async function open(): Promise<void> {
  operator = await Operator.open(forgotten);
}

async function stateOf(id: number): Promise<string> {
  return (await operator.get(`/messages/${id}`)).body.state;
}

describe('one message', () => {
  beforeEach(open);

  test('is looked at without being applied: paths, and values only when they are asked for', async () => {
    await operator.send(adt({ fields: { 7: '19800229', 8: 'F', 13: '111' } }));
    await operator.restart(mended);
    const head = await operator.app.store.head();
    const { status, body } = await operator.post('/messages/1/replay', { dryRun: true });
    const { id } = await operator.one('Patient');
    expect([status, body]).toEqual([
      200,
      {
        id: 1,
        type: 'ADT^A08',
        controlId: 'C1',
        from: 'applied',
        to: 'applied',
        mappingVersion: expect.any(String),
        resources: [
          {
            resource: `Patient/${id}`,
            change: 'update',
            elements: [
              { op: 'remove', path: 'extension(urn:phone)' },
              { op: 'add', path: 'gender' },
            ],
          },
        ],
        unchanged: 1,
      },
    ]);
    const { body: withValues } = await operator.post('/messages/1/replay', { dryRun: true, values: true });
    expect(withValues.resources[0].elements[1]).toEqual({ op: 'add', path: 'gender', after: 'female' });
    expect([await operator.app.store.head(), await stateOf(1)]).toEqual([head, 'applied']);
  });

  test('is applied again, and its row keeps what became of it before', async () => {
    await operator.send(adt({ fields: { 7: '19800229', 8: 'F', 13: '111' } }));
    await operator.restart(mended);
    const { status, body } = await operator.post('/messages/1/replay');
    expect([status, body]).toEqual([202, { moved: 1, progress: '/admin/messages/1' }]);
    const patient = await operator.one('Patient');
    expect([patient.gender, patient.extension]).toEqual(['female', undefined]);
    const { body: row } = await operator.get('/messages/1');
    expect(row).toMatchObject({ state: 'applied', wrote: [`Patient/${patient.id}/_history/2`] });
    expect(row.earlier).toMatchObject([
      { state: 'applied', wrote: expect.arrayContaining([`Patient/${patient.id}/_history/1`]) },
    ]);
  });

  test('that its sender was told of, or that repeats another, is not', async () => {
    await operator.send(adt({ patient: '' }));
    await operator.send(adt({ id: 'C2', fields: { 7: '1980' } }));
    await operator.send(adt({ id: 'C2', fields: { 7: '1980' } }));
    for (const [id, text] of [
      [1, /rejected is not replayed: its sender was told so/],
      [3, /duplicate is not replayed: .*the message that it repeats/],
    ] as const) {
      const { status, body } = await operator.post(`/messages/${id}/replay`);
      expect([status, body.error]).toEqual([409, expect.stringMatching(text)]);
    }
    expect((await operator.post('/messages/9/replay')).status).toBe(404);
  });
});

describe('many messages', () => {
  beforeEach(async () => {
    await open();
    await operator.send(adt({ id: 'C1', patient: '1', at: 8, fields: { 7: '1980', 8: 'F' } }));
    await operator.send(adt({ id: 'C2', patient: '2', at: 8, event: 'A01', fields: { 7: '1990', 8: 'M' } }));
    operator.clock.advance(86_400_000);
    await operator.send(adt({ id: 'C3', patient: '1', at: 9, fields: { 7: '1981' } }));
    await operator.send(adt({ id: 'C4', patient: '3', at: 9, fields: { 7: 'no date', 8: 'F' } }));
    await operator.send(adt({ id: 'C5', patient: '', at: 9 }));
  });

  test('are looked at together: the first differences, and counts of all', async () => {
    await operator.restart(mended);
    const { body } = await operator.post('/replay', { from: '2026-03-16', dryRun: true, limit: 2 });
    expect(body).toMatchObject({
      messages: 4,
      skipped: { rejected: 1 },
      previewed: 4,
      differing: 3,
      states: { applied: 4 },
      resources: { create: 0, update: 3, delete: 0 },
    });
    expect(body.differences.map((it: Json) => it.id)).toEqual([1, 2]);
  });

  test.each([
    [{ ids: [3, 1, 1] }, [1, 3]],
    [{ type: 'ADT^A01' }, [2]],
    [{ facility: 'RENHE', to: '2026-03-16' }, [1, 2]],
    [{ from: '2026-03-17', state: 'applied' }, [3, 4]],
    [{ ids: [1, 2, 77], type: 'ADT^A08' }, [1]],
    [{ site: 'elsewhere' }, []],
  ])('by %j are the chosen ones', async (selection, expected) => {
    await operator.restart(mended);
    const { status, body } = await operator.post('/replay', selection);
    expect([status, body.moved]).toEqual([202, expected.length]);
    const replayed: number[] = [];
    for (let id = 1; id <= 5; id++) {
      if ((await operator.get(`/messages/${id}`)).body.earlier.length > 0) replayed.push(id);
    }
    expect(replayed).toEqual(expected);
    expect((await operator.get('/messages?state=received')).body.messages).toEqual([]);
  });

  test('end as if the mended mapping had always been', async () => {
    await operator.restart(mended);
    await operator.post('/replay', { facility: 'RENHE' });
    const found = (await (await fetch(`${operator.app.http}/Patient?_sort=birthdate`)).json()) as Json;
    expect(found.entry.map(({ resource }: Json) => [resource.birthDate, resource.gender])).toEqual(
      expect.arrayContaining([
        ['1981', 'female'],
        ['1990', 'male'],
      ]),
    );
  });
});

test('what was unmapped is applied when its reason is gone', async () => {
  await open();
  await operator.restart({ 'segments/PID-Patient.yaml': patientRows('{ field: PID-7, to: "extension(urn:x).url" }') });
  await operator.send(adt({ fields: { 7: 'no uri' } }));
  expect((await operator.get('/messages/1')).body).toMatchObject({ state: 'unmapped', acts: 'mapping owner' });
  await operator.restart(mended);
  expect((await operator.post('/replay', { state: 'unmapped' })).body.moved).toBe(1);
  expect(await stateOf(1)).toBe('applied');
});

describe('the command', () => {
  const lines: string[] = [];
  const errors: string[] = [];
  const io = { out: (text: string) => void lines.push(text), err: (text: string) => void errors.push(text) };

  beforeEach(async () => {
    lines.length = 0;
    errors.length = 0;
    await open();
    await operator.send(adt({ fields: { 7: '1980', 8: 'F' } }));
    await operator.send(adt({ id: 'C2', patient: '' }));
    await operator.restart(mended);
  });

  const run = (...args: string[]): Promise<number> => replayCommand([...args, '--server', operator.server], io);

  test('shows what would change', async () => {
    expect(await run('--state', 'applied', '--dry-run')).toBe(0);
    const { id } = await operator.one('Patient');
    expect(lines.join('')).toBe(
      [
        '#1 ADT^A08 C1: applied',
        `  update Patient/${id}`,
        '    + gender',
        '1 messages, 1 would change something, 1 applied, 1 resources: update, 1 resources: unchanged',
        '',
      ].join('\n'),
    );
  });

  test('shows values when they are asked for', async () => {
    expect(await run('--id', '1', '--dry-run', '--values')).toBe(0);
    expect(lines.join('')).toContain('    + gender  "female"\n');
  });

  test('has messages applied again', async () => {
    expect(await run('--from', '2026-03-16', '--type', 'ADT^A08')).toBe(0);
    expect(lines.join('')).toBe('1 messages are applied again; left alone: 1 rejected\n');
  });

  test('ends with 1 when a message would not be applied', async () => {
    await operator.restart({
      'segments/PID-Patient.yaml': patientRows('{ field: PID-7, to: "extension(urn:x).url" }'),
    });
    expect(await run('--id', '1', '--dry-run')).toBe(1);
    expect(lines.join('')).toMatch(/^#1 ADT\^A08 C1: applied ─▶ unmapped: invalid: Patient/);
  });

  test('ends with 1 and says why when the server refuses or does not answer', async () => {
    expect(await run('--state', 'rejected')).toBe(1);
    expect(errors.join('')).toMatch(/rejected is not replayed/);
    expect(await replayCommand(['--id', '1', '--server', 'http://127.0.0.1:1'], io)).toBe(1);
    expect(errors.join('')).toContain('no answer from http://127.0.0.1:1');
  });
});

test.each([
  [[]],
  [['--dry-run']],
  [['--id', 'one']],
  [['--id', '1', '--values']],
  [['--colour', 'red']],
  [['--id']],
  [['1']],
])('the command called with %j ends with 2 and shows how it is called', async (args) => {
  const errors: string[] = [];
  expect(await replayCommand(args, { out: () => {}, err: (text) => void errors.push(text) })).toBe(2);
  expect(errors.join('')).toMatch(/^replay \[--id N\]/);
});
