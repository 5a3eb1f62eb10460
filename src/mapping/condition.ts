/** Conditions of rows, compiled to predicates. */
import { parseDateTime, toFhirDate } from '../hl7v2/datetime.ts';
import { cut, type FieldRef, parseRef, type Segment } from '../hl7v2/message.ts';
import { isValued, leaf, type MappingContext, partOf, type Source } from './context.ts';
import { itemNamed } from './questionnaire.ts';
import type { Condition } from './rows.ts';

/** True when the row counts for this source. */
export type Predicate = (source: Source, context: MappingContext) => boolean;

/** A place to read: its raw text (first repetition), and the level of that text. */
export interface Getter {
  raw(source: Source, context: MappingContext): string;
  level(source: Source): number;
}

/**
 * A place read by rows of `owner` (segment name or data type). A place of another segment is read from the first
 * segment of that name in the message.
 * @throws Error when the place cannot be read from here
 */
export function compileGetter(owner: string, place: string): Getter {
  const ref = parseRef(place);
  if (!ref) throw new Error(`'${place}' is not a place such as PID-3.1`);
  const depth = ref.subcomponent > 0 ? 2 : ref.component > 0 ? 1 : 0;
  if (ref.segment === owner) {
    return {
      raw: (source, context) => within(source.repetitions(ref.field)[0], source.level, ref, context),
      level: (source) => source.level + depth,
    };
  }
  if (!/^[A-Z][A-Z0-9]{2}-/.test(place)) throw new Error(`'${place}' cannot be read by rows of ${owner}`);
  return {
    raw: (source, context) => within(segmentOf(source, ref, context)?.repetitions(ref.field)[0], 1, ref, context),
    level: () => 1 + depth,
  };
}

function segmentOf(source: Source, ref: FieldRef, context: MappingContext): Segment | undefined {
  return context.owners.segmentNamed(ref.segment, source.segment);
}

function within(raw: string | undefined, level: number, ref: FieldRef, context: MappingContext): string {
  if (raw === undefined || ref.component === 0) return raw ?? '';
  const part = partOf(raw, level, ref.component, context.delimiters);
  return ref.subcomponent === 0 ? part : cut(part, context.delimiters.subcomponent, ref.subcomponent);
}

/** Compiles a condition; no condition always holds. @throws Error for a place that cannot be read */
export function compileCondition(
  owner: string,
  when: Condition | readonly Condition[] | undefined,
): Predicate | undefined {
  if (!when) return undefined;
  const list = (Array.isArray(when) ? when : [when]) as Condition[];
  const parts = list.flatMap((condition) => [...predicates(owner, condition)]);
  if (parts.length === 1) return parts[0];
  return (source, context) => parts.every((part) => part(source, context));
}

function* predicates(owner: string, condition: Condition): Generator<Predicate> {
  const { valued, absent, repeats, single, first, further } = condition;
  if (valued) yield valuedAt(owner, valued, true);
  if (absent) yield valuedAt(owner, absent, false);
  for (const [place, test, wanted] of [
    [condition.dated, isDated, true],
    [condition.undated, isDated, false],
    [condition.past, isPast, true],
    [condition.notPast, isPast, false],
  ] as const) {
    if (!place) continue;
    const text = textAt(owner, place);
    yield (source, context) => test(text(source, context), context) === wanted;
  }
  if (condition.some) {
    const parts = condition.some.map((place) => valuedAt(owner, place, true));
    yield (source, context) => parts.some((part) => part(source, context));
  }
  for (const [place, wanted] of [
    [condition.item, true],
    [condition.noItem, false],
  ] as const) {
    if (!place) continue;
    const get = compileGetter(owner, place);
    yield (source, context) =>
      (itemNamed(get.raw(source, context), get.level(source), context) !== undefined) === wanted;
  }
  if (repeats) yield countAt(owner, repeats, (count) => count > 1);
  if (single) yield countAt(owner, single, (count) => count <= 1);
  if (first) yield (source, context) => !isFurther(source, context);
  if (further) yield isFurther;
  for (const [limit, wanted] of [
    [condition.longer, true],
    [condition.notLonger, false],
  ] as const) {
    if (!limit) continue;
    const text = textAt(owner, limit[0]);
    yield (source, context) => text(source, context).length > limit[1] === wanted;
  }
  for (const [list, wanted] of [
    [condition.in, true],
    [condition.notIn, false],
  ] as const) {
    if (!list) continue;
    const text = textAt(owner, list[0] as string);
    const values = new Set(list.slice(1));
    yield (source, context) => values.has(text(source, context)) === wanted;
  }
}

/** Segments stand behind their group, so it is enough to look at the one before of the same name. */
function isFurther({ segment }: Source, { message, owners }: MappingContext): boolean {
  const { name, sequence } = segment;
  const before = message.named(name)[sequence - 2];
  return before !== undefined && owners.groupOf(before) === owners.groupOf(segment);
}

function isDated(text: string): boolean {
  return parseDateTime(text) !== undefined;
}

/** By the digits as written, to the precision of the date: clocks of two systems are never the same. */
function isPast(text: string, { message, receivedAt }: MappingContext): boolean {
  const day = toFhirDate(text);
  const sent = toFhirDate(message.header.text(7)) ?? receivedAt;
  return day !== undefined && day <= sent.slice(0, day.length);
}

function valuedAt(owner: string, place: string, wanted: boolean): Predicate {
  const get = compileGetter(owner, place);
  return (source, context) => isValued(get.raw(source, context), context.delimiters) === wanted;
}

function countAt(owner: string, place: string, test: (count: number) => boolean): Predicate {
  const ref = parseRef(place);
  if (!ref || ref.segment !== owner) throw new Error(`'${place}' is not a field of ${owner}`);
  return (source) => test(source.repetitions(ref.field).length);
}

/** The text at a place, unescaped. */
export function textAt(owner: string, place: string): (source: Source, context: MappingContext) => string {
  const get = compileGetter(owner, place);
  return (source, context) => {
    const raw = get.raw(source, context);
    return raw === '' ? '' : leaf(raw, get.level(source), context.delimiters);
  };
}
