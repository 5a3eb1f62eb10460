/** What senders really write (v2-to-fhir.md 1.9), as far as the mapping is concerned: no reason to lose a field. */
import { describe, expect, test } from '@jest/globals';
import { errorsOf } from '../../src/fhir/validate.ts';
import { all, extensions, first, follow, mapped, type Parts, segment, text } from './support.ts';

describe('EVN-1 that contradicts MSH-9', () => {
  const sent: Parts = { event: 'A03', EVN: { 1: 'A01' } };

  test('does not decide: MSH-9 does', () => {
    expect(first(sent, 'Encounter').status).toBe('finished');
  });

  test('marks the message', () => {
    expect(extensions(first(sent, 'MessageHeader'))).toMatchObject({ 'v2-contradicting-event': 'A01' });
    expect(mapped(sent, true).lineage).toContainEqual(expect.objectContaining({ field: 'EVN-1' }));
  });

  test('that says the same, or nothing, marks nothing', () => {
    for (const EVN of [{ 1: 'A03' }, { 1: '' }])
      expect(extensions(first({ event: 'A03', EVN }, 'MessageHeader'))['v2-contradicting-event']).toBeUndefined();
  });
});

describe('a birth date', () => {
  test.each([
    ['198002290030+0900', '1980-02-29', '1980-02-29T00:30:00+09:00'],
    ['19800229233000-1000', '1980-02-29', '1980-02-29T23:30:00-10:00'],
    ['198002292330', '1980-02-29', '1980-02-29T23:30:00+08:00'],
  ])('with a time, %s, is the local day, never the one of UTC', (sent, date, time) => {
    const patient = first({ PID: { 7: sent } }, 'Patient');
    expect(patient.birthDate).toBe(date);
    expect(patient._birthDate.extension[0].valueDateTime).toBe(time);
  });

  test.each([
    ['1980', '1980'],
    ['198002', '1980-02'],
  ])('%s, is as precise as it is', (sent, date) => {
    expect(first({ PID: { 7: sent } }, 'Patient').birthDate).toBe(date);
  });
});

describe('a date that is none', () => {
  test.each([
    ['PID', 7, 'Patient'],
    ['PID', 29, 'Patient'],
    ['PV1', 44, 'Encounter'],
    ['EVN', 6, 'Provenance'],
  ] as const)('in %s-%i survives as it was sent', (name, field, type) => {
    const sent: Parts = { [name]: { [field]: '20261399' } };
    for (const { resource } of mapped(sent).resources) expect(errorsOf(resource)).toEqual([]);
    const kept = all(sent, type).filter((it) => JSON.stringify(it).includes('"valueString":"20261399"'));
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(kept[0])).toContain('http://hl7.org/fhir/StructureDefinition/originalText');
  });
});

test('a segment that the standard does not list for the event is mapped', () => {
  const more = ['AL1|1|DA|PCN^Penicillin^L', 'GT1|1||Doe^Rosa', 'ZZZ|1|a'];
  expect(all({ event: 'A12', more }, 'AllergyIntolerance')).toHaveLength(1);
  expect(all({ event: 'A12', more }, 'Account')).toHaveLength(1);
});

test('a structure in MSH-9.3 that is not the event’s own is not read', () => {
  const sent = { event: 'A31', MSH: { 9: 'ADT^A31^ADT_A07' }, PV1: { 2: 'N' } };
  expect(all(sent, 'Patient')).toHaveLength(1);
});

describe('a note belongs to the segment before it', () => {
  const more = [
    'AL1|1|DA|PCN^Penicillin^L',
    'NTE|1||since childhood',
    'DG1|1||E11.9^Diabetes^I10',
    'NTE|1||since 2010',
    'NTE|2||on insulin~since 2015',
    segment('PR1', { 3: '47.01^Appendectomy^I9CP' }),
    'NTE|1||laparoscopic',
    'OBX|1|NM|8867-4^Heart rate^LN||60',
    segment('NTE', { 1: '1', 3: 'at rest', 5: 'D1^Li^Min', 6: '20260316' }),
    'NK1|1|Zhang^Mei|SPO',
    'NTE|1||call in the evening',
    segment('IN1', { 2: 'A' }),
    segment('IN2', { 6: 'MC1' }),
    'NTE|1||card not seen',
  ];
  const lines = [segment('PID', { 3: '1001' }), 'PD1|A', 'NTE|1||hard of hearing'];
  const message = [...lines, segment('PV1', { 2: 'I', 19: 'V1' }), 'PV2|||Pain', 'NTE|1||brought by a friend', ...more];
  const sent = `${text({}).split('\r')[0]}\r${message.join('\r')}\r`;
  const notes = (type: string): string[] => {
    const { note, extension = [] } = first(sent, type);
    const own = extension.filter((it: any) => it.url.endsWith('v2-note')).map((it: any) => it.valueAnnotation);
    return (note ?? own).map((it: any) => it.text);
  };

  test.each([
    ['Patient', ['hard of hearing']],
    ['Encounter', ['brought by a friend']],
    ['AllergyIntolerance', ['since childhood']],
    ['Condition', ['since 2010', 'on insulin', 'since 2015']],
    ['Procedure', ['laparoscopic']],
    ['Observation', ['at rest']],
    ['RelatedPerson', ['call in the evening']],
    ['Coverage', ['card not seen']],
  ])('%s', (type, texts) => {
    expect(notes(type)).toEqual(texts);
  });

  test('with its author and its time', () => {
    const [note] = first(sent, 'Observation').note;
    expect(note.time).toBe('2026-03-16');
    expect(follow(sent, note.authorReference).name[0].family).toBe('Li');
  });
});
