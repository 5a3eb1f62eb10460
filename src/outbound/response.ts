/**
 * QuestionnaireResponse ─▶ ORU R01: one OBR for the questionnaire, one OBX for each answer. HL7 v2.5.1 chapter 7, 7.3.1, 7.4.1
 * and 7.4.2. Pure.
 */
import type { Json } from '../fhir/types.ts';
import type { Zone } from '../fhir/zone.ts';
import { type AnsweredItem, answeredItems } from './answered-items.ts';
import { components, dtm, nm, segment, st } from './field.ts';
import { codingText, eiOf, pid, pv1 } from './person.ts';
import type { Rule, Scene } from './scene.ts';

/** Table 0085: final, corrected, taken back. */
type Status = 'F' | 'C' | 'W';

const done = ['completed', 'amended'];

export const responseRule: Rule = {
  resourceType: 'QuestionnaireResponse',

  about: ({ subject, encounter }) => ({ patient: subject?.reference, encounter: encounter?.reference }),

  concerns: ({ status }) => done.includes(status),

  references: ({ questionnaire }) => ({ resources: [], questionnaires: questionnaire ? [questionnaire] : [] }),

  tell(known, now, scene) {
    const wording = (it: Json): string => lines(observations(it, scene), 'F', scene).join('\r');
    const status = statusOf(known, now, wording);
    // What was taken back is what the hospital was told, whatever has become of it here.
    const response = status === 'W' ? known : now;
    if (!status || !response) return undefined;
    const said = observations(response, scene);
    const before = status === 'C' && known ? observations(known, scene) : [];
    const places = new Set(said.map(placeOf));
    const gone = before.filter((it) => !places.has(placeOf(it)));
    const segments = [
      pid(scene),
      ...pv1(scene),
      request(response, status, scene),
      ...lines(said, status, scene),
      // An answer that is there no more is not corrected by silence.
      ...lines(gone, 'D', scene, said.length),
    ];
    return { type: ['ORU', 'R01', 'ORU_R01'], segments };
  },
};

function statusOf(
  known: Json | undefined,
  now: Json | undefined,
  wording: (response: Json) => string,
): Status | undefined {
  const told = known !== undefined && done.includes(known.status);
  const isDone = now !== undefined && done.includes(now.status);
  if (!told) return isDone ? 'F' : undefined;
  if (!isDone) return 'W';
  return wording(known) === wording(now) ? undefined : 'C';
}

/** What OBX-3.3 and OBR-4 call the questionnaire: its name, else what its canonical ends with. */
function nameOf(response: Json, questionnaire: Json | undefined): string {
  const [, last] = /([^/|]+)(?:\|.*)?$/.exec(response.questionnaire ?? '') ?? [];
  return questionnaire?.name ?? last ?? 'QUESTIONNAIRE';
}

function request(response: Json, status: Status, scene: Scene): string {
  const questionnaire = scene.questionnaire(response.questionnaire);
  const name = st(nameOf(response, questionnaire));
  const canonical = st(response.questionnaire);
  return segment('OBR', {
    1: '1',
    3: eiOf(response, scene.destination),
    4: components(name, st(questionnaire?.title ?? name), 'L', canonical, '', canonical && 'URI'),
    7: dtm(response.authored, scene.zone),
    22: dtm(response.authored, scene.zone),
    // Table 0123 has no W: the order is withdrawn, its results say why.
    25: status === 'W' ? 'X' : status,
  });
}

/** One answer on its way into an OBX. */
interface Observation {
  /** OBX-3. */
  readonly question: string;
  /** OBX-4. */
  readonly sub: string;
  readonly value: Value;
  /** FHIR dateTime. */
  readonly at: unknown;
}

function observations(response: Json, scene: Scene): Observation[] {
  const questionnaire = scene.questionnaire(response.questionnaire);
  const name = nameOf(response, questionnaire);
  return answeredItems(response, questionnaire).flatMap((item) => {
    const sent = item.answers.flatMap((answer) => valueFrom(answer, scene) ?? []);
    // Beside each other under one OBX-3 they would overwrite one another: the last number of OBX-4 tells them apart (7.4.2.4).
    return sent.map((value, i): Observation => {
      const question = components(st(item.linkId), st(item.text), st(name));
      const sub = subId(item, sent.length > 1 ? String(i + 1) : '');
      return { question, sub, value, at: response.authored };
    });
  });
}

/** What tells one answer of a response from another. */
function placeOf({ question, sub }: Observation): string {
  return `${question}|${sub}`;
}

/** @param before OBX that stand before these */
function lines(all: readonly Observation[], status: Status | 'D', { zone }: Scene, before = 0): string[] {
  return all.map(({ question, sub, value: { type, text, unit }, at }, i) =>
    segment('OBX', {
      1: String(before + i + 1),
      2: type,
      3: question,
      4: sub,
      5: text,
      6: unit,
      11: status,
      14: dtm(at, zone),
    }),
  );
}

function subId({ path }: AnsweredItem, number: string): string {
  return [path, number].filter((it) => it).join('.');
}

interface Value {
  /** OBX-2, table 0125. */
  readonly type: string;
  /** OBX-5. */
  readonly text: string;
  /** OBX-6. */
  readonly unit?: string;
}

/** `value[x]` of an answer; undefined for an attachment, which no OBX of ours carries. */
function valueFrom(answer: Json, { zone, destination }: Scene): Value | undefined {
  const coded = destination.version < '2.5' ? 'CE' : 'CWE';
  if (answer.valueCoding) return { type: coded, text: codingText(answer.valueCoding) };
  if (answer.valueBoolean !== undefined)
    return { type: coded, text: answer.valueBoolean ? 'Y^Yes^HL70136' : 'N^No^HL70136' };
  const number = answer.valueDecimal ?? answer.valueInteger;
  if (number !== undefined) return { type: 'NM', text: nm(number) };
  if (answer.valueQuantity) return quantity(answer.valueQuantity);
  if (answer.valueDate) return { type: 'DT', text: dayOf(answer.valueDate, zone) };
  if (answer.valueDateTime)
    return { type: destination.version < '2.6' ? 'TS' : 'DTM', text: dtm(answer.valueDateTime, zone) };
  if (answer.valueTime) return { type: 'TM', text: String(answer.valueTime).slice(0, 8).replaceAll(':', '') };
  const text =
    answer.valueString ?? answer.valueUri ?? answer.valueReference?.display ?? answer.valueReference?.reference;
  return text === undefined ? undefined : { type: /\n/.test(text) ? 'TX' : 'ST', text: st(text) };
}

function dayOf(value: unknown, zone: Zone): string {
  return dtm(value, zone).slice(0, 8);
}

function quantity({ value, comparator, unit, code, system }: Json): Value {
  const units = components(st(code ?? unit), st(unit), st(system === 'http://unitsofmeasure.org' ? 'UCUM' : ''));
  // A comparator is part of the value: SN has a place for it, NM has none (2.A.68).
  if (comparator) return { type: 'SN', text: components(st(comparator), nm(value)), unit: units };
  return { type: 'NM', text: nm(value), unit: units };
}
