/** The items of a QuestionnaireResponse in the order in which they stand, each with its place and its question. Pure. */
import type { Json } from '../fhir/types.ts';

/** One item that was answered. */
export interface AnsweredItem {
  readonly linkId: string;
  /** What was asked: as the response says, else as the questionnaire does. */
  readonly text: string;
  readonly answers: readonly Json[];
  /** Numbers of the groups and items around it, each among those beside it, from outside: `2`, `2.1`; empty at the top. */
  readonly path: string;
  /** Not shown to people (R4 extension questionnaire-hidden). */
  readonly hidden: boolean;
}

/** Items that are read at most, and how deep; JSON is nested 100 levels at most. */
const itemsMax = 5000;

const hiddenUrl = 'http://hl7.org/fhir/StructureDefinition/questionnaire-hidden';

/** @param questionnaire for the texts that the response leaves out */
export function answeredItems(response: Json, questionnaire: Json | undefined): AnsweredItem[] {
  const asked = new Map<string, Json>();
  for (const item of nested(questionnaire?.item ?? [])) asked.set(item.linkId, item);
  const found: AnsweredItem[] = [];
  const visit = (items: readonly Json[], path: string, hiddenAbove: boolean): void => {
    for (const [i, { linkId, text, answer = [], item = [] }] of items.entries()) {
      const question = asked.get(linkId);
      const hidden = hiddenAbove || question?.extension?.some((it: Json) => it.url === hiddenUrl && it.valueBoolean);
      if (found.length >= itemsMax) return;
      if (answer.length > 0)
        found.push({ linkId, text: text ?? question?.text ?? '', answers: answer, path, hidden: hidden === true });
      const inner = [...item, ...answer.flatMap((it: Json) => it.item ?? [])];
      if (inner.length > 0) visit(inner, path === '' ? String(i + 1) : `${path}.${i + 1}`, hidden === true);
    }
  };
  visit(response.item ?? [], '', false);
  return found;
}

function nested(items: readonly Json[]): Json[] {
  return items.flatMap((item) => [item, ...nested(item.item ?? [])]);
}
