/** Which texts a body may hold, written as such or as an escape. R4 datatypes.html#string, json.html. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseJson } from '../../src/rest/format.ts';

/** What XML 1.0 can carry, and so every FHIR string. */
function isText(text: string): boolean {
  return /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u.test(text);
}

function taken(json: string): boolean {
  try {
    parseJson(json, 'it');
    return true;
  } catch (error) {
    expect(error).toMatchObject({ kind: 'malformed' });
    return false;
  }
}

const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
/** One code unit in one of the ways in which JSON may write it. */
const unit = fc
  .tuple(
    fc.oneof(
      fc.constantFrom('\b', '\f', '\n', '\t', '\r', '\\', '"', '/', '\u0000', '\u001f', ' ', 'u', 'd', '8', 'a', '张'),
      fc.constantFrom('\ud800', '\udbff', '\udc00', '\udfff', '\ud7ff', '\ue000', '\ufffd', '\ufffe', '\uffff'),
    ),
    fc.boolean(),
  )
  .map(([it, long]) => ({ it, written: long ? escaped(it) : JSON.stringify(it).slice(1, -1) }));

describe('the text of a body', () => {
  test('is taken when every character can stand in a FHIR string, in whatever way it is escaped', () => {
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 6 }), (units) => {
        const json = `{"a":"${units.map(({ written }) => written).join('')}"}`;
        const text = units.map(({ it }) => it).join('');
        expect([json, taken(json)]).toEqual([json, isText(text)]);
      }),
      { numRuns: 3000 },
    );
  });

  test.each<[string, boolean]>([
    ['"\\ud83d\\ude00"', true],
    ['"\\uD83D\\uDE00"', true],
    ['"\\ud83d \\ude00"', false],
    ['"\\ud83d\\n\\ude00"', false],
    ['"\\ud83d"', false],
    ['["\\ud83d","\\ude00"]', false],
    ['"\\\\ud83d"', true],
    ['"\\\\\\ud83d"', false],
    ['"\\b"', false],
    ['"\\\\b"', true],
    ['"\\u0009\\u000A\\u000d"', true],
    ['"\\u0085\\u2028"', true],
  ])('%s: %j', (json, expected) => {
    expect(taken(json)).toBe(expected);
  });
});
