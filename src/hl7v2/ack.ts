/**
 * The text of an acknowledgement. HL7 v2.5.1 2.9.2 (original mode), 2.15.2 ERR-bearing general acknowledgement.
 */
import { type Charset, encode } from './charset.ts';
import { escapeText } from './escape.ts';
import type { Delimiters, Message } from './message.ts';
import { errorCodes, type Problem } from './problem.ts';

/**
 * MSA-1 (table 0008). Original mode: kept and mapped, the sender (or content) is wrong, or we cannot take it. Enhanced mode
 * (HL7 v2.5.1 2.9.3) says the same with C when the message is kept, and with A when it is applied.
 */
export type AckCode = 'AA' | 'AE' | 'AR' | 'CA' | 'CE' | 'CR';

const standard: Delimiters = { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' };

/** Table 0357: type, event, processing id and version are refusals (AR), the rest are errors (AE). */
export function ackCodeOf(problems: readonly Problem[], kind: 'A' | 'C' = 'A'): AckCode {
  if (problems.length === 0) return `${kind}A`;
  return problems.some((problem) => ['200', '201', '202', '203', '207'].includes(problem.code))
    ? `${kind}R`
    : `${kind}E`;
}

/** When the sender wants an acknowledgement (table 0155): always, never, only of errors, only of success. */
export type AckCondition = 'AL' | 'NE' | 'ER' | 'SU';

/** Which acknowledgements a sender asks for. */
export interface AckWish {
  /** Enhanced mode: one of the two conditions is valued. */
  readonly enhanced: boolean;
  readonly accept: AckCondition;
  readonly application: AckCondition;
}

/** MSH-15 and MSH-16. Neither is valued: original mode, and the one answer always comes. */
export function ackWishOf(message: Message | undefined): AckWish {
  const [accept, application] = [15, 16].map((field) => message?.header.text(field).toUpperCase() ?? '');
  if (!accept && !application) return { enhanced: false, accept: 'AL', application: 'NE' };
  return { enhanced: true, accept: conditionOf(accept), application: conditionOf(application) };
}

/** What is not in table 0155 is answered rather than not. */
function conditionOf(text: string | undefined): AckCondition {
  if (!text) return 'NE';
  return (['NE', 'ER', 'SU'] as const).find((it) => it === text) ?? 'AL';
}

/** True when an acknowledgement with this code is wanted. */
export function isWanted(condition: AckCondition, code: AckCode): boolean {
  const success = code === 'AA' || code === 'CA';
  return condition === 'AL' || (condition === 'SU' && success) || (condition === 'ER' && !success);
}

/** Where a problem is, as far as it is known: segment, sequence, field. */
function placeOf(problem: Problem): (string | number)[] {
  const { segment = '', sequence, field = '' } = problem;
  return [segment, sequence ?? (segment ? 1 : ''), field];
}

function codeOf({ code }: Problem, delimiter: string, d: Delimiters): string {
  return [code, escapeText(errorCodes[code], d), 'HL70357'].join(delimiter);
}

/** Since v2.5 ERR has ERL, code, severity and text in fields of their own, and there is one for each problem. */
function errSegment(problem: Problem, d: Delimiters): string {
  const { field, repetition, component = '' } = problem;
  const place = trimmed(
    [...placeOf(problem), repetition ?? (field ? 1 : ''), component].join(d.component),
    d.component,
  );
  return ['ERR', '', place, codeOf(problem, d.component, d), 'E', '', '', '', escapeText(problem.text, d)].join(
    d.field,
  );
}

/** Before v2.5 there is one ERR, whose ERR-1 has an ELD for each problem. */
function legacyErrSegment(problems: readonly Problem[], d: Delimiters): string {
  const eld = (it: Problem): string => [...placeOf(it), codeOf(it, d.subcomponent, d)].join(d.component);
  return ['ERR', problems.map(eld).join(d.repetition)].join(d.field);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const controls = /[\u0000-\u001f\u007f]/g;

/** Without the empty parts at the end. */
function trimmed(text: string, delimiter: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === delimiter) end--;
  return text.slice(0, end);
}

/** What an acknowledgement needs from outside: a unique MSH-10 and MSH-7 as a DTM. */
export interface AckContext {
  readonly controlId: string;
  readonly timestamp: string;
}

/**
 * Builds an ACK in the sender's version, delimiters and character set.
 * @param message what was received; undefined when not even MSH could be read
 * @param problems empty for AA or CA
 * @param kind C for the accept acknowledgement of enhanced mode
 */
export function acknowledge(
  message: Message | undefined,
  charset: Charset,
  problems: readonly Problem[],
  context: AckContext,
  kind: 'A' | 'C' = 'A',
): Buffer {
  const d = message?.delimiters ?? standard;
  const header = message?.header;
  // What is copied must not end a segment or a frame, whatever the sender wrote.
  const copy = (n: number): string => (header?.field(n) ?? '').replace(controls, ' ');
  const version = header?.text(12) || '2.5.1';
  const legacy = Number.parseFloat(version.slice(0, 3)) < 2.5;
  const event = header?.text(9, 2) ?? '';
  const type = trimmed(['ACK', event, legacy ? '' : 'ACK'].join(d.component), d.component);
  const encoding = d.component + d.repetition + d.escape + d.subcomponent;
  const msh = ['MSH', encoding, copy(5), copy(6), copy(3), copy(4), context.timestamp, '', type, context.controlId];
  // Where we switch sets as the sender does, MSH-20 says in which way.
  const scheme = charset.startsWith('iso-2022:') ? 'ISO 2022-1994' : '';
  msh.push(copy(11) || 'P', copy(12) || version, '', '', '', '', '', copy(18), '', scheme);
  const summary = legacy && problems[0] ? escapeText(problems[0].text, d) : '';
  const msa = ['MSA', ackCodeOf(problems, kind), copy(10), ...(summary ? [summary] : [])];
  const lines = [trimmed(msh.join(d.field), d.field), msa.join(d.field)];
  if (!legacy) lines.push(...problems.map((it) => errSegment(it, d)));
  else if (problems.length > 0) lines.push(legacyErrSegment(problems, d));
  return encode(`${lines.join('\r')}\r`, charset);
}
