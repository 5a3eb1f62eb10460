/** What R4 asks of orders, reports, results and answers, and a message may leave out. */
import { completeAnswers } from './complete-answers.ts';
import type { Built, Json, MappingContext } from './context.ts';
import { ours } from './converters.ts';
import { unknownElement } from './data-absent.ts';
import { keepEntries } from './entries.ts';
import { completeTimings } from './timing.ts';
import { completeVitalSign } from './vital-signs.ts';

/** Completes one resource after all rows; leaves those of other types as they are. */
export function completeOrder(built: Built, context: MappingContext): void {
  const { resource } = built;
  completeNotes(resource);
  if (resource.resourceType === 'DiagnosticReport') completeReport(built);
  if (resource.resourceType === 'ServiceRequest') {
    // prr-1: a detail is one of a code.
    if (resource.orderDetail) resource.code ??= { text: 'unknown' };
    completeTimings(resource);
    withoutItself(built, context);
  }
  if (resource.resourceType === 'Observation') {
    for (const { valueRange, valueRatio } of [resource, ...(resource.component ?? [])]) {
      if (valueRange) straightenRange(valueRange);
      if (valueRatio) completeRatio(valueRatio);
    }
    completeVitalSign(built, context);
  }
  if (resource.resourceType === 'QuestionnaireResponse') completeAnswers(built, context);
}

/** Two orders of one number are one, and the second may name the first (OBR-29): no order is based on itself, nor twice on another. */
function withoutItself(built: Built, { aliases }: MappingContext): void {
  if (!built.resource.basedOn) return;
  const numberOf = (it: Json): string => `${it.system}|${it.value}`;
  const known = new Map<string, Json>((built.resource.identifier ?? []).map((it: Json) => [numberOf(it), it]));
  keepEntries(built, 'basedOn', ({ identifier }) => {
    const same = identifier && known.get(numberOf(identifier));
    if (same) aliases?.set(identifier, same);
    else if (identifier) known.set(numberOf(identifier), identifier);
    return !same;
  });
}

/** Annotation.text is required: a note that came without words says so. */
function completeNotes({ note = [], extension = [] }: Json): void {
  if (note.length + extension.length === 0) return;
  for (const it of [...note, ...extension.map((entry: Json) => entry.valueAnnotation)])
    if (it && it.text === undefined && it._text === undefined) it._text = unknownElement();
}

/** rat-1: of a ratio both parts are there, or none. */
function completeRatio(ratio: Json): void {
  for (const key of ['numerator', 'denominator']) ratio[key] ??= unknownElement();
}

/**
 * rng-2: a range that ends below its begin keeps its end, as a Period does; which of the two is wrong, nobody can tell. An end
 * that is no number can be compared with none.
 */
function straightenRange(range: Json): void {
  const { low, high } = range;
  if (!low || !high || low.value <= high.value) return;
  const aside = high.value === undefined ? 'high' : 'low';
  range.extension = [...(range.extension ?? []), { url: `${ours}v2-range-${aside}`, valueQuantity: range[aside] }];
  delete range[aside];
}

const answers = `${ours}v2-answers`;

/**
 * Each result is a register of its own: a correction that holds one of them keeps the others. A response is named once,
 * however many of its answers stand below the OBR.
 */
function completeReport({ resource, registers }: Built): void {
  for (const key of ['result', 'specimen']) {
    const entries = resource[key] as Json[] | undefined;
    if (!entries) continue;
    const once = new Map(entries.map((it): [string, Json] => [it.reference, it]));
    resource[key] = [...once.values()];
    registers.set(key, [...once.keys()]);
  }
  const named = new Set<string>();
  resource.extension = (resource.extension as Json[] | undefined)?.filter(({ url, valueReference }) => {
    if (url !== answers) return true;
    return !named.has(valueReference.reference) && named.add(valueReference.reference);
  });
  if (!resource.extension) delete resource.extension;
}
