/** `npm run bench`: the measured promises of docs/performance.md; a table on stdout and JSON in bench/results/. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { ack } from './ack.ts';
import { apply } from './apply.ts';
import { growth } from './growth.ts';
import { orientation } from './http/orientation.ts';
import { http } from './http.ts';
import { journal } from './journal.ts';
import { mapping } from './mapping.ts';
import { memory } from './memory.ts';
import { search } from './search.ts';
import { startUp } from './start.ts';
import type { Row } from './support.ts';

/** `--quick` is for trying: small numbers say little. */
const quick = process.argv.includes('--quick');
const only = process.argv.find((it) => it.startsWith('--only='))?.slice(7);
const progress = (text: string): void => void process.stderr.write(`  ${text}\n`);

const quickGrowth = { small: 2_000, large: 10_000, messages: 20, rounds: 2 };
const fullGrowth = { small: 10_000, large: 1_000_000, messages: 60, rounds: 5 };
const quickHttp = { patients: 2_000, rounds: 2, roundMs: 300 };
const fullHttp = { patients: 20_000, rounds: 5, roundMs: 1000 };

const steps: [name: string, run: () => Promise<Row | Row[]>][] = [
  ['journal', () => journal(quick ? 640 : 16_000, quick ? 2 : 5)],
  ['ack', () => ack(quick ? 40 : 320, quick ? 1 : 5)],
  ['apply', () => apply(quick ? 100 : 1600, quick ? 1 : 3)],
  ['mapping', () => mapping(quick ? 200 : 1000, quick ? 2 : 7)],
  ['search', () => search(quick ? 20_000 : 200_000, quick ? 2 : 5, progress)],
  ['growth', () => growth(quick ? quickGrowth : fullGrowth, progress)],
  ['http', () => http(quick ? quickHttp : fullHttp, progress)],
  ['start', () => startUp(quick ? 3 : 7)],
  ['memory', () => memory(quick ? 500 : 10_000)],
];

const unknown = process.argv.slice(2).find((it) => it !== '--quick' && !it.startsWith('--only='));
if (unknown || (only && !steps.some(([name]) => name === only))) {
  process.stderr.write(`bench [--quick] [--only=${steps.map(([name]) => name).join('|')}]\n`);
  process.exit(2);
}
if (quick) progress('quick: small numbers say little');
const rows: Row[] = [];
for (const [name, run] of steps) {
  if (only && only !== name) continue;
  progress(name);
  rows.push(...[await run()].flat());
}

const number = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
const table = [
  ['what', 'ours', 'floor', 'unit', 'ratio', 'promised', ''],
  ...rows.map((row) => [
    row.what,
    number(row.ours),
    number(row.floor),
    row.unit,
    row.ratio.toFixed(2),
    `≥ ${row.promise.toFixed(2)}`,
    row.ratio >= row.promise ? 'kept' : 'NOT KEPT',
  ]),
];
const widths = (table[0] as string[]).map((_, column) =>
  Math.max(...table.map((line) => (line[column] as string).length)),
);
for (const line of table)
  process.stdout.write(
    `${line
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ')
      .trimEnd()}\n`,
  );
process.stdout.write(orientation(rows));

const machine = { cpu: cpus()[0]?.model, cores: cpus().length, memoryBytes: totalmem(), node: process.version };
mkdirSync('bench/results', { recursive: true });
writeFileSync(
  `bench/results/${new Date().toISOString().replaceAll(':', '-')}.json`,
  `${JSON.stringify({ machine, quick, rows }, null, 2)}\n`,
);
