import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { candidateSearches, type MatchGrade, scoreMatch } from '../../src/fhir/patient-match.ts';
import type { Json } from '../../src/fhir/types.ts';

const mrn = { system: 'urn:oid:1.2.3', value: 'A-17' };
const zhang: Json = {
  resourceType: 'Patient',
  name: [{ family: '张', given: ['伟'] }],
  birthDate: '1980-02-03',
  gender: 'male',
  telecom: [{ system: 'phone', value: '138 1234 5678' }],
  address: [{ city: '北京市', postalCode: '100020' }],
};
const li: Json = {
  resourceType: 'Patient',
  name: [{ family: 'Li', given: ['Anna', 'Maria'] }],
  birthDate: '1980-02-03',
  gender: 'female',
  telecom: [{ system: 'phone', value: '+49 (30) 1234-5678' }],
  address: [{ city: 'Berlin', postalCode: '10115' }],
};
const named = (...name: Json[]): Json => ({ name });
const grade = (a: Json, b: Json): MatchGrade => scoreMatch(a, b).grade;
const score = (a: Json, b: Json): number => scoreMatch(a, b).score;

describe('an identifier decides', () => {
  test('system and value are the same: certain, whatever else is missing', () => {
    const wanted = { identifier: [{ system: 'urn:x', value: '1' }, mrn] };
    expect(scoreMatch(wanted, { ...zhang, identifier: [mrn] })).toEqual({ score: 1, grade: 'certain' });
  });

  test('it decides against a wrong name or birth date, which are typed by hand', () => {
    const other = { ...zhang, identifier: [mrn], birthDate: '1955-11-30', name: [{ text: 'Unknown' }] };
    expect(grade({ ...zhang, identifier: [mrn] }, other)).toBe('certain');
  });

  test('but not against name, birth date and gender: somebody used the card of another', () => {
    const other = { name: [{ family: '王', given: ['芳'] }], birthDate: '1955-11-30', gender: 'female' };
    const found = scoreMatch({ ...zhang, identifier: [mrn] }, { ...other, identifier: [mrn] });
    expect(found).toEqual({ score: 0.5, grade: 'possible' });
  });

  test.each<[string, Json, Json]>([
    ['the value alone', { value: 'A-17' }, { value: 'A-17' }],
    ['another system', mrn, { ...mrn, system: 'urn:oid:1.2.4' }],
    ['another value', mrn, { ...mrn, value: 'A-18' }],
    ['the case of the value', mrn, { ...mrn, value: 'a-17' }],
    ['a system without value', { system: 'urn:x' }, { system: 'urn:x' }],
  ])('%s does not decide', (_, a, b) => {
    expect(grade({ identifier: [a] }, { identifier: [b] })).toBe('certainly-not');
  });

  test('an identifier out of use does not decide, but it counts', () => {
    const [now, old] = [
      { ...zhang, telecom: [], identifier: [mrn] },
      { ...zhang, identifier: [{ ...mrn, use: 'old' }] },
    ];
    expect(grade(now, old)).toBe('probable');
    expect(score(now, old)).toBeGreaterThan(score({ ...now, identifier: [] }, old));
  });
});

describe('names', () => {
  const whole = score(named({ text: 'Anna Li' }), named({ text: 'Anna Li' }));

  test.each<[string, Json, Json]>([
    ['in parts and as a text, Chinese', { family: '张', given: ['伟'] }, { text: '张伟' }],
    ['in parts and as a text with blanks', { family: '张', given: ['伟'] }, { text: '张 伟' }],
    ['in two given characters or one word', { family: '张', given: ['小', '伟'] }, { family: '张', given: ['小伟'] }],
    ['in parts and as a text, given name first', { family: 'Li', given: ['Anna'] }, { text: 'Anna Li' }],
    ['in parts and as a text, family name first', { family: 'Li', given: ['Anna'] }, { text: 'LI, Anna' }],
    ['in pinyin with tones and without', { text: 'Zhāng Wěi' }, { family: 'Zhang', given: ['Wei'] }],
    ['in pinyin with a blank and without', { text: 'ZhangWei' }, { family: 'Zhang', given: ['Wei'] }],
    ['in characters with pinyin beside them', { text: '张伟 (Zhang Wei)' }, { family: '张', given: ['伟'] }],
    ['in pinyin with characters beside it', { text: '张伟 (Zhang Wei)' }, { family: 'Zhang', given: ['Wei'] }],
    ['in two scripts', { text: '山田 はなこ' }, { family: '山田', given: ['はなこ'] }],
    ['in wide letters', { family: 'Ｌｉ', given: ['Ａｎｎａ'] }, { family: 'Li', given: ['Anna'] }],
    ['with accents and without', { family: 'Müller', given: ['José'] }, { family: 'Muller', given: ['Jose'] }],
    ['with hyphen and without', { family: 'Li', given: ['Anna-Maria'] }, { family: 'Li', given: ['Anna', 'Maria'] }],
  ])('are the same %s', (_, a, b) => {
    expect(score(named(a), named(b))).toBe(whole);
  });

  test.each<[string, Json, Json]>([
    ['a second given name is left out', { family: 'Li', given: ['Anna', 'Maria'] }, { family: 'Li', given: ['Anna'] }],
    ['a given name is an initial', { family: 'Li', given: ['A'] }, { family: 'Li', given: ['Anna'] }],
    ['a letter is wrong', { family: 'Johnson', given: ['Anna'] }, { family: 'Jonson', given: ['Anna'] }],
    ['two letters are swapped', { family: 'Jonhson', given: ['Anna'] }, { family: 'Johnson', given: ['Anna'] }],
    ['a text has a word more', { text: 'Dr. Anna Li' }, { family: 'Li', given: ['Anna'] }],
    ['one side has the family name alone', { family: 'Li' }, { family: 'Li', given: ['Anna'] }],
    ['both sides have the family name alone', { family: 'Li' }, { family: 'Li' }],
    ['one side has one word', { text: 'Anna' }, { family: 'Li', given: ['Anna'] }],
    ['the family name is another', { family: 'Li', given: ['Anna'] }, { family: 'Wang', given: ['Anna'] }],
  ])('agree less when %s', (_, a, b) => {
    expect(score(named(a), named(b))).toBeGreaterThan(score({}, {}));
    expect(score(named(a), named(b))).toBeLessThan(whole);
    expect(grade(named(a), named(b))).toBe('possible');
  });

  test.each<[string, Json, Json]>([
    ['another given name', { family: 'Li', given: ['Anna'] }, { family: 'Li', given: ['Bo'] }],
    ['another given character', { text: '张伟' }, { text: '张芳' }],
    ['a short name with another letter', { family: 'Li', given: ['Anna'] }, { family: 'Lu', given: ['Bob'] }],
    ['another name', { family: '张', given: ['伟'] }, { family: '王', given: ['芳'] }],
    ['one word of two', { text: 'Anna Li' }, { text: 'Bo Li' }],
    ['another family name alone', { family: 'Li' }, { family: 'Wang', given: ['Anna'] }],
  ])('speak against it: %s', (_, a, b) => {
    expect(score(named(a), named(b))).toBeLessThan(score({}, {}));
    expect(grade(named(a), named(b))).toBe('certainly-not');
  });

  test('say nothing between Chinese characters and pinyin', () => {
    expect(score(named({ text: '张伟' }), named({ text: 'Zhang Wei' }))).toBe(score({}, {}));
  });

  test('are the best of all that a person has', () => {
    const both = named({ family: 'Li', given: ['Anna'] }, { use: 'maiden', family: 'Wang', given: ['Anna'] });
    expect(score(named({ text: 'Anna Wang' }), both)).toBe(whole);
  });
});

describe('birth dates', () => {
  const of = (a: string, b: string): number => score({ birthDate: a }, { birthDate: b });

  test('agree more the more they say', () => {
    const scores = [
      of('1980-02-03', '1980-02-03'),
      of('1980-02', '1980-02-03'),
      of('1980', '1980-02-03'),
      of('1980-02-13', '1980-02-03'),
      score({}, {}),
      of('1980-02-03', '1955-11-30'),
    ];
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(new Set(scores).size).toBe(scores.length);
  });

  test.each([
    ['day and month swapped', '1980-03-02'],
    ['a digit wrong', '1980-02-08'],
    ['the year wrong by a digit', '1990-02-03'],
    ['neighbours swapped', '1908-02-03'],
  ])('partly agree: %s', (_, other) => {
    expect(of('1980-02-03', other)).toBe(of('1980-02-13', '1980-02-03'));
  });

  test('that are none say nothing', () => {
    expect(of('3.2.1980', '3.2.1980')).toBe(score({}, {}));
  });
});

describe('the rest', () => {
  const telecom = (system: string, value: string): Json => ({ telecom: [{ system, value }] });

  test.each<[string, Json, Json]>([
    ['a number with blanks', telecom('phone', '138 1234 5678'), telecom('phone', '13812345678')],
    ['with a country', telecom('phone', '+86-138-1234-5678'), telecom('phone', '13812345678')],
    ['with a country and with 0', telecom('phone', '0049 30 12345678'), telecom('phone', '030 12345678')],
    ['without area', telecom('phone', '010-88887777'), telecom('sms', '8888 7777')],
    ['in wide digits', telecom('phone', '１３８１２３４５６７８'), telecom('phone', '13812345678')],
    ['an address in another case', telecom('email', 'Anna@X.example'), telecom('email', 'anna@x.example ')],
    ['a postal code with a blank', { address: [{ postalCode: 'SW1A 1AA' }] }, { address: [{ postalCode: 'sw1a1aa' }] }],
    ['a city with 市 and without', { address: [{ city: '北京市' }] }, { address: [{ city: '北京' }] }],
    ['two deaths', { deceasedBoolean: true }, { deceasedDateTime: '2026-01-02' }],
    ['gender', { gender: 'other' }, { gender: 'other' }],
  ])('agrees: %s', (_, a, b) => {
    expect(score(a, b)).toBeGreaterThan(score({}, {}));
  });

  test.each<[string, Json, Json]>([
    ['another number', telecom('phone', '13812345678'), telecom('phone', '13912345678')],
    ['another city', { address: [{ city: 'Berlin' }] }, { address: [{ city: 'Bonn' }] }],
    ['one death', { deceasedBoolean: false }, { deceasedDateTime: '2026-01-02' }],
    ['another gender', { gender: 'male' }, { gender: 'female' }],
  ])('disagrees: %s', (_, a, b) => {
    expect(score(a, b)).toBeLessThan(score({}, {}));
  });

  test.each<[string, Json, Json]>([
    ['an extension', telecom('phone', '4711'), telecom('phone', '4711')],
    ['a number and a mail address', telecom('phone', '13812345678'), telecom('email', 'a@x.example')],
    ['two lives', { deceasedBoolean: false }, { deceasedBoolean: false }],
    ['a gender that is not known', { gender: 'unknown' }, { gender: 'male' }],
    ['what one side does not have', zhang, { gender: 'unknown' }],
  ])('says nothing: %s', (_, a, b) => {
    expect(score(a, b)).toBe(score({}, {}));
  });
});

describe('the grade', () => {
  const without = (patient: Json, ...fields: string[]): Json =>
    Object.fromEntries(Object.entries(patient).filter(([field]) => !fields.includes(field)));
  const twin = { ...zhang, name: [{ family: '张', given: ['强'] }] };
  const spouse = { ...zhang, name: [{ family: '王', given: ['芳'] }], birthDate: '1981-07-30', gender: 'female' };

  test.each<[MatchGrade, string, Json, Json]>([
    ['probable', 'everything agrees, but no identifier', zhang, zhang],
    ['probable', 'name and birth date', { name: zhang.name, birthDate: zhang.birthDate }, zhang],
    [
      'probable',
      'married and moved, the number kept',
      { ...li, name: [{ family: 'Xu', given: ['Anna'] }], address: [] },
      li,
    ],
    ['probable', 'a digit of the birth date wrong', { ...zhang, birthDate: '1980-02-08' }, zhang],
    ['possible', 'the name alone', { name: zhang.name }, zhang],
    ['possible', 'the telephone alone', { telecom: zhang.telecom }, zhang],
    ['possible', 'name and telephone', { name: zhang.name, telecom: zhang.telecom }, zhang],
    ['possible', 'a twin', twin, zhang],
    ['certainly-not', 'husband and wife', spouse, zhang],
    [
      'certainly-not',
      'the same common name, another birth date',
      without({ ...zhang, birthDate: '1955-11-30' }, 'telecom', 'address'),
      zhang,
    ],
    [
      'certainly-not',
      'the same birth date and gender, another name',
      { ...zhang, ...named({ text: '王强' }), telecom: [], address: [] },
      zhang,
    ],
    ['certainly-not', 'nothing to compare', {}, zhang],
  ])('%s: %s', (expected, _, a, b) => {
    expect(grade(a, b)).toBe(expected);
  });

  test('what a family shares does not make two of it one', () => {
    expect(score(twin, zhang)).toBe(score(without(twin, 'telecom', 'address'), without(zhang, 'telecom', 'address')));
  });

  test.each([null, 'x', 5, [null], [5], ['x'], {}, [{ given: 'x', family: 5, text: {}, value: 5, city: [] }]])(
    'malformed fields (%j) are as missing ones',
    (value) => {
      const fields = ['name', 'identifier', 'telecom', 'address', 'birthDate', 'gender', 'deceasedBoolean'];
      const broken = Object.fromEntries(fields.map((field) => [field, value]));
      expect(score(broken, zhang)).toBeGreaterThanOrEqual(0);
      expect(candidateSearches(broken).length).toBeLessThanOrEqual(1);
    },
  );

  test('long lists of long names are compared in bounded time', () => {
    const many = (seed: string): Json => ({
      name: Array.from({ length: 3000 }, (_, i) => ({ text: `${seed}${i} `.repeat(50) })),
      telecom: Array.from({ length: 20_000 }, (_, i) => ({ value: `${seed.length}${1e9 + i}` })),
    });
    expect(grade(many('abcde'), many('vwxyzz'))).toBe('certainly-not');
  });
});

const word = fc.constantFrom('Li', 'Anna', 'Bo', 'Johnson', 'Jonson', '张', '伟', '张伟', 'Zhang Wei', 'A');
const humanName = fc.record(
  { family: word, given: fc.array(word, { minLength: 1, maxLength: 2 }), text: word },
  { requiredKeys: [] },
);
const digits = fc.constantFrom('13812345678', '+8613812345678', '88887777', '010-88887777', '4711');
const contact = fc.record({ system: fc.constantFrom('phone', 'email'), value: digits });
const address = fc.record(
  { city: fc.constantFrom('北京', '北京市', 'Bonn'), postalCode: fc.constantFrom('1', '2') },
  { requiredKeys: [] },
);
const identifier = fc.record(
  { system: fc.constantFrom('urn:a', 'urn:b'), value: fc.constantFrom('1', '2'), use: fc.constantFrom('old', 'usual') },
  { requiredKeys: ['value'] },
);
const lists = { name: humanName, telecom: contact, address, identifier };
const singles = {
  birthDate: fc.constantFrom('1980-02-03', '1980-03-02', '1980-02-08', '1980', '1955-11'),
  gender: fc.constantFrom('male', 'female', 'unknown'),
  deceasedBoolean: fc.boolean(),
};
const patient: fc.Arbitrary<Json> = fc.record(
  {
    name: fc.array(humanName, { maxLength: 3 }),
    telecom: fc.array(contact, { maxLength: 3 }),
    address: fc.array(address, { maxLength: 2 }),
    identifier: fc.array(identifier, { maxLength: 2 }),
    ...singles,
  },
  { requiredKeys: [] },
);
const grades: readonly MatchGrade[] = ['certainly-not', 'possible', 'probable', 'certain'];
const rank = (it: MatchGrade): number => grades.indexOf(it);

describe('whatever the patients are', () => {
  test('the score is from 0 to 1 and the same from either side', () => {
    fc.assert(
      fc.property(patient, patient, (a, b) => {
        const found = scoreMatch(a, b);
        expect(found.score).toBeGreaterThanOrEqual(0);
        expect(found.score).toBeLessThanOrEqual(1);
        expect(scoreMatch(b, a)).toEqual(found);
      }),
      { numRuns: 1000 },
    );
  });

  test('the order of lists says nothing', () => {
    const reversed = (it: Json): Json =>
      Object.fromEntries(
        Object.entries(it).map(([field, value]) => [field, Array.isArray(value) ? value.toReversed() : value]),
      );
    fc.assert(
      fc.property(patient, patient, (a, b) => expect(scoreMatch(reversed(a), b)).toEqual(scoreMatch(a, b))),
      { numRuns: 500 },
    );
  });

  test('one more field that agrees lowers neither score nor grade', () => {
    const more = fc.oneof(
      ...Object.entries(lists).map(([field, value]) => fc.tuple(fc.constant(field), value as fc.Arbitrary<unknown>)),
      ...Object.entries(singles).map(([field, value]) => fc.tuple(fc.constant(field), value as fc.Arbitrary<unknown>)),
    );
    const withMore = (it: Json, field: string, value: unknown): Json => ({
      ...it,
      [field]: field in lists ? [...(it[field] ?? []), value] : value,
    });
    fc.assert(
      fc.property(patient, patient, more, (a, b, [field, value]) => {
        fc.pre(field in lists || (a[field] === undefined && b[field] === undefined));
        const [before, after] = [scoreMatch(a, b), scoreMatch(withMore(a, field, value), withMore(b, field, value))];
        expect(after.score).toBeGreaterThanOrEqual(before.score);
        expect(rank(after.grade)).toBeGreaterThanOrEqual(rank(before.grade));
      }),
      { numRuns: 2000 },
    );
  });

  test('a patient with a name and a birth date is at least probably himself', () => {
    const enough = fc.tuple(patient, fc.constantFrom('Anna Li', '张伟'), fc.constantFrom('1980-02-03', '1955-11-30'));
    fc.assert(
      fc.property(enough, ([it, name, birthDate]) => {
        const known = { ...it, birthDate, name: [...(it.name ?? []), { text: name }] };
        expect(rank(grade(known, structuredClone(known)))).toBeGreaterThanOrEqual(rank('probable'));
      }),
    );
  });
});
