/** Texts of a raw text: its parts, or all of them as one. */
import { leaf } from './context.ts';
import type { ConverterInput } from './converters.ts';

/** The first `count` parts below a raw text, as texts; parts that are not there are missing from the end. */
export function texts(raw: string, { level, context }: ConverterInput, count: number): string[] {
  const d = context.delimiters;
  const delimiter = level === 1 ? d.component : d.subcomponent;
  // `""` says that there is nothing (HL7 v2.5.1 2.5.3.1): it is no text.
  if (raw === '""') return [''];
  if (level >= 3 || !raw.includes(delimiter)) return [leaf(raw, level, d)];
  const parts = raw.split(delimiter, count);
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as string;
    if (part !== '') parts[i] = part === '""' ? '' : leaf(part, level + 1, d);
  }
  return parts;
}

/**
 * A text as it was sent, delimiters and all: senders forget to escape `^` and `&`, and `10^5 CFU & more` has no parts.
 * Component separators at its end are those of parts that are not there.
 */
export function wholeText(raw: string, { context }: ConverterInput): string | undefined {
  const { delimiters } = context;
  let end = raw.length;
  while (end > 0 && raw.charAt(end - 1) === delimiters.component) end--;
  const text = raw.slice(0, end);
  return text === '""' ? undefined : leaf(text, 3, delimiters) || undefined;
}

/** Everything that a field of parts holds, in words: the texts of all its parts. */
export function allParts(raw: string, input: ConverterInput): string | undefined {
  if (raw === '') return undefined;
  const { component, subcomponent } = input.context.delimiters;
  if (!raw.includes(component) && !raw.includes(subcomponent))
    return leaf(raw, 3, input.context.delimiters) || undefined;
  const parts = raw
    .split(component)
    .flatMap((part) => part.split(subcomponent))
    .map((part) => (part === '""' ? '' : leaf(part, 3, input.context.delimiters)));
  return parts.filter((part) => part !== '').join(' ') || undefined;
}

/** Of a CWE: its texts, and of those a sender may have left an `&` unescaped. */
const wordsOf = [1, 4, 8, 10];

/**
 * The parts of a CWE. Where it is a field its texts have no parts: `Amoxicillin & Clavulanate` is one of them. Where it is a
 * component, `&` stands between its own parts.
 */
export function codedTexts(raw: string, input: ConverterInput, count: number): string[] {
  const parts = texts(raw, input, count);
  const { component, subcomponent } = input.context.delimiters;
  if (input.level !== 1 || !raw.includes(subcomponent)) return parts;
  const sent = raw.split(component, count);
  for (const i of wordsOf) if (sent[i]?.includes(subcomponent)) parts[i] = wholeText(sent[i], input) ?? '';
  return parts;
}
