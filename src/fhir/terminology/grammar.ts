/** Code systems that are a grammar and no list: languages, media types, units, currencies. R4 terminologies-systems.html. */
import { isUnit, toBaseUnits, ucum } from '../search/ucum.ts';

export interface Grammar {
  has(code: string): boolean;
  /** In this language, English when absent. */
  display?(code: string, language: string | undefined): string | undefined;
  /** A filter that the system defines itself; undefined when it has none of that name. */
  filter?(property: string, op: string, value: string): ((code: string) => boolean) | undefined;
}

const codeLengthMax = 200;

/**
 * RFC 5646 2.1, without subtags that nobody has registered: words of four to eight letters (`English`) are well-formed
 * there, and no language. Old tags that follow no grammar (2.2.8) are listed.
 */
const language =
  /^(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?(?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*(?:-[a-wyz\d](?:-[a-z\d]{2,8})+)*(?:-x(?:-[a-z\d]{1,8})+)?|x(?:-[a-z\d]{1,8})+|en-gb-oed|i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu)|sgn-(?:be-fr|be-nl|ch-de))$/i;

/** RFC 6838 4.2 names, RFC 2045 5.1 parameters; and the short names of R4 http.html#mime-type, in `CapabilityStatement.format`. */
const mediaType =
  /^(?:xml|json|ttl)$|^[a-z\d][a-z\d!#$&^_.+-]{0,126}\/[a-z\d][a-z\d!#$&^_.+-]{0,126}(?: ?; ?[a-z\d!#$%&'*+.^_`|~-]+=(?:[\w!#$%&'*+.^`|~-]+|"[^"\\]*"))*$/i;

/** Names of this kind in a language, from the tables of the engine (CLDR); undefined for a code that has no name. */
function namesOf(type: 'language' | 'currency'): (code: string, language?: string) => string | undefined {
  const known = new Map<string, Intl.DisplayNames>();
  return (code, tag = 'en') => {
    try {
      const names = known.get(tag) ?? new Intl.DisplayNames([tag], { type, fallback: 'none' });
      if (known.size < 100) known.set(tag, names);
      return names.of(code);
    } catch {
      return undefined; // a tag or code that the engine cannot read
    }
  };
}

const languageNames = namesOf('language');
const currencyNames = namesOf('currency');

const grammars: Readonly<Record<string, Grammar>> = {
  'urn:ietf:bcp:47': { has: (code) => language.test(code), display: languageNames },
  'urn:ietf:bcp:13': { has: (code) => mediaType.test(code) },
  'urn:iso:std:iso:4217': {
    // The engine knows codes of the past too, and takes lower case, which ISO 4217 does not.
    has: (code) => /^[A-Z]{3}$/.test(code) && currencyNames(code) !== undefined,
    display: currencyNames,
  },
  [ucum]: {
    has: isUnit,
    filter: (property, op, value) => {
      const unit = property === 'canonical' && op === '=' ? toBaseUnits(1, value)?.code : undefined;
      return unit === undefined ? undefined : (code) => toBaseUnits(1, code)?.code === unit;
    },
  },
};

/** The grammar of a system; undefined when the system is none that we know. Codes of any length are safe to ask for. */
export function grammarOf(system: string): Grammar | undefined {
  const grammar = Object.hasOwn(grammars, system) ? grammars[system] : undefined;
  return grammar && { ...grammar, has: (code) => code.length <= codeLengthMax && grammar.has(code) };
}
