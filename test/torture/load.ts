/**
 * Senders of a hospital that never lose a message: what is not acknowledged is sent again to the next server. The ledger
 * says what was sent and what was acknowledged, so that the database can be held against it.
 */
import { MllpSender } from '../../adapters/mllp/sender.ts';
import type { Random } from './random.ts';
import { makeVisit, type Visit } from './visits.ts';

/** One message with what became of it. */
export interface Sent {
  readonly controlId: string;
  readonly visit: string;
  sends: number;
  /** AA of original mode, CA of enhanced mode: it is kept. */
  acknowledged: number;
  /** AA of enhanced mode: it is applied. */
  applied: number;
}

/** Where the server is now; changes with every restart. */
export interface Target {
  /** Resolves with the MLLP port of a server that is up; of a newer one when the one of `than` is gone. */
  port(than: number): Promise<{ port: number; generation: number }>;
}

export class Ledger {
  readonly sent = new Map<string, Sent>();
  readonly visits = new Map<string, Visit>();
  /** Connections that were closed on us. */
  cuts = 0;
  acknowledgements = 0;
  #watchers: { count: number; resolve(): void }[] = [];

  /** Discharges among all messages: events that a subscriber is told of. */
  get discharges(): number {
    return [...this.visits.values()].reduce((sum, it) => sum + it.discharges, 0);
  }

  /** @throws Error for an answer that says no: nothing in this load may be refused */
  acknowledged(entry: Sent, answer: Buffer | undefined, code: 'AA' | 'CA'): void {
    assertSays(entry, answer, code);
    entry.acknowledged++;
    this.acknowledgements++;
    for (const it of this.#watchers.filter(({ count }) => this.acknowledgements >= count)) it.resolve();
    this.#watchers = this.#watchers.filter(({ count }) => this.acknowledgements < count);
  }

  applied(entry: Sent, answer: Buffer | undefined): void {
    assertSays(entry, answer, 'AA');
    entry.applied++;
  }

  /** Resolves when so many acknowledgements have come in all. */
  atLeast(count: number): Promise<void> {
    if (this.acknowledgements >= count) return Promise.resolve();
    return new Promise((resolve) => this.#watchers.push({ count, resolve }));
  }
}

function assertSays({ controlId }: Sent, answer: Buffer | undefined, code: string): void {
  const text = answer?.toString('utf8') ?? 'no answer';
  if (!text.includes(`\rMSA|${code}|${controlId}`)) throw new Refused(`${controlId}: ${text}`);
}

class Refused extends Error {}

interface Entry {
  readonly entry: Sent;
  readonly bytes: Buffer;
}

interface SenderOptions {
  /** Begins the numbers of its visits. */
  readonly name: string;
  readonly target: Target;
  readonly ledger: Ledger;
  readonly random: Random;
  /** Whether ORU R01 is mapped. */
  readonly oru: boolean;
  readonly enough: () => boolean;
}

/** Sends visit after visit over one connection at a time, each visit's messages in one go, until `enough`. */
export async function sendVisits({ name, target, ledger, random, oru, enough }: SenderOptions): Promise<void> {
  let connection: { sender: MllpSender; generation: number } | undefined;
  let generation = 0;
  for (let n = 1; !enough(); n++) {
    const visit = makeVisit(`${name}V${n}`, random, oru);
    const entries = noted(visit, ledger);
    // Now and then the sender's own acknowledgement book is lost and it sends everything once more.
    const rounds = random.next() < 0.1 ? 2 : 1;
    const isOpen = ({ entry }: Entry, round: number): boolean =>
      entry.acknowledged < round || (visit.enhanced && entry.applied < round);
    for (let round = 1; round <= rounds; round++) {
      while (entries.some((it) => isOpen(it, round))) {
        try {
          if (!connection) {
            const found = await target.port(generation);
            generation = found.generation;
            connection = { sender: await MllpSender.connect('127.0.0.1', found.port), generation };
          }
          const { sender } = connection;
          // One after the other on the wire, and none behind one that is missing: a later one may not come first.
          const first = entries.findIndex((it) => isOpen(it, round));
          await Promise.all(entries.slice(first).map((it) => sendOne(it, visit.enhanced, sender, ledger)));
        } catch (error) {
          if (error instanceof Refused) throw error;
          ledger.cuts++;
          connection?.sender.close();
          connection = undefined;
        }
      }
    }
  }
  connection?.sender.close();
}

function noted(visit: Visit, ledger: Ledger): Entry[] {
  ledger.visits.set(visit.number, visit);
  return visit.messages.map(({ controlId, text }) => {
    const entry: Sent = { controlId, visit: visit.number, sends: 0, acknowledged: 0, applied: 0 };
    ledger.sent.set(controlId, entry);
    return { entry, bytes: Buffer.from(text) };
  });
}

async function sendOne({ entry, bytes }: Entry, enhanced: boolean, sender: MllpSender, ledger: Ledger): Promise<void> {
  entry.sends++;
  if (!enhanced) {
    ledger.acknowledged(entry, await sender.send(bytes), 'AA');
    return;
  }
  const { controlId } = entry;
  const { accept, application } = sender.exchange(bytes, { controlId, accept: true, application: true });
  ledger.acknowledged(entry, await accept, 'CA');
  ledger.applied(entry, await inTime(application));
}

/** The server gives up an application answer after 60 s (`applicationMs`), and says so to nobody: a sender asks again. ms */
const applicationMs = 20_000;

/** @throws Error when the answer has not come: the connection is cut, and all that is open is sent again */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no application answer')), applicationMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
