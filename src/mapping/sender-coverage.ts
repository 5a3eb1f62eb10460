/** Which fields the senders fill, and what becomes of them: counts over any number of messages, in bounded memory. */
import type { Message } from '../hl7v2/message.ts';
import { type FieldUse, type Use, uses } from './coverage.ts';

/** One way in which one field is used. */
export interface CoverageRow {
  readonly field: string;
  readonly use: Use;
  /** Fields of all messages that are used like this. */
  readonly count: number;
  /** Of `mapped`: the elements, without ids and indexes. */
  readonly elements?: readonly string[];
  /** Of `nowhere` and `not used`: why; of `read`: what for. */
  readonly reason?: string;
}

/** What one sender sends: MSH-3 and MSH-4. */
export interface SenderCoverage {
  readonly application: string;
  readonly facility: string;
  readonly messages: number;
  /** Why messages could not be mapped, with how many. */
  readonly refused: Readonly<Record<string, number>>;
  /** How many fields of all messages are used how. */
  readonly totals: Readonly<Record<Use, number>>;
  readonly fields: readonly CoverageRow[];
  /** Fields that are not told of one by one: there were too many kinds. */
  readonly others?: number;
}

/** Senders, kinds of rows of one, elements of a row, and reasons for refusals, that are told apart at most. */
const [sendersMax, rowsMax, elementsMax, refusalsMax] = [200, 5000, 50, 50];

type Open = { -readonly [K in keyof CoverageRow]: CoverageRow[K] } & { elements: string[] };

class Sender {
  readonly application: string;
  readonly facility: string;
  #messages = 0;
  #others = 0;
  readonly #refused = new Map<string, number>();
  readonly #totals = new Map<Use, number>(uses.map((use) => [use, 0]));
  readonly #rows = new Map<string, Open>();

  constructor(application: string, facility: string) {
    this.application = application;
    this.facility = facility;
  }

  refuse(reason: string): void {
    this.#messages++;
    const kind = this.#refused.has(reason) || this.#refused.size < refusalsMax ? reason : 'other reasons';
    this.#refused.set(kind, (this.#refused.get(kind) ?? 0) + 1);
  }

  add(fields: readonly FieldUse[]): void {
    this.#messages++;
    for (const it of fields) {
      this.#totals.set(it.use, (this.#totals.get(it.use) ?? 0) + 1);
      const row = this.#rowOf(it);
      if (row) count(row, it);
      else this.#others++;
    }
  }

  #rowOf({ field, use, reason = '', readBy }: FieldUse): Open | undefined {
    const why = use === 'read' ? readBy.join(', ') : reason;
    const key = `${field} ${use} ${why}`;
    const known = this.#rows.get(key);
    if (known || this.#rows.size >= rowsMax) return known;
    const row: Open = { field, use, count: 0, elements: [], ...(why && { reason: why }) };
    this.#rows.set(key, row);
    return row;
  }

  report(): SenderCoverage {
    const order = new Map<string, number>();
    for (const { field } of this.#rows.values()) {
      const segment = field.slice(0, 3);
      if (!order.has(segment)) order.set(segment, order.size);
    }
    const fields = [...this.#rows.values()].sort(
      (a, b) =>
        (order.get(a.field.slice(0, 3)) ?? 0) - (order.get(b.field.slice(0, 3)) ?? 0) ||
        Number(a.field.slice(4)) - Number(b.field.slice(4)) ||
        uses.indexOf(a.use) - uses.indexOf(b.use),
    );
    return {
      application: this.application,
      facility: this.facility,
      messages: this.#messages,
      refused: Object.fromEntries(this.#refused),
      totals: Object.fromEntries(this.#totals) as Record<Use, number>,
      fields: fields.map(({ elements, ...row }) => ({ ...row, ...(elements.length > 0 && { elements }) })),
      ...(this.#others > 0 && { others: this.#others }),
    };
  }
}

function count(row: Open, { lineage }: FieldUse): void {
  row.count++;
  for (const { element } of lineage) {
    const name = element.replace(/\/[^.]*/, '').replace(/\[\d+\]/g, '');
    if (row.elements.length < elementsMax && !row.elements.includes(name)) row.elements.push(name);
  }
}

/** Counts over the messages of all senders. */
export class CoverageTally {
  readonly #senders = new Map<string, Sender>();

  /** @param header of a message; undefined when it cannot be read */
  #senderOf(message: Message | undefined): Sender {
    const name = [message?.header.text(3) ?? '', message?.header.text(4) ?? ''] as const;
    const known = this.#senders.get(JSON.stringify(name));
    if (known) return known;
    // Beyond, they are one: a sender that makes up names must not fill the memory.
    const [application, facility] = this.#senders.size < sendersMax ? name : (['', 'all others'] as const);
    const key = JSON.stringify([application, facility]);
    const sender = this.#senders.get(key) ?? new Sender(application, facility);
    this.#senders.set(key, sender);
    return sender;
  }

  add(message: Message, fields: readonly FieldUse[]): void {
    this.#senderOf(message).add(fields);
  }

  /** A message that cannot be mapped. @param reason without values */
  refuse(message: Message | undefined, reason: string): void {
    this.#senderOf(message).refuse(reason);
  }

  report(): readonly SenderCoverage[] {
    return [...this.#senders.values()].map((it) => it.report());
  }
}
