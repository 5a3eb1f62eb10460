import { describe, expect, test } from '@jest/globals';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import { merge } from '../../src/ingest/merge.ts';
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
  keeps: new Map(),
});

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
