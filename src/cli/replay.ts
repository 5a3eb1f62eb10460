/** `npm run --silent replay -- …`: has messages applied again by the running server, or shows what that would change. */
import { parseArgs } from 'node:util';
import type { Json } from '../fhir/types.ts';

export const replayUsage = `replay [--id N]… [--state STATE] [--type ADT^A03] [--site NAME] [--facility NAME] [--control-id ID]
       [--from TIME] [--to TIME] [--dry-run [--values] [--limit N]] [--server http://127.0.0.1:8080]
`;

/** What the command line needs of the world: replaced in tests. */
export interface ReplayIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

interface Call {
  readonly server: string;
  readonly dryRun: boolean;
  readonly body: Json;
}

const processIo: ReplayIo = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

/**
 * @returns the exit code: 1 when the server refused or cannot be reached, or when a dry run has messages that would not be
 *   applied; 2 for a wrong call
 */
export async function replayCommand(args: readonly string[], io: ReplayIo = processIo): Promise<number> {
  const call = parseCall(args);
  if (!call) {
    io.err(replayUsage);
    return 2;
  }
  let response: Response;
  try {
    response = await fetch(new URL('/admin/replay', call.server), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(call.body),
    });
  } catch {
    io.err(`no answer from ${call.server}\n`);
    return 1;
  }
  const answer = await answerOf(response);
  if (!response.ok) {
    io.err(`${answer?.error ?? `HTTP ${response.status}`}\n`);
    return 1;
  }
  if (!call.dryRun) {
    io.out(`${answer?.moved} messages are applied again${tail(answer)}\n`);
    return 0;
  }
  for (const line of linesOf(answer ?? {})) io.out(`${line}\n`);
  return refused(answer ?? {}) > 0 ? 1 : 0;
}

async function answerOf(response: Response): Promise<Json | undefined> {
  try {
    return (await response.json()) as Json;
  } catch {
    return undefined;
  }
}

function parseCall(args: readonly string[]): Call | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        id: { type: 'string', multiple: true },
        state: { type: 'string' },
        type: { type: 'string' },
        site: { type: 'string' },
        facility: { type: 'string' },
        'control-id': { type: 'string' },
        from: { type: 'string' },
        to: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        values: { type: 'boolean' },
        limit: { type: 'string' },
        server: { type: 'string', default: 'http://127.0.0.1:8080' },
      },
    });
    const { id, 'control-id': controlId, 'dry-run': dryRun, limit, values: withValues, server, ...rest } = values;
    const numbers = [...(id ?? []), ...(limit ? [limit] : [])].map(Number);
    const isRight = numbers.every((it) => Number.isSafeInteger(it) && it > 0) && URL.canParse(server);
    const isChosen = id !== undefined || controlId !== undefined || Object.keys(rest).length > 0;
    if (!isRight || !isChosen || ((withValues || limit) && !dryRun)) return undefined;
    const body = {
      ...rest,
      ...(id && { ids: id.map(Number) }),
      ...(controlId !== undefined && { controlId }),
      ...(dryRun && { dryRun, ...(withValues && { values: true }), ...(limit && { limit: Number(limit) }) }),
    };
    return { server, dryRun, body };
  } catch {
    return undefined;
  }
}

function tail({ skipped, before }: Json = {}): string {
  const left = Object.entries((skipped ?? {}) as Record<string, number>).map(([state, n]) => `${n} ${state}`);
  return [
    left.length > 0 ? `; left alone: ${left.join(', ')}` : '',
    before === undefined ? '' : `; there are more: those before message ${before}`,
  ].join('');
}

const unapplied = ['unmapped', 'failed'];

function refused({ states = {} }: Json): number {
  return unapplied.reduce((sum, state) => sum + (states[state] ?? 0), 0);
}

const signs: Readonly<Record<string, string>> = { add: '+', remove: '-', replace: '~' };

function* linesOf(answer: Json): Generator<string> {
  for (const message of answer.differences ?? []) yield* messageLines(message);
  const { messages, previewed, differing, states, resources } = answer;
  const parts = [
    `${messages} messages`,
    ...(previewed < messages ? [`the first ${previewed} looked at`] : []),
    `${differing} would change something`,
    ...Object.entries(states ?? {}).map(([state, n]) => `${n} ${state}`),
    ...Object.entries(resources ?? {}).flatMap(([change, n]) => (n ? [`${n} resources: ${change}`] : [])),
  ];
  yield `${parts.join(', ')}${tail(answer)}`;
}

function* messageLines({ id, type, controlId, from, to, error, resources, recalled }: Json): Generator<string> {
  yield `#${id} ${type} ${controlId}: ${from === to ? to : `${from} ─▶ ${to}`}${error ? `: ${error}` : ''}`;
  for (const { resource, change, elements } of resources) {
    yield `  ${change} ${resource}`;
    if (change !== 'update') continue;
    for (const { op, path, before, after } of elements) yield `    ${signs[op]} ${path}${valuesOf(before, after)}`;
  }
  if (recalled) yield `  applied again with it: ${recalled.map((it: number) => `#${it}`).join(', ')}`;
}

function valuesOf(before: unknown, after: unknown): string {
  if (before === undefined && after === undefined) return '';
  const texts = [before, after].flatMap((it) => (it === undefined ? [] : [JSON.stringify(it)]));
  return `  ${texts.join(' ─▶ ')}`;
}
