import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decode, encode } from '../../src/hl7v2/charset.ts';
import { cut, type Message, parse, parseRef } from '../../src/hl7v2/message.ts';
import { discharge, hospitalDay } from '../support/messages.ts';
import { header } from './header.ts';

function sound(text: string): Message {
  const message = parse(text);
  if (!message) throw new Error('the message was not read');
  return message;
}

describe('segments', () => {
  test.each([
    ['CR', '\r'],
    ['LF', '\n'],
    ['CRLF', '\r\n'],
  ])('are ended by %s', (_, end) => {
    const message = sound(discharge().replaceAll('\r', end));
    expect(message.segments.map((it) => it.name)).toEqual(['MSH', 'EVN', 'PID', 'PV1', 'DG1']);
    expect(message.first('DG1')?.text(6)).toBe('F');
    expect(message.format()).toBe(discharge());
  });

  test('need no end after the last one, and blank lines (or the NULs of a buffer) count for nothing', () => {
    const message = sound(`${header()}\r \rPID|1||9\r\r\0\0\0`);
    expect(message.segments.map((it) => it.name)).toEqual(['MSH', 'PID']);
    expect(sound(`${header()}PID|1||9`).first('PID')?.text(3)).toBe('9');
  });

  test('a line feed inside a field of a message with CR stays in the field', () => {
    const text = `${header()}NTE|1||first\nsecond\rPID|1\r`;
    const message = sound(text);
    expect(message.segments).toHaveLength(3);
    expect(message.first('NTE')?.text(3)).toBe('first\nsecond');
    expect(message.format()).toBe(text);
  });

  test('that end in LF need no other end, and a CR at the end of the message hides none of them', () => {
    const message = sound(`${discharge().trimEnd().replaceAll('\r', '\n')}\r`);
    expect(message.segments.map((it) => it.name)).toEqual(['MSH', 'EVN', 'PID', 'PV1', 'DG1']);
  });

  test('that end in LF here and CR there, as files put together do, are all found', () => {
    const message = sound(`${header().trimEnd()}\nPID|1||9\rPV1|1|I\r\nDG1|1\n`);
    expect(message.segments.map((it) => it.name)).toEqual(['MSH', 'PID', 'PV1', 'DG1']);
  });

  test('of a second message make none: a batch is cut before', () => {
    expect(parse(`${header()}PID|1||9\r${header()}PID|1||10\r`)).toBeUndefined();
  });

  test('of the same name are counted from 1, as ERR-2.2 counts', () => {
    const message = sound(`${header()}DG1|1\rOBX|1\rDG1|2\r`);
    expect(message.segments.map((it) => `${it.name}${it.sequence}`)).toEqual(['MSH1', 'DG11', 'OBX1', 'DG12']);
  });

  test('the first of a name is found, another name is not', () => {
    const message = sound(`${header()}DG1|1\rDG1|2\r`);
    expect(message.first('DG1')?.text(1)).toBe('1');
    expect(message.first('PV1')).toBeUndefined();
  });
});

describe('fields', () => {
  const message = sound(`${header({ 10: 'C\\T\\1' })}PID|1||a^b&c^d~e^f|| \\F\\x \r`);
  const pid = message.first('PID')!;

  test('of MSH count the separator as the first', () => {
    expect([1, 2, 3, 9, 12].map((n) => message.header.field(n))).toEqual([
      '|',
      '^~\\&',
      'HIS',
      'ADT^A03^ADT_A03',
      '2.5.1',
    ]);
    expect(message.header.text(1)).toBe('|');
    expect(message.header.text(2)).toBe('^~\\&');
    expect(message.header.repetitions(2)).toEqual(['^~\\&']);
    expect(message.header.text(10)).toBe('C&1');
    expect(message.header.fieldCount).toBe(12);
  });

  test('are cut into repetitions, components and subcomponents', () => {
    expect(pid.field(3)).toBe('a^b&c^d~e^f');
    expect(pid.repetitions(3)).toEqual(['a^b&c^d', 'e^f']);
    expect([pid.text(3), pid.text(3, 2), pid.text(3, 2, 2), pid.text(3, 3), pid.text(3, 4)]).toEqual([
      'a',
      'b',
      'c',
      'd',
      '',
    ]);
    expect(pid.fieldCount).toBe(5);
  });

  test('are unescaped and without blanks around as text, as sent when raw', () => {
    expect(pid.text(5)).toBe('|x');
    expect(pid.field(5)).toBe(' \\F\\x ');
  });

  test('that are not there are empty', () => {
    expect(pid.field(99)).toBe('');
    expect(pid.repetitions(99)).toEqual([]);
    expect(pid.text(99, 2, 2)).toBe('');
  });
});

describe('what senders really write loses no field', () => {
  test('a byte-order mark before MSH counts for nothing', () => {
    const message = sound(`\ufeff${header()}PID|1||9\r`);
    expect(message.header.name).toBe('MSH');
    expect(message.format()).toBe(`${header()}PID|1||9\r`);
  });

  test('blanks after the last field belong to no value', () => {
    const message = sound(`${header({ 12: '2.5.1   ' })}PID|1||9^^^H^MR  \r`);
    expect(message.header.text(12)).toBe('2.5.1');
    expect(message.first('PID')?.text(3, 5)).toBe('MR');
  });

  test('separators after the last field are empty fields', () => {
    const message = sound(`${header()}PID|1||9||||\r`);
    expect(message.first('PID')?.text(3)).toBe('9');
    expect(message.first('PID')?.text(7)).toBe('');
  });

  test('a truncation character (v2.7) is what \\P\\ says, and MSH-2 without one has none', () => {
    const nameOf = (msh2: string): string => parse(`MSH|${msh2}|a\\P\\b`)?.header.text(3) as string;
    expect(nameOf('^~\\&#')).toBe('a#b');
    expect(nameOf('^~\\&')).toBe('a\\P\\b');
  });

  test('a truncation character (v2.7) leaves MSH-3 to MSH-18 where they are, before decoding and after', () => {
    const text = header({ 4: '東城', 18: 'GB18030' }, '|', '^~\\&#');
    const decoded = decode(encode(text, 'gb18030'), 'ascii');
    if ('error' in decoded) throw new Error(decoded.error);
    const { header: msh } = sound(decoded.text);
    expect([3, 4, 10, 12, 18].map((n) => msh.text(n))).toEqual(['HIS', '東城', 'C1', '2.5.1', 'GB18030']);
  });
});

describe('delimiters', () => {
  test('a fifth encoding character (truncation, v2.7) is read and changes nothing', () => {
    const message = sound(`${header({}, '|', '^~\\&#')}PID|1||a^b#\r`);
    expect(message.header.text(2)).toBe('^~\\&#');
    expect(message.header.text(9, 2)).toBe('A03');
    expect(message.first('PID')?.text(3, 2)).toBe('b#');
  });

  test('of the sender are used', () => {
    const message = sound(`${header({}, '#', '*!?%')}PID#1##a*b%c!d#x?F?y|^~\\&\r`);
    expect(message.delimiters).toEqual({
      field: '#',
      component: '*',
      repetition: '!',
      escape: '?',
      subcomponent: '%',
    });
    const pid = message.first('PID')!;
    expect(pid.text(3, 2, 2)).toBe('c');
    expect(pid.repetitions(3)).toEqual(['a*b%c', 'd']);
    expect(pid.text(4)).toBe('x#y|^~\\&');
    expect(message.header.text(9, 2)).toBe('A03');
  });

  test.each([
    ['nothing', ''],
    ['a text', 'hello'],
    ['another segment first', 'PID|1\r'],
    ['a header cut off in MSH-2', 'MSH|^~\\'],
    ['a header without fields', 'MSH|^~\\&'],
    ['the same delimiter twice', 'MSH|^^\\&|HIS\r'],
    ['too few encoding characters', 'MSH|^~\\|HIS|X\r'],
    ['a letter as separator', 'MSHA^~\\&AHIS\r'],
    ['a letter among the encoding characters', 'MSH|^~x&|HIS\r'],
    ['a blank as separator', 'MSH ^~\\& HIS\r'],
    ['a line end among the encoding characters', 'MSH|^~\r&|HIS\r'],
    ['a header in small letters', 'msh|^~\\&|HIS\r'],
    ['a line before the header', '\rMSH|^~\\&|HIS\r'],
  ])('%s is not a message', (_, text) => {
    expect(parse(text)).toBeUndefined();
  });
});

describe('nothing is dropped', () => {
  test('every message of the sample hospital day comes back as it was', () => {
    for (const { bytes } of hospitalDay()) {
      const decoded = decode(bytes, 'utf-8');
      if ('error' in decoded) throw new Error(decoded.error);
      expect(sound(decoded.text).format()).toBe(decoded.text);
    }
  });

  test('any fields come back as they were, and reading them changes nothing', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '张', ' ', '^', '~', '&', '\\', '\n', '"', '0') });
    const segment = fc.tuple(fc.constantFrom('PID', 'OBX', 'ZXX'), fc.array(cell, { maxLength: 8 }));
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 6 }), (segments) => {
        const text = `${header()}${segments.map(([name, cells]) => `${[name, ...cells].join('|')}\r`).join('')}`;
        const message = sound(text);
        for (const [i, [, cells]] of segments.entries()) {
          const read = message.segments[i + 1]!;
          expect(cells.map((_, n) => read.field(n + 1))).toEqual(cells);
        }
        expect(message.format()).toBe(text);
      }),
    );
  });
});

test('the nth part of a text equals that of a split', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '^') });
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 8 }), (it, n) => {
      expect(cut(it, '^', n)).toBe(it.split('^')[n - 1] ?? '');
    }),
  );
});

describe('names of places', () => {
  test.each([
    ['PID-3', { segment: 'PID', field: 3, component: 0, subcomponent: 0 }],
    ['PV1-2.1', { segment: 'PV1', field: 2, component: 1, subcomponent: 0 }],
    ['PID-3.4.2', { segment: 'PID', field: 3, component: 4, subcomponent: 2 }],
    ['CX.4', { segment: 'CX', field: 4, component: 0, subcomponent: 0 }],
    ['CX.4.2', { segment: 'CX', field: 4, component: 2, subcomponent: 0 }],
  ])('%s is read', (text, place) => {
    expect(parseRef(text)).toEqual(place);
  });

  test.each(['', 'PID', 'PID-', 'pid-3', 'PID-3.', 'PID-3.1.1.1', 'P-3', 'PID3'])('%p is none', (text) => {
    expect(parseRef(text)).toBeUndefined();
  });
});
