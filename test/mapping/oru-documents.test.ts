/** ORU: documents in OBX-5, and that large and long messages are mapped in linear time. */
import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import type { Message } from '../../src/hl7v2/message.ts';
import { extended, mapping, obr, observed, obx, oru } from './oru-support.ts';
import { messageOf, receivedAt, shanghai } from './support.ts';

const document = (value: string, type = 'ED'): Json =>
  extended(observed({ 2: type, 3: 'DOC^d^L', 5: value }))['r5-Observation.value'];
const textOf = ({ data }: Json): string => Buffer.from(data, 'base64').toString('utf8');

describe('a document', () => {
  test.each([
    ['^application^pdf^Base64^JVBERi0=', 'application/pdf', '%PDF-'],
    ['^AP^PDF^Base64^JVBERi0', 'application/pdf', '%PDF-'],
    [String.raw`^TEXT^HTML^Base64^PGI+\.br\aGk8L2I+`, 'text/html', '<b>hi</b>'],
    ['^IM^JPEG^Hex^6869', 'image/jpeg', 'hi'],
    [String.raw`^TEXT^XML^A^<a>x \T\ y</a>`, 'text/xml', '<a>x & y</a>'],
    ['^text^^A^plain', 'application/octet-stream', 'plain'],
    ['^^^Base64^aGk=', 'application/octet-stream', 'hi'],
    ['^NS^x-own^Base64^aGk=', 'application/octet-stream', 'hi'],
    ['^^image/png^Base64^aGk=', 'image/png', 'hi'],
  ])('%s is %s', (value, contentType, text) => {
    const found = document(value);
    expect(found.contentType).toBe(contentType);
    expect(textOf(found)).toBe(text);
    expect(errorsOf(observed({ 2: 'ED', 3: 'DOC^d^L', 5: value }))).toEqual([]);
  });

  test('of a type that nobody knows keeps its codes, and of an application its name', () => {
    const found = document('LAB&1.2.3&ISO^NS^x-own^Base64^aGk=');
    expect(extended(found._contentType)['alternate-codes'].coding).toEqual([{ code: 'NS' }, { code: 'x-own' }]);
    expect(extended(found)['v2-source-application']).toBe('LAB 1.2.3 ISO');
  });

  test('that is said to be base64 and is none keeps its text', () => {
    const found = document('^application^pdf^Base64^not base64!');
    expect(found.data).toBeUndefined();
    expect(extended(found)).toMatchObject({ originalText: 'not base64!' });
  });

  test('elsewhere is its address', () => {
    expect(document('https://pacs.example/1^PACS^image^png', 'RP')).toMatchObject({
      url: 'https://pacs.example/1',
      contentType: 'image/png',
    });
  });

  test.each([
    ['IM^DICOM', 'application/dicom'],
    ['AP^pdf', 'application/pdf'],
    ['^PNG', 'image/png'],
    ['application^x-own', 'application/x-own'],
  ])('elsewhere, of the type %s, is %s', (type, contentType) => {
    expect(document(`https://pacs.example/1^PACS^${type}`, 'RP').contentType).toBe(contentType);
  });

  test('elsewhere, of a type that nobody knows, keeps its codes and has no media type', () => {
    const found = document('https://pacs.example/1^PACS^NS^x-own', 'RP');
    expect(found.contentType).toBeUndefined();
    expect(extended(found)['v2-contentType'].coding).toEqual([{ code: 'NS' }, { code: 'x-own' }]);
  });
});

const rounds = 7;

/** ms */
function timeOf(messages: readonly Message[]): number {
  const from = performance.now();
  for (const message of messages) mapping.map(message, { zone: shanghai, receivedAt });
  return performance.now() - from;
}

/** How much longer one large message takes than ten small ones that hold as much together: the median, for other work runs beside it. */
function growth(sentOf: (size: number) => string): number {
  const small = Array.from({ length: 10 }, () => messageOf(sentOf(200_000)));
  const large = [messageOf(sentOf(2_000_000))];
  const ratios = Array.from({ length: rounds }, () => timeOf(large) / timeOf(small));
  return ratios.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] as number;
}

function lines(count: number, line: (i: number) => string): string[] {
  return Array.from({ length: Math.floor(count) }, (_, i) => line(i + 1));
}

describe('two megabytes take as long as ten times 0.2', () => {
  const ed = (data: string): string => oru(obr(), obx({ 2: 'ED', 3: 'DOC^d^L', 5: `^application^pdf^Base64^${data}` }));
  const order = (i: number): string => `ORC|RE|P${i}|F${i}\r${obr({ 2: `P${i}`, 3: `F${i}` })}\r${obx({})}`;

  test.each<[string, (size: number) => string]>([
    ['a document', (size) => ed('QUJD'.repeat(size / 4))],
    ['a document with line breaks', (size) => ed(String.raw`QUJDRUZH\.br\ `.repeat(size / 14))],
    ['blanks that end in no base64', (size) => ed(`QUJD${' '.repeat(size)}!`)],
    ['a text', (size) => oru(obr(), obx({ 2: 'TX', 5: 'words and '.repeat(size / 10) }))],
    ['a range that is none', (size) => oru(obr(), obx({ 5: '7', 7: `1${' '.repeat(size)}- x` }))],
    [
      'results',
      (size) => oru(obr(), ...lines(size / 2000, (i) => obx({ 1: `${i}`, 4: `${i}`, 5: '7', 7: '3.9-6.1' }))),
    ],
    [
      'lines of a text',
      (size) => oru(obr(), ...lines(size / 2000, (i) => obx({ 2: 'TX', 3: 'R^r^L', 5: `line ${i}` }))),
    ],
    ['orders', (size) => oru(...lines(size / 10_000, order))],
  ])('of %s', (_, sentOf) => {
    // Quadratic work would take ten times as long.
    expect(growth(sentOf)).toBeLessThan(3);
  });
});
