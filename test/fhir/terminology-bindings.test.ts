import { describe, expect, test } from '@jest/globals';
import { bindingErrors } from '../../src/fhir/terminology/bindings.ts';
import type { Json } from '../../src/fhir/types.ts';

const ucum = 'http://unitsofmeasure.org';
const clinical = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
const valueSet = (name: string): string => `http://hl7.org/fhir/ValueSet/${name}`;
const refused = (name: string): string => `the code is not in value set ${valueSet(name)}, which is required here`;
const missing = (name: string): string => `needs a coding from value set ${valueSet(name)}: text alone is not enough`;

const patient: Json = {
  resourceType: 'Patient',
  language: 'zh-CN',
  name: [{ family: '王', given: ['小明'] }],
  gender: 'male',
  photo: [{ contentType: 'image/jpeg' }],
  communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'zh' }] } }],
};

describe('codes that are of their value sets pass', () => {
  test.each<[string, Json]>([
    ['languages and media types', patient],
    [
      'a language in words only: the set bounds what is coded',
      { resourceType: 'Patient', communication: [{ language: { text: '上海话' } }] },
    ],
    [
      'a concept with one coding of the set among others',
      {
        resourceType: 'Condition',
        clinicalStatus: {
          coding: [
            { system: 'urn:local', code: '1' },
            { system: clinical, code: 'active' },
          ],
        },
      },
    ],
    [
      'a status that the schema does not list',
      { resourceType: 'ServiceRequest', status: 'active', intent: 'order', priority: 'routine' },
    ],
    ['a status that the package takes from R5', { resourceType: 'DetectedIssue', status: 'registered' }],
    [
      'units of time',
      {
        resourceType: 'Condition',
        onsetAge: { value: 50, system: ucum, code: 'a' },
        abatementAge: { value: 51, unit: '岁' },
      },
    ],
    [
      'days of the week, where null holds a place',
      { resourceType: 'Location', hoursOfOperation: [{ daysOfWeek: ['mon', null, 'sun'] }] },
    ],
    ['currencies', { resourceType: 'Invoice', totalNet: { value: 1, currency: 'CNY' } }],
    [
      'units by the grammar of UCUM',
      {
        resourceType: 'RiskEvidenceSynthesis',
        riskEstimate: { unitOfMeasure: { coding: [{ system: ucum, code: 'mg/dL' }] } },
      },
    ],
    ['the short names of formats', { resourceType: 'CapabilityStatement', format: ['json', 'application/fhir+xml'] }],
    [
      'data types and resource types',
      { resourceType: 'OperationDefinition', parameter: [{ type: 'CodeableConcept', part: [{ type: 'Patient' }] }] },
    ],
    [
      'a value set that R4 names and does not define',
      {
        resourceType: 'MolecularSequence',
        structureVariant: [{ variantType: { coding: [{ system: 'http://loinc.org', code: 'LA1' }] } }],
      },
    ],
    [
      'values of extensions',
      { resourceType: 'Patient', extension: [{ url: 'urn:x', valueMoney: { currency: 'RMB' } }] },
    ],
    ['a type without any binding', { resourceType: 'Basic', code: { text: 'x' } }],
    ['what is no resource of R4', { resourceType: '__proto__', language: 'Chinese' }],
  ])('%s', (_, resource) => {
    expect(bindingErrors(resource)).toEqual([]);
  });
});

describe('codes that are not are refused, with their place and without their value', () => {
  test.each<[string, Json, string, string]>([
    ['a code', { resourceType: 'ServiceRequest', intent: 'wish' }, 'ServiceRequest.intent', refused('request-intent')],
    ['a language', { ...patient, language: 'Chinese' }, 'Patient.language', refused('all-languages')],
    [
      'a media type',
      { ...patient, photo: [{}, { contentType: 'jpeg' }] },
      'Patient.photo[1].contentType',
      refused('mimetypes'),
    ],
    [
      'a currency',
      { resourceType: 'Invoice', totalNet: { currency: 'RMB' } },
      'Invoice.totalNet.currency',
      refused('currencies'),
    ],
    [
      'a unit of another kind',
      { resourceType: 'Condition', onsetAge: { value: 1, system: ucum, code: 'kg' } },
      'Condition.onsetAge',
      refused('all-time-units'),
    ],
    [
      'a unit without its system',
      { resourceType: 'Condition', onsetAge: { value: 1, code: 'a' } },
      'Condition.onsetAge',
      refused('all-time-units'),
    ],
    [
      'a coding',
      { resourceType: 'Condition', clinicalStatus: { coding: [{ system: clinical, code: 'activ' }] } },
      'Condition.clinicalStatus',
      refused('condition-clinical'),
    ],
    [
      'a coding without its system',
      { resourceType: 'Condition', clinicalStatus: { coding: [{ code: 'active' }] } },
      'Condition.clinicalStatus',
      refused('condition-clinical'),
    ],
    [
      'text alone',
      { resourceType: 'Condition', verificationStatus: { text: 'sure' } },
      'Condition.verificationStatus',
      missing('condition-ver-status'),
    ],
    [
      'a coding without a code',
      { resourceType: 'Condition', verificationStatus: { coding: [{ display: 'sure' }] } },
      'Condition.verificationStatus',
      missing('condition-ver-status'),
    ],
    [
      'a language that is coded, in another system',
      { resourceType: 'Patient', communication: [{ language: { coding: [{ system: 'urn:x', code: 'zh' }] } }] },
      'Patient.communication[0].language',
      refused('all-languages'),
    ],
    [
      'a day',
      { resourceType: 'Location', hoursOfOperation: [{}, { daysOfWeek: ['mon', 'tuesday'] }] },
      'Location.hoursOfOperation[1].daysOfWeek[1]',
      refused('days-of-week'),
    ],
    [
      'a code deep in a data type',
      { resourceType: 'ServiceRequest', occurrenceTiming: { repeat: { dayOfWeek: ['Mo'] } } },
      'ServiceRequest.occurrenceTiming.repeat.dayOfWeek[0]',
      refused('days-of-week'),
    ],
    [
      'a code in a recursive element',
      { resourceType: 'Questionnaire', item: [{ item: [{ initial: [{ valueAttachment: { contentType: 'x' } }] }] }] },
      'Questionnaire.item[0].item[0].initial[0].valueAttachment.contentType',
      refused('mimetypes'),
    ],
    [
      'a code in a contained resource',
      { resourceType: 'Patient', contained: [{ resourceType: 'ServiceRequest', intent: 'wish' }] },
      'Patient.contained[0].intent',
      refused('request-intent'),
    ],
    [
      'a code in an entry',
      { resourceType: 'Bundle', entry: [{}, { resource: { resourceType: 'ServiceRequest', intent: 'wish' } }] },
      'Bundle.entry[1].resource.intent',
      refused('request-intent'),
    ],
    [
      'a code in a parameter',
      {
        resourceType: 'Parameters',
        parameter: [{ name: 'r', resource: { resourceType: 'ServiceRequest', intent: 'wish' } }],
      },
      'Parameters.parameter[0].resource.intent',
      refused('request-intent'),
    ],
  ])('%s', (_, resource, expression, text) => {
    expect(bindingErrors(resource)).toEqual([{ text, expression }]);
  });

  test('no more than twenty at once', () => {
    const photo = Array.from({ length: 50 }, () => ({ contentType: 'x' }));
    expect(bindingErrors({ resourceType: 'Patient', photo })).toHaveLength(20);
  });
});

test('to check the codes of a Patient costs no more than to parse it fifteen times', () => {
  const text = JSON.stringify(patient);
  const fastest = (work: () => void) => {
    const rounds = Array.from({ length: 5 }, () => {
      const begun = performance.now();
      for (let i = 0; i < 5000; i++) work();
      return performance.now() - begun;
    });
    return Math.min(...rounds);
  };
  const check = () => bindingErrors(patient);
  const parse = () => JSON.parse(text);
  fastest(check);
  expect(fastest(check) / fastest(parse)).toBeLessThan(15);
});
