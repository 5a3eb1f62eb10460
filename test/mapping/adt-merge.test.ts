/** Merges and moves: A40, A41, A45, A47, and the new visit number of A06. v2-to-fhir.md 1.2 and 1.9. */
import { describe, expect, test } from '@jest/globals';
import { errorsOf } from '../../src/fhir/validate.ts';
import { all, extensions, first, mapped, segment } from './support.ts';

const header = (event: string): string =>
  segment('MSH', {
    2: '^~\\&',
    3: 'HIS',
    4: 'RENHE',
    7: '20260316103000',
    9: `ADT^${event}^ADT_A39`,
    10: 'C1',
    11: 'P',
    12: '2.5.1',
  });
const event = (...lines: string[]): string => `${lines.join('\r')}\r`;
const pid = (number: string, more = {}): string => segment('PID', { 1: '1', 3: `${number}^^^RENHE^MR`, ...more });
const pv1 = (visit: string): string =>
  segment('PV1', { 1: '1', 2: 'I', 19: `${visit}^^^RENHE^VN`, 44: '20260310090000' });

/** The resource of a type that has a number. */
function having(message: string, type: string, number: string): any {
  return all(message, type).find((it) => it.identifier?.[0]?.value === number);
}

/** `100 old, 99`. */
const numbers = ({ identifier }: any): string =>
  identifier.map((it: any) => (it.use ? `${it.value} ${it.use}` : it.value)).join(', ');

function isSound(message: string): void {
  for (const { resource } of mapped(message).resources)
    expect([resource.resourceType, errorsOf(resource)]).toEqual([resource.resourceType, []]);
}

describe('A40, two patients are one', () => {
  const merge = event(
    header('A40'),
    'EVN|A40|20260316103000',
    pid('1001', { 5: 'Doe^Jane' }),
    segment('MRG', { 1: '1002^^^RENHE^MR', 2: '9^^^RENHE^PI', 4: '8^^^RENHE', 7: 'Roe^Jane' }),
  );
  const survivor = having(merge, 'Patient', '1001');
  const retired = having(merge, 'Patient', '1002');

  test('the retired one is not active, keeps numbers and name, and points to the other', () => {
    expect(retired).toMatchObject({
      active: false,
      name: [{ family: 'Roe', given: ['Jane'] }],
      link: [{ other: { reference: `Patient/${survivor.id}` }, type: 'replaced-by' }],
    });
    expect(numbers(retired)).toBe('1002 old, 8 old, 9 old');
  });

  test('the other one is active, is found under the old numbers, and points back', () => {
    expect(survivor).toMatchObject({
      active: true,
      name: [{ family: 'Doe' }],
      link: [{ other: { reference: `Patient/${retired.id}` }, type: 'replaces' }],
    });
    expect(numbers(survivor)).toBe('1001, 1002 old, 8 old, 9 old');
  });

  test('the retired one is the patient that other messages made of the number', () => {
    expect(retired.id).toBe(first({ PID: { 3: '1002^^^RENHE^MR' } }, 'Patient').id);
    expect(retired.identifier[0].system).toBe(survivor.identifier[0].system);
  });

  test('what it makes is sound', () => isSound(merge));

  test('several pairs in one message: each retired patient belongs to the PID before it', () => {
    const pairs = event(
      header('A40'),
      'EVN|A40|20260316103000',
      pid('1001'),
      'MRG|1002^^^RENHE^MR',
      pid('2001'),
      'PD1||A',
      'MRG|2002^^^RENHE^MR',
      'MRG|2003^^^RENHE^MR',
    );
    const id = (number: string): string => `Patient/${having(pairs, 'Patient', number).id}`;
    const links = (number: string): string[] =>
      having(pairs, 'Patient', number).link.map((it: any) => `${it.type} ${it.other.reference}`);
    expect(links('1001')).toEqual([`replaces ${id('1002')}`]);
    expect(links('1002')).toEqual([`replaced-by ${id('1001')}`]);
    expect(links('2001')).toEqual([`replaces ${id('2002')}`, `replaces ${id('2003')}`]);
    expect(links('2002')).toEqual([`replaced-by ${id('2001')}`]);
    expect(links('2003')).toEqual([`replaced-by ${id('2001')}`]);
    expect(having(pairs, 'Patient', '1001').extension).toBeUndefined();
    expect(extensions(having(pairs, 'Patient', '2001'))['v2-living-arrangement'].coding[0].code).toBe('A');
    isSound(pairs);
  });

  test('of a patient with himself retires nobody, whichever of his numbers comes first', () => {
    const self = event(
      header('A40'),
      segment('PID', { 3: '33010119710422^^^CHN^NI~1001^^^RENHE^MR' }),
      'MRG|1001^^^RENHE^MR~33010119710422^^^CHN^NI',
    );
    expect(all(self, 'Patient')).toHaveLength(1);
    const patient = first(self, 'Patient');
    expect(patient.active).toBeUndefined();
    expect(patient.link).toBeUndefined();
    expect(numbers(patient)).toBe('33010119710422, 1001');
  });

  test('of a patient with himself among other pairs does not tie him to them', () => {
    const pairs = event(header('A40'), pid('1001'), 'MRG|1002^^^RENHE^MR', pid('2001'), 'MRG|2001^^^RENHE^MR');
    expect(having(pairs, 'Patient', '2001').link).toBeUndefined();
  });

  test('a number that both have does not become old', () => {
    const both = event(
      header('A40'),
      segment('PID', { 3: '1001^^^RENHE^MR~33010119710422^^^CHN^NI' }),
      'MRG|1002^^^RENHE^MR~33010119710422^^^CHN^NI',
    );
    expect(numbers(having(both, 'Patient', '1001'))).toBe('1001, 33010119710422, 1002 old');
  });

  test('without the number of the retired one is refused', () => {
    expect(() => mapped(event(header('A40'), pid('1001'), 'MRG|'))).toThrow('"segment":"MRG","field":1');
    expect(() => mapped(event(header('A40'), pid('1001')))).toThrow('"segment":"MRG"');
  });

  test('with a visit and an account of the retired one gives them to the other', () => {
    const more = event(header('A40'), pid('1001'), 'MRG|1002^^^RENHE^MR||A2^^^RENHE^AN||V2^^^RENHE^VN');
    const patient = { reference: `Patient/${having(more, 'Patient', '1001').id}` };
    expect(first(more, 'Account')).toMatchObject({ status: 'unknown', subject: [patient] });
    expect(first(more, 'Encounter')).toMatchObject({ status: 'unknown', subject: patient });
    isSound(more);
  });
});

describe('A47, the identifiers of a person change', () => {
  test('the old ones stay as old ones of the same patient', () => {
    const sent = event(
      header('A47'),
      segment('PID', { 3: '1001^^^RENHE^MR~NEW^^^CHN^NI' }),
      'MRG|1001^^^RENHE^MR~OLD^^^CHN^NI',
    );
    expect(all(sent, 'Patient')).toHaveLength(1);
    expect(numbers(first(sent, 'Patient'))).toBe('1001, NEW, OLD old');
    expect(first(sent, 'Patient').link).toBeUndefined();
  });

  test('where the first number is another, what was filed under the old one is replaced', () => {
    const sent = event(header('A47'), pid('1003'), 'MRG|1001^^^RENHE^MR');
    expect(having(sent, 'Patient', '1001')).toMatchObject({ active: false, link: [{ type: 'replaced-by' }] });
    expect(numbers(having(sent, 'Patient', '1003'))).toBe('1003, 1001 old');
  });
});

describe('A41, two accounts are one', () => {
  const merge = event(header('A41'), pid('1001', { 18: 'A1^^^RENHE^AN' }), 'MRG|1001^^^RENHE^MR||A2^^^RENHE^AN');
  const survivor = having(merge, 'Account', 'A1');
  const retired = having(merge, 'Account', 'A2');

  test('the retired one is inactive and points to the other, which keeps its number as an old one', () => {
    expect(retired.status).toBe('inactive');
    expect(extensions(retired)['account-replaced-by']).toEqual({ reference: `Account/${survivor.id}` });
    expect(survivor.status).toBe('active');
    expect(extensions(survivor)['account-replaces']).toEqual({ reference: `Account/${retired.id}` });
    expect(numbers(survivor)).toBe('A1, A2 old');
    isSound(merge);
  });

  test('nobody is retired, also when MRG-1 names another patient', () => {
    expect(all(merge, 'Patient')).toHaveLength(1);
    const other = event(header('A41'), pid('1001', { 18: 'A1^^^RENHE^AN' }), 'MRG|1002^^^RENHE^MR||A2^^^RENHE^AN');
    for (const patient of all(other, 'Patient')) {
      expect(patient.active).toBeUndefined();
      expect(patient.link).toBeUndefined();
      expect(patient.identifier[0].use).toBeUndefined();
    }
  });

  test('of an account with itself changes nothing', () => {
    const self = event(header('A41'), pid('1001', { 18: 'A1^^^RENHE^AN' }), 'MRG|1001^^^RENHE^MR||A1^^^RENHE^AN');
    expect(all(self, 'Account')).toHaveLength(1);
    expect(first(self, 'Account')).toMatchObject({ status: 'active' });
    expect(first(self, 'Account').extension).toBeUndefined();
  });
});

describe('A45, visits move to another patient', () => {
  const move = event(
    header('A45'),
    'EVN|A45|20260316103000',
    pid('1001'),
    'MRG|1002^^^RENHE^MR||||V1^^^RENHE^VN',
    pv1('V1'),
    'MRG|1002^^^RENHE^MR||||V2^^^RENHE^VN|ALT2',
    pv1('V20'),
    'MRG|1002^^^RENHE^MR||||V3^^^RENHE^VN',
    pv1('V30'),
  );
  const owner = { reference: `Patient/${having(move, 'Patient', '1001').id}` };
  const visit = (number: string): any => having(move, 'Encounter', number);

  test('each visit belongs to the patient of PID', () => {
    for (const number of ['V1', 'V2', 'V20', 'V3', 'V30'])
      expect([number, visit(number).subject]).toEqual([number, owner]);
    isSound(move);
  });

  test('a visit that keeps its number is the same visit', () => {
    expect(visit('V1')).toMatchObject({ status: 'in-progress' });
    expect(visit('V1').extension).toBeUndefined();
    expect(numbers(visit('V1'))).toBe('V1');
  });

  test.each([
    ['V2', 'V20', 'V20, V2 old, ALT2 old'],
    ['V3', 'V30', 'V30, V3 old'],
  ])('the visit %s goes on as %s', (old, now, found) => {
    expect(visit(old).status).toBe('entered-in-error');
    expect(extensions(visit(old))['encounter-replaced-by']).toEqual({ reference: `Encounter/${visit(now).id}` });
    expect(visit(now).status).toBe('in-progress');
    expect(extensions(visit(now))['encounter-replaces']).toEqual({ reference: `Encounter/${visit(old).id}` });
    expect(numbers(visit(now))).toBe(found);
  });

  test('the patient whom they leave is not retired', () => {
    expect(having(move, 'Patient', '1002').active).toBeUndefined();
    expect(having(move, 'Patient', '1002').link).toBeUndefined();
  });
});

test('A06: a visit that gets a new number goes on under it', () => {
  const sent = event(header('A06'), pid('1001'), 'MRG|1001^^^RENHE^MR||A1^^^RENHE^AN||O1^^^RENHE^VN', pv1('I1'));
  expect(having(sent, 'Encounter', 'O1').status).toBe('entered-in-error');
  expect(numbers(having(sent, 'Encounter', 'I1'))).toBe('I1, O1 old');
  expect(first(sent, 'Account')).toMatchObject({ status: 'unknown', identifier: [{ value: 'A1' }] });
  isSound(sent);
});
