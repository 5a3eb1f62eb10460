import { describe, expect, test } from '@jest/globals';
import { textsUnder } from './repository.ts';

const linesMax = 400;
const medianLinesMax = 130;

/** Generated tables may be as long as they are. */
function isGenerated(path: string): boolean {
  return path.startsWith('src/fhir/r4/');
}

function linesOf(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

function tooLong(files: ReadonlyMap<string, string>): string[] {
  return [...files].filter(([path, text]) => !isGenerated(path) && linesOf(text) > linesMax).map(([path]) => path);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

/** Put together here, so that this file does not hold what it looks for. */
const forbidden = new RegExp(
  [
    ['TO', 'DO'],
    ['FIX', 'ME'],
    ['XX', 'X'],
    ['\\.on', 'ly\\('],
    ['test\\.', 'skip'],
    ['console\\.', 'log'],
  ]
    .map((halves) => halves.join(''))
    .join('|'),
);
const printed = new RegExp(['console\\.', 'log'].join(''), 'g');

/** Lines with a forbidden word; the command line may print. */
function forbiddenIn(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([path, text]) =>
    text
      .split('\n')
      .map((line, i) => `${path}:${i + 1} ${path.startsWith('src/cli/') ? line.replace(printed, '') : line}`)
      .filter((line) => forbidden.test(line)),
  );
}

describe('files are short', () => {
  const files = textsUnder(['src', 'adapters'], ['.ts', '.sql']);

  test(`none has more than ${linesMax} lines`, () => {
    expect(tooLong(files)).toEqual([]);
  });

  test(`half of those in src/ have no more than ${medianLinesMax}`, () => {
    const lines = [...files]
      .filter(([path]) => path.startsWith('src/') && !isGenerated(path))
      .map(([, it]) => linesOf(it));
    expect(lines.length).toBeGreaterThan(50);
    expect(median(lines)).toBeLessThanOrEqual(medianLinesMax);
  });

  test('a long one would be found, a generated one would not', () => {
    const long = 'x\n'.repeat(linesMax + 1);
    const some = new Map([
      ['src/a.ts', long],
      ['src/b.ts', 'x\n'.repeat(linesMax)],
      ['src/fhir/r4/c.ts', long],
    ]);
    expect(tooLong(some)).toEqual(['src/a.ts']);
    expect(median([9, 1, 5])).toBe(5);
  });
});

describe('words that say that something is not done', () => {
  test('are nowhere in src/, adapters/ and test/', () => {
    expect(forbiddenIn(textsUnder(['bin', 'src', 'adapters', 'test'], ['.ts', '.js', '.sql']))).toEqual([]);
  });

  test('would be found', () => {
    const words = ['TO' + 'DO: later', 'FIX' + 'ME', 'describe.on' + 'ly(', 'test.' + 'skip(', 'console.' + 'log(1)'];
    for (const word of words) expect(forbiddenIn(new Map([['src/a.ts', `x\n// ${word}`]]))).toHaveLength(1);
    expect(forbiddenIn(new Map([['src/cli/map.ts', words.at(-1) as string]]))).toEqual([]);
  });
});
