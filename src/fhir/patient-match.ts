/**
 * Is this the patient who is looked for? R4 patient-operation-match.html. An identifier decides; without one the
 * demographics are weighed as Fellegi and Sunter do (A Theory for Record Linkage, 1969): each field that agrees or
 * disagrees adds bits, the binary logarithm of how much likelier that is for one person than for two.
 */
import { compareNames, isTypo, nameForms, wordsOf } from './patient-name.ts';
import { fold } from './search/values.ts';
import type { Json } from './types.ts';

/** http://hl7.org/fhir/R4/valueset-match-grade.html */
export type MatchGrade = 'certain' | 'probable' | 'possible' | 'certainly-not';

/** @param m how often it is so for one person @param u how often for two */
function bits(m: number, u: number): number {
  return Math.log2(m / u);
}

/**
 * Estimates for a hospital that sees a city, on the careful side, because a wrong match joins two records. A site that knows
 * its own numbers better changes them here.
 */
const weights = {
  name: {
    // The commonest names (张伟, Maria Garcia) are carried by about one in a thousand of those of one age.
    same: bits(0.93, 1 / 1000),
    close: bits(0.04, 1 / 3000),
    half: bits(0.9, 1 / 20),
    // As after a marriage.
    otherFamily: bits(0.02, 1 / 100),
    // Brothers and sisters, but also a newborn who has no name yet.
    otherGiven: bits(0.02, 1 / 20),
    other: bits(0.01, 0.9),
  },
  birthDate: {
    // The days of a life, the old ones thinned out.
    day: bits(0.97, 1 / 16_000),
    // One of the two knows no more.
    month: bits(0.97, 1 / 700),
    year: bits(0.97, 1 / 60),
    // Day and month swapped, one digit wrong, two neighbours swapped.
    typo: bits(0.02, 1 / 400),
    other: bits(0.01, 1),
  },
  gender: { same: bits(0.98, 1 / 2), other: bits(0.02, 1 / 2) },
  // Numbers change; families and wards share them.
  telecom: { same: bits(0.6, 1 / 1000), other: bits(0.4, 1) },
  // Of those who come to one hospital. People move.
  address: { postalCode: bits(0.8, 1 / 30), city: bits(0.9, 1 / 2), other: bits(0.2, 1) },
  // Most are alive, so that says nothing. A death is often known to one side only.
  deceased: { both: bits(0.04, 0.01), neither: bits(0.95, 0.95), one: bits(0.02, 0.1) },
  // A number that is no longer in use may belong to somebody else by now.
  oldIdentifier: bits(0.5, 1 / 500),
} as const;

/** One in a million is the one who is looked for, before anything is known. Bits. */
const prior = -20;
/** Odds of 9 to 1 for. Name and birth date are more, name and telephone less. */
const probableMin = 0.9;
/** Odds of 99 to 1 against. Twins are just above. */
const possibleMin = 0.01;
/** An identifier says yes and everything else no: as when somebody came with the card of another person. */
const contradictedScore = 0.5;

/**
 * How likely two Patients are the same person. Symmetric; the order of lists says nothing; what one of them does not have
 * counts neither way. The names, numbers and addresses that a family shares count only where the name does not speak against.
 *
 * - `certain`: they share an identifier (system and value) that neither calls old; score 1. Demographics alone never are.
 * - `probable`: score 0.9 or more. `possible`: 0.01 or more, or something agrees and nothing disagrees; also a shared
 *   identifier when name, birth date and gender all differ. `certainly-not`: the rest.
 * @returns score from 0 to 1, for `Bundle.entry.search.score`, and the grade, for the extension match-grade
 */
export function scoreMatch(wanted: Json, candidate: Json): { score: number; grade: MatchGrade } {
  const names = compareNames(nameForms(objects(wanted.name)), nameForms(objects(candidate.name)));
  const name = names && weights.name[names];
  const birthDate = compareBirthDates(text(wanted.birthDate), text(candidate.birthDate));
  const gender = compareGenders(wanted.gender, candidate.gender);
  if (shareAny(identifiers(wanted, isCurrent), identifiers(candidate, isCurrent))) {
    const contradicted = [name, birthDate, gender].every((it) => it !== undefined && it < 0);
    return contradicted ? { score: contradictedScore, grade: 'possible' } : { score: 1, grade: 'certain' };
  }
  const ofFamily = [compareTelecoms(wanted, candidate), compareAddresses(wanted, candidate)];
  const evidence = [
    name,
    birthDate,
    gender,
    ...ofFamily.map((it) => (it !== undefined && name !== undefined && name < 0 ? Math.min(it, 0) : it)),
    compareDeaths(wanted, candidate),
    shareAny(identifiers(wanted), identifiers(candidate)) ? weights.oldIdentifier : undefined,
  ].filter((it) => it !== undefined);
  const total = evidence.reduce((sum, it) => sum + it, prior);
  const score = 1 / (1 + 2 ** -total);
  const nothingAgainst = evidence.some((it) => it > 0) && evidence.every((it) => it >= 0);
  if (score >= probableMin) return { score, grade: 'probable' };
  return { score, grade: score >= possibleMin || nothingAgainst ? 'possible' : 'certainly-not' };
}

/** What cannot be compared is undefined; agreement is positive, disagreement negative. */
type Bits = number | undefined;

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter((it) => typeof it === 'object' && it !== null) : [];
}

function shareAny(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return !a.isDisjointFrom(b);
}

function isCurrent(identifier: Json): boolean {
  return identifier.use !== 'old';
}

/** Without a system a value names nobody: every ward has a number 1. */
function identifiers(patient: Json, keep: (identifier: Json) => boolean = () => true): Set<string> {
  const kept = objects(patient.identifier).filter((it) => text(it.system) !== '' && text(it.value) !== '' && keep(it));
  return new Set(kept.map(({ system, value }) => JSON.stringify([system, value.trim()])));
}

const datePattern = /^\d{4}(?:-\d{2}){0,2}$/;

function compareBirthDates(a: string, b: string): Bits {
  if (!datePattern.test(a) || !datePattern.test(b)) return undefined;
  const { birthDate } = weights;
  const length = Math.min(a.length, b.length);
  if (a.slice(0, length) === b.slice(0, length))
    return length === 10 ? birthDate.day : length === 7 ? birthDate.month : birthDate.year;
  if (length < 10) return birthDate.other;
  const [year, month, day] = a.split('-');
  return b === `${year}-${day}-${month}` || isTypo(a, b) ? birthDate.typo : birthDate.other;
}

function isKnownGender(gender: unknown): boolean {
  return text(gender) !== '' && gender !== 'unknown';
}

function compareGenders(a: unknown, b: unknown): Bits {
  if (!isKnownGender(a) || !isKnownGender(b)) return undefined;
  return a === b ? weights.gender.same : weights.gender.other;
}

/** Fewer digits are an extension, or half a number. */
const phoneDigitsMin = 8;
const phoneDigitsMax = 15;

/** Digits without leading zeros: 0086 138…, +86 138… and 138… end alike. */
function phones(patient: Json): Set<string> {
  const values = objects(patient.telecom).filter(({ system }) => system !== 'email' && system !== 'url');
  const digits = values.map(({ value }) => fold(text(value)).replace(/\D/g, '').replace(/^0+/, ''));
  return new Set(digits.filter((it) => it.length >= phoneDigitsMin).map((it) => it.slice(-phoneDigitsMax)));
}

function emails(patient: Json): Set<string> {
  const values = objects(patient.telecom).filter((it) => it.system === 'email');
  return new Set(values.map(({ value }) => fold(text(value)).trim()).filter((it) => it !== ''));
}

/** The ends of numbers, as they are written without country or area. */
function endings(numbers: ReadonlySet<string>): Set<string> {
  return new Set(
    [...numbers].flatMap((number) =>
      Array.from({ length: number.length - phoneDigitsMin + 1 }, (_, from) => number.slice(from)),
    ),
  );
}

function compareTelecoms(a: Json, b: Json): Bits {
  const [aPhones, bPhones, aEmails, bEmails] = [phones(a), phones(b), emails(a), emails(b)];
  const { same, other } = weights.telecom;
  if (shareAny(aPhones, endings(bPhones)) || shareAny(endings(aPhones), bPhones) || shareAny(aEmails, bEmails))
    return same;
  const comparable = (aPhones.size > 0 && bPhones.size > 0) || (aEmails.size > 0 && bEmails.size > 0);
  return comparable ? other : undefined;
}

function compareAddresses(a: Json, b: Json): Bits {
  const all = (patient: Json, of: (address: Json) => string): Set<string> =>
    new Set(
      objects(patient.address)
        .map(of)
        .filter((it) => it !== ''),
    );
  const postalCode = (address: Json): string => wordsOf(address.postalCode).join('');
  // 北京市 and 北京 are one city.
  const city = (address: Json): string =>
    wordsOf(address.city)
      .join(' ')
      .replace(/(?<=.)市$/, '');
  const [aCodes, bCodes, aCities, bCities] = [all(a, postalCode), all(b, postalCode), all(a, city), all(b, city)];
  if (shareAny(aCodes, bCodes)) return weights.address.postalCode;
  if (shareAny(aCities, bCities)) return weights.address.city;
  const comparable = (aCodes.size > 0 && bCodes.size > 0) || (aCities.size > 0 && bCities.size > 0);
  return comparable ? weights.address.other : undefined;
}

function isDeceased({ deceasedBoolean, deceasedDateTime }: Json): boolean | undefined {
  if (text(deceasedDateTime) !== '') return true;
  return typeof deceasedBoolean === 'boolean' ? deceasedBoolean : undefined;
}

function compareDeaths(a: Json, b: Json): Bits {
  const [first, second] = [isDeceased(a), isDeceased(b)];
  if (first === undefined || second === undefined) return undefined;
  const { both, neither, one } = weights.deceased;
  return first !== second ? one : first ? both : neither;
}

/** Of each kind at most so many, so that the searches of one patient are twenty. */
const [identifiersMax, telecomsMax, namesMax] = [6, 4, 3];
/** Characters of a value that is searched. */
const valueLengthMax = 100;

/**
 * The searches that find whoever may be the patient: wide enough that an error in one field does not hide a record, narrow
 * enough that each gives few. What they give is scored with {@link scoreMatch}.
 * @returns at most 20 searches as `Patient?…`, escaped (R4 search.html#escaping) and URL-encoded; none when nothing is known
 */
export function candidateSearches(wanted: Json): string[] {
  const birthdate = datePattern.test(text(wanted.birthDate)) ? parameter('birthdate', wanted.birthDate) : '';
  const gender = isKnownGender(wanted.gender) ? parameter('gender', wanted.gender) : '';
  const names = objects(wanted.name).slice(0, namesMax);
  const searches = [
    ...objects(wanted.identifier).slice(0, identifiersMax).map(identifierParameter),
    // A date alone is wide; with the gender it is half of that, with a family name a handful.
    birthdate && gender ? join(birthdate, gender) : birthdate,
    ...names.map(({ family }) => join(nameParameter('family', family), birthdate)),
    ...objects(wanted.telecom).slice(0, telecomsMax).map(telecomParameter),
    ...names.flatMap(nameParameters),
  ];
  return [...new Set(searches.filter((it) => it !== ''))].map((it) => `Patient?${it}`);
}

function join(...parameters: readonly string[]): string {
  return parameters.every((it) => it !== '') ? parameters.join('&') : '';
}

function escaped(value: unknown): string {
  const trimmed = text(value).trim();
  if (trimmed.length > valueLengthMax || !trimmed.isWellFormed()) return '';
  return encodeURIComponent(trimmed.replace(/[\\,|$]/g, '\\$&'));
}

function parameter(name: string, value: unknown): string {
  const shown = escaped(value);
  return shown && `${name}=${shown}`;
}

/** An accent alone is a name that nobody can be found by. */
function nameParameter(name: string, value: unknown): string {
  return fold(text(value).trim()) === '' ? '' : parameter(name, value);
}

function identifierParameter({ system, value }: Json): string {
  const [namespace, number] = [escaped(system), escaped(value)];
  if (!number || (!namespace && text(system) !== '')) return '';
  return namespace ? `identifier=${namespace}%7C${number}` : `identifier=${number}`;
}

/** A token is found as it is written, so a number is asked for as it came and in digits alone. */
function telecomParameter({ system, value }: Json): string {
  if (system === 'email') return parameter('email', value);
  if (system === 'url') return '';
  const ways = new Set([
    escaped(value),
    escaped(text(value).replace(/[^\d+]/g, '')),
    escaped(text(value).replace(/\D/g, '')),
  ]);
  ways.delete('');
  return ways.size > 0 ? `phone=${[...ways].join(',')}` : '';
}

/** A Chinese name is searched in one piece, as the search index has it, also when it was sent in parts. */
function nameParameters(name: Json): string[] {
  const given = (Array.isArray(name.given) ? name.given : []).map(text);
  const whole = text(name.text) || text(name.family) + given.join('');
  if (/\p{Script=Han}/u.test(whole)) return [nameParameter('name', whole.replace(/\s+/g, ''))];
  const parts = join(nameParameter('family', name.family), nameParameter('given', given[0]));
  const words = text(name.text).split(/\s+/).slice(0, 4);
  return [parts, words.length > 1 ? join(...words.map((word) => nameParameter('name', word))) : ''];
}
