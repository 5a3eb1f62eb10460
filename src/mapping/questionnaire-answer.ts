/** Survey answers: an OBX whose OBX-3 names an item of a Questionnaire ─▶ an answer of the type that the item asks for. */
import { toFhirDate, toFhirDateTime, toFhirTime } from '../hl7v2/datetime.ts';
import { type Json, leaf, partOf } from './context.ts';
import { type Converter, type ConverterInput, converters, Unconverted } from './converters.ts';
import { type Item, itemNamed } from './questionnaire.ts';
import { allParts, wholeText } from './texts.ts';
import { numberOf } from './timing.ts';
import { unitOf } from './unit.ts';

/** The item that the OBX-3 of the row's segment names. */
function itemOf({ segment, context }: ConverterInput): Item | undefined {
  return itemNamed(segment.repetitions(3)[0] ?? '', 1, context);
}

/** What an OBX-5 says in words: its codes, its texts, and all of it. */
interface Said {
  readonly codes: readonly string[];
  readonly texts: readonly string[];
  readonly all: string;
}

function saidIn(raw: string, input: ConverterInput): Said {
  const { level, context } = input;
  const d = context.delimiters;
  const part = (n: number): string => {
    const text = partOf(raw, level, n, d);
    return text === '' || text === '""' ? '' : leaf(text, level + 1, d);
  };
  const isText = ['ST', 'TX', 'FT'].includes(input.segment.text(2));
  const all = (isText ? wholeText : allParts)(raw, input) ?? '';
  const codes = [1, 4, 10].map(part).filter((it) => it !== '');
  return { codes, texts: [2, 5, 11, 9].map(part).filter((it) => it !== ''), all };
}

const yes = new Set(['y', 'yes', 'true', 't', '1', '是', '有']);
const no = new Set(['n', 'no', 'false', 'f', '0', '否', '无', '没有']);

function booleanOf({ codes, texts }: Said): boolean | undefined {
  for (const word of [...codes, ...texts].map((it) => it.toLowerCase())) {
    if (yes.has(word)) return true;
    if (no.has(word)) return false;
  }
  return undefined;
}

/** The number of an NM, or of an SN without a comparator. */
function numberIn(raw: string, said: Said, { segment, level, context }: ConverterInput): number | undefined {
  if (segment.text(2) !== 'SN') return numberOf(said.codes[0] ?? '');
  const [sign, number, separator] = [1, 2, 3].map((n) =>
    leaf(partOf(raw, level, n, context.delimiters), level + 1, context.delimiters),
  ) as [string, string, string];
  return (sign === '' || sign === '=') && separator === '' ? numberOf(number) : undefined;
}

/** A date of v2 or of FHIR: survey systems write either. */
function dateOf(text: string): string | undefined {
  return /^\d{4}-\d{2}(-\d{2})?$/.test(text) ? toFhirDate(text.replaceAll('-', '')) : toFhirDate(text);
}

/** Names of an option in every language, and its weight (ordinalValue, itemWeight). */
function namesOf({ valueCoding, extension }: Json): { texts: string[]; weight: number | undefined } {
  const translations = (valueCoding?._display?.extension ?? []).flatMap((it: Json) =>
    (it.extension ?? []).flatMap((part: Json) => (part.url === 'content' ? [part.valueString] : [])),
  );
  const weights = [...(extension ?? []), ...(valueCoding?.extension ?? [])] as Json[];
  const weight = weights.find(({ url }) => /\/(ordinalValue|itemWeight)$/.test(url))?.valueDecimal;
  return { texts: [valueCoding?.display, ...translations].flatMap((it) => it?.toLowerCase() ?? []), weight };
}

/** The option that is meant: by its code, its words in any language, or its weight, in that order. */
function optionOf(options: readonly Json[], said: Said): Json | undefined {
  const coded = options.find(({ valueCoding }) => valueCoding && said.codes.includes(valueCoding.code));
  if (coded) return coded;
  const words = [...said.texts, ...said.codes, said.all].map((it) => it.toLowerCase());
  const worded = options.find((it) => namesOf(it).texts.some((text) => words.includes(text)));
  if (worded) return worded;
  const plain = options.find((it) =>
    words.includes(String(it.valueString ?? it.valueInteger ?? it.valueDate ?? it.valueTime).toLowerCase()),
  );
  if (plain) return plain;
  const number = numberOf(said.codes[0] ?? '');
  const weighed = number === undefined ? [] : options.filter((it) => namesOf(it).weight === number);
  return weighed.length === 1 ? weighed[0] : undefined;
}

function choiceOf(raw: string, said: Said, item: Item, input: ConverterInput): Json | undefined {
  const options = item.definition.answerOption as readonly Json[] | undefined;
  const option = options && optionOf(options, said);
  if (option?.valueCoding) {
    const { system, version, code, display } = option.valueCoding;
    return {
      valueCoding: { ...(system && { system }), ...(version && { version }), code, ...(display && { display }) },
    };
  }
  if (option) {
    const [key, value] = Object.entries(option).find(([name]) => name.startsWith('value')) as [string, unknown];
    return { [key]: value };
  }
  if (item.definition.answerValueSet && said.texts.length + said.codes.length > 0) {
    const concept = (converters['CWE-CodeableConcept'] as Converter).convert(raw, {
      ...input,
      table: undefined,
    }) as Json;
    return concept?.coding?.[0] && { valueCoding: concept.coding[0] };
  }
  return item.type === 'open-choice' ? { valueString: said.all } : undefined;
}

function attachmentOf(raw: string, input: ConverterInput): Json | undefined {
  const kind = input.segment.text(2);
  if (kind === 'RP')
    return { url: leaf(partOf(raw, input.level, 1, input.context.delimiters), 2, input.context.delimiters) };
  if (kind !== 'ED') return undefined;
  const [contentType, data] = ['ED-contentType', 'ED-data'].map((name) => converters[name]?.convert(raw, input));
  if (typeof data !== 'string') return undefined;
  return { ...(typeof contentType === 'string' && { contentType }), data };
}

/** The value by the type of the item (R4 questionnaireresponse.html); undefined when the answer is no such value. */
function typedValue(raw: string, said: Said, item: Item, input: ConverterInput): Json | undefined {
  const text = said.codes[0] ?? said.all;
  const one = (key: string, value: unknown): Json | undefined => (value === undefined ? undefined : { [key]: value });
  const { offsetOf } = input.context;
  switch (item.type) {
    case 'boolean':
      return one('valueBoolean', booleanOf(said));
    case 'decimal':
      return one('valueDecimal', numberIn(raw, said, input));
    case 'integer': {
      const number = numberIn(raw, said, input);
      return one('valueInteger', Number.isInteger(number) && Math.abs(number as number) < 2 ** 31 ? number : undefined);
    }
    case 'quantity': {
      const value = numberIn(raw, said, input);
      return value === undefined
        ? undefined
        : { valueQuantity: { value, ...unitOf(input.segment.repetitions(6)[0] ?? '', 1, input.context) } };
    }
    case 'date':
      return one('valueDate', dateOf(text));
    case 'dateTime':
      return one('valueDateTime', dateOf(text)?.length === text.length ? dateOf(text) : toFhirDateTime(text, offsetOf));
    case 'time':
      return one('valueTime', toFhirTime(text.replaceAll(':', '')));
    case 'url':
      return one('valueUri', /^\S+$/.test(said.all) ? said.all : undefined);
    case 'attachment':
      return one('valueAttachment', attachmentOf(raw, input));
    case 'reference':
      return said.all ? { valueReference: { display: said.texts[0] ?? said.all } } : undefined;
    case 'choice':
    case 'open-choice':
      return choiceOf(raw, said, item, input);
    default:
      // string, text: the words of a code, if it has any.
      return one('valueString', said.texts[0] ?? (said.all || undefined));
  }
}

/** One repetition of OBX-5. An answer that the item has no room for survives as text, in an extension of the item. */
function answer(raw: string, input: ConverterInput): unknown {
  const item = itemOf(input);
  const said = saidIn(raw, input);
  if (!item || (said.all === '' && !['ED', 'RP'].includes(input.segment.text(2)))) return undefined;
  return typedValue(raw, said, item, input) ?? new Unconverted({ url: '', valueString: said.all });
}

/** The converters by the names that rows use in `type:`. */
export const answerConverters: Readonly<Record<string, Converter>> = {
  'OBX-questionnaire': { makes: ['canonical'], convert: (_, input) => itemOf(input)?.sheet.canonical },
  'OBX-linkId': { makes: ['string'], convert: (_, input) => itemOf(input)?.linkId },
  'OBX-itemText': { makes: ['string'], convert: (_, input) => itemOf(input)?.text },
  'OBX-answer': { makes: ['QuestionnaireResponse.item.answer'], convert: answer },
};
