import { describe, expect, test } from '@jest/globals';
import { parseReference, rewriteReferences } from '../../src/fhir/reference.ts';

describe('a reference', () => {
  test.each([
    ['Patient/1', { type: 'Patient', id: '1' }],
    ['Patient/a-B.9', { type: 'Patient', id: 'a-B.9' }],
    [`Patient/${'x'.repeat(64)}`, { type: 'Patient', id: 'x'.repeat(64) }],
    ['Patient/1/_history/2', { type: 'Patient', id: '1', version: '2' }],
  ])('%s is of this server', (reference, parsed) => {
    expect(parseReference(reference)).toEqual(parsed);
  });

  test.each([
    '',
    '#p',
    'Patient',
    'Patient/',
    'Nobody/1',
    'Patient/1/2',
    'patient/1',
    `Patient/${'x'.repeat(65)}`,
    'Patient/a b',
    'Patient/1/_history/',
    'https://x.example/Patient/1',
    'urn:uuid:1',
    'Patient?identifier=1',
    'constructor/1',
  ])('%j is not', (reference) => {
    expect(parseReference(reference)).toBeUndefined();
  });
});

describe('rewriting references', () => {
  const rename = (reference: string): string | undefined => (reference === 'urn:uuid:1' ? 'Patient/9' : undefined);

  test('reaches every place: elements, lists, extensions, extensions of primitives, contained resources', () => {
    const before = {
      resourceType: 'Encounter',
      subject: { reference: 'urn:uuid:1', display: 'urn:uuid:1' },
      participant: [{ individual: { reference: 'urn:uuid:1' } }, { individual: { reference: 'Practitioner/2' } }],
      extension: [{ url: 'x', valueReference: { reference: 'urn:uuid:1' } }],
      _status: { extension: [{ url: 'x', valueReference: { reference: 'urn:uuid:1' } }] },
      contained: [{ resourceType: 'Task', for: { reference: 'urn:uuid:1' } }],
      note: [null, 5, true],
    };
    const copy = structuredClone(before);
    const after = rewriteReferences(before, rename);
    expect(JSON.stringify(after).match(/Patient\/9/g)).toHaveLength(5);
    expect(after.subject.display).toBe('urn:uuid:1');
    expect(after.participant[1]).toEqual({ individual: { reference: 'Practitioner/2' } });
    expect(after.note).toEqual([null, 5, true]);
    expect(before).toEqual(copy);
  });

  test('keeps a key __proto__ a key, so that the gate behind can see it', () => {
    const before = JSON.parse('{"resourceType":"Patient","__proto__":{"active":true}}');
    const after = rewriteReferences(before, rename);
    expect(Object.getPrototypeOf(after)).toBe(Object.prototype);
    expect(Object.hasOwn(after, '__proto__')).toBe(true);
  });
});
