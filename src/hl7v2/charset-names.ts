/**
 * Names of character sets: HL7 table 0211 in all its versions (MSH-18), and what senders write instead.
 * HL7 v2.5.1 2.14.9.18 (MSH-18), 2.14.9.20 (MSH-20, table 0356).
 */

/**
 * Canonical names of what can be decoded and encoded. `utf-16` and `utf-32` have a byte-order mark, their `le` and `be`
 * have none. `iso-2022:ascii+jis_x0208` is a base set and others that escape sequences switch to.
 */
export type Charset =
  | 'ascii'
  | 'utf-8'
  | `utf-${16 | 32}${'' | 'le' | 'be'}`
  | 'gb18030'
  | 'big5'
  | 'euc-kr'
  | 'euc-tw'
  | 'euc-jp'
  | 'shift_jis'
  | 'jis_x0201'
  | `iso-8859-${number}`
  | `windows-${number}`
  | `iso-2022:${string}`;

const kanji: Charset = 'iso-2022:ascii+jis_x0208';
const japanese: Charset = 'iso-2022:ascii+jis_x0201+jis_x0208+jis_x0212';

/** Name, upper case without blanks, dashes, dots, underscores and slashes ─▶ character set. */
const names = new Map<string, Charset>();

function known(charset: Charset, ...as: string[]): void {
  for (const name of as) names.set(name, charset);
}

known('ascii', 'ASCII', 'USASCII', 'ISOIR6', 'ISO646US');
known('utf-8', 'UTF8', 'UNICODE', 'UNICODEUTF8', 'ISOIR192');
for (const width of [16, 32] as const)
  for (const order of ['', 'le', 'be'] as const)
    known(`utf-${width}${order}`, `UTF${width}${order}`.toUpperCase(), `UNICODEUTF${width}${order}`.toUpperCase());
known('utf-16', 'UCS2');
known('utf-32', 'UCS4');
// GB18030 is a superset of GBK and GB2312: one decoder reads all three.
known('gb18030', 'GB180302000', 'GB180302005', 'GB180302022', 'GB18030', 'GBK', 'GB2312', 'GB231280', 'EUCCN');
known('gb18030', 'CP936', 'MS936', 'WINDOWS936', 'ISOIR58');
known('big5', 'BIG5', 'CP950', 'MS950', 'WINDOWS950');
// Microsoft's extension of KS X 1001 is a superset too.
known('euc-kr', 'KSX1001', 'KSC5601', 'KSC56011987', 'EUCKR', 'ISOIR149', 'CP949', 'MS949', 'WINDOWS949', 'UHC');
known('euc-tw', 'CNS116431992', 'CNS11643', 'EUCTW');
known('jis_x0201', 'ISOIR14', 'ISOIR13', 'JISX0201', 'JISX02011976');
known('shift_jis', 'SHIFTJIS', 'SJIS', 'CP932', 'MS932', 'WINDOWS31J', 'WINDOWS932');
known('euc-jp', 'EUCJP');
known(kanji, 'ISOIR87', 'JISX0208', 'JISX02081990');
known('iso-2022:ascii+jis_x0212', 'ISOIR159', 'JISX0212', 'JISX02121990');
known(japanese, 'JAS2020', 'JISX0202', 'ISO2022JP');
for (const part of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16])
  known(`iso-8859-${part}`, `8859${part}`, `ISO8859${part}`);
known('iso-8859-1', 'LATIN1');
for (const [part, registration] of [100, 101, 109, 110, 144, 127, 126, 138, 148].entries())
  known(`iso-8859-${part + 1}`, `ISOIR${registration}`);
known('iso-8859-15', 'ISOIR203', 'LATIN9');
for (const page of [874, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258])
  known(`windows-${page}`, `WINDOWS${page}`, `CP${page}`);

/** What a set is called among the sets of ISO 2022; undefined for one that has no escape sequence. */
function switchable(charset: Charset): string[] | undefined {
  if (charset.startsWith('iso-2022:')) return charset.slice(9).split('+');
  if (charset === 'ascii' || charset === 'jis_x0201' || /^iso-8859-([1-9]|15)$/.test(charset)) return [charset];
  const square = { 'euc-kr': 'ks_x1001', 'euc-tw': 'cns_11643', gb18030: 'gb_2312' }[charset as string];
  return square ? [square] : undefined;
}

const part = '(ascii|iso-8859-([1-9]|15)|jis_x02(01|08|12)|ks_x1001|cns_11643|gb_2312)';
const switched = new RegExp(`^iso-2022:${part}(\\+${part})*$`);

/**
 * The character set that a name means, be it of MSH-18, of a configuration, or canonical; several repetitions of MSH-18
 * (`ASCII~ISO IR87`) mean ISO 2022 where that makes sense, else the first.
 * @returns undefined when nobody knows the name
 */
export function charsetOf(name: string): Charset | undefined {
  if (switched.test(name)) return name as Charset;
  if (name.includes('~')) return charsetsOf(name.split('~'), '')?.[0];
  const key = name.toUpperCase().replace(/[\s/._-]/g, '');
  return names.get(key) ?? names.get(key.replace(/^ISO2022IR/, 'ISOIR'));
}

/** True when the name says Unicode without saying in which encoding (table 0211, deprecated since v2.5). */
export function isBareUnicode(name: string): boolean {
  return name.trim().toUpperCase() === 'UNICODE';
}

/**
 * The sets that a message may be in by its declaration, most likely first. The first repetition of MSH-18 is the base, the
 * others are what escape sequences switch to (2.14.9.18); `UTF-8~UNICODE` or `ASCII~UNICODE UTF-8` without a way of
 * switching only says one of them.
 *
 * @param repetitions of MSH-18; an empty one before others is ASCII (`~ISO IR87` is what Japan writes)
 * @param scheme MSH-20: `ISO 2022-1994` or `2.3` when sets are switched inside the message
 * @returns undefined when nobody knows any of the names
 */
export function charsetsOf(repetitions: readonly string[], scheme: string): Charset[] | undefined {
  const sets = repetitions.map((name) => (name === '' ? 'ascii' : charsetOf(name))).filter((set) => set !== undefined);
  if (sets.length === 0) return undefined;
  const parts = sets.map(switchable);
  const switching = sets.length > 1 && (scheme !== '' || sets.some((set) => set.startsWith('iso-2022:')));
  if (switching && parts.every((part) => part !== undefined)) {
    const all = new Set((parts as string[][]).flat());
    // ASCII alone is read as well by ISO 2022, and would take a broken switch for text.
    return [...new Set<Charset>([`iso-2022:${[...all].join('+')}`, ...sets.filter((set) => set !== 'ascii')])];
  }
  return [...new Set(sets)];
}
