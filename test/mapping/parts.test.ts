/**
 * The measure of the mapping, below the field: of every part of a data type that a message fills, something in FHIR says it, or a
 * row says why it goes nowhere. A part that can be taken away without anything being different was dropped.
 */
import { describe, expect, test } from '@jest/globals';
import { coverageOf } from '../../src/mapping/coverage.ts';
import { lostIn } from './lost.ts';
import { type Fields, mapping, messageOf, receivedAt, segment, shanghai, text } from './support.ts';

/** An admission with one field more. */
function withField(name: string, n: number, value: string): string {
  const own = { [n]: value };
  if (name === 'PID' || name === 'PV1' || name === 'MSH') return text({ [name]: own });
  const others: Readonly<Record<string, Fields>> = {
    IN1: { 1: '1', 4: 'Insurer' },
    NK1: { 1: '1', 3: 'SPO' },
    OBX: { 1: '1', 2: 'NM', 3: 'A^a^L', 5: '7.1', 11: 'F' },
  };
  return text({ more: [segment(name, { ...others[name], ...own })] });
}

function made(source: string): string {
  const { resources } = mapping.map(messageOf(source), { zone: shanghai, receivedAt });
  return JSON.stringify(resources.map(({ resource }) => resource));
}

const cwe = 'c1^t2^s3^c4^t5^s6^v7^v8^o9^c10^t11^s12^v13^1.2.3.4.14^o15^o16^1.2.3.4.17^o18^o19^1.2.3.4.20^o21^o22';
const xtn = (type: string): string =>
  `n1^PRN^${type}^a4^86^571^l7^e8^t9^p10^d11^u12^20200101^20300101^r15^c16^i17&x&1.2.3.4&ISO^3`;
const name = 'g2^m3^III^Dr^MD^L';

describe.each([
  ['XTN, a telephone', 'PID', 13, xtn('PH')],
  ['XTN, an address of the Internet', 'PID', 13, xtn('Internet')],
  ['XTN, an address of the Internet with a number', 'PID', 13, 'n1^NET^Internet^a4^^^^^^^^u12'],
  ['XPN, of the patient', 'PID', 5, `f1&a&b&c&d^${name}^I^c9^20200101&20300101^G^20210101^20310101^p14^c15`],
  ['XPN, of a next of kin', 'NK1', 2, `f1^${name}^X^c9^^F^^^p14^c15`],
  ['XPN, of a contact', 'NK1', 30, `f1^${name}^A^c9^20200101&20300101^F^^^p14^c15`],
  [
    'XAD',
    'PID',
    11,
    's1&s&2^o2^c3^p4^z5^CHN^H^g8^d9&t&s^t10&u^I^20200101&20300101^20210101^20310101^r15^Y^Y^V^a19^c20^2^p22^i23',
  ],
  ['XAD, of another kind', 'PID', 11, 's1^^^^^^^^^^A^^^^^N^N^C'],
  [
    'XCN',
    'PV1',
    7,
    `i1^f2&a&b&c&d^${name.slice(0, -2)}^s8^a9^L^k11^M11^MD^f14^I^c16^20200101&20300101^G^20210101^20310101^p21^j22^a23^x24^y25`,
  ],
  ['CX', 'PID', 3, '1001^7^M11^RENHE^MR^f6^20200101^20300101^j9^a10^x11^y12'],
  ['XON', 'PD1', 3, 'n1^L^3^4^M11^a6^XX^f8^A^i10'],
  ['PL', 'PV1', 3, 'p1^r2^b3^f4^s5^C^b7^f8^d9^i10&n&1.2.3.4&ISO^a11'],
  ['PL of an identifier without an authority', 'PV1', 3, 'p1^^^^^^^^^i10^a11'],
  ['PL of no identifier', 'PV1', 3, 'p1^^^^^^^^^^a11'],
  ['CWE, a concept', 'PV1', 10, cwe],
  ['CWE, a code', 'PID', 8, cwe],
  ['CWE, a code that its table knows', 'PID', 8, cwe.replace('c1^t2^s3', 'F^t2^HL70001')],
  ['CWE, a coding', 'PV1', 2, cwe],
  ['CWE, a coding that its table knows', 'PV1', 2, cwe.replace('c1^t2^s3', 'I^t2^HL70004')],
  ['CWE, a language', 'PID', 15, cwe],
  ['CWE, a language of R4', 'PID', 15, cwe.replace('c1', 'zh')],
  ['CWE, an organization', 'PV1', 39, cwe],
  ['CWE, an identifier', 'IN1', 2, cwe],
  ['CWE, a label', 'MSH', 26, cwe],
  ['CWE, a language of the message', 'MSH', 19, cwe.replace('c1', 'zh')],
  ['CWE, a unit', 'OBX', 6, cwe],
  ['DLN', 'PID', 20, 'n1^a2&1.2.3.4&ISO^20300101'],
  ['DLD', 'PV1', 37, 'c1&t&s^20200101'],
  ['FC', 'PV1', 20, 'c1&t&s^20200101'],
  ['CP', 'IN1', 37, '12&CNY^AP^1^2^d&day^P'],
])('of every part of a filled %s', (_, name, n, value) => {
  test('something says what it holds, or a row why not', () => {
    const source = withField(name, n, value);
    const { fields } = coverageOf(messageOf(source), mapping, { zone: shanghai, receivedAt }, 1000);
    const told = new Set(fields.filter((it) => it.use === 'nowhere').map((it) => it.field));
    const whole = made(source);
    const dropped: string[] = [];
    const components = value.split('^');
    for (const [i, component] of components.entries())
      for (const [j] of component.split('&').entries()) {
        const place = `${name}-${n}.${i + 1}`;
        const less = component.split('&').with(j, '').join('&');
        if (told.has(place) || component === '') continue;
        if (made(withField(name, n, components.with(i, less).join('^'))) === whole) dropped.push(`${place}.${j + 1}`);
      }
    expect(dropped).toEqual([]);
    expect(lostIn(messageOf(source)).filter((it) => it.startsWith(`${name}-${n}`))).toEqual([]);
  });
});
