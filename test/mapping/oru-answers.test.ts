/** ORU: an OBX-3 that names an item of a Questionnaire makes an answer of a QuestionnaireResponse, and no Observation. */
import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { Mapping } from '../../src/mapping/map.ts';
import { readMappings } from '../../src/mapping/read.ts';
import { all, extended, mapped, obr, obx, only, oru, questionnaires, withHeader } from './oru-support.ts';
import { type Fields, mappingFolder, messageOf, receivedAt, shanghai } from './support.ts';

const call = 'followup-call';
const survey = 'inpatient-satisfaction';
const base = 'https://aftercare.example/fhir/Questionnaire/';

/** An OBX that answers an item; by default of the checklist of the call, coded. */
function answer(linkId: string, value: string, more: Fields & { of?: string } = {}): string {
  const { of = call, ...fields } = more;
  return obx({ 2: 'CWE', 3: `${linkId}^question^${of}`, 5: value, 14: '20260325100000', ...fields });
}

/** The call has reached somebody: without that the checklist asks nothing else. */
const reached = answer('r1', 'reached');

const response = (...segments: string[]): Json =>
  only(oru(obr({ 3: 'CALL-1^CRM', 4: 'FUC' }), ...segments), 'QuestionnaireResponse');

function itemOf(items: readonly Json[] | undefined, linkId: string): Json | undefined {
  for (const item of items ?? []) {
    if (item.linkId === linkId) return item;
    const below = itemOf(item.item ?? item.answer?.flatMap((it: Json) => it.item ?? []), linkId);
    if (below) return below;
  }
  return undefined;
}

const valueIn = ({ url, ...value }: Json): unknown => Object.values(value)[0];

/** The values of the answers to a question. */
function answers(found: Json, linkId: string): unknown[] {
  const item = itemOf(found.item, linkId);
  return (item?.answer ?? []).map((it: Json) => it.valueCoding?.code ?? Object.values(it)[0]);
}

describe('a questionnaire is named', () => {
  test.each([
    ['by its id', call],
    ['by its url', `${base}${call}`],
    ['by url and version', String.raw`${base}${call}\F\1.0.0`],
    ['by its name', 'FollowupCall'],
  ])('%s', (_, of) => {
    expect(response(answer('r1', 'reached', { of }))).toMatchObject({ questionnaire: `${base}${call}|1.0.0` });
  });

  test('in the alternate triplet of OBX-3, and with its version in OBX-3.7', () => {
    expect(answers(response(obx({ 2: 'ST', 3: `Q7^x^99CRM^r1^x^${call}`, 5: 'reached' })), 'r1')).toEqual(['reached']);
    expect(answers(response(obx({ 2: 'ST', 3: `r1^x^${call}^^^^1.0.0`, 5: 'reached' })), 'r1')).toEqual(['reached']);
  });

  test.each([
    ['another version', `r1^x^${call}^^^^2.0.0`],
    ['a questionnaire that nobody knows', 'r1^x^other'],
    ['an item that it does not have', `r99^x^${call}`],
    ['a group, which takes no answer', `n^x^${call}`],
  ])('but not by %s: that is an Observation', (_, code) => {
    const sent = oru(obr(), obx({ 2: 'ST', 3: code, 5: 'reached' }));
    expect(all(sent, 'QuestionnaireResponse')).toEqual([]);
    expect(only(sent, 'Observation').valueString).toBe('reached');
  });

  test('by the code of one of its items', () => {
    const item = {
      linkId: 'pain',
      type: 'integer',
      text: 'Pain',
      code: [{ system: 'http://loinc.org', code: '72514-3' }],
    };
    const own = { resourceType: 'Questionnaire', id: 'pain', url: `${base}pain`, status: 'active', item: [item] };
    const other = new Mapping({ ...readMappings(mappingFolder), questionnaires: [...questionnaires, own] });
    const message = messageOf(oru(obr(), obx({ 2: 'NM', 3: '72514-3^Pain^LN', 5: '3' })));
    const { resources } = other.map(message, { zone: shanghai, receivedAt });
    const found = resources.find((it) => it.resource.resourceType === 'QuestionnaireResponse')?.resource;
    expect(found).toMatchObject({
      questionnaire: `${base}pain`,
      item: [{ linkId: 'pain', answer: [{ valueInteger: 3 }] }],
    });
  });
});

describe('all answers of one OBR', () => {
  const sent = oru(
    obr({ 3: 'CALL-1^CRM', 4: 'FUC' }),
    answer('z2', 'yes'),
    answer('n3', 'yes'),
    answer('plan', 'plan-ob-delivery'),
    reached,
    answer('x9', 'not of the checklist'),
    answer('h2', 'fever~abdominal-pain'),
  );
  const found = only(sent, 'QuestionnaireResponse');

  test('are one response with the groups and the order of the questionnaire', () => {
    expect(found.item.map((it: Json) => it.linkId)).toEqual(['plan', 'r1', 'h2', 'n', 'z2']);
    expect(itemOf(found.item, 'n')?.item).toMatchObject([{ linkId: 'n3', text: '喂养是否顺利?' }]);
    expect(answers(found, 'h2')).toEqual(['fever', 'abdominal-pain']);
    expect(found).toMatchObject({
      status: 'completed',
      identifier: { system: 'urn:id:CRM', value: 'CALL-1' },
      authored: '2026-03-25T10:00:00+08:00',
      subject: { reference: `Patient/${only(sent, 'Patient').id}` },
    });
    expect(errorsOf(found)).toEqual([]);
  });

  test('but what is no item of it is an Observation', () => {
    expect(only(sent, 'Observation').code.coding[0].code).toBe('x9');
  });

  test('are named by the report', () => {
    expect(extended(only(sent, 'DiagnosticReport'))['v2-answers'].reference).toBe(`QuestionnaireResponse/${found.id}`);
  });

  test('to two questionnaires are two responses', () => {
    const both = oru(obr(), reached, answer('o1', '9', { 2: 'NM', of: survey }));
    expect(all(both, 'QuestionnaireResponse').map((it) => it.questionnaire)).toEqual([
      `${base}${call}|1.0.0`,
      `${base}${survey}|1.0.0`,
    ]);
  });

  test('are registers by question, in the order of the questionnaire, so that a correction keeps the others', () => {
    const built = mapped(sent).resources.find((it) => it.resource.resourceType === 'QuestionnaireResponse');
    const names = built?.registers.get('item') ?? [];
    expect(new Set(names).size).toBe(found.item.length);
    const places = names.map((it) => Number(it.replace('item', '')));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });
});

describe('a response is the same again', () => {
  test('when the OBR is resent; without one by patient, questionnaire and time', () => {
    const id = (...segments: string[]): string => only(oru(...segments), 'QuestionnaireResponse').id;
    expect(id(obr(), reached)).toBe(id(obr({ 25: 'C' }), answer('r1', 'busy', { 11: 'C', 14: '20260326' })));
    expect(id(reached)).toBe(id(reached, answer('h1', 'worse')));
    expect(id(reached)).not.toBe(id(answer('r1', 'reached', { 14: '20260326' })));
    const timeless = answer('r1', 'reached', { 14: '' });
    const later = only(withHeader({ 7: '20260401' }, timeless), 'QuestionnaireResponse').id;
    expect(id(timeless)).not.toBe(later);
  });
});

describe('the status of a response', () => {
  test('is amended by a correction, and entered in error when every answer was deleted', () => {
    expect(response(reached).status).toBe('completed');
    expect(response(reached, answer('h1', 'worse', { 11: 'C' })).status).toBe('amended');
    const deleted = response(answer('r1', 'reached', { 11: 'D' }));
    expect(deleted.status).toBe('entered-in-error');
    expect(extended(deleted.item[0])).toEqual({ 'v2-deleted-answer': 'reached' });
  });

  test('is in progress while a required answer is missing', () => {
    expect(response(answer('plan', 'plan-general')).status).toBe('in-progress');
  });
});

describe('an answer that R4 has no room for stands beside it', () => {
  test('to a question that is not asked, given the other answers', () => {
    const found = response(answer('r1', 'busy'), answer('h1', 'better'), answer('n1', 'Y'));
    expect(found.item.map((it: Json) => it.linkId)).toEqual(['r1']);
    const aside = found.extension.map((it: Json) => [it.url.split('/').at(-1), ...it.extension.map(valueIn)]);
    expect(aside).toEqual([
      ['v2-unasked-answer', 'h1', expect.objectContaining({ code: 'better' })],
      ['v2-unasked-answer', 'n1', true],
    ]);
  });

  test('but a correction that comes alone is an answer: whether it was asked is known where the others are stored', () => {
    const found = response(answer('h1', 'worse', { 11: 'C' }));
    expect(answers(found, 'h1')).toEqual(['worse']);
    expect(found.status).toBe('amended');
    expect(answers(response(answer('r1', 'busy'), answer('h1', 'worse', { 11: 'C' })), 'h1')).toEqual([]);
  });

  test('of an answer that is not asked lineage names the place where it is now', () => {
    const { lineage = [] } = mapped(oru(obr(), answer('r1', 'busy'), answer('h1', 'better')), true);
    const elements = lineage.filter((it) => it.field.startsWith('OBX-5')).map((it) => it.element.replace(/^.*?\./, ''));
    expect(elements).toEqual(['item[0].answer', 'extension[0].extension']);
  });

  test('when a question that takes one answer has two: the last counts', () => {
    const found = response(reached, answer('h1', 'worse'), answer('h1', 'same'));
    expect(answers(found, 'h1')).toEqual(['same']);
    expect(extended(itemOf(found.item, 'h1'))['v2-former-answer']).toMatchObject({ code: 'worse' });
  });

  test('when it is no option, no number, no date', () => {
    const found = response(
      reached,
      answer('h1', 'so-so^well, so so'),
      answer('m1', 'perhaps', { 2: 'ST' }),
      answer('z1', 'soon', { 2: 'ST' }),
    );
    const texts = ['h1', 'm1', 'z1'].map((it) => extended(itemOf(found.item, it))['v2-answer']);
    expect(texts).toEqual(['so-so well, so so', 'perhaps', 'soon']);
    expect(errorsOf(found as never)).toEqual([]);
  });
});

describe('an answer has the type of its item', () => {
  test.each<[string, Fields, string, unknown]>([
    ['a code', { 2: 'CWE', 5: 'better^x^99CRM' }, 'h1', 'better'],
    ['words in Chinese', { 2: 'ST', 5: '好转' }, 'h1', 'better'],
    ['words in English', { 2: 'ST', 5: 'BETTER' }, 'h1', 'better'],
    ['the words of a code of the sender', { 2: 'CWE', 5: '77^加重^99CRM' }, 'h1', 'worse'],
    ['Y', { 2: 'ID', 5: 'Y' }, 'm1', true],
    ['no', { 2: 'ST', 5: '否' }, 'm1', false],
    ['a coded no', { 2: 'CWE', 5: 'N^No^HL70136' }, 'm1', false],
    ['a text', { 2: 'TX', 5: String.raw`first\.br\second` }, 'm3', 'first\nsecond'],
    ['a v2 date', { 2: 'DT', 5: '20260401' }, 'z1', '2026-04-01'],
    ['a FHIR date', { 2: 'ST', 5: '2026-04-01' }, 'z1', '2026-04-01'],
  ])('of the call: %s', (_, fields, linkId, value) => {
    expect(answers(response(reached, answer(linkId, '', fields)), linkId)).toEqual([value]);
  });

  test.each<[string, Fields, string, unknown]>([
    ['a weight', { 2: 'NM', 5: '75' }, 'd1.1', 'satisfied'],
    ['an integer', { 2: 'NM', 5: '9' }, 'o1', 9],
    ['a structured number', { 2: 'SN', 5: '^9' }, 'o1', 9],
    ['a decimal', { 2: 'NM', 5: '87.5' }, 'd1.score', 87.5],
    ['a month', { 2: 'ST', 5: '202603' }, 'month', '2026-03'],
    ['a department', { 2: 'CWE', 5: 'CARD^Cardiology^L' }, 'dept', { display: 'Cardiology' }],
  ])('of the survey: %s', (_, fields, linkId, value) => {
    expect(answers(response(answer(linkId, '', { of: survey, ...fields })), linkId)).toEqual([value]);
  });

  test('a decimal is no integer', () => {
    const found = response(answer('o1', '9.5', { 2: 'NM', of: survey }));
    expect(answers(found, 'o1')).toEqual([]);
    expect(extended(itemOf(found.item, 'o1'))['v2-answer']).toBe('9.5');
  });
});
