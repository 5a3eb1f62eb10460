/** Languages as R4 wants them: BCP 47, urn:ietf:bcp:47. */
import type { Json } from './context.ts';

/**
 * R4 ValueSet/languages. The binding is a preferred one, and any BCP 47 tag is sound R4; but HAPI refuses what is not on this
 * list, and would refuse the whole Patient for it. What is read and written in Taipei is another script than in Beijing: a
 * region of the list stays, another goes.
 */
const common = new Set(
  (
    'ar bn cs da de de-AT de-CH de-DE el en en-AU en-CA en-GB en-IN en-NZ en-SG en-US es es-AR es-ES es-UY fi fr fr-BE fr-CH fr-FR ' +
    'fy fy-NL hi hr it it-CH it-IT ja ko nl nl-BE nl-NL no no-NO pa pl pt pt-BR ru ru-RU sr sr-RS sv sv-SE te zh zh-CN zh-HK zh-SG zh-TW'
  ).split(' '),
);

const names = new Intl.DisplayNames('en', { type: 'language' });
const known = new Map<string, string>();
const knownMax = 1000;

/** The shortest code of a language, with a region of the list and without another: `zho`, `zh-MO` ─▶ `zh`; undefined for none. */
function tagOf(code: string): string | undefined {
  if (!/^[A-Za-z]{2,3}([-_][A-Za-z]{2,4})?$/.test(code)) return undefined;
  let tag = known.get(code);
  if (tag === undefined) {
    tag = shortest(code.replace('_', '-'));
    if (known.size < knownMax) known.set(code, tag);
  }
  return tag || undefined;
}

function shortest(code: string): string {
  try {
    const tag = Intl.getCanonicalLocales(code)[0] ?? '';
    if (common.has(tag)) return tag;
    const [language = ''] = tag.split('-');
    return language.length === 2 && names.of(language) !== language ? language : '';
  } catch {
    return ''; // no language tag at all
  }
}

/** A language of the list above as a code; undefined for every other. */
export function languageCode(code: string): string | undefined {
  const tag = tagOf(code);
  return tag && common.has(tag) ? tag : undefined;
}

/**
 * A language of the list above as a coding; any other as text, with its coding (BCP 47 where it is a tag, else as it was
 * sent) as an extension. So are further codings that were sent.
 * @param concept as it was sent
 */
export function languageConcept({ coding = [], text }: Json): Json {
  const sent =
    coding.find((it: Json) => languageCode(it.code)) ?? coding.find((it: Json) => tagOf(it.code)) ?? coding[0];
  const words = text ?? sent?.display ?? sent?.code;
  const tag = sent && tagOf(sent.code);
  const others = coding.filter((it: Json) => it !== sent);
  if (tag && common.has(tag)) {
    // One that has words of its own beside the original text has no other place for them.
    const isSaid = text === undefined || !sent.display || text === sent.display;
    return {
      ...beside(isSaid ? others : coding),
      coding: [{ system: 'urn:ietf:bcp:47', code: tag }],
      text: words,
    };
  }
  const own = tag ? { system: 'urn:ietf:bcp:47', code: tag, ...(sent.display && { display: sent.display }) } : sent;
  return { ...beside(own ? [own, ...others] : others), text: words };
}

function beside(codings: readonly Json[]): Json {
  const url = 'https://aftercare.example/fhir/StructureDefinition/v2-language';
  return codings.length > 0 ? { extension: codings.map((valueCoding) => ({ url, valueCoding })) } : {};
}
