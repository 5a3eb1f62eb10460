/** Values of HL7 v2 fields: such as senders write, and such as readers have stumbled over. Same seed, same values. */
import type { Random } from './random.ts';

/** Texts that readers of HL7 have stumbled over. They hold delimiters and escapes on purpose. */
export const nasty: readonly string[] = [
  '',
  '""',
  '^',
  '&',
  '~',
  '^^^^^^^^^^',
  '~~~~',
  '&&&&',
  '""^""^""',
  '""~""',
  '^""',
  '~""',
  '\\',
  '\\\\',
  '\\F\\',
  '\\T\\\\S\\\\R\\\\E\\',
  '\\X',
  '\\XZZ\\',
  '\\X00\\',
  '\\X0D0A\\',
  '\\X1C0D\\',
  '\\.br\\',
  '\\.in+4\\',
  '\\H\\\\N\\',
  '\\Cxxyy\\',
  '\\M242A\\',
  '\\Z9\\',
  '0',
  '-1',
  '-0',
  '.5',
  '1e309',
  '99999999999999999999',
  '0.0000000000000000000000001',
  'NaN',
  '>100',
  '1,5',
  '19',
  '2026',
  '202602',
  '20260230',
  '20261332',
  '00000000',
  '99991231',
  '20260316250000',
  '20260316240000',
  '202603161060',
  '20260316100000.1234567+9900',
  '20260316100000-0000',
  '20160229T10:00',
  '2026-03-16',
  '202603161000000000000',
  'null',
  'undefined',
  '__proto__',
  'constructor^prototype',
  'toString',
  '../../etc/passwd',
  "'; DROP TABLE change; --",
  '<script>alert(1)</script>',
  '<div xmlns="http://www.w3.org/1999/xhtml">',
  '%s%n',
  '$\u007bjndi:ldap://x}',
  '张伟',
  '\u{20BB7}',
  'e\u0301',
  '\u202e',
  '\ufeff',
  '\ufffd',
  '\u00a0',
  '\u0000',
  '\u0007',
  '\u001b$B',
  '\u0085',
  '\t',
  '\n',
  ' ',
  'a b  c',
  ' leading',
  'A03',
  'PID',
  'MSH|^~\\&|',
  '|||||',
  'http://[::1',
  'urn:uuid:',
  'urn:oid:1.2.',
  '1.2.840.113619',
  'M|F|X',
  'Patient/1',
  '#',
  'x&y&z&w&v^a&b&c&d^e&f&g&h~i&j&k&l^m&n',
  '^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^&&&&&x',
];

/** Names, so that a character set has something to carry. */
const words: readonly string[] = [
  'Doe',
  'Jane',
  "O'Brien",
  'Müller',
  'Łukasz',
  'Ğöz',
  'Иванов',
  'Παπάς',
  'כהן',
  'عمر',
  'สมชาย',
  '张伟',
  '王珺',
  '山田',
  'ヤマダ',
  'ﾔﾏﾀﾞ',
  '김철수',
  'Zoë',
  '€uro',
  'Chest pain',
  'Ward 7',
  'x',
];

const authorities = ['RENHE', 'RENHE&1.2.840.113619.6.1&ISO', 'HIS&&', 'SSA', '&urn:id:x&URI', ''];

const word = (random: Random): string => random.pick(words);
const digits = (random: Random, length: number): string =>
  String(random.whole(0, 10 ** length - 1)).padStart(length, '0');

/** A DTM of some precision; most lie around the day of the tests. */
export function dtm(random: Random): string {
  const day = `20${digits(random, 1)}${random.whole(0, 9)}${String(random.whole(1, 12)).padStart(2, '0')}${String(random.whole(1, 28)).padStart(2, '0')}`;
  const near = `202603${String(random.whole(10, 28)).padStart(2, '0')}`;
  const time = `${String(random.whole(0, 23)).padStart(2, '0')}${String(random.whole(0, 59)).padStart(2, '0')}`;
  return (
    (random.next() < 0.7 ? near : day) +
    random.pick(['', time, `${time}00`, `${time}30.125`, `${time}00+0800`, `${time}00-0500`])
  );
}

type Make = (random: Random, codes: readonly string[]) => string;

const code: Make = (random, codes) =>
  codes.length > 0 && random.next() < 0.8
    ? random.pick(codes)
    : random.pick(['A', 'X9', 'Y', 'N', '01', 'I10', 'other']);
const cwe: Make = (random, codes) => {
  const system = random.pick(['', '', 'LN', 'SCT', 'I10', 'HL70001', 'L', '99ZZZ', 'http://x.example/a b']);
  const [first, text] = [code(random, codes), random.next() < 0.5 ? word(random) : ''];
  return random.next() < 0.2
    ? `${first}^${text}^${system}^${code(random, codes)}^${word(random)}^L`
    : `${first}^${text}^${system}`;
};
const id: Make = (random) => random.pick(['A', 'B', '77', 'N-1', 'ü9']) + random.whole(1, 30);
const cx: Make = (random) =>
  `${id(random, [])}^^^${random.pick(authorities)}^${random.pick(['MR', 'PI', 'SS', 'NI', 'VN', 'AN', 'PPN', 'DL', '', 'ZZ'])}`;
const xpn: Make = (random) =>
  `${word(random)}&de&${word(random)}^${word(random)}^^${random.pick(['', 'Jr'])}^Dr^MD^${random.pick(['L', 'M', 'A', 'I', 'P', ''])}`;
const xcn: Make = (random) => `${id(random, [])}^${word(random)}^${word(random)}^^^Dr^^^${random.pick(authorities)}^L`;
const xad: Make = (random) =>
  `${word(random)} 7&Street&7^${word(random)}^${word(random)}^SH^200000^CHN^${random.pick(['H', 'B', 'C', 'BDL', ''])}`;
const xtn: Make = (random) =>
  random.pick([
    `139${digits(random, 8)}^PRN^CP`,
    `^NET^Internet^${id(random, [])}@example.org`,
    `^PRN^PH^^86^21^${digits(random, 7)}`,
    '(021)555-0100X12',
  ]);
const xon: Make = (random) => `${word(random)}^L^${random.whole(1, 99)}^^^${random.pick(authorities)}^XX`;
const hd: Make = (random) => random.pick(['RENHE', 'X^1.2.3^ISO', '^urn:x:1^URI', 'lab^lab.example^DNS']);
const ei: Make = (random) => `E${random.whole(1, 40)}^${random.pick(['RENHE', 'ORD', ''])}^1.2.3^ISO`;
const pl: Make = (random) => `W${random.whole(1, 3)}^${random.whole(100, 120)}^0${random.whole(1, 4)}^RENHE^^^B^3`;
const nm: Make = (random) => random.pick(['1', '0', '37.5', '-4', '120', '+8', '1000000']);
const dr: Make = (random) => `${dtm(random)}^${dtm(random)}`;
const sn: Make = (random) => random.pick(['>^100', '^1^-^10', '^1^:^128', '<=^5', '=^7', '^^', '>^x']);
const ed: Make = (random) =>
  random.pick([
    'HIS^TEXT^PLAIN^A^hello',
    'HIS^IM^PNG^Base64^iVBORw0KGgo=',
    '^AP^PDF^Base64^!!!',
    '^^^Hex^4142',
    '^IM^x/y^Base64^AA',
  ]);
const tq: Make = (random) => `1^Q6H^X${random.whole(1, 9)}^${dtm(random)}^${dtm(random)}^R`;

/** By the data type that a row of the mapping names (`CX-Identifier` is `CX`). */
const makers: Readonly<Record<string, Make>> = {
  ...{
    CX: cx,
    XPN: xpn,
    XCN: xcn,
    XAD: xad,
    XTN: xtn,
    XON: xon,
    HD: hd,
    EI: ei,
    PL: pl,
    DR: dr,
    SN: sn,
    ED: ed,
    TQ: tq,
  },
  ...{
    CWE: cwe,
    NM: nm,
    CQ: (random) => `${nm(random, [])}^min`,
    CP: (random) => `${nm(random, [])}&CNY^UP`,
    NR: () => '10^20',
  },
  ...{
    EIP: (random) => `${ei(random, []).replaceAll('^', '&')}^${ei(random, []).replaceAll('^', '&')}`,
    DTM: dtm,
    DLN: (random) => `D${random.whole(1, 99)}^SH^${dtm(random)}`,
  },
  ...{
    PLN: (random) => `L${random.whole(1, 99)}^NPI^CN`,
    DLD: (random) => `RENHE^${dtm(random)}`,
    RP: () => 'http://x.example/1^HIS^IM^PNG',
    TX: word,
    ST: word,
    NTE: word,
  },
  ...{
    AIX: (random) => random.pick([dtm(random), '15', '30^MIN', 'S']),
    SCH: (random) => random.pick(['15', '30', 'MIN']),
  },
};

const anything: readonly Make[] = [dtm, nm, word, code, cwe, id];

/** What a field can hold. */
export interface FieldKind {
  /** Data types by which rows read it: `CX`, `CWE`; none when rows read it as text, a number, a date. */
  readonly types: readonly string[];
  /** Codes that the tables of its rows know. */
  readonly codes: readonly string[];
}

/** One repetition, as a sender would write it. */
export function plausible({ types, codes }: FieldKind, random: Random): string {
  const known = types.flatMap((type) => makers[type] ?? []);
  return random.pick(known.length > 0 ? known : codes.length > 0 ? [code, cwe] : anything)(random, codes);
}

/** One field: mostly plausible; now and then with a nasty part, repeated, deep, or nasty as a whole. */
export function fieldValue(kind: FieldKind, random: Random): string {
  const dice = random.next();
  if (dice < 0.12) return random.pick(nasty);
  if (dice < 0.2) {
    const parts = plausible(kind, random).split('^');
    parts[random.whole(0, Math.min(parts.length + 2, 20))] = random.pick(nasty);
    return Array.from(parts, (it) => it ?? '').join('^');
  }
  if (dice < 0.28)
    return Array.from({ length: random.whole(2, 4) }, () =>
      random.next() < 0.2 ? random.pick(nasty) : plausible(kind, random),
    ).join('~');
  if (dice < 0.285) {
    const one = plausible(kind, random);
    return Array.from({ length: random.whole(20, 400) }, () => one).join(random.pick(['~', '^', '&']));
  }
  return plausible(kind, random);
}
