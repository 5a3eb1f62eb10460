/** One message with results of several patients: nothing of one is taken for another's. */
import { describe, expect, test } from '@jest/globals';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import { mapped } from './support.ts';

const message = [
  'MSH|^~\\&|LIS|RENHE|||20260316103000||ORU^R01|L1|P|2.5.1',
  'PID|1||1001^^^RENHE^MR||Doe^Jane',
  'PV1|1|I|||||||||||||||||V1001^^^RENHE^VN',
  'OBR|1||F1^LIS|14743-9^Glucose^LN|||20260316090000',
  'OBX|1|NM|14743-9^Glucose^LN||5.6|mmol/L|||||F',
  'PID|2||1002^^^RENHE^MR||Roe^Mary',
  'OBR|1||F2^LIS|14743-9^Glucose^LN|||20260316091000',
  'OBX|1|NM|14743-9^Glucose^LN||7.7|mmol/L|||||F',
  '',
].join('\r');

describe('results of two patients in one message', () => {
  const resources: StoredResource[] = mapped(message).resources.map((it) => it.resource);
  const of = (type: string): StoredResource[] => resources.filter((it) => it.resourceType === type);
  const patient = (number: string): string => {
    const found = of('Patient').find((it) => it.identifier.some((own: Json) => own.value === number));
    return `Patient/${found?.id}`;
  };

  test('are filed under the patient of their group', () => {
    const values = of('Observation').map((it) => [it.valueQuantity.value, it.subject.reference]);
    expect(values).toEqual([
      [5.6, patient('1001')],
      [7.7, patient('1002')],
    ]);
  });

  test('are of a visit only where their patient has one in the message', () => {
    const visits = of('Observation').map((it) => it.encounter?.reference !== undefined);
    expect(visits).toEqual([true, false]);
    expect(of('DiagnosticReport').map((it) => it.encounter?.reference !== undefined)).toEqual([true, false]);
  });
});
