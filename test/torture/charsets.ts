/** Names of character sets as senders write them in MSH-18, and messages carried over into each. */
import { type Charset, charsetOf } from '../../src/hl7v2/charset.ts';
import type { Random } from './random.ts';

/** HL7 table 0211. */
const table0211 = [
  ...['ASCII', '8859/1', '8859/2', '8859/3', '8859/4', '8859/5', '8859/6', '8859/7', '8859/8', '8859/9', '8859/15'],
  ...['ISO IR6', 'ISO IR14', 'ISO IR87', 'ISO IR159', 'GB 18030-2000', 'KS X 1001', 'CNS 11643-1992', 'BIG-5'],
  ...['UNICODE', 'UNICODE UTF-8', 'UNICODE UTF-16', 'UNICODE UTF-32'],
];

const seen = [
  'GBK',
  'GB2312',
  'UTF-8',
  'ISO-8859-1',
  'windows-1252',
  'Shift_JIS',
  'EUC-JP',
  'EUC-KR',
  'UTF-16LE',
  'UTF-32BE',
];

/** Names that mean nothing, or several things. */
const strange = [
  '',
  'EBCDIC',
  '~~',
  'GB 18030-2000~ISO IR87',
  'UNICODE UTF-8~ASCII',
  '~UNICODE UTF-8',
  '张',
  'utf8',
  'ISO IR192',
];

/** Everything that may stand in MSH-18. */
export const charsetNames: readonly string[] = [...table0211, ...seen, ...strange];

/** How a message declares its set, and the set that it is really in. */
export interface Carried {
  /** MSH-18. */
  readonly declared: string;
  /** MSH-20. */
  readonly scheme: string;
  readonly charset: Charset;
}

const switched = ['~ISO IR87', 'ISO IR14~ISO IR87~ISO IR159', '8859/1~KS X 1001', 'ASCII~GB 18030-2000'];

/** Mostly UTF-8; all the others as often as each other; now and then a lie. */
export function carriedIn(random: Random): Carried {
  const dice = random.next();
  if (dice < 0.6) return { declared: 'UNICODE UTF-8', scheme: '', charset: 'utf-8' };
  if (dice < 0.65) return { declared: '', scheme: '', charset: 'utf-8' };
  if (dice < 0.7) {
    const declared = random.pick(switched);
    return { declared, scheme: 'ISO 2022-1994', charset: charsetOf(declared) ?? 'utf-8' };
  }
  const declared = random.pick(dice < 0.92 ? table0211 : seen);
  const charset = charsetOf(declared) ?? 'utf-8';
  return dice < 0.97 ? { declared, scheme: '', charset } : { declared: random.pick(charsetNames), scheme: '', charset };
}
