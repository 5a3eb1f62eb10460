/** The answers of a QuestionnaireResponse in the groups and the order of its questionnaire, and the status that they allow. */
import type { Built, Json, MappingContext, Trace } from './context.ts';
import { ours } from './converters.ts';
import type { Sheet } from './questionnaire.ts';

/**
 * Orders the items that the rows made, one for each OBX. Several answers to a question that takes one: the last counts, the
 * others stand in an extension. A response that lacks a required answer is still in progress; one of which every answer was
 * deleted is entered in error.
 */
export function completeAnswers({ resource, registers }: Built, { questionnaires, trace }: MappingContext): void {
  const sheet = questionnaires?.sheet(resource.questionnaire ?? '');
  if (!sheet || !resource.item) return;
  const answered = byLinkId(resource.item, sheet);
  putAsideUnasked(resource, sheet, answered, trace);
  const items = arranged(sheet.definitions, answered);
  if (items.length > 0) resource.item = items;
  else delete resource.item;
  // What a later message says of a question or a group takes its place; the others stay, in the order of the questionnaire.
  const places = new Map(sheet.definitions.map((it, i) => [it.linkId, `item${i}`]));
  registers.set(
    'item',
    items.map((it) => places.get(it.linkId) as string),
  );
  const all = [...answered.values()];
  if (all.every((it) => !it.answer) && all.some((it) => hasExtension(it, 'v2-deleted-answer')))
    resource.status = 'entered-in-error';
  else if (resource.status === 'completed' && lacksAnswer(sheet, answered)) resource.status = 'in-progress';
}

function hasExtension({ extension }: Json, name: string): boolean {
  return (extension ?? []).some((it: Json) => it.url === `${ours}${name}`);
}

/** One item for each question: OBX of the same question are put together. */
function byLinkId(items: readonly Json[], sheet: Sheet): Map<string, Json> {
  const all = new Map<string, Json>();
  for (const item of items) {
    const first = all.get(item.linkId);
    if (!first) {
      all.set(item.linkId, item);
      continue;
    }
    if (item.answer) first.answer = [...(first.answer ?? []), ...item.answer];
    if (item.extension) first.extension = [...(first.extension ?? []), ...item.extension];
  }
  for (const [linkId, item] of all) {
    if (sheet.items.get(linkId)?.repeats || (item.answer ?? []).length < 2) continue;
    const former = (item.answer as Json[]).slice(0, -1).map((it) => ({ url: `${ours}v2-former-answer`, ...it }));
    item.extension = [...(item.extension ?? []), ...former];
    item.answer = (item.answer as Json[]).slice(-1);
  }
  return all;
}

/**
 * What is said of questions that the questionnaire does not ask, given the other answers: R4 wants no item there ("if
 * enableWhen is not met, then all nested items and answers shall be omitted"). It stands in extensions of the response; without
 * these answers other questions may not be asked either.
 */
function putAsideUnasked(resource: Json, sheet: Sheet, answered: Map<string, Json>, trace: Trace[] | undefined): void {
  for (
    let found = unasked(sheet.definitions, answered);
    found.length > 0;
    found = unasked(sheet.definitions, answered)
  ) {
    for (const item of found) {
      answered.delete(item.linkId);
      const answers = ((item.answer ?? []) as Json[]).map((it) => ({ url: 'answer', ...it }));
      const linkId = { url: 'linkId', valueString: item.linkId };
      const aside = { url: `${ours}v2-unasked-answer`, extension: [linkId, ...answers, ...(item.extension ?? [])] };
      resource.extension = [...(resource.extension ?? []), aside];
      // The item is gone: what made it made the extension.
      for (const it of trace?.filter(({ container }) => container === item) ?? [])
        trace?.push({ ...it, container: aside, key: 'extension' });
    }
  }
}

function unasked(definitions: readonly Json[], answered: ReadonlyMap<string, Json>, above = true): Json[] {
  return definitions.flatMap((definition) => {
    const own = answered.get(definition.linkId);
    const enabled = above && (isEnabled(definition, answered) || isOpen(definition, own, answered));
    return [...(own && !enabled ? [own] : []), ...unasked(definition.item ?? [], answered, enabled)];
  });
}

/** A correction may come alone: whether its question was asked is known from the answers that are stored. */
function isOpen({ enableWhen }: Json, item: Json | undefined, answered: ReadonlyMap<string, Json>): boolean {
  if (!item || !hasExtension(item, 'v2-amended')) return false;
  return (enableWhen as Json[]).every(({ question }) => !answered.has(question));
}

function arranged(definitions: readonly Json[], answered: ReadonlyMap<string, Json>): Json[] {
  const items: Json[] = [];
  for (const { linkId, text, item: below = [] } of definitions) {
    const own = answered.get(linkId);
    const children = arranged(below, answered);
    if (!own && children.length === 0) continue;
    const item = own ?? { linkId, ...(text && { text }) };
    items.push(item);
    // qrs-1: below an answer, or below the item that has none.
    if (children.length > 0) (item.answer?.[0] ?? item).item = children;
  }
  return items;
}

function lacksAnswer(sheet: Sheet, answered: ReadonlyMap<string, Json>): boolean {
  const lacking = (definitions: readonly Json[]): boolean =>
    definitions.some((definition) => {
      if (!isEnabled(definition, answered)) return false;
      const { linkId, required } = definition;
      return (required && sheet.items.has(linkId) && !answered.get(linkId)?.answer) || lacking(definition.item ?? []);
    });
  return lacking(sheet.definitions);
}

/** R4 questionnaire.html, enableWhen and enableBehavior. */
function isEnabled({ enableWhen, enableBehavior }: Json, answered: ReadonlyMap<string, Json>): boolean {
  if (!enableWhen) return true;
  const holds = (condition: Json): boolean => {
    const answers = (answered.get(condition.question)?.answer ?? []) as Json[];
    if (condition.operator === 'exists') return answers.length > 0 === condition.answerBoolean;
    return answers.some((it) => compares(it, condition));
  };
  return enableBehavior === 'all' ? enableWhen.every(holds) : enableWhen.some(holds);
}

function compares(answer: Json, { operator, ...condition }: Json): boolean {
  const wanted = scalar(Object.entries(condition).find(([key]) => key.startsWith('answer'))?.[1]);
  const found = scalar(Object.entries(answer).find(([key]) => key.startsWith('value'))?.[1]);
  if (wanted === undefined || found === undefined) return false;
  switch (operator) {
    case '=':
      return found === wanted;
    case '!=':
      return found !== wanted;
    case '>':
      return found > wanted;
    case '<':
      return found < wanted;
    case '>=':
      return found >= wanted;
    default:
      return found <= wanted;
  }
}

function scalar(value: unknown): string | number | boolean | undefined {
  if (typeof value !== 'object' || value === null) return value as string | number | boolean | undefined;
  const { system, code, value: number } = value as Json;
  return number ?? (code === undefined ? undefined : `${system ?? ''}|${code}`);
}
