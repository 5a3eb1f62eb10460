import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import { fold, type SearchValue } from '../../src/fhir/search/values.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { Zone } from '../../src/fhir/zone.ts';

const parameters = new SearchParameters(new Zone('Asia/Shanghai'), () => 'https://here.example/fhir/');

function values(resource: Resource, code: string): SearchValue[] {
  return parameters
    .extract(resource)
    .filter((row) => row.parameter.code === code)
    .map((row) => row.value);
}

function tokens(resource: Resource, code: string): string[] {
  return values(resource, code).map((value) => (value.kind === 'token' ? `${value.system}|${value.code}` : 'none'));
}

function norms(name: object): string[] {
  return values({ resourceType: 'Patient', name: [name] }, 'name').map((it) => (it.kind === 'string' ? it.norm : ''));
}

describe('folding', () => {
  test.each([
    ['Smith', 'smith'],
    ['Ångström', 'angstrom'],
    ['A\u030angstro\u0308m', 'angstrom'],
    ['Ｓｍｉｔｈ', 'smith'],
    ['ÉÈÊË', 'eeee'],
    ['İstanbul', 'istanbul'],
    ['張偉', '張偉'],
    ['ｱｲ', 'アイ'],
    ['ﬁ', 'fi'],
    ['', ''],
  ])('makes %s %s', (text, folded) => {
    expect(fold(text)).toBe(folded);
  });

  test('makes what is folded the same again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(fold(fold(text))).toBe(fold(text));
      }),
    );
  });
});

describe('search values', () => {
  test('of a name are its parts, each folded, with the text as written beside it', () => {
    const found = values(
      {
        resourceType: 'Patient',
        name: [{ text: 'Dr Anna Å', family: 'Å', given: ['Anna', 'B'], prefix: ['Dr'], suffix: ['II'] }],
      },
      'name',
    );
    expect(found).toEqual([
      { kind: 'string', norm: 'dr anna a', text: 'Dr Anna Å' },
      { kind: 'string', norm: 'a', text: 'Å' },
      { kind: 'string', norm: 'anna', text: 'Anna' },
      { kind: 'string', norm: 'b', text: 'B' },
      { kind: 'string', norm: 'dr', text: 'Dr' },
      { kind: 'string', norm: 'ii', text: 'II' },
    ]);
  });

  test('of a Chinese name have it whole, of another name they do not', () => {
    expect(norms({ family: '张', given: ['伟'] })).toEqual(['张', '伟', '张伟']);
    expect(norms({ family: '欧阳', given: ['小', '明'] })).toEqual(['欧阳', '小', '明', '欧阳小明']);
    expect(norms({ family: 'Doe', given: ['Jane'] })).toEqual(['doe', 'jane']);
    expect(norms({ family: '张' })).toEqual(['张']);
    expect(norms({ text: '张伟', family: '张', given: ['伟'] })).toEqual(['张伟', '张', '伟']);
  });

  test('of a part that has only an extension are none', () => {
    expect(norms({ family: '张', given: [null, '伟'], _given: [{ id: 'x' }, null] })).not.toContain('null');
  });

  test('of an address are its parts', () => {
    const address = { line: ['1 Main St'], city: 'Genève', postalCode: '1201', country: 'CH' };
    expect(values({ resourceType: 'Patient', address: [address] }, 'address').map((it) => (it as any).norm)).toEqual([
      '1 main st',
      'geneve',
      'ch',
      '1201',
    ]);
    expect(values({ resourceType: 'Patient', address: [address] }, 'address-city')).toHaveLength(1);
  });

  test('of tokens are system and code, by the type of the element', () => {
    const patient = {
      resourceType: 'Patient',
      active: false,
      gender: 'male',
      identifier: [{ system: 'urn:mrn', value: '1' }, { value: '2' }, { system: 'urn:empty' }],
      telecom: [{ system: 'phone', value: '139' }, { system: 'email', value: 'a@b' }, { system: 'phone' }],
      maritalStatus: { coding: [{ system: 's', code: 'M' }] },
    };
    expect(tokens(patient, 'active')).toEqual(['|false']);
    expect(tokens(patient, 'gender')).toEqual(['|male']);
    expect(tokens(patient, 'identifier')).toEqual(['urn:mrn|1', '|2']);
    expect(tokens(patient, 'telecom')).toEqual(['|139', '|a@b']);
    expect(tokens(patient, 'phone')).toEqual(['|139']);
    expect(tokens(patient, 'email')).toEqual(['|a@b']);
    const condition = {
      resourceType: 'Condition',
      code: { coding: [{ system: 'icd', code: 'E11' }, { code: 'x' }, { system: 'icd', code: 'E11' }] },
    };
    expect(tokens(condition, 'code')).toEqual(['icd|E11', '|x']);
  });

  test('of Patient.deceased say whether there was a death', () => {
    expect(tokens({ resourceType: 'Patient' }, 'deceased')).toEqual(['|false']);
    expect(tokens({ resourceType: 'Patient', deceasedBoolean: false }, 'deceased')).toEqual(['|false']);
    expect(tokens({ resourceType: 'Patient', deceasedBoolean: true }, 'deceased')).toEqual(['|true']);
    expect(tokens({ resourceType: 'Patient', deceasedDateTime: '2026-01-01' }, 'deceased')).toEqual(['|true']);
    expect(values({ resourceType: 'Patient', deceasedDateTime: '2026-01-01' }, 'death-date')).toHaveLength(1);
    expect(values({ resourceType: 'Patient', deceasedBoolean: true }, 'death-date')).toEqual([]);
  });

  test('of a period without an end go on, without a beginning come from ever', () => {
    const period = (value: object): SearchValue[] =>
      values({ resourceType: 'Encounter', status: 'finished', class: {}, period: value }, 'date');
    const day = Date.parse('2026-03-15T16:00:00Z');
    expect(period({ start: '2026-03-16' })).toEqual([{ kind: 'date', low: day, high: expect.any(Number) }]);
    expect((period({ start: '2026-03-16' })[0] as any).high).toBeGreaterThan(Date.parse('9999-12-31'));
    expect((period({ end: '2026-03-16' })[0] as any).low).toBeLessThan(Date.parse('0001-01-01T00:00:00Z'));
    expect(period({})).toEqual([]);
  });

  test('of a timing span its events', () => {
    const request = {
      resourceType: 'ServiceRequest',
      occurrenceTiming: { event: ['2026-03-18', '2026-03-16'] },
    };
    expect(values(request, 'occurrence')).toEqual([
      { kind: 'date', low: Date.parse('2026-03-15T16:00:00Z'), high: Date.parse('2026-03-18T16:00:00Z') },
    ]);
  });

  test('of references are type and id, or the URL of what is elsewhere', () => {
    const subject = (reference: string): SearchValue[] =>
      values({ resourceType: 'Encounter', status: 'finished', class: {}, subject: { reference } }, 'subject');
    expect(subject('Patient/1')).toEqual([{ kind: 'reference', target: 'Patient', id: '1' }]);
    // Two rows: found with its version and without.
    expect(subject('Patient/1/_history/2')).toEqual([
      { kind: 'reference', target: 'Patient', id: '1' },
      { kind: 'reference', target: 'Patient', id: '1/_history/2' },
    ]);
    expect(subject('https://here.example/fhir/Patient/1')).toEqual([{ kind: 'reference', target: 'Patient', id: '1' }]);
    expect(subject('https://x.example/Patient/1')).toEqual([
      { kind: 'reference', target: '', id: 'https://x.example/Patient/1' },
    ]);
    expect(subject('urn:uuid:5')).toEqual([{ kind: 'reference', target: '', id: 'urn:uuid:5' }]);
    expect(subject('#contained')).toEqual([]);
  });

  test('of a long text are cut, so that an index can hold them', () => {
    const [value] = values({ resourceType: 'Patient', name: [{ text: 'Å'.repeat(2000) }] }, 'name');
    expect(value).toMatchObject({ norm: 'a'.repeat(512), text: 'Å'.repeat(512) });
  });

  test('of a text have no NUL and no half of a character', () => {
    const text = `\0a\ud800b${'\u{1F600}'.repeat(600)}`;
    const [value] = values({ resourceType: 'Patient', name: [{ text }] }, 'name');
    expect(value?.kind === 'string' && value.text.isWellFormed() && value.norm.isWellFormed()).toBe(true);
    expect(value?.kind === 'string' && value.norm.startsWith('a\ufffdb')).toBe(true);
  });

  test('are each there once', () => {
    const name = [{ family: 'A' }, { family: 'A', given: ['A'] }];
    expect(values({ resourceType: 'Patient', name }, 'name')).toHaveLength(1);
    for (const many of [5, 9, 10, 40]) {
      const identifier = Array.from({ length: 3 * many }, (_, i) => ({ system: 'urn:s', value: `v${i % many}` }));
      expect(tokens({ resourceType: 'Patient', identifier }, 'identifier')).toEqual(
        Array.from({ length: many }, (_, i) => `urn:s|v${i}`),
      );
    }
  });
});
