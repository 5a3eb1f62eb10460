/** Languages as R4 wants them: BCP 47, urn:ietf:bcp:47. */
import type { Json } from './context.ts';

/**
 * R4 ValueSet/languages, without their regions. The binding is a preferred one, and any BCP 47 tag is sound R4; but HAPI
 * refuses what is not on this list, and would refuse the whole Patient for it.
 */
const common = new Set('ar bn cs da de el en es fi fr fy hi hr it ja ko nl no pa pl pt ru sr sv te zh'.split(' '));

const names = new Intl.DisplayNames('en', { type: 'language' });
const known = new Map<string, string>();
const knownMax = 1000;

/** The shortest code of a language, without region or script: `zho`, `chi`, `zh_CN` ─▶ `zh`; undefined for none. */
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
    const language = Intl.getCanonicalLocales(code)[0]?.split('-')[0] ?? '';
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
