/** Converters of ADT messages: an event that contradicts the header, the currency of an amount, a name in one piece. */
import { leaf } from './context.ts';
import type { Converter, ConverterInput } from './converters.ts';
import { texts } from './texts.ts';

function textOf(raw: string, { level, context }: ConverterInput): string {
  return leaf(raw, level, context.delimiters);
}

const currencies = new Set(Intl.supportedValuesOf('currency'));

/** MO.2, an ISO 4217 code; R4 binds Money.currency to those. */
function isCurrency(code: string): boolean {
  return currencies.has(code.toUpperCase());
}

const han = /\p{Script=Han}/u;

/** Guide, XPN[String]: as the name is said. What kind of name it is, and from when on, is no part of it. */
function spokenName(raw: string, input: ConverterInput): string | undefined {
  const parts = texts(raw, input, 14);
  const [family = '', given = '', further = '', suffix, prefix, degree, , , , , order] = parts;
  const own = [given, further].filter((it) => it).join(' ');
  // Chinese names have no blank between their parts.
  const name = han.test(family) ? [family + own] : order === 'F' ? [family, own] : [own, family];
  return [prefix, ...name, suffix, degree, parts[13]].filter((it) => it).join(' ') || undefined;
}

/** Spread into the converters by name. */
export const adtConverters: Readonly<Record<string, Converter>> = {
  // v2-to-fhir.md 1.9: MSH-9 wins over EVN-1, and the message is marked.
  'EVN-contradiction': {
    makes: ['code'],
    convert: (raw, input) => {
      const event = textOf(raw, input);
      return /^\w{1,20}$/.test(event) && event !== input.context.message.header.text(9, 2) ? event : undefined;
    },
  },
  'ISO-currency': {
    makes: ['code'],
    convert: (raw, input) => {
      const code = textOf(raw, input);
      return isCurrency(code) ? code.toUpperCase() : undefined;
    },
  },
  'XPN-string': { makes: ['string'], convert: spokenName },
  /** What stands in the place of a currency and is none. */
  'other-currency': {
    makes: ['string'],
    convert: (raw, input) => {
      const text = textOf(raw, input);
      return text === '' || isCurrency(text) ? undefined : text;
    },
  },
};
