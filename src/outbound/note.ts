/**
 * A follow-up call or home visit that was made ─▶ MDM T02, a note for the record of the visit. HL7 v2.5.1 chapter 9, 9.5.2 and
 * 9.6.1. Pure.
 *
 * The note is the completed Task with its checklist, not a Communication or a DocumentReference: the Task is what the
 * protocol asked for and the centre is measured by (programme.md 1.2, 12–16), one for each call, with visit, caller and
 * outcome. A Communication is one attempt, also the one that nobody answered; a DocumentReference is a file that somebody
 * wrote elsewhere, and complaints have some that are not for the record.
 */
import type { Json } from '../fhir/types.ts';
import type { Zone } from '../fhir/zone.ts';
import { answeredItems } from './answered-items.ts';
import { dtm, nm, repetitions, segment, st } from './field.ts';
import { eiOf, pid, pv1, xcn } from './person.ts';
import type { Rule, Scene } from './scene.ts';

/** Ways to the patient that end in a note; a survey, which is also done by link, ends in its answers. */
const channels = ['phone', 'home'];

/** Lines of a note, and characters of one repetition of OBX-5. */
const linesMax = 2000;
const repetitionCharsMax = 200;

export const noteRule: Rule = {
  resourceType: 'Task',

  about: ({ for: patient, encounter }) => ({ patient: patient?.reference, encounter: encounter?.reference }),

  concerns(task) {
    const ways = (task.input ?? []).filter((it: Json) => it.type?.text === 'channel').map((it: Json) => it.valueCode);
    return (
      task.status === 'completed' &&
      task.encounter !== undefined &&
      ways.some((it: string) => channels.includes(it)) &&
      !ways.includes('link')
    );
  },

  references(task) {
    const owner: string[] = task.owner?.reference ? [task.owner.reference] : [];
    return { resources: [...owner, ...checklistsOf(task)], questionnaires: [] };
  },

  /** Once: a note that was sent is in the record of the hospital, and who mends it does so there. */
  tell(known, now, scene) {
    if (known || !now || !scene.encounter) return undefined;
    const { destination, zone, look } = scene;
    const author = xcn(look(now.owner?.reference), destination);
    const doneAt = dtm(doneAtOf(now, scene), zone);
    const lines = noteLines(now, scene).slice(0, linesMax);
    return {
      type: ['MDM', 'T02', 'MDM_T02'],
      segments: [
        segment('EVN', { 1: 'T02', 2: doneAt }),
        pid(scene),
        ...pv1(scene),
        segment('TXA', {
          1: '1',
          2: 'PR',
          3: 'TX',
          4: doneAt,
          5: author,
          6: doneAt,
          9: author,
          12: eiOf(now, destination),
          17: 'DO',
          19: 'AV',
        }),
        ...lines.map((line, i) =>
          segment('OBX', {
            1: String(i + 1),
            2: 'TX',
            3: 'FOLLOWUP^Follow-up note^L',
            4: String(i + 1),
            5: repetitions(wrapped(line).map(st)),
            11: 'F',
            14: doneAt,
          }),
        ),
      ],
    };
  },
};

/** References to the answer sheets of a Task: what came out of it. */
function checklistsOf(task: Json): string[] {
  return (task.output ?? [])
    .map((it: Json) => it.valueReference?.reference)
    .filter((it: unknown) => typeof it === 'string' && it.startsWith('QuestionnaireResponse/'));
}

function sheets(task: Json, { look }: Scene): Json[] {
  return checklistsOf(task).flatMap((it) => look(it) ?? []);
}

/** When the call was made: what the checklist says, else when the Task was changed last. */
function doneAtOf(task: Json, scene: Scene): unknown {
  return sheets(task, scene)[0]?.authored ?? task.lastModified ?? task.meta?.lastUpdated;
}

/** The note as a person reads it: what, when and by whom, how it ended, question by question, remarks. */
function noteLines(task: Json, scene: Scene): string[] {
  const { zone, look } = scene;
  const title = task.code?.text ?? task.code?.coding?.[0]?.display ?? task.description ?? '';
  const when = Date.parse(String(doneAtOf(task, scene)));
  const owner = look(task.owner?.reference);
  const by = owner?.resourceType === 'Practitioner' ? nameOf(owner) : (owner?.name ?? task.owner?.display ?? '');
  const made = [Number.isNaN(when) ? '' : zone.isoOf(when).slice(0, 16).replace('T', ' '), by];
  return [
    title,
    made.filter((it) => it).join(' '),
    task.businessStatus?.text,
    task.statusReason?.text,
    ...sheets(task, scene).flatMap((sheet) => sheetLines(sheet, scene)),
    ...(task.note ?? []).map((it: Json) => it.text),
  ].filter((it): it is string => typeof it === 'string' && it !== '');
}

function nameOf({ name: [name] = [{}] }: Json): string {
  if (name.text) return name.text;
  // Chinese names have no blank between their parts.
  const given = (name.given ?? []).join(' ');
  return /\p{Script=Han}/u.test(name.family ?? '') ? `${name.family}${given}` : `${given} ${name.family ?? ''}`.trim();
}

function sheetLines(sheet: Json, { questionnaire, zone }: Scene): string[] {
  const asked = questionnaire(sheet.questionnaire);
  const chinese = asked?.language?.startsWith('zh') === true;
  const items = answeredItems(sheet, asked).filter((it) => !it.hidden);
  return [
    asked?.title ?? '',
    ...items.map(({ linkId, text, answers }) => {
      const said = answers.map((it) => answerText(it, zone, chinese)).filter((it) => it);
      return `${text || linkId}: ${said.join(chinese ? '、' : ', ')}`;
    }),
  ];
}

function answerText(answer: Json, zone: Zone, chinese: boolean): string {
  if (answer.valueCoding) return answer.valueCoding.display ?? answer.valueCoding.code ?? '';
  if (answer.valueBoolean !== undefined) {
    const [yes, no] = chinese ? ['是', '否'] : ['yes', 'no'];
    return answer.valueBoolean ? yes : no;
  }
  const { value, comparator = '', unit = '' } = answer.valueQuantity ?? {};
  if (value !== undefined) return `${comparator}${nm(value)} ${unit}`.trim();
  if (answer.valueDateTime) {
    const at = Date.parse(answer.valueDateTime);
    return answer.valueDateTime.length > 10 && !Number.isNaN(at)
      ? zone.isoOf(at).slice(0, 16).replace('T', ' ')
      : answer.valueDateTime;
  }
  const number = answer.valueDecimal ?? answer.valueInteger;
  if (number !== undefined) return nm(number);
  const { valueString, valueDate, valueTime, valueUri, valueReference, valueAttachment } = answer;
  return String(
    valueString ?? valueDate ?? valueTime ?? valueUri ?? valueReference?.display ?? valueAttachment?.title ?? '',
  );
}

/** A line in pieces that receivers with short fields take; never in the middle of a character. */
function wrapped(line: string): string[] {
  return line.split(/\r\n?|\n/).flatMap((part) => {
    const characters = [...part];
    const pieces: string[] = [];
    for (let at = 0; at < characters.length; at += repetitionCharsMax)
      pieces.push(characters.slice(at, at + repetitionCharsMax).join(''));
    return pieces;
  });
}
