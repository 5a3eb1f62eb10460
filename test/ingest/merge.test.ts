import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import { Marks } from '../../src/ingest/marks.ts';
import { Draft } from '../../src/ingest/merge.ts';
import { clientStamp, type Stamp } from '../../src/ingest/stamp.ts';
import type { Built } from '../../src/mapping/context.ts';

interface Case {
  readonly stored: Json;
  readonly said: Json;
  readonly clear?: readonly string[];
  readonly initial?: readonly string[];
  readonly becomes: Json;
}

const of = (type: string, content: Json): StoredResource => ({ resourceType: type, id: 'x', ...content });
const built = (resource: StoredResource, clear: readonly string[] = [], initial: readonly string[] = []): Built => ({
  resource,
  clear: new Set(clear),
  initial: new Set(initial),
  registers: new Map(),
});

const fallback = (key: string): string => `https://aftercare.example/fhir/StructureDefinition/v2-${key}`;
const at = (day: number): Stamp => clientStamp(Date.UTC(2026, 2, day));

/** What is stored, with a message laid over it. */
function merge(stored: StoredResource | undefined, message: Built): StoredResource {
  const { resourceType, id } = message.resource;
  const draft = new Draft(stored ?? { resourceType, id });
  draft.overlay(message, at(16));
  return draft.finish().resource;
}

const patients: Record<string, Case> = {
  'what the message does not say is kept': {
    stored: { gender: 'female', birthDate: '1980-02-29' },
    said: { gender: 'male' },
    becomes: { gender: 'male', birthDate: '1980-02-29' },
  },
  'what the sender deletes is gone, with its twin': {
    stored: {
      birthDate: '1980-02-29',
      _birthDate: { extension: [{ url: 'urn:x', valueString: 'y' }] },
      gender: 'female',
    },
    said: {},
    clear: ['birthDate'],
    becomes: { gender: 'female' },
  },
  'a list that the sender deletes is gone as a whole': {
    stored: { telecom: [{ value: '1' }, { value: '2' }], gender: 'female' },
    said: {},
    clear: ['telecom'],
    becomes: { gender: 'female' },
  },
  'deleting what is not there changes nothing': {
    stored: { gender: 'female' },
    said: {},
    clear: ['telecom', 'maritalStatus.text'],
    becomes: { gender: 'female' },
  },
  'deleted by one field and given by another: given': {
    stored: { telecom: [{ value: '1' }] },
    said: { telecom: [{ value: '2' }] },
    clear: ['telecom'],
    becomes: { telecom: [{ value: '2' }] },
  },
  'a list is replaced': {
    stored: { name: [{ family: 'Doe' }, { family: 'D.' }] },
    said: { name: [{ family: 'Roe' }] },
    becomes: { name: [{ family: 'Roe' }] },
  },
  'identifiers are united, and the message’s words of the same one win': {
    stored: {
      identifier: [
        { system: 'urn:a', value: '1', use: 'old' },
        { system: 'urn:b', value: '2' },
      ],
    },
    said: {
      identifier: [
        { system: 'urn:a', value: '1' },
        { system: 'urn:c', value: '3' },
      ],
    },
    becomes: {
      identifier: [
        { system: 'urn:a', value: '1' },
        { system: 'urn:c', value: '3' },
        { system: 'urn:b', value: '2' },
      ],
    },
  },
  'extensions are united by url': {
    stored: {
      extension: [
        { url: 'urn:a', valueString: 'old' },
        { url: 'urn:b', valueString: 'client’s' },
      ],
    },
    said: { extension: [{ url: 'urn:a', valueString: 'new' }] },
    becomes: {
      extension: [
        { url: 'urn:a', valueString: 'new' },
        { url: 'urn:b', valueString: 'client’s' },
      ],
    },
  },
  'the twin of a value that is replaced is gone': {
    stored: { birthDate: '1980', _birthDate: { extension: [{ url: 'urn:x', valueString: 'about' }] } },
    said: { birthDate: '1980-02-29' },
    becomes: { birthDate: '1980-02-29' },
  },
  'the twin that the message brings itself is kept': {
    stored: { birthDate: '1980' },
    said: { birthDate: '1980-02-29', _birthDate: { extension: [{ url: 'urn:x', valueString: '10:00' }] } },
    becomes: { birthDate: '1980-02-29', _birthDate: { extension: [{ url: 'urn:x', valueString: '10:00' }] } },
  },
  'of a choice of types the other one goes': {
    stored: { multipleBirthBoolean: true, gender: 'female' },
    said: { multipleBirthInteger: 2 },
    becomes: { multipleBirthInteger: 2, gender: 'female' },
  },
  'a date of death is not made less by a later yes': {
    stored: { deceasedDateTime: '2026-03-16T10:45:00+08:00' },
    said: { deceasedBoolean: true },
    becomes: { deceasedDateTime: '2026-03-16T10:45:00+08:00' },
  },
  'a date of death takes the place of a yes': {
    stored: { deceasedBoolean: true },
    said: { deceasedDateTime: '2026-03-16' },
    becomes: { deceasedDateTime: '2026-03-16' },
  },
  'a death that was a mistake is taken back': {
    stored: { deceasedDateTime: '2026-03-16' },
    said: { deceasedBoolean: false },
    becomes: { deceasedBoolean: false },
  },
};

const encounters: Record<string, Case> = {
  'a period is completed': {
    stored: { period: { start: '2026-03-10' } },
    said: { period: { end: '2026-03-16' } },
    becomes: { period: { start: '2026-03-10', end: '2026-03-16' } },
  },
  'a group of elements is completed': {
    stored: { hospitalization: { admitSource: { text: 'home' } } },
    said: { hospitalization: { dischargeDisposition: { text: 'home' } } },
    becomes: { hospitalization: { admitSource: { text: 'home' }, dischargeDisposition: { text: 'home' } } },
  },
  'a nested path is deleted, and what stands beside it stays': {
    stored: {
      period: { start: '2026-03-10', end: '2026-03-16' },
      hospitalization: { dischargeDisposition: { text: 'home' } },
    },
    said: { status: 'in-progress' },
    clear: ['period.end', 'hospitalization.dischargeDisposition'],
    becomes: { status: 'in-progress', period: { start: '2026-03-10' } },
  },
  'a nested path is deleted and its group given anew': {
    stored: { period: { start: '2026-03-10', end: '2026-03-16' } },
    said: { period: { start: '2026-03-11' } },
    clear: ['period.end'],
    becomes: { period: { start: '2026-03-11' } },
  },
  'what counts only while nothing is stored does not change what is': {
    stored: { status: 'finished' },
    said: { status: 'in-progress', period: { start: '2026-03-10' } },
    initial: ['status'],
    becomes: { status: 'finished', period: { start: '2026-03-10' } },
  },
  'what counts only while nothing is stored fills what is not there': {
    stored: { period: { start: '2026-03-10' } },
    said: { status: 'in-progress' },
    initial: ['status'],
    becomes: { status: 'in-progress', period: { start: '2026-03-10' } },
  },
};

/** Frozen all the way down: a change would throw. */
function frozen<T>(node: T): T {
  if (typeof node === 'object' && node !== null) {
    for (const part of Object.values(node)) frozen(part);
    Object.freeze(node);
  }
  return node;
}

describe('what a message says of a resource, laid over what is stored', () => {
  test.each([
    ...Object.entries(patients).map(([name, it]) => [name, 'Patient', it] as const),
    ...Object.entries(encounters).map(([name, it]) => [name, 'Encounter', it] as const),
  ])('%s', (_, type, { stored, said, clear, initial, becomes }) => {
    const before = frozen(of(type, structuredClone(stored)));
    const message = built(frozen(of(type, structuredClone(said))), clear, initial);
    expect(merge(before, message)).toEqual(of(type, becomes));
    expect(before).toEqual(of(type, stored));
    expect(message.resource).toEqual(of(type, said));
  });

  test('where nothing is stored it is what the message says', () => {
    const message = built(of('Patient', { gender: 'female' }), ['birthDate'], ['gender']);
    expect(merge(undefined, message)).toEqual(of('Patient', { gender: 'female' }));
  });

  test('the id stays that of the stored one’s caller: merge does not take the message’s', () => {
    const stored = { resourceType: 'Patient', id: 'client-1', gender: 'female' };
    expect(merge(stored, built({ resourceType: 'Patient', id: 'derived', gender: 'male' })).id).toBe('client-1');
  });

  test('merging the same twice is merging it once', () => {
    const stored = of('Patient', { identifier: [{ system: 'urn:b', value: '2' }], name: [{ family: 'Doe' }] });
    const message = built(of('Patient', { identifier: [{ system: 'urn:a', value: '1' }], gender: 'male' }), ['name']);
    const once = merge(stored, message);
    expect(merge(once, message)).toEqual(once);
  });
});

/** Messages of days, laid over nothing in the order given; what is stored goes through JSON each time. */
function told(
  ...said: readonly (readonly [day: number, content: Json, clear?: readonly string[], initial?: readonly string[]])[]
): {
  resource: StoredResource;
  lost: readonly string[];
} {
  let resource: StoredResource = of('Patient', {});
  let marks: string | undefined;
  let lost: readonly string[] = [];
  for (const [day, content, clear, initial] of said) {
    const draft = new Draft(resource, new Marks(marks));
    draft.overlay(named(built(of('Patient', content), clear, initial)), at(day));
    const finished = draft.finish();
    resource = JSON.parse(JSON.stringify(finished.resource));
    marks = JSON.stringify({ ...finished.marks, v: 1 });
    lost = [...draft.lost];
  }
  return { resource, lost };
}

/** Telephone numbers come from PID-13 when they are for the home, else from PID-14. */
function named(message: Built): Built {
  const telecom = (message.resource.telecom ?? []) as Json[];
  const registers = new Map([['telecom', telecom.map((it) => (it.use === 'home' ? 'PID-13' : 'PID-14'))]]);
  return { ...message, registers };
}

const home = (value: string): Json => ({ use: 'home', value });
const work = (value: string): Json => ({ use: 'work', value });

describe('a message that comes late', () => {
  test('fills what is empty', () => {
    const { resource, lost } = told([2, { gender: 'female' }], [1, { birthDate: '1980-02-29' }]);
    expect(resource).toEqual(of('Patient', { gender: 'female', birthDate: '1980-02-29' }));
    expect(lost).toEqual([]);
  });

  test('overwrites nothing newer, and it is known what it said otherwise', () => {
    const { resource, lost } = told([2, { gender: 'female' }], [1, { gender: 'male', birthDate: '1980' }]);
    expect(resource).toEqual(of('Patient', { gender: 'female', birthDate: '1980' }));
    expect(lost).toEqual(['gender']);
  });

  test('overwrites what is older than itself, whatever came in between', () => {
    const { resource } = told([1, { gender: 'male' }], [3, { birthDate: '1980' }], [2, { gender: 'female' }]);
    expect(resource).toEqual(of('Patient', { gender: 'female', birthDate: '1980' }));
  });

  test('does not bring back what was said again by a newer one', () => {
    const { resource } = told([1, { gender: 'male' }], [3, { gender: 'male' }], [2, { gender: 'female' }]);
    expect(resource.gender).toBe('male');
  });

  test('does not bring back what a newer one deleted', () => {
    expect(told([2, {}, ['birthDate']], [1, { birthDate: '1980' }]).resource).toEqual(of('Patient', {}));
    expect(told([2, {}, ['deceasedDateTime']], [1, { deceasedDateTime: '2026' }]).resource).toEqual(of('Patient', {}));
    expect(told([2, {}, ['telecom{PID-13}']], [1, { telecom: [home('1')] }]).resource).toEqual(of('Patient', {}));
  });

  test('deletes nothing that is newer', () => {
    expect(told([2, { birthDate: '1980' }], [1, {}, ['birthDate']]).resource.birthDate).toBe('1980');
  });
});

describe('a code that nobody could translate', () => {
  const unknown = { extension: [{ url: fallback('gender'), valueCode: 'X' }] };

  test('stands until the element has a code, and comes back with no older message', () => {
    expect(told([1, unknown], [2, { gender: 'male' }]).resource).toEqual(of('Patient', { gender: 'male' }));
    expect(told([2, { gender: 'male' }], [1, unknown]).resource).toEqual(of('Patient', { gender: 'male' }));
  });

  test('that is newer than the code stands beside it', () => {
    const both = of('Patient', { gender: 'male', ...unknown });
    expect(told([1, { gender: 'male' }], [2, unknown]).resource).toEqual(both);
    expect(told([2, unknown], [1, { gender: 'male' }]).resource).toEqual(both);
  });
});

describe('a field that fills a part of a list', () => {
  test('replaces only what it said before', () => {
    const { resource } = told([1, { telecom: [home('1'), work('2')] }], [2, { telecom: [home('3'), home('4')] }]);
    expect(resource.telecom).toEqual([home('3'), home('4'), work('2')]);
  });

  test('is deleted alone', () => {
    const { resource } = told([1, { telecom: [home('1'), work('2')] }], [2, {}, ['telecom{PID-14}']]);
    expect(resource.telecom).toEqual([home('1')]);
  });
});

describe('messages in any order', () => {
  const number = fc.constantFrom('1', '2', '3');
  const content = fc.record(
    {
      gender: fc.constantFrom('male', 'female'),
      birthDate: fc.constantFrom('1980', '1981'),
      telecom: fc.array(fc.oneof(number.map(home), number.map(work)), { minLength: 1, maxLength: 3 }),
      identifier: fc.uniqueArray(
        number.map((value) => ({ system: 'urn:a', value })),
        { minLength: 1, selector: (it) => it.value },
      ),
      maritalStatus: number.map((text) => ({ text })),
      // A gender that nobody could translate.
      extension: number.map((valueCode) => [{ url: fallback('gender'), valueCode }]),
    },
    { requiredKeys: [] },
  );
  const clear = fc.subarray(['gender', 'birthDate', 'telecom{PID-13}', 'telecom{PID-14}', 'maritalStatus']);
  const initial = fc.subarray(['gender']);
  const messages = fc
    .array(fc.tuple(content, clear, initial), { minLength: 1, maxLength: 6 })
    .map((all) => all.map(([said, deleted, weak], i) => [i + 1, said, deleted, weak] as const));

  test('end in the same resource', () => {
    fc.assert(
      fc.property(
        messages.chain((all) =>
          fc.tuple(
            fc.constant(all),
            fc
              .shuffledSubarray([...all, ...all], { minLength: all.length })
              .filter((some) => new Set(some).size === all.length),
          ),
        ),
        ([inOrder, shuffled]) => {
          expect(told(...shuffled).resource).toEqual(told(...inOrder).resource);
        },
      ),
      { numRuns: 400 },
    );
  });
});
