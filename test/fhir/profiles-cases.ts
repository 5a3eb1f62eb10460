/** Examples of ours, each with something that our profiles refuse and R4 does not. */
import { examples } from '../../scripts/make-examples.ts';
import type { Json, StoredResource } from '../../src/fhir/types.ts';

export interface BrokenExample {
  readonly what: string;
  readonly resource: StoredResource;
  readonly at: string;
  /** A part of what is said. */
  readonly text: string;
}

export function broken(): BrokenExample[] {
  const made = examples();
  const but = (name: string, change: (it: Json) => Json): StoredResource => {
    const example = made.get(name) as StoredResource;
    return { ...example, ...change(example) } as StoredResource;
  };
  const without = (name: string, key: string): StoredResource => {
    const { [key]: _, ...rest } = made.get(name) as StoredResource;
    return rest as StoredResource;
  };
  return [
    {
      what: 'a CarePlan without its encounter',
      resource: without('CarePlan.json', 'encounter'),
      at: 'CarePlan',
      text: "needs at least 1 of 'encounter'",
    },
    {
      what: 'a CarePlan that is an order',
      resource: but('CarePlan.json', () => ({ intent: 'order' })),
      at: 'CarePlan.intent',
      text: 'must be "plan"',
    },
    {
      what: 'a CarePlan with the identifier of somebody else',
      resource: but('CarePlan.json', () => ({ identifier: [{ system: 'http://x', value: '1' }] })),
      at: 'CarePlan',
      text: "needs at least 1 of 'identifier:enrolment'",
    },
    {
      what: 'a CarePlan whose period has no end',
      resource: but('CarePlan.json', (it) => ({ period: { start: it.period.start } })),
      at: 'CarePlan.period',
      text: "needs at least 1 of 'end'",
    },
    {
      what: 'a CarePlan of a group',
      resource: but('CarePlan.json', () => ({ subject: { reference: 'Group/1' } })),
      at: 'CarePlan.subject.reference',
      text: 'only to Patient',
    },
    {
      what: 'a Task with two identifiers of its action',
      resource: but('Task-call.json', (it) => ({ identifier: [...it.identifier, ...it.identifier] })),
      at: 'Task',
      text: "takes at most 1 of 'identifier:action', and has 2",
    },
    {
      what: 'a Task with an identifier that has no value',
      resource: but('Task-call.json', (it) => ({ identifier: [{ system: it.identifier[0].system }] })),
      at: 'Task.identifier[0]',
      text: "needs at least 1 of 'value'",
    },
    {
      what: 'a Task with a channel that there is not',
      resource: but('Task-call.json', (it) => ({
        input: it.input.map((input: Json) => (input.valueCode ? { ...input, valueCode: 'pigeon' } : input)),
      })),
      at: 'Task.input[1].value',
      text: 'not in value set https://aftercare.example/fhir/ValueSet/fu-channel',
    },
    {
      what: 'a Task with a target day that is a text',
      resource: but('Task-call.json', (it) => ({
        input: [
          ...it.input.filter((input: Json) => !input.valueDate),
          { type: { text: 'target-day' }, valueString: 'Monday' },
        ],
      })),
      at: 'Task.input[2].value',
      text: 'must be date',
    },
    {
      what: 'a Task for a group',
      resource: but('Task-survey.json', () => ({ for: { reference: 'Group/1' } })),
      at: 'Task.for.reference',
      text: 'only to Patient',
    },
    {
      what: 'an Appointment of another kind',
      resource: but('Appointment.json', () => ({
        appointmentType: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0276', code: 'CHECKUP' }] },
      })),
      at: 'Appointment.appointmentType',
      text: 'must match',
    },
    {
      what: 'an Appointment that nobody can book',
      resource: without('Appointment.json', 'requestedPeriod'),
      at: 'Appointment',
      text: "needs at least 1 of 'requestedPeriod'",
    },
    {
      what: 'a QuestionnaireResponse about an observation',
      resource: but('QuestionnaireResponse.json', () => ({ subject: { reference: 'Observation/1' } })),
      at: 'QuestionnaireResponse.subject.reference',
      text: 'only to Patient',
    },
    {
      what: 'a QuestionnaireResponse without its questionnaire',
      resource: without('QuestionnaireResponse.json', 'questionnaire'),
      at: 'QuestionnaireResponse',
      text: "needs at least 1 of 'questionnaire'",
    },
    {
      what: 'an Encounter of nobody',
      resource: without('Encounter.json', 'subject'),
      at: 'Encounter',
      text: "needs at least 1 of 'subject'",
    },
    {
      what: 'a Patient whose ethnic group is a text',
      resource: but('Patient.json', () => ({
        extension: [{ url: 'https://aftercare.example/fhir/StructureDefinition/v2-ethnic-group', valueString: 'x' }],
      })),
      at: 'Patient.extension[0].value',
      text: 'must be CodeableConcept',
    },
  ];
}
