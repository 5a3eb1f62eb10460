/** Converters of orders and results (ORU): numbers with units and ranges, waveforms, documents, categories. */
import { toFhirInstant } from '../hl7v2/datetime.ts';
import { unescapeText } from '../hl7v2/escape.ts';
import { cut, type Segment } from '../hl7v2/message.ts';
import { clean, isValued, type Json, leaf, type MappingContext, partOf } from './context.ts';
import { type Converter, type ConverterInput, Unconverted } from './converters.ts';
import { unknownElement } from './data-absent.ts';
import { locations } from './pl-location.ts';
import { authoritySystemOf, codeSystemOf } from './systems.ts';
import { allParts } from './texts.ts';
import { minutesOf, numberOf, timingConverters } from './timing.ts';
import { timeUnitOf, type Unit, unitOf } from './unit.ts';

function textOf(raw: string, { level, context }: ConverterInput): string {
  const text = leaf(raw, level, context.delimiters);
  return text === '""' ? '' : text;
}

/** Text of the nth part, empty when it is not there. */
function partText(raw: string, { level, context }: ConverterInput, n: number): string {
  const part = partOf(raw, level, n, context.delimiters);
  return part === '' || part === '""' ? '' : leaf(part, level + 1, context.delimiters);
}

function original(text: string): Json {
  return { url: 'http://hl7.org/fhir/StructureDefinition/originalText', valueString: text };
}

/**
 * `value` of a Quantity, with what a number of JavaScript cannot hold: how many places were sent (`7.10`), or more digits than
 * it has. A text that is no number stands alone.
 */
function decimalOf(text: string): Json {
  const value = numberOf(text);
  if (value === undefined) return { _value: { extension: [original(text)] } };
  const sent = text
    .replace(/^\+/, '')
    .replace(/^(-?)0+(?=\d)/, '$1')
    .replace(/^(-?)\./, '$10.')
    .replace(/\.$/, '');
  if (sent === String(value)) return { value };
  const [, places = ''] = sent.split('.');
  const isExact = places !== '' && sent.replace(/\.?0+$/, '') === String(value);
  return { value, _value: { extension: [isExact ? { url: precision, valueInteger: places.length } : original(text)] } };
}

const precision = 'http://hl7.org/fhir/StructureDefinition/quantity-precision';

/** A sign of FHIR before a number; `≤` and `≥` as people write them. */
const comparators: Readonly<Record<string, string>> = {
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  '≤': '<=',
  '≥': '>=',
};

/** A number that a sender puts into NM: `>33.3` is a comparator and a value, `HI` keeps its text beside the unit. */
function numericQuantity(raw: string, input: ConverterInput): Json | undefined {
  const d = input.context.delimiters;
  const text = textOf(raw, input);
  // An NM has no parts: `5^6` is no five.
  if (isValued(raw.slice(cut(raw, d.component, 1).length), d))
    return { _value: { extension: [original(clean(unescapeText(raw, d)))] } };
  if (text === '') return undefined;
  const [, sign, number = ''] = /^(<=|>=|[<>≤≥])\s*(\S+)$/.exec(text) ?? [undefined, undefined, text];
  if (numberOf(number) === undefined) return decimalOf(text);
  return { ...(sign && { comparator: comparators[sign] }), ...decimalOf(number) };
}

/** CQ: an amount with its unit. */
function compositeQuantity(raw: string, input: ConverterInput): Json | undefined {
  const amount = partText(raw, input, 1);
  const unit = unitOf(partOf(raw, input.level, 2, input.context.delimiters), input.level + 1, input.context);
  if (amount === '' && !unit) return undefined;
  return { ...(amount && decimalOf(amount)), ...unit };
}

/** CQ as a Duration: drt-1 wants a unit of time in UCUM. */
function duration(raw: string, input: ConverterInput): unknown {
  const value = numberOf(partText(raw, input, 1));
  const code = timeUnitOf(cqUnit(raw, input), input.context);
  if (value !== undefined && code) return { value, unit: code, system: 'http://unitsofmeasure.org', code };
  const text = [partText(raw, input, 1), cqUnit(raw, input)].filter((it) => it).join(' ');
  return text ? new Unconverted(original(text)) : undefined;
}

function cqUnit(raw: string, { level, context }: ConverterInput): string {
  const part = partOf(raw, level, 2, context.delimiters);
  return part === '' ? '' : leaf(part, level + 1, context.delimiters);
}

/** Longer texts are no ranges of numbers. Characters. */
const rangeLengthMax = 100;
const rangePattern = /^([+-]?\d+(?:\.\d+)?)\s*(?:-|–|—|~|\.\.|to|至)\s*([+-]?\d+(?:\.\d+)?)(?:\s+(\S.*))?$/;
const limitPattern = /^(<=|>=|[<>≤≥])\s*([+-]?\d+(?:\.\d+)?)(?:\s+(\S.*))?$/;

/** OBX-7: its text, and low and high where it is a range of numbers in the unit of OBX-6 (guide, OBX[Observation]). */
function referenceRange(raw: string, input: ConverterInput): Json | undefined {
  const { context, segment } = input;
  const { component, subcomponent } = context.delimiters;
  const parts = raw.split(component).flatMap((part) => part.split(subcomponent));
  const text = parts
    .map((part) => leaf(part, 3, context.delimiters))
    .filter((it) => it)
    .join(' ');
  if (text === '') return undefined;
  return { ...limits(text, unitOf(segment.repetitions(6)[0] ?? '', 1, context)), text };
}

function limits(text: string, unit: Unit | undefined): Json {
  if (text.length > rangeLengthMax) return {};
  const [, low, high, of] = rangePattern.exec(text) ?? [];
  const quantity = (value: string): Json => ({ value: Number(value), ...unit });
  if (low !== undefined && high !== undefined)
    return isUnit(of, unit) && Number(low) <= Number(high) ? { low: quantity(low), high: quantity(high) } : {};
  const [, sign, limit, own] = limitPattern.exec(text) ?? [];
  if (sign === undefined || limit === undefined || !isUnit(own, unit)) return {};
  return { [/[<≤]/.test(sign) ? 'high' : 'low']: quantity(limit) };
}

/** A range that names another unit than OBX-6 is not in the unit of the value. */
function isUnit(text: string | undefined, unit: Unit | undefined): boolean {
  return text === undefined || text === unit?.unit || text === unit?.code;
}

/** Numbers of an array; an empty place is an error of the measurement (R4 datatypes.html#SampledData). */
function samples(parts: readonly string[], context: MappingContext): string[] | undefined {
  const texts = parts.map((part) => leaf(part, 2, context.delimiters) || 'E');
  return texts.every((it) => it === 'E' || /^-?\d*\.?\d+$/.test(it)) ? texts : undefined;
}

/**
 * What is made of all repetitions of a field together, once for each segment: a row is asked for each of them. Of each mapping
 * of the message anew: another site has other units.
 */
function oncePerSegment<T>(make: (input: ConverterInput) => T): (raw: string, input: ConverterInput) => T {
  const made = new WeakMap<MappingContext, Map<Segment, T>>();
  return (_, input) => {
    const own = made.get(input.context) ?? new Map<Segment, T>();
    made.set(input.context, own);
    if (!own.has(input.segment)) own.set(input.segment, make(input));
    return own.get(input.segment) as T;
  };
}

/**
 * NA: a row of numbers for each channel; MA: a repetition for each time, a component for each channel. The points of one time
 * stand together (R4 datatypes.html#SampledData). The interval is not sent.
 */
const sampledData = oncePerSegment(({ segment, context }): Json | undefined => {
  const rows = segment.repetitions(5).map((it) => samples(it.split(context.delimiters.component), context));
  const widths = new Set(rows.map((it) => it?.length));
  if (rows.some((it) => !it) || widths.size !== 1) return undefined;
  const origin = { value: 0, ...unitOf(segment.repetitions(6)[0] ?? '', 1, context) };
  const width = rows[0]?.length ?? 1;
  const isByTime = segment.text(2) === 'MA';
  const points = isByTime ? rows.flat() : Array.from({ length: width }, (_, i) => rows.map((row) => row?.[i])).flat();
  const dimensions = isByTime ? width : rows.length;
  return { origin, _period: unknownElement(), dimensions, data: points.join(' ') };
});

/** An array that is none: its rows as text, one below the other; nothing where SampledData takes it. */
const sampledText = oncePerSegment((input): string | undefined => {
  if (sampledData('', input)) return undefined;
  const { component } = input.context.delimiters;
  const rows = input.segment
    .repetitions(5)
    .map((row) => row.split(component).map((part) => (part === '""' ? '' : leaf(part, 2, input.context.delimiters))));
  return clean(rows.map((row) => row.join(' ')).join('\n')) || undefined;
});

/** The target of the first code that a table lists under its own system; nothing for all others, which wait for nobody. */
function category(raw: string, { level, context, table }: ConverterInput): Json | undefined {
  const d = context.delimiters;
  for (const [c, s] of [
    [1, 3],
    [4, 6],
    [10, 12],
  ] as const) {
    const [code, name] = [c, s].map((n) => leaf(partOf(raw, level, n, d), level + 1, d)) as [string, string];
    const system = name ? codeSystemOf(name, code, context) : '';
    if (!code || (system && system !== table?.source) || (!system && table?.source === 'http://loinc.org')) continue;
    const target = table?.translate(code, system);
    if (target) return { coding: [{ ...target }] };
  }
  return undefined;
}

/** base64 as R4 has it: no blanks, padded to fours; undefined for what is none. Linear, and a clean text is not copied. */
function base64Of(text: string): string | undefined {
  const dense = /\s/.test(text) ? text.replace(/\s+/g, '') : text;
  const padding = dense.endsWith('==') ? 2 : dense.endsWith('=') ? 1 : 0;
  const length = dense.length - padding;
  if (length === 0 || length % 4 === 1 || /[^A-Za-z0-9+/]/.test(padding ? dense.slice(0, length) : dense))
    return undefined;
  const wanted = (4 - (length % 4)) % 4;
  return wanted === padding ? dense : dense.slice(0, length) + '='.repeat(wanted);
}

/** An ED without any part is no name of a source (ED.1), it is the document. */
function isBareDocument(raw: string, { level, context }: ConverterInput): boolean {
  return level === 1 && !raw.includes(context.delimiters.component);
}

/** All behind the nth delimiter. */
function behind(raw: string, delimiter: string, n: number): string {
  let at = -1;
  for (let i = 0; i < n; i++) {
    at = raw.indexOf(delimiter, at + 1);
    if (at < 0) return '';
  }
  return raw.slice(at + 1);
}

/** Words can be read as base64: what does not say that it is that has to be padded, with line ends at the most. */
function isToTheLetter(text: string, found: string): boolean {
  return found === text || (!/[ \t]/.test(text.trim()) && found === text.replace(/\s+/g, ''));
}

/** Digits of whole bytes. */
function isHex(text: string): boolean {
  return /^[\s0-9A-Fa-f]+$/.test(text) && text.replace(/\s+/g, '').length % 2 === 0;
}

/** ED.5 by its encoding (ED.4, table 0299): base64 as it is, hexadecimal digits and text as base64. */
function documentData(raw: string, input: ConverterInput): unknown {
  const { level, context } = input;
  const { component } = context.delimiters;
  // A text in which `^` was not escaped goes on behind it; bytes without any part before them are the document itself.
  const isBare = isBareDocument(raw, input);
  const part = isBare ? raw : level === 1 ? behind(raw, component, 4) : partOf(raw, level, 5, context.delimiters);
  if (part === '' || part === '""') return undefined;
  const text = unescapeText(part, context.delimiters);
  const encoding = partText(raw, input, 4).toLowerCase();
  if (encoding === 'hex' && isHex(text))
    return Buffer.from(text.replace(/\s+/g, ''), 'hex').toString('base64') || undefined;
  if (encoding === 'hex') return new Unconverted(original(clean(text)));
  const isText = encoding === 'a' || (encoding === '' && partText(raw, input, 2).toLowerCase() === 'text');
  const found = isText ? undefined : base64Of(text);
  if (found && (encoding === 'base64' || isToTheLetter(text, found))) return found;
  // What is said to be base64 and is none stays readable beside the data that is not there.
  if (encoding !== 'base64') return Buffer.from(clean(text), 'utf8').toString('base64') || undefined;
  return clean(text) === '' ? undefined : new Unconverted(original(clean(text)));
}

const mediaTypes = new Set(['application', 'audio', 'font', 'image', 'message', 'model', 'multipart', 'text', 'video']);
const mediaType = /^[\w.+-]+\/[\w.+-]+$/;

/** ED.2 and ED.3. */
function contentType(raw: string, input: ConverterInput): unknown {
  const [type, subtype] = [partText(raw, input, 2), partText(raw, input, 3)];
  // att-1: data has a type.
  if (!type && !subtype) return documentData(raw, input) ? 'application/octet-stream' : undefined;
  return mediaTypeOf(type, subtype, input);
}

/** RP.3 and RP.4. */
function pointerType(raw: string, input: ConverterInput): unknown {
  const [type, subtype] = [partText(raw, input, 3), partText(raw, input, 4)];
  return type || subtype ? mediaTypeOf(type, subtype, input) : undefined;
}

/** Type and subtype as a media type: `application` and `pdf`, `IM` and `JPEG`, or a media type in either. */
function mediaTypeOf(type: string, subtype: string, input: ConverterInput): unknown {
  for (const it of [subtype, type]) if (mediaType.test(it)) return it.toLowerCase();
  const table = input.context.tables.get('MediaType');
  const listed = [subtype, type].map((it) => table?.translate(it)?.code ?? table?.translate(it.toUpperCase())?.code);
  const whole = `${type}/${subtype}`.toLowerCase();
  if (mediaTypes.has(type.toLowerCase()) && mediaType.test(whole) && !listed[0]) return whole;
  const found = listed.find((it) => it);
  if (found) return found;
  const coding = [type, subtype].filter((it) => /^\S+( \S+)*$/.test(it)).map((code) => ({ code }));
  const concept = coding.length > 0 ? { coding } : { text: `${type} ${subtype}`.trim() };
  return new Unconverted({
    url: 'http://hl7.org/fhir/StructureDefinition/alternate-codes',
    valueCodeableConcept: concept,
  });
}

/** The place of an NDL: its parts 4 to 11 are those of a PL (2.A.52). */
function interpreterPlace(raw: string, { level, context }: ConverterInput): unknown {
  if (level > 1) return undefined;
  const { component } = context.delimiters;
  return locations(raw.split(component).slice(3, 11).join(component), level, context);
}

/** The converters by the names that rows use in `type:`. */
export const orderConverters: Readonly<Record<string, Converter>> = {
  ...timingConverters,
  'NM-exact': {
    makes: ['decimal'],
    convert: (raw, input) => {
      const text = textOf(raw, input);
      if (text === '') return undefined;
      const { value, _value } = decimalOf(text);
      return _value ? new Unconverted(_value.extension[0], value) : value;
    },
  },
  'NM-Quantity': { makes: ['Quantity'], convert: numericQuantity },
  'CQ-Quantity': { makes: ['Quantity'], convert: compositeQuantity },
  'CQ-Duration': { makes: ['Duration'], convert: duration },
  'CQ-decimal': { makes: ['decimal'], convert: (raw, input) => numberOf(partText(raw, input, 1)) },
  'CQ-wholeMinutes': {
    makes: ['unsignedInt'],
    convert: (raw, input) => minutesOf(partText(raw, input, 1), cqUnit(raw, input), input.context),
  },
  'CWE-timeUnit': { makes: ['code'], convert: (raw, input) => timeUnitOf(textOf(raw, input), input.context) },
  'CWE-Quantity': { makes: ['Quantity'], convert: (raw, { level, context }) => unitOf(raw, level, context) },
  'CWE-category': { makes: ['CodeableConcept'], convert: category },
  'OBX-referenceRange': { makes: ['Observation.referenceRange'], convert: referenceRange },
  'NA-SampledData': { makes: ['SampledData'], convert: sampledData },
  'NA-string': { makes: ['string'], convert: sampledText },
  /** A time of day or nothing: an instant that was not sent is none. */
  'DTM-issued': {
    makes: ['instant'],
    convert: (raw, input) => toFhirInstant(textOf(raw, input), input.context.offsetOf),
  },
  'ED-source': {
    makes: ['string'],
    convert: (raw, input) =>
      isBareDocument(raw, input) ? undefined : allParts(partOf(raw, input.level, 1, input.context.delimiters), input),
  },
  'ED-data': { makes: ['base64Binary'], convert: documentData },
  'ED-contentType': { makes: ['code'], convert: contentType },
  'RP-contentType': { makes: ['code'], convert: pointerType },
  'NDL-Location': { makes: ['Reference'], convert: interpreterPlace },
  'CNN-system': {
    makes: ['uri'],
    convert: (raw, input) =>
      authoritySystemOf(partText(raw, input, 9), partText(raw, input, 10), partText(raw, input, 11), input.context) ??
      input.context.senderSystem,
  },
};
