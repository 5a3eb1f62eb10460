/** Good messages ─▶ bad ones: byte by byte, and by the grammar of HL7 v2. Same seed, same messages. */
import { discharge, foreignSamples, hospitalDay } from '../support/messages.ts';
import { charsetNames } from './charsets.ts';
import type { Random } from './random.ts';
import { nasty } from './values.ts';

/** Good messages to begin with. */
export function seedMessages(): Buffer[] {
  const made = ['A01', 'A03', 'A04', 'A08', 'A13'].map((event) => Buffer.from(discharge({ event })));
  return [...hospitalDay(), ...(foreignSamples() ?? [])].map((it) => it.bytes).concat(made);
}

const delimiters = [
  '|^~\\&',
  '#^~\\&',
  '|*~\\&',
  '|^~\\&#',
  '^|~\\&',
  '||||',
  '|^~',
  '\t^~\\&',
  '|^^^^',
  'a^~\\&',
  '|é~\\&',
  '|^~\\|',
];

type Mutation = (bytes: Buffer, random: Random, all: readonly Buffer[]) => Buffer;

/** Works on lines of Latin-1, in which every byte is one character. */
function onLines(change: (lines: string[], random: Random) => void): Mutation {
  return (bytes, random) => {
    const lines = bytes.toString('latin1').split('\r');
    change(lines, random);
    return Buffer.from(lines.join('\r'), 'latin1');
  };
}

/** Works on the fields of one segment. */
function onFields(change: (fields: string[], random: Random, at: number) => void): Mutation {
  return onLines((lines, random) => {
    const line = random.whole(0, Math.max(0, lines.length - 1));
    const fields = (lines[line] ?? '').split('|');
    change(fields, random, random.whole(1, Math.max(1, fields.length - 1)));
    lines[line] = fields.join('|');
  });
}

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

const mutations: readonly Mutation[] = [
  // bytes
  (bytes, random) => {
    const out = Buffer.from(bytes);
    for (let n = random.whole(1, 8); n > 0 && out.length > 0; n--)
      out[random.whole(0, out.length - 1)] = random.whole(0, 255);
    return out;
  },
  (bytes, random) => {
    const at = random.whole(0, bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.whole(1, 200))]);
  },
  (bytes, random) => {
    const at = random.whole(0, bytes.length);
    const noise = Buffer.from(Array.from({ length: random.whole(1, 50) }, () => random.whole(0, 255)));
    return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
  },
  (bytes, random) => {
    const at = random.whole(0, bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.whole(0, at))]);
  },
  (bytes, random) => bytes.subarray(0, random.whole(0, bytes.length)),
  (bytes, random) => bytes.subarray(random.whole(0, bytes.length)),
  (bytes, random, all) => {
    const other = random.pick(all);
    return Buffer.concat([
      bytes.subarray(0, random.whole(0, bytes.length)),
      other.subarray(random.whole(0, other.length)),
    ]);
  },
  () => Buffer.alloc(0),
  (_, random) => Buffer.from(Array.from({ length: random.whole(1, 3000) }, () => random.whole(0, 255))),
  // segments
  onLines((lines, random) => lines.splice(random.whole(0, lines.length), 1)),
  onLines((lines, random) => lines.splice(random.whole(1, lines.length), 1)),
  onLines((lines, random) => {
    const line = random.pick(lines);
    for (let n = random.whole(1, 4); n > 0; n--) lines.splice(random.whole(1, lines.length), 0, line);
  }),
  onLines((lines, random) => {
    const [a, b] = [random.whole(1, lines.length - 1), random.whole(1, lines.length - 1)];
    [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
  }),
  onLines((lines, random) => lines.splice(random.whole(0, lines.length), 0, latin1(random.pick(nasty)))),
  onLines((lines, random) => {
    const name = random.pick([
      'ZZZ',
      'PID',
      'PV1',
      'OBX',
      'NK1',
      'AL1',
      'DG1',
      'IN1',
      'PR1',
      'ROL',
      'SFT',
      'PV2',
      'PD1',
      'EVN',
    ]);
    const fields = Array.from({ length: random.whole(0, 50) }, () => latin1(random.pick(nasty)));
    lines.splice(random.whole(1, lines.length), 0, [name, ...fields].join('|'));
  }),
  onLines((lines, random) => {
    const line = random.whole(1, Math.max(1, lines.length - 1));
    lines[line] = random.pick(['pid', 'PI', 'PIDX', '', '1ID', 'PID^']) + (lines[line] ?? '').slice(3);
  }),
  // fields
  onFields((fields, random, at) => fields.splice(at, 1, latin1(random.pick(nasty)))),
  onFields((fields, random, at) => fields.splice(at, 1, latin1(random.pick(nasty)))),
  onFields((fields, random, at) => {
    const parts = (fields[at] ?? '').split('^');
    parts[random.whole(0, parts.length)] = latin1(random.pick(nasty));
    fields[at] = Array.from(parts, (it) => it ?? '').join('^');
  }),
  onFields((fields, random, at) => {
    const other = random.whole(1, Math.max(1, fields.length - 1));
    [fields[at], fields[other]] = [fields[other] ?? '', fields[at] ?? ''];
  }),
  onFields((fields, _, at) => fields.splice(at, 1)),
  onFields((fields, random, at) => fields.splice(at, 0, ...Array.from({ length: random.whole(1, 5) }, () => ''))),
  onFields((fields, random, at) => {
    const field = fields[at] ?? '';
    fields[at] = Array.from({ length: random.whole(2, 300) }, () => field).join('~');
  }),
  onFields((fields, random, at) => {
    fields[at] = random
      .pick(['A', '^', '~', '&', '\\', '9', '^x&y~'])
      .repeat(random.whole(1, random.pick([100, 5000, 120_000])));
  }),
  // header
  onLines((lines, random) => {
    lines[0] = `MSH${random.pick(delimiters)}${(lines[0] ?? '').slice(8)}`;
  }),
  (bytes, random) => {
    // The whole message in other delimiters: as good as before when they are distinct.
    const other = random.pick(['#*@!%', '$=+?;', '|~^\\&']);
    const text = bytes.toString('latin1').replace(/[|^~\\&]/g, (it) => other.charAt('|^~\\&'.indexOf(it)));
    return Buffer.from(text, 'latin1');
  },
  onLines((lines, random) => {
    const fields = (lines[0] ?? '').split('|');
    while (fields.length < 18) fields.push('');
    fields[17] = latin1(random.pick(charsetNames));
    lines[0] = fields.join('|');
  }),
  onLines((lines, random) => {
    const fields = (lines[0] ?? '').split('|');
    const [at, values] = random.pick<[number, string[]]>([
      [8, ['ADT^A03', 'ADT^A01^ADT_A01', 'ADT^A13', 'ADT^A40', 'ORU^R01', 'ADT', '^A03', 'ADT^A03^X^Y', 'adt^a03']],
      [10, ['P', 'D', 'T', 'X', '', 'P^A']],
      [11, ['2.1', '2.3', '2.3.1', '2.5', '2.8', '2.9', '3', '2.x', '', '2.5.1^CHN']],
      [6, ['', '2026', '20260316103000+0800', 'x', '20261399']],
    ]);
    fields[at] = random.pick(values);
    lines[0] = fields.join('|');
  }),
  // charset lies
  (bytes) => Buffer.from(bytes.toString('latin1'), 'utf8'),
  (bytes) => Buffer.from(bytes.toString('latin1'), 'utf16le'),
  // line ends
  (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\r', '\n'), 'latin1'),
  (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\r', '\r\n'), 'latin1'),
  // frame bytes inside
  (bytes, random) => {
    const at = random.whole(0, bytes.length);
    const inside = random.pick([[0x0b], [0x1c], [0x1c, 0x0d], [0x1c, 0x0d, 0x0b], [0x0b, 0x0b], [0x0d, 0x1c]]);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(inside), bytes.subarray(at)]);
  },
];

/** Gives the message a control id of its own, so that it is not taken for a copy. */
export function withControlId(bytes: Buffer, id: string): Buffer {
  const end = bytes.indexOf(0x0d) < 0 ? bytes.length : bytes.indexOf(0x0d);
  const fields = bytes.subarray(0, end).toString('latin1').split('|');
  if (fields.length < 10) return bytes;
  fields[9] = id;
  return Buffer.concat([Buffer.from(fields.join('|'), 'latin1'), bytes.subarray(end)]);
}

/** One mutation of a message, or of whatever bytes. */
export function mutated(bytes: Buffer, random: Random, samples: readonly Buffer[]): Buffer {
  return random.pick(mutations)(bytes, random, samples);
}
