/** What a concept is called, in a language. */
import type { Json } from '../types.ts';
import type { Member } from './content.ts';
import { grammarOf } from './grammar.ts';

/** Uses of a designation that may stand where a display stands: designation-usage `display`, the synonym of SNOMED CT. */
const displayUses = new Set(['display', '900000000000013009']);

/** How well a language tag answers the wish for another: 3 the same, 2 a wider one, 1 a narrower one, 0 not. RFC 4647 3.4. */
function closeness(tag: string | undefined, wish: string): number {
  const [has, wants] = [tag?.toLowerCase(), wish.toLowerCase()];
  if (!has) return 0;
  if (has === wants) return 3;
  if (wants.startsWith(`${has}-`)) return 2;
  return has.startsWith(`${wants}-`) ? 1 : 0;
}

/** All designations: those that the value set gives come first. */
export function designationsOf({ designation = [], concept }: Member): readonly Json[] {
  return [...designation, ...(concept?.designation ?? [])];
}

/**
 * @param language a BCP 47 tag; without it, or when there is nothing in it, the usual display counts
 * @returns undefined for a code that has no words
 */
export function displayOf(member: Member, language?: string): string | undefined {
  const usual = member.display ?? member.concept?.display;
  if (language === undefined) return usual;
  let best = { score: 0, value: usual };
  for (const it of designationsOf(member)) {
    if (it.use && !displayUses.has(it.use.code)) continue;
    const score = closeness(it.language, language);
    if (score > best.score) best = { score, value: it.value };
  }
  if (closeness(member.codeSystem?.language, language) > best.score) return usual;
  return best.score > 0 ? best.value : (grammarOf(member.system)?.display?.(member.code, language) ?? usual);
}

/** Texts that all name the concept, for the check of a display that came with a code. */
export function namesOf(member: Member): readonly string[] {
  return [member.display, member.concept?.display, ...designationsOf(member).map((it) => it.value)].filter(
    (it) => it !== undefined,
  );
}
