/** What the programme makes and clients complete: an appointment, an answer sheet, a call. */
import type { Json, StoredResource } from '../../src/fhir/types.ts';

export function appointment(content: Json = {}): StoredResource {
  return {
    resourceType: 'Appointment',
    id: 'a1',
    identifier: [
      { system: 'https://aftercare.example/fhir/NamingSystem/appointment', value: 'e1|fu-general|1.0.0|revisit|1' },
    ],
    status: 'booked',
    serviceType: [{ coding: [{ system: 'urn:id:RENHE-DEPT', code: 'ENDO', display: '内分泌科' }] }],
    appointmentType: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0276', code: 'FOLLOWUP' }] },
    supportingInformation: [{ reference: 'Encounter/e1' }, { reference: 'CarePlan/c1' }],
    start: '2026-04-02T01:00:00Z',
    end: '2026-04-02T09:15:00+08:00',
    comment: '带上血糖记录 & bring the log|book',
    participant: [
      { actor: { reference: 'Patient/p1' }, status: 'accepted' },
      { actor: { reference: 'Practitioner/d1' }, status: 'accepted' },
    ],
    ...content,
  };
}

export const questionnaire: StoredResource = {
  resourceType: 'Questionnaire',
  id: 'call',
  language: 'zh-CN',
  url: 'https://aftercare.example/fhir/Questionnaire/call',
  version: '1.0.0',
  name: 'Call',
  title: '随访电话',
  status: 'active',
  item: [
    {
      linkId: 'plan',
      text: '方案',
      type: 'string',
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/questionnaire-hidden', valueBoolean: true }],
    },
    { linkId: 'h1', text: '恢复情况', type: 'choice' },
    { linkId: 'h2', text: '症状', type: 'choice', repeats: true },
    { linkId: 'm1', text: '取药', type: 'boolean' },
    {
      linkId: 'n',
      text: '新生儿',
      type: 'group',
      item: [
        { linkId: 'n1', text: '体重', type: 'quantity' },
        { linkId: 'n2', type: 'group', item: [{ linkId: 'n2.1', text: '备注', type: 'text' }] },
      ],
    },
    { linkId: 'total', text: '总分', type: 'decimal' },
  ],
};

const answers = 'https://aftercare.example/fhir/CodeSystem/answer';

export function response(content: Json = {}): StoredResource {
  return {
    resourceType: 'QuestionnaireResponse',
    id: 'q1',
    status: 'completed',
    questionnaire: `${questionnaire.url}|1.0.0`,
    subject: { reference: 'Patient/p1' },
    encounter: { reference: 'Encounter/e1' },
    authored: '2026-03-19T02:20:00Z',
    item: [
      { linkId: 'plan', answer: [{ valueString: 'fu-general' }] },
      { linkId: 'h1', answer: [{ valueCoding: { system: answers, code: 'better', display: '好转' } }] },
      {
        linkId: 'h2',
        answer: [
          { valueCoding: { system: 'http://snomed.info/sct', code: '386661006', display: '发热' } },
          { valueCoding: { system: answers, code: 'rash', display: '皮疹' } },
        ],
      },
      { linkId: 'm1', answer: [{ valueBoolean: true }] },
      {
        linkId: 'n',
        item: [
          {
            linkId: 'n1',
            answer: [{ valueQuantity: { value: 3.25, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' } }],
          },
          { linkId: 'n2', item: [{ linkId: 'n2.1', answer: [{ valueString: '一切正常\n""|^~\\&' }] }] },
        ],
      },
      { linkId: 'total', answer: [{ valueDecimal: 87.5 }] },
    ],
    ...content,
  };
}

export function call(content: Json = {}): StoredResource {
  return {
    resourceType: 'Task',
    id: 't1',
    identifier: [
      { system: 'https://aftercare.example/fhir/NamingSystem/task', value: 'e1|fu-general|1.0.0|l1-call|1' },
    ],
    status: 'completed',
    intent: 'order',
    code: { text: '一级随访电话' },
    for: { reference: 'Patient/p1' },
    encounter: { reference: 'Encounter/e1' },
    basedOn: [{ reference: 'CarePlan/c1' }],
    owner: { reference: 'Practitioner/d1' },
    lastModified: '2026-03-19T02:25:00Z',
    input: [{ type: { text: 'channel' }, valueCode: 'phone' }],
    output: [{ type: { text: 'checklist' }, valueReference: { reference: 'QuestionnaireResponse/q1' } }],
    note: [{ text: '家属代答。' }],
    ...content,
  };
}
