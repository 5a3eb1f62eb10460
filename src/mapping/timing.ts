/** Patterns of time (RPT, TQ) ─▶ FHIR Timing, and what R4's invariants of Timing ask for. HL7 v2.5.1 2.A.64, 2.A.81. */
import { toFhirDateTime, toFhirTime } from '../hl7v2/datetime.ts';
import { type Json, leaf, type MappingContext, partOf } from './context.ts';
import type { Converter, ConverterInput } from './converters.ts';
import { converters, ours } from './converters.ts';
import { allParts } from './texts.ts';
import { timeUnitOf } from './unit.ts';

/** Parts of a composite text, each as raw and as words. */
function parts(raw: string, { level, context }: ConverterInput): { raw(n: number): string; text(n: number): string } {
  const rawOf = (n: number): string => partOf(raw, level, n, context.delimiters);
  return { raw: rawOf, text: (n) => (rawOf(n) === '' ? '' : leaf(rawOf(n), level + 1, context.delimiters)) };
}

export function numberOf(text: string): number | undefined {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** Translated as the coding converters do it. Patterns such as `Q6H` are codes that no table can list: they wait for nobody. */
function concept(raw: string, input: ConverterInput, name: string): Json | undefined {
  if (raw === '') return undefined;
  const type = converters['CWE-CodeableConcept'] as Converter;
  const listed = input.context.tables.get(name);
  const table = listed && { ...listed, name: '' };
  return type.convert(raw, { ...input, level: input.level + 1, table }) as Json;
}

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** RPT.3 to RPT.4 of the calendar alignment DW: 1 is Monday (v3 GTS); a range over the weekend goes on with Monday. */
function daysOfWeek(from: string, to: string): string[] {
  const first = numberOf(from);
  const last = numberOf(to) ?? first;
  if (first === undefined || last === undefined || !days[first - 1] || !days[last - 1]) return [];
  const count = ((last - first + 7) % 7) + 1;
  return Array.from({ length: count }, (_, i) => days[(first - 1 + i) % 7] as string);
}

const minutesPer: Readonly<Record<string, number>> = { s: 1 / 60, min: 1, h: 60, d: 1440, wk: 10_080 };

/** An amount in whole minutes; undefined for what is no such time. */
export function minutesOf(amount: string, unit: string, context: MappingContext): number | undefined {
  const value = numberOf(amount);
  const per = minutesPer[unit === '' ? 'min' : (timeUnitOf(unit, context) ?? '')];
  if (value === undefined || per === undefined) return undefined;
  const minutes = Math.round(value * per);
  return minutes >= 0 && minutes <= 2_147_483_647 ? minutes : undefined;
}

function said(object: Json): Json | undefined {
  const kept = Object.entries(object).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && !value.length),
  );
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

function textExtension(name: string, text: string): Json[] | undefined {
  return text === '' ? undefined : [{ url: `${ours}${name}`, valueString: text }];
}

/** Guide, RPT[Timing]; what R4 has no element for (RPT.2 to .4, .7, .11) stands in the text beside it. */
function repeatPattern(raw: string, input: ConverterInput): Json | undefined {
  const { raw: rawOf, text } = parts(raw, input);
  const period = numberOf(text(5));
  const periodUnit = timeUnitOf(text(6), input.context);
  const when = input.context.tables.get('EventRelatedPeriod')?.translate(text(8))?.code;
  const repeat = said({
    ...(period !== undefined && period >= 0 && periodUnit && { period, periodUnit }),
    ...(text(2) === 'DW' && { dayOfWeek: daysOfWeek(text(3), text(4)) }),
    ...(when && { when: [when] }),
    ...(when && text(9) && { offset: minutesOf(text(9), text(10), input.context) }),
  });
  const beyond = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11].some((n) => text(n) !== '');
  return said({
    extension: beyond ? textExtension('v2-repeat-pattern', allParts(raw, input) ?? '') : undefined,
    repeat,
    code: concept(rawOf(1), input, 'RepeatPattern'),
  });
}

/** TQ.3: `M30`, `H8`, `D10` (2.A.81.3); the number alone is minutes. As a Duration; undefined for `X` and words. */
function tqDuration(text: string, context: MappingContext): Json | undefined {
  const [, unit = 'min', number = ''] = /^([A-Za-z]{0,3})(\d{1,9})$/.exec(text) ?? [];
  const code = number && timeUnitOf(unit || 'min', context);
  return code ? { value: Number(number), unit: code, system: 'http://unitsofmeasure.org', code } : undefined;
}

/** Guide, TQ[ServiceRequest]: interval, duration, start, end and number; the rest is read by the rows of ORC and OBR. */
function quantityTiming(raw: string, input: ConverterInput): Json | undefined {
  const { raw: rawOf, text } = parts(raw, input);
  const { context, level } = input;
  const d = context.delimiters;
  const interval = (n: number): string => partOf(rawOf(2), level + 1, n, d);
  const times = leaf(interval(2), level + 2, d)
    .split(',')
    .flatMap((it) => toFhirTime(it.trim()) ?? []);
  const period = said({
    start: toFhirDateTime(text(4), context.offsetOf),
    end: toFhirDateTime(text(5), context.offsetOf),
  });
  const duration = period ? undefined : tqDuration(text(3), context);
  const count = numberOf(text(12));
  const repeat = said({
    boundsPeriod: period,
    boundsDuration: duration,
    ...(count !== undefined && Number.isInteger(count) && count > 0 && { count }),
    timeOfDay: times,
  });
  const code = interval(1) === '' ? undefined : concept(interval(1), { ...input, level: level + 1 }, 'RepeatPattern');
  // Quantity, priority, condition and text have rows of their own.
  const beyond = (text(3) !== '' && !duration) || [9, 10, 11].some((n) => text(n) !== '');
  if (!repeat && !code && !beyond) return undefined;
  return said({
    extension: beyond ? textExtension('v2-quantity-timing', allParts(raw, input) ?? '') : undefined,
    repeat,
    code,
  });
}

/** The converters by the names that rows use in `type:`. */
export const timingConverters: Readonly<Record<string, Converter>> = {
  'RPT-Timing': { makes: ['Timing'], convert: repeatPattern },
  'TQ-Timing': { makes: ['Timing'], convert: quantityTiming },
};

const mealsAlone = ['C', 'CM', 'CD', 'CV'];

/** All timings of an order. */
export function completeTimings({ occurrenceTiming, extension = [] }: Json): void {
  for (const timing of [occurrenceTiming, ...extension.map((it: Json) => it.valueTiming)])
    if (timing) completeTiming(timing);
}

/**
 * tim-1, tim-2, tim-9, tim-10 (R4 datatypes.html#Timing): what may not stand without another, or beside it, goes into an
 * extension of the timing.
 */
function completeTiming(timing: Json): void {
  const repeat = timing.repeat as Json | undefined;
  if (!repeat) return;
  const aside = (key: string, extension: Json): void => {
    timing.extension = [...(timing.extension ?? []), extension];
    delete repeat[key];
  };
  for (const [key, unit] of [
    ['duration', 'durationUnit'],
    ['period', 'periodUnit'],
  ] as const) {
    if (repeat[key] === undefined) continue;
    if (repeat[unit] === undefined || repeat[key] < 0)
      aside(key, { url: `${ours}v2-${key}`, valueDecimal: repeat[key] });
  }
  const { when, timeOfDay, offset } = repeat;
  if (offset !== undefined && (!when || when.some((it: string) => mealsAlone.includes(it))))
    aside('offset', { url: `${ours}v2-offset-minutes`, valueUnsignedInt: offset });
  if (when && timeOfDay) {
    for (const time of timeOfDay) aside('timeOfDay', { url: `${ours}v2-time-of-day`, valueTime: time });
  }
  if (Object.keys(repeat).length === 0) delete timing.repeat;
}
