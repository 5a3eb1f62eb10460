/**
 * Named functions from a raw v2 text to a FHIR value: what a row cannot say in data. Each is total: it gives a value,
 * nothing for an empty text, or {@link Unconverted} for a text that has no such value, which then survives as an extension.
 */
import { parseDateTime, toFhirDate, toFhirDateTime, toFhirInstant, toFhirTime } from '../hl7v2/datetime.ts';
import type { Segment } from '../hl7v2/message.ts';
import { type Json, leaf, type MappingContext } from './context.ts';
import { adtConverters } from './converters-adt.ts';
import { codedConverters } from './converters-coded.ts';
import { orderConverters } from './converters-order.ts';
import { scheduleConverters } from './converters-schedule.ts';
import { languageCode } from './language.ts';
import { answerConverters } from './questionnaire-answer.ts';
import { authoritySystemOf, codePattern, codeSystemOf, localSystem, universalUri, uri } from './systems.ts';
import type { Table } from './tables.ts';
import { allParts, codedTexts, texts, wholeText } from './texts.ts';
import { numberOf } from './timing.ts';

/** A text that the FHIR type cannot hold; `extension` carries it on the primitive element, `value` what of it can be held. */
export class Unconverted {
  readonly extension: Json;
  readonly value: unknown;

  constructor(extension: Json, value?: unknown) {
    this.extension = extension;
    this.value = value;
  }
}

/** What a converter gets besides the text: the table of its row and the segment that it stands in. */
export interface ConverterInput {
  readonly level: number;
  readonly context: MappingContext;
  readonly table: Table | undefined;
  readonly segment: Segment;
  /** Of the row: `PV1-36`, `XAD.7`. */
  readonly field: string;
}

export interface Converter {
  /** FHIR types of the targets that it may fill. */
  readonly makes: readonly string[];
  convert(raw: string, input: ConverterInput): unknown;
}

/** The base of the extensions that the guide asks for without giving a url. */
export const ours = 'https://aftercare.example/fhir/StructureDefinition/';

/** R4 StructureDefinition/originalText: what was sent, when the element cannot hold it. */
function original(text: string, value?: unknown): Unconverted {
  return new Unconverted({ url: 'http://hl7.org/fhir/StructureDefinition/originalText', valueString: text }, value);
}

/** A converter of the first text inside; `make` gives undefined for a text that has no such value. */
function fromText(makes: string[], make: (text: string, input: ConverterInput) => unknown): Converter {
  return {
    makes,
    convert(raw, input) {
      const text = leaf(raw, input.level, input.context.delimiters);
      if (text === '' || text === '""') return undefined;
      const value = make(text, input);
      return value === undefined ? original(text) : value;
    },
  };
}

/** A converter of dates; of `20261399` the year can be read, and what was sent stays beside it. */
function dated(type: string, make: (text: string, input: ConverterInput) => string | undefined): Converter {
  return fromText([type], (text, input) => {
    const value = make(text, input);
    return value === undefined || isWhole(text, value) || isRead(text) ? value : original(text, value);
  });
}

/** The plain forms, which nearly all are: each part was sound, so each is in the value. */
function isWhole(text: string, value: string): boolean {
  const match = /^\d{8}(\d{4}(?:\d\d)?)?(?:([+-]\d\d)(\d\d))?$/.exec(text);
  if (!match || value.length < 10) return false;
  const [, time = '', hours, minutes] = match;
  if (hours && !value.endsWith(`${hours}:${minutes}`)) return false;
  return time === '' || (value.length > 10 && value.slice(11, 19).replaceAll(':', '').startsWith(time));
}

/** Every digit but zeros for what is not known (`20260000`) was read, and there is nothing but digits and their marks. */
function isRead(text: string): boolean {
  const parts = Object.values(parseDateTime(text) ?? {}).join('');
  const digits = (it: string): string => it.replace(/\D/g, '').replace(/0+$/, '');
  return digits(text) === digits(parts) && !/[^\d\s.,:/+TZ-]/.test(text);
}

function whole(text: string, least: number): number | undefined {
  const value = numberOf(text);
  return value !== undefined && Number.isInteger(value) && value >= least && value <= 2_147_483_647 ? value : undefined;
}

/** Guide XTN.7: the number from its parts, or XTN.1, XTN.12; XTN.4 for an address of the Internet. */
function telecomValue(raw: string, input: ConverterInput): string | undefined {
  const [number1, , equipment, address, country, area, local, extension, , , , unformatted] = texts(raw, input, 12);
  if (equipment === 'Internet' || equipment === 'X.400') return address || number1 || undefined;
  if (local) {
    const prefixed = [country && `+${country}`, area, local].filter((it) => it).join(' ');
    return extension ? `${prefixed} X${extension}` : prefixed;
  }
  return unformatted || number1 || address || undefined;
}

function system(raw: string, input: ConverterInput): string | undefined {
  const [namespace = '', id = '', type = ''] = texts(raw, input, 3);
  return authoritySystemOf(namespace, id, type, input.context);
}

/** Guide, HD[MessageHeader.source-endpoint]: a universal id as a URN; a bare name as a local one. */
function endpoint(raw: string, input: ConverterInput): string | undefined {
  const [name = '', id = '', type = ''] = texts(raw, input, 3);
  const universal = universalUri(id, type);
  if (universal) return universal;
  if (id && type === 'DNS') return `urn:dns:${encodeURIComponent(id)}`;
  return name || id ? localSystem([name, id].filter((it) => it).join('-')) : undefined;
}

function eiAuthority(raw: string, input: ConverterInput): [string, string, string] {
  const [, namespace = '', id = '', type = ''] = texts(raw, input, 4);
  return [namespace, id, type];
}

/** PR1-5 plus PR1-7 minutes. The guide wants at least minutes in PR1-5. */
function performedPeriod(raw: string, input: ConverterInput): Json | undefined {
  const start = toFhirInstant(leaf(raw, input.level, input.context.delimiters), input.context.offsetOf);
  const minutes = whole(input.segment.text(7), 0);
  if (!start || minutes === undefined) return undefined;
  const offset = start.endsWith('Z') ? '+00:00' : start.slice(-6);
  const shift =
    (offset.startsWith('-') ? -1 : 1) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4))) * 60_000;
  const end = new Date(Date.parse(start) + minutes * 60_000 + shift).toISOString().slice(0, 19) + offset;
  return { start, end };
}

/** The parts of a SAD that its SAD.1 does not say already; street and number by themselves are one line. */
function beyondLine(raw: string, input: ConverterInput): { street?: string; number?: string } {
  const [line = '', street = '', number = ''] = texts(raw, input, 3);
  if (line === '') return { street: [street, number].filter((it) => it !== '').join(' ') };
  const words = (text: string): string => ` ${text.split(/[\s,]+/).join(' ')} `;
  const isSaid = (part: string): boolean => words(line).includes(words(part));
  return { ...(!isSaid(street) && { street }), ...(!isSaid(number) && { number }) };
}

/** Digits that a double holds whatever they are. */
const digitsMax = 15;

/** What SN-Quantity, SN-Range and SN-Ratio take; another comparator or separator (2.A.66) has no form in R4. */
function isStructured([comparator = '', , separator = '', second = '']: readonly string[]): boolean {
  const isEqual = comparator === '' || comparator === '=';
  if (!isEqual && !['<', '>', '<=', '>='].includes(comparator)) return false;
  if (separator === '') return second === '';
  return separator === ':' || separator === '/' || (separator === '-' && isEqual);
}

const strings = ['string', 'markdown'];

/** The converters by the names that rows use in `type:`. */
export const converters: Readonly<Record<string, Converter>> = {
  'ST-string': fromText(strings, (text) => text),
  'ST-code': fromText(['code'], (text) => (codePattern.test(text) ? text : undefined)),
  'ST-uri': fromText(['uri', 'url'], (text) => (/^urn:/i.test(text) || !/^\S+$/.test(text) ? uri(text) : text)),
  'SAD-street': { makes: strings, convert: (raw, input) => beyondLine(raw, input).street || undefined },
  'SAD-number': { makes: strings, convert: (raw, input) => beyondLine(raw, input).number || undefined },
  'TX-string': { makes: strings, convert: wholeText },
  'parts-string': { makes: strings, convert: allParts },
  'DTM-date': dated('date', toFhirDate),
  'DTM-dateTime': dated('dateTime', (text, { context }) => toFhirDateTime(text, context.offsetOf)),
  'DTM-instant': fromText(['instant'], (text, { context }) => {
    const instant = toFhirInstant(text, context.offsetOf);
    return instant && (isWhole(text, instant) || isRead(text))
      ? instant
      : original(text, instant ?? context.receivedAt);
  }),
  'TM-time': fromText(['time'], (text) => {
    const time = toFhirTime(text);
    // A FHIR time has no offset, and validators take no fraction.
    return time !== undefined && /[.+-]/.test(text) ? original(text, time) : time;
  }),
  'NM-decimal': fromText(['decimal'], (text) => {
    const value = numberOf(text);
    // More digits than a number of JavaScript has.
    return value !== undefined && text.replace(/\D|^0+/g, '').length > digitsMax ? original(text, value) : value;
  }),
  'NM-integer': fromText(['integer'], (text) => whole(text, -2_147_483_648)),
  'NM-positiveInt': fromText(['positiveInt'], (text) => whole(text, 1)),
  'NM-unsignedInt': fromText(['unsignedInt'], (text) => whole(text, 0)),
  'ID-boolean': fromText(
    ['boolean'],
    (text) => ({ Y: true, YES: true, N: false, NO: false, '1': true, '0': false })[text.toUpperCase()],
  ),
  'ST-language': fromText(['code'], languageCode),
  'CWE-string': {
    makes: strings,
    convert: (raw, input) => {
      const parts = codedTexts(raw, input, 9);
      return parts[8] || parts[1] || parts[0] || undefined;
    },
  },
  'CWE-codeText': fromTextOf(strings, (parts) => parts[0] || parts[1]),
  'TX-CodeableConcept': {
    makes: ['CodeableConcept'],
    convert: (raw, input) => {
      const text = allParts(raw, input);
      return text && { text };
    },
  },
  'ST-CodeableConcept': fromText(['CodeableConcept'], (text) => ({ text })),
  'HD-system': { makes: ['uri'], convert: system },
  // HD.2 and HD.3; what is said to be an OID or a UUID, and is none, is no URI either.
  'HD-identifier': fromTextOf(['Identifier'], ([, id = '', type = '']) => {
    const universal = type === 'URI' ? undefined : universalUri(id, type);
    return universal ? { system: 'urn:ietf:rfc:3986', value: universal } : id && { value: id };
  }),
  'HD-endpoint': { makes: ['url'], convert: endpoint },
  'EI-system': {
    makes: ['uri'],
    convert: (raw, input) => authoritySystemOf(...eiAuthority(raw, input), input.context),
  },
  'CWE-system': {
    makes: ['uri'],
    convert: (raw, input) => {
      const [code = '', , name = ''] = texts(raw, input, 3);
      return code && name ? codeSystemOf(name, code, input.context) : undefined;
    },
  },
  'DLD-name': fromTextOf(strings, (parts) => parts[1] || parts[0]),
  'sender-system': { makes: ['uri'], convert: (_, { context }) => context.senderSystem },
  'received-instant': { makes: ['instant'], convert: (_, { context }) => context.receivedAt },
  'XTN-value': { makes: ['string'], convert: telecomValue },
  'PR1-performedPeriod': { makes: ['Period'], convert: performedPeriod },
  'MSG-string': fromTextOf(strings, (parts) =>
    parts
      .slice(0, 3)
      .filter((it) => it)
      .join('^'),
  ),
  // Guide, OBX[Observation]: OBX-5.1 … OBX-5.4 and the unit of OBX-6.
  'SN-string': {
    makes: strings,
    convert: (raw, input) => {
      const parts = texts(raw, input, 4);
      if (isStructured(parts)) return undefined;
      const number = parts.filter((it) => it);
      const unit = input.segment.text(6, 2) || input.segment.text(6);
      return number.length > 0 ? [...number, ...(unit ? [unit] : [])].join(' ') : undefined;
    },
  },
  'VR-string': fromTextOf(strings, (parts) =>
    parts
      .slice(0, 2)
      .filter((it) => it)
      .join('-'),
  ),
  'SN-comparator': fromText(['code'], (text) => (['<', '<=', '>=', '>'].includes(text) ? text : undefined)),
  ...codedConverters,
  ...adtConverters,
  ...orderConverters,
  ...answerConverters,
  ...scheduleConverters,
};

function fromTextOf(makes: string[], make: (parts: string[]) => unknown): Converter {
  return { makes, convert: (raw, input) => make(texts(raw, input, 13)) || undefined };
}

/** The converter of a FHIR type, for rows that name none. */
export const defaultConverters: Readonly<Record<string, string>> = {
  string: 'ST-string',
  markdown: 'ST-string',
  code: 'ST-code',
  uri: 'ST-uri',
  url: 'ST-uri',
  date: 'DTM-date',
  dateTime: 'DTM-dateTime',
  instant: 'DTM-instant',
  time: 'TM-time',
  decimal: 'NM-decimal',
  integer: 'NM-integer',
  positiveInt: 'NM-positiveInt',
  unsignedInt: 'NM-unsignedInt',
  boolean: 'ID-boolean',
  CodeableConcept: 'CWE-CodeableConcept',
  Coding: 'CWE-Coding',
};
