/** `mapping coverage FOLDER…`: by sender, which fields arrive, what becomes of them, and which have no row; with counts. */
import { parseArgs } from 'node:util';
import { coverageOf, uses } from '../mapping/coverage.ts';
import { CoverageTally, type SenderCoverage } from '../mapping/sender-coverage.ts';
import { counted, type Reader, readerOf, receivedAt, type Setting, soundMessage } from './convert.ts';
import { type MessageFile, messagesOf } from './files.ts';

export const coverageUsage = 'mapping coverage [--site NAME] [--json] FILE|FOLDER…\n';

/** Fields that are told of at most, of one message. */
const fieldsMax = 100_000;

/** @returns 1 when a message cannot be mapped, 2 for a wrong call */
export function coverageCommand(args: readonly string[], setting: Setting): number {
  const call = parseCall(args);
  if (!call) {
    process.stderr.write(coverageUsage);
    return 2;
  }
  const reader = readerOf(call.site ?? setting.site, setting);
  const tally = new CoverageTally();
  let refused = false;
  for (const file of messagesOf(call.files)) refused = !cover(file, reader, tally) || refused;
  const reports = tally.report();
  process.stdout.write(call.json ? `${JSON.stringify(reports, null, 2)}\n` : reports.map(table).join('\n'));
  return refused ? 1 : 0;
}

function parseCall(args: readonly string[]): { site: string | undefined; json: boolean; files: string[] } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, site: { type: 'string' } },
    });
    return positionals.length > 0 ? { site: values.site, json: values.json, files: positionals } : undefined;
  } catch {
    return undefined;
  }
}

/** @returns false when the message cannot be mapped */
function cover(file: MessageFile, reader: Reader, tally: CoverageTally): boolean {
  const sound = soundMessage(file, reader);
  if (sound.refused !== undefined) {
    tally.refuse(sound.message, sound.refused);
    process.stderr.write(`${file.name}: ${sound.refused}\n`);
    return sound.ignored;
  }
  const { message } = sound;
  const { mapping, zone } = reader;
  const options = { zone, receivedAt: zone.isoOf(receivedAt(message, zone)) };
  tally.add(message, coverageOf(message, mapping, options, fieldsMax).fields);
  return true;
}

/** Elements shown of one row, and characters of a reason. */
const [elementsMax, reasonMax] = [4, 120];

/** `Patient.telecom` for that and all that is in it. */
function shownElements(elements: readonly string[]): string {
  const whole = elements.filter((it) => !elements.some((other) => it.startsWith(`${other}.`)));
  return whole.slice(0, elementsMax).join(', ') + (whole.length > elementsMax ? ` … (${whole.length})` : '');
}

function shownReason(reason: string): string {
  return reason.length > reasonMax ? `${reason.slice(0, reasonMax)}…` : reason;
}

function table({ application, facility, messages, refused, totals, fields, others }: SenderCoverage): string {
  const refusals = Object.entries(refused);
  const lines = fields.map(({ field, count, use, elements = [], reason = '' }) => [
    field,
    String(count),
    use,
    shownElements(elements) || shownReason(reason),
  ]);
  const widths = [0, 1, 2].map((i) => Math.max(...lines.map((line) => (line[i] as string).length), 0));
  const rows = lines.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [
    `${application || '(no application)'} ${facility || '(no facility)'}: ${counted(messages, 'message')}`,
    ...refusals.map(([reason, count]) => `not mapped: ${count}  ${reason}`),
    ...rows,
    ...(others ? [`and ${others} fields more`] : []),
    uses.map((use) => `${use} ${totals[use]}`).join(', '),
    '',
  ].join('\n');
}
