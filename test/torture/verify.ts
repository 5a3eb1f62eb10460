/** Holds the journal of a fuzzed server against what was sent and what came back. */
import { hash } from 'node:crypto';
import Database from 'better-sqlite3';
import { splitBatch } from '../../src/hl7v2/batch.ts';
import { decode } from '../../src/hl7v2/charset.ts';
import type { Exchange } from './wire.ts';

export interface Problem {
  readonly text: string;
  readonly bytes?: Buffer;
}

export interface Verdict {
  readonly problems: readonly Problem[];
  readonly messages: number;
  readonly states: Readonly<Record<string, number>>;
  readonly answers: Readonly<Record<string, number>>;
}

interface Row {
  readonly id: number;
  readonly listener: string;
  readonly state: string;
  readonly error: string | null;
  readonly bytes: Buffer;
  readonly answer: Buffer;
}

/** One acknowledgement as far as it matters here. */
interface Ack {
  /** MSA-1. */
  readonly code: string;
  /** MSH-10: ours, unique. */
  readonly id: string;
  /** MSA-2: the sender's. */
  readonly of: string;
}

const good = ['applied', 'stale', 'duplicate', 'ignored'];

const marks = /^(\0\0þÿ|ÿþ\0\0|ÿþ|þÿ|ï»¿|\x841\x953)/;

/** ASCII in UTF-16 and UTF-32, both orders, with nothing between. */
const wide = /^(([^\0]\0)+|(\0[^\0])+|([^\0]\0\0\0)+|(\0\0\0[^\0])+)$/;

/** Text of whatever set, as far as it is ASCII: good enough to read codes and control ids. */
function asciiOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1').replace(marks, '');
  return /^(M?\0)/.test(text) ? text.replaceAll('\0', '') : text;
}

/**
 * The fields of the first segment, MSH-2 at [1]; none when it is no sound MSH; undefined when it cannot be told from here how
 * the listener reads it.
 */
function headerOf(bytes: Uint8Array): string[] | undefined {
  const whole = Buffer.from(bytes).toString('latin1');
  // A frame that was cut off with several MSH in it is no message for the listener: it answers without looking at the header.
  if (/[\r\n]M\0*S\0*H/.test(whole)) return undefined;
  const [raw = ''] = whole.replace(marks, '').split(/[\r\n]/, 1);
  // Of a header that is too long for it, the listener may read the beginning only; in some sets a letter hides a separator.
  if (raw.length > 16_000 || !/^[\0 -~\t]*$/.test(raw)) return undefined;
  if (raw.includes('\0') && !wide.test(raw) && !wide.test(raw.slice(0, raw.lastIndexOf('\0')))) return undefined;
  return fieldsOf(raw.replaceAll('\0', ''));
}

function fieldsOf(line: string): string[] {
  const delimiters = line.slice(3, 8);
  const isSound = line.startsWith('MSH') && new Set(delimiters).size === 5 && !/[\sA-Za-z0-9]/.test(delimiters);
  return isSound ? line.split(line.charAt(3)) : [];
}

function ackOf(bytes: Uint8Array): Ack {
  const ascii = asciiOf(bytes);
  // A separator of several bytes is one only when it is decoded.
  const isPlain = /^MSH[ -~\t]/.test(ascii) && !Buffer.from(bytes).includes(0);
  const decoded = isPlain ? undefined : decode(bytes, 'utf-8');
  const text = decoded && 'text' in decoded ? decoded.text : ascii;
  const header = fieldsOf(text.slice(0, text.indexOf('\r')));
  const at = text.indexOf('\rMSA');
  const line = text.slice(at + 1, text.indexOf('\r', at + 1));
  const [, code = '', of = ''] = at < 0 ? [] : line.split(line.charAt(3));
  return { code, id: header[9] ?? '', of };
}

/** The acknowledgements in a frame: one, or those of a batch. */
function acksIn(answer: Buffer): Ack[] {
  return (splitBatch(answer)?.messages ?? [answer]).map(ackOf);
}

/** MSH-15 or MSH-16; undefined when it cannot be told from here what the listener reads there. */
function conditionIn(header: readonly string[] | undefined, n: 15 | 16): string | undefined {
  if (!header) return undefined;
  const text = (header[n - 1] ?? '').trim().toUpperCase();
  return /^([A-Z]{2})?$/.test(text) ? text : undefined;
}

function isWanted(condition: string, isGood: boolean): boolean {
  if (condition === '' || condition === 'NE') return false;
  if (condition === 'SU') return isGood;
  return condition === 'ER' ? !isGood : true;
}

/**
 * Each message is one row with its bytes; each row has come to an end, and what it was answered is true; each answer that is
 * wanted came, once, in order; no other came.
 */
export function verify(path: string, exchanges: readonly Exchange[]): Verdict {
  const problems: Problem[] = [];
  const say = (text: string, bytes?: Buffer): void => void problems.push({ text, ...(bytes && { bytes }) });
  const expected = new Map<string, number>();
  const expect = (bytes: Uint8Array, n: number): number => {
    const key = hash('sha256', bytes, 'hex');
    const left = (expected.get(key) ?? 0) + n;
    expected.set(key, left);
    return left;
  };
  for (const it of exchanges) for (const bytes of it.messages) expect(bytes, 1);
  const states: Record<string, number> = {};
  const book = new AnswerBook();
  let messages = 0;
  const db = new Database(path, { readonly: true });
  for (const item of db
    .prepare('SELECT id, listener, state, error, bytes, answer FROM received_message ORDER BY id')
    .iterate()) {
    const row = item as Row;
    messages++;
    states[row.state] = (states[row.state] ?? 0) + 1;
    if (expect(row.bytes, -1) < 0) say(`row ${row.id} was never sent, or is there twice`, row.bytes);
    for (const text of wrongIn(row)) say(`row ${row.id}: ${text} (${row.error})`, row.bytes);
    book.note(row);
  }
  db.close();
  const lost = [...expected.values()].filter((n) => n > 0).reduce((sum, n) => sum + n, 0);
  if (lost > 0) say(`${lost} messages are no rows`);
  for (const it of exchanges) for (const text of book.take(it)) say(text, it.messages[0]);
  for (const text of book.missing()) say(text);
  return { problems, messages, states, answers: book.codes };
}

/** What cannot be true of a row by itself. */
function wrongIn({ state, bytes, answer }: Row): string[] {
  if (isEmptyBatch(answer)) return state === 'ignored' ? [] : [`is ${state}`];
  const isGood = good.includes(state);
  if (!isGood && state !== 'rejected') return [`is ${state}`];
  if (answer.length === 0) {
    const [accept, application] = [conditionIn(headerOf(bytes), 15), conditionIn(headerOf(bytes), 16)];
    if (accept === undefined || application === undefined) return [];
    return isWanted(accept, isGood) || (accept === '' && application === '') ? ['has no answer'] : [];
  }
  const { code } = ackOf(answer);
  return isGood === /^[AC]A$/.test(code) ? [] : [`was answered ${code || 'nothing'} and is ${state}`];
}

/** A batch without messages is answered by one: frame and no acknowledgement. */
function isEmptyBatch(answer: Uint8Array): boolean {
  const text = Buffer.from(answer).toString('latin1').replaceAll('\0', '');
  return /^\W*[FB]HS/.test(text) && !text.includes('MSA');
}

/** A control id as far as it comes back: control characters become blanks. */
function plain(controlId: string): string {
  return controlId.replace(/[^!-~]/g, '');
}

/** Which answers are owed, and which came. */
class AnswerBook {
  readonly codes: Record<string, number> = {};
  /** MSH-10 of an accept answer ─▶ its rows; several when a message was repeated. */
  readonly #accepts = new Map<string, { rows: number[]; owed: number; optional: number }>();
  /** Control id ─▶ how many application answers of which code are owed; undefined when nobody can tell. */
  readonly #applications = new Map<string, Map<string, number> | undefined>();
  /** Rows whose header nobody here can read as the listener does: what it sends for one may have any control id. */
  #unclear = 0;

  note({ id, listener, state, bytes, answer }: Row): void {
    if (isEmptyBatch(answer)) return;
    const header = headerOf(bytes);
    const condition = conditionIn(header, 16);
    const isGood = good.includes(state);
    // CE and CR end the exchange.
    const isOver = !isGood && answer.length > 0 && ackOf(answer).code.startsWith('C');
    const isApplicationWanted = condition !== undefined && !isOver && isWanted(condition, isGood);
    if (answer.length > 0) {
      const key = ackOf(answer).id;
      const known = this.#accepts.get(key) ?? { rows: [], owed: 0, optional: 0 };
      known.rows.push(id);
      // Over HTTP the application answer comes in place of the accept answer. That of a batch of several widths, whose header is
      // no text in any, cannot be cut here.
      const isReplaced = listener === 'http' && (condition === undefined || isApplicationWanted);
      if (isReplaced || bytes.includes(0)) known.optional++;
      else known.owed++;
      this.#accepts.set(key, known);
    }
    const of = plain((header ?? fieldsOf(asciiOf(bytes).split(/[\r\n]/, 1)[0] ?? ''))[9] ?? '');
    if (condition === undefined || !/^(K\d+C\d+)?$/.test(of)) this.#unclear++;
    if (condition === undefined || !header?.length) this.#applications.set(of, undefined);
    else if (isApplicationWanted) this.#owe(of, isGood ? 'AA' : 'A', 1);
  }

  #owe(of: string, code: string, n: number): void {
    if (this.#applications.has(of) && !this.#applications.get(of)) return;
    const owed = this.#applications.get(of) ?? new Map<string, number>();
    owed.set(code, (owed.get(code) ?? 0) + n);
    this.#applications.set(of, owed);
  }

  /** @returns what is wrong with the answers of a connection */
  take({ answers, http }: Exchange): string[] {
    const problems: string[] = [];
    let last = 0;
    for (const { code, id, of } of answers.flatMap(acksIn)) {
      this.codes[code] = (this.codes[code] ?? 0) + 1;
      const accept = this.#accepts.get(id);
      if (!accept) {
        this.#owe(plain(of), code === 'AA' ? 'AA' : 'A', -1);
        continue;
      }
      if (accept.owed > 0) accept.owed--;
      else accept.optional--;
      const [row = 0, another] = accept.rows;
      if (another !== undefined) continue;
      if (row < last && !http) problems.push(`the answer to row ${row} came after that to row ${last}`);
      last = row;
    }
    return problems;
  }

  missing(): string[] {
    const problems: string[] = [];
    for (const { rows, owed, optional } of this.#accepts.values())
      if (owed !== 0 || optional < 0)
        problems.push(
          `${owed - Math.min(optional, 0)} accept answers too few came for ${rows.length} rows, such as ${rows[0]}`,
        );
    let surplus = 0;
    for (const [of, owed] of this.#applications)
      for (const [code, n] of owed ?? []) {
        if (n > 0 && /^K\d+C\d+$/.test(of)) problems.push(`${n} application answers ${code} to '${of}' are missing`);
        else surplus -= Math.min(n, 0);
      }
    if (surplus > this.#unclear) problems.push(`${surplus} application answers came that nobody asked for`);
    return problems;
  }
}
