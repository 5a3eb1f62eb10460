/** Whatever is in the fields: what check() lets through, map() maps, and the result is sound FHIR. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { errorsOf } from '../../src/fhir/validate.ts';
import { parse } from '../../src/hl7v2/message.ts';
import { foreignSamples, hospitalDay } from '../support/messages.ts';
import { mapping, messageOf, receivedAt, segment, shanghai, text } from './support.ts';

const bases = [...hospitalDay(), ...(foreignSamples() ?? [])].map(({ bytes }) => messageOf(bytes).format());

/** What stands in fields: words of the tables, times, numbers, and what nobody should send. */
const likely = fc.constantFrom(
  ...[
    '',
    '""',
    '^',
    '~',
    '&',
    '^^&~',
    '\\',
    '\\F\\',
    '\\X41\\',
    '\\.br\\',
    '\\Z',
    '""^""',
    '^""',
    '~""',
    '0',
    '-1',
    '.5',
  ],
  ...[
    '1e9',
    '99999999999999999999',
    '007',
    '+3',
    '1.',
    'Y',
    'N',
    'M',
    'F',
    'D',
    'X',
    'SEL',
    'SPO',
    'P',
    'I',
    'DA',
    'SV',
  ],
  ...[
    'A01',
    'NM',
    'SN',
    'ED',
    'RP',
    'DR',
    'TM',
    'CWE',
    'HL70001',
    'HL70002',
    'ISO',
    'UUID',
    'DNS',
    'URI',
    'Internet',
    'CP',
  ],
  ...[
    '20260316',
    '2026',
    '20261399',
    '20260230',
    '202603161200+0800',
    '20260316120060',
    '0000',
    '20260316-9999',
    '2460',
  ],
  ...[
    'W07^0706^12^RENHE^^^B2^7',
    'D071^Li^Min^^^Dr^^^RENHE',
    '1^2^3^A&1.2.3&ISO^MR',
    '^PRN^CP^^86^99^1^2',
    'E11.9^x^I10',
  ],
  ...[
    'A&urn:x y&URI',
    'a b',
    '1^^^&not a uri&URI',
    'http://a b',
    '>^100',
    '^1^-^5',
    '^1^:^128',
    '<>^5',
    'zh',
    'xx-YY',
    'en-US',
  ],
);
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom('^', '~', '&', '\\', '|', '"', ' ', 'A', '1', '.', '-', '/', ':', '\u0000', '\t', '\n', '张'),
    maxLength: 30,
  }),
  fc.nat(5_000).map((length) => 'Long '.repeat(length / 5)),
  fc.constantFrom('\u0000', '\u007f', '\ufeff', '\u3000', '\u2028', '\u00a0', '𝌆', '\u0085', '张\u3000伟', 'a\u00a0b'),
);
const value = fc.oneof({ weight: 3, arbitrary: likely }, { weight: 2, arbitrary: hostile });

const change = fc.record({ segment: fc.nat(), field: fc.integer({ min: 1, max: 55 }), value });
const added = fc.record({
  name: fc.constantFrom(
    'PID',
    'PD1',
    'PV1',
    'PV2',
    'NK1',
    'ROL',
    'OBX',
    'AL1',
    'DG1',
    'PR1',
    'IN1',
    'SFT',
    'EVN',
    ...['MRG', 'GT1', 'IN2', 'IN3', 'IAM', 'IAR', 'NTE', 'PRT', 'ARV', 'DB1', 'ZBE', 'ACC', 'DRG', 'PDA', 'UAC'],
    'ZZZ',
  ),
  fields: fc.array(value, { minLength: 1, maxLength: 55 }),
});
const message = fc
  .record({
    base: fc.constantFrom(...bases),
    changes: fc.array(change, { minLength: 1, maxLength: 12 }),
    more: fc.array(added, { maxLength: 2 }),
  })
  .map(({ base, changes, more }) => {
    const segments = base.split('\r').filter((it) => it !== '');
    for (const { segment, field, value: to } of changes) {
      const at = segment % segments.length;
      const fields = (segments[at] as string).split('|');
      // MSH-1, -2, -9 and -18 decide whether it is read at all; a change there is a case for check(), not for map().
      const n = at === 0 ? Math.max(field, 2) : field;
      while (fields.length <= n) fields.push('');
      fields[n] = to;
      segments[at] = fields.join('|');
    }
    for (const { name, fields } of more) segments.push([name, ...fields].join('|'));
    return `${segments.join('\r')}\r`;
  });

/** Segments with one field each: what a row makes of its field alone. */
const alone = ['MSH', 'EVN', 'PID', 'PD1', 'PV1', 'PV2', 'NK1', 'ROL', 'OBX', 'AL1', 'DG1', 'PR1', 'IN1', 'SFT'];

/** The message with one field, in a segment that has nothing else but what a message must have. */
function withField(name: string, field: number, to: string): string {
  switch (name) {
    case 'MSH':
      return text({ MSH: { [field]: to } });
    case 'EVN':
      return text({ EVN: { [field]: to } });
    case 'PID':
      return text({ PID: { [field]: to } });
    case 'PV1':
      return text({ PV1: { 2: '', [field]: to } });
    default:
      return text({ more: [segment(name, { [field]: to })] });
  }
}

interface Tally {
  mapped: number;
}

/** Throws for what must never be; counts what was mapped. */
function judge(sent: string, tally: Tally): void {
  const parsed = parse(sent);
  if (!parsed || mapping.check(parsed).length > 0) return;
  const { resources } = mapping.map(parsed, { zone: shanghai, receivedAt });
  tally.mapped++;
  const names = resources.map(({ resource }) => `${resource.resourceType}/${resource.id}`);
  if (new Set(names).size !== names.length)
    throw new Error(`twice: ${names.filter((it, i) => names.indexOf(it) !== i)}`);
  const known = new Set(names);
  for (const { resource } of resources) {
    const [problem] = errorsOf(resource);
    if (problem) throw new Error(`${problem.expression}: ${problem.text}`);
    for (const [, reference] of JSON.stringify(resource).matchAll(/"reference":"([^"]*)"/g)) {
      if (!known.has(reference as string))
        throw new Error(`${resource.resourceType} refers to ${reference}, which is not there`);
    }
  }
}

/** Messages: 2,000 in CI. */
const numRuns = process.env.CI ? 2_000 : 500;

describe('a message with anything in its fields', () => {
  test('that is not refused is mapped to sound, distinct resources that refer to one another', () => {
    const tally = { mapped: 0 };
    fc.assert(
      fc.property(message, (sent) => judge(sent, tally)),
      { numRuns, seed: 20260316 },
    );
    // Most mutations leave a message that is taken: otherwise nothing was tested.
    expect(tally.mapped).toBeGreaterThan(numRuns / 2);
  });

  test.each([
    ['a plain text', 'A'],
    ['two of them', 'A~B'],
    ['a second part only', '^B'],
    ['a second part of the first part only', '&B'],
    ['"" in a part', '^""'],
    ['a no-break space', '\u00a0'],
    ['an ideographic space', '\u3000'],
    ['a byte-order mark', '\ufeff'],
    ['a line break', '\\.br\\'],
    ['a formatting mark', '\\H\\'],
    ['a control character', '\u0007'],
    ['a name with an ideographic space', '张\u3000伟'],
    ['a date', '20260316'],
    ['a code with a system', '01^x^HL70001'],
  ])('each field alone, holding %s, is sound', (_, to) => {
    const tally = { mapped: 0 };
    const wrong: string[] = [];
    for (const name of alone) {
      for (let field = name === 'MSH' ? 3 : 1; field <= 55; field++) {
        try {
          judge(withField(name, field, to), tally);
        } catch (error) {
          wrong.push(`${name}-${field}: ${(error as Error).message}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(tally.mapped).toBeGreaterThan(700);
  });

  test.each(bases.map((base) => [parse(base)?.header.text(10), base]))('%s, as sent, is sound', (_, base) => {
    const tally = { mapped: 0 };
    judge(base as string, tally);
    expect(tally.mapped).toBe(1);
  });
});
