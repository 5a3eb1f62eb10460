/** Are two names one? For Patient/$match: names in parts or in one piece, Chinese or not, with the errors that people make. */
import { fold } from './search/values.ts';
import type { Json } from './types.ts';

/** How two names agree, the best first. */
const agreements = [
  'same',
  /** A middle name left out, an initial, one letter wrong. */
  'close',
  /** One side has the family name or the given name only, and that is the same. */
  'half',
  'otherFamily',
  'otherGiven',
  'other',
] as const;
export type NameAgreement = (typeof agreements)[number];

/** A name, folded: without case, accents (those of pinyin too), width and punctuation. */
export interface NameForm {
  readonly words: readonly string[];
  /** The ways in which it may be written as one word. */
  readonly wholes: readonly string[];
  /** Empty when it is not there, or when nobody knows which words it is. */
  readonly family: string;
  readonly given: readonly string[];
  readonly isHan: boolean;
}

/** Forms of one person that are compared with each of the other; the same ones are found among any number. */
const formsMax = 20;

/** Words of one text; more are no name. */
const wordsMax = 20;

/** The first words of a text, folded; none when it is no text. */
export function wordsOf(value: unknown): string[] {
  if (typeof value !== 'string') return [];
  const words = fold(value).split(/[^\p{L}\p{N}]+/u);
  return words.filter((word) => word !== '').slice(0, wordsMax);
}

/**
 * The names of a patient: each in parts and as a text, as far as it is there.
 * @param names a list of HumanName
 */
export function nameForms(names: readonly Json[]): NameForm[] {
  const forms = names.flatMap(({ family, given, text }) => [
    formOf(wordsOf(family), Array.isArray(given) ? given.flatMap((it) => wordsOf(it)) : []),
    ...textForms(wordsOf(text)),
  ]);
  return forms.filter(({ words }) => words.length > 0);
}

function formOf(family: readonly string[], given: readonly string[], words = [...family, ...given]): NameForm {
  const isHan = words.some(hasHan);
  const wholes = [words, [...given, ...family], words.toSorted()].map((it) => it.join('')).filter((it) => it !== '');
  return { words, wholes, family: family.join(''), given, isHan };
}

function hasHan(word: string): boolean {
  return /\p{Script=Han}/u.test(word);
}

/** 张伟 Zhang Wei is one name, or two: in characters and in pinyin. */
function textForms(words: readonly string[]): NameForm[] {
  const han = words.filter(hasHan);
  const isMixed = han.length > 0 && han.length < words.length;
  const parts = isMixed ? [words, han, words.filter((word) => !hasHan(word))] : [words];
  return parts.map(textForm);
}

/** 张伟, 张小伟: the first character is the family name; of four it is the first two, as in 欧阳修文. */
function textForm(words: readonly string[]): NameForm {
  const form = formOf([], [], [...words]);
  if (!form.isHan) return form;
  const characters = [...words.join('')];
  const length = characters.length > 3 ? 2 : 1;
  const given = characters.slice(length).join('');
  return { ...form, family: characters.slice(0, length).join(''), given: given ? [given] : [] };
}

/**
 * The best that any name of the one says of any name of the other. Symmetric.
 * @returns undefined when there is nothing to compare
 */
export function compareNames(a: readonly NameForm[], b: readonly NameForm[]): NameAgreement | undefined {
  if (!wholesOf(a.filter(isComplete)).isDisjointFrom(wholesOf(b))) return 'same';
  if (!wholesOf(a).isDisjointFrom(wholesOf(b.filter(isComplete)))) return 'same';
  const found = some(a).flatMap((x) => some(b).map((y) => compareForms(x, y)));
  return agreements.find((agreement) => found.includes(agreement));
}

function wholesOf(forms: readonly NameForm[]): Set<string> {
  return new Set(forms.flatMap(({ wholes }) => wholes));
}

/** Both halves are there: two who have the same family name only have not the same name. */
function isComplete({ family, given, words }: NameForm): boolean {
  return family === '' && given.length === 0 ? words.length > 1 : family !== '' && given.length > 0;
}

/** Sorted first, so that the order in which they were sent says nothing. */
function some(forms: readonly NameForm[]): readonly NameForm[] {
  if (forms.length <= formsMax) return forms;
  const key = ({ family, words }: NameForm): string => `${words.join(' ')}|${family}`;
  return forms.toSorted((x, y) => (key(x) < key(y) ? -1 : 1)).slice(0, formsMax);
}

function compareForms(a: NameForm, b: NameForm): NameAgreement | undefined {
  // 张伟 and Zhang Wei may be one name; without a dictionary nobody can say.
  if (a.isHan !== b.isHan) return undefined;
  const family = a.family && b.family ? alike(a.family, b.family) : undefined;
  const given = a.given.length > 0 && b.given.length > 0 ? isGivenAlike(a.given, b.given) : undefined;
  if (family === undefined && given === undefined) return compareWords(a.words, b.words);
  if (family === undefined || given === undefined) return (family ?? given) ? 'half' : 'other';
  if (family) return given ? 'close' : 'otherGiven';
  return given ? 'otherFamily' : 'other';
}

/** Of a name in one piece nobody knows which word is what. */
function compareWords(a: readonly string[], b: readonly string[]): NameAgreement {
  const shared = Math.min(sharedWith(a, b), sharedWith(b, a));
  if (shared > 1) return 'close';
  if (shared === 0) return 'other';
  return Math.min(a.length, b.length) === 1 ? 'half' : 'otherGiven';
}

function sharedWith(words: readonly string[], others: readonly string[]): number {
  return words.filter((word) => others.some((other) => alike(word, other))).length;
}

/** All that the shorter list has: people leave their second name out. */
function isGivenAlike(a: readonly string[], b: readonly string[]): boolean {
  const isIn = (words: readonly string[], others: readonly string[]): boolean =>
    words.every((word) =>
      others.some((other) => alike(word, other) || isInitial(word, other) || isInitial(other, word)),
    );
  return (a.length <= b.length && isIn(a, b)) || (b.length <= a.length && isIn(b, a));
}

function isInitial(word: string, of: string): boolean {
  return word.length === 1 && isLatin(word) && of.startsWith(word);
}

function isLatin(word: string): boolean {
  return /^[a-z]+$/.test(word);
}

/** In short words, and in Chinese ones, another character is another name. */
const typoLengthMin = 5;

function alike(a: string, b: string): boolean {
  if (a === b) return true;
  return Math.min(a.length, b.length) >= typoLengthMin && isLatin(a) && isLatin(b) && isTypo(a, b);
}

/** True for one character more, less or other, or two neighbours swapped. Symmetric. */
export function isTypo(a: string, b: string): boolean {
  if (a.length > b.length) return isTypo(b, a);
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  if (b.length === a.length + 1) return a.slice(i) === b.slice(i + 1);
  if (b.length > a.length) return false;
  if (a.slice(i + 1) === b.slice(i + 1)) return true;
  return a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2);
}
