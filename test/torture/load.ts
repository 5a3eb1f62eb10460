/**
 * Senders of a hospital that never lose a message: what is not acknowledged is sent again to the next server. The ledger
 * says what was sent and what was acknowledged, so that the database can be held against it.
 */
import { MllpSender } from '../../adapters/mllp/sender.ts';
import { discharge } from '../support/messages.ts';
import type { Random } from './random.ts';

/** One message with what became of it. */
export interface Sent {
  readonly controlId: string;
  readonly visit: string;
  sends: number;
  acknowledged: number;
}

/** One visit and what its messages ask for. */
export interface Visit {
  readonly number: string;
  /** Versions of the Encounter when all its messages are applied. */
  readonly versions: number;
  /** Discharges among its messages; the last message is one. */
  readonly discharges: number;
  readonly messages: readonly { readonly controlId: string; readonly text: string }[];
}

/** Where the server is now; changes with every restart. */
export interface Target {
  /** Resolves with the MLLP port of a server that is up, newer than `than`. */
  port(than: number): Promise<{ port: number; generation: number }>;
}

export class Ledger {
  readonly sent = new Map<string, Sent>();
  readonly visits = new Map<string, Visit>();
  acknowledgements = 0;
  #watchers: { count: number; resolve(): void }[] = [];

  /** @throws Error for an answer that is not AA: nothing in this load may be refused */
  acknowledged(entry: Sent, answer: Buffer): void {
    const text = answer.toString('utf8');
    if (!text.includes(`\rMSA|AA|${entry.controlId}`)) throw new Refused(`${entry.controlId}: ${text}`);
    entry.acknowledged++;
    this.acknowledgements++;
    for (const it of this.#watchers.filter(({ count }) => this.acknowledgements >= count)) it.resolve();
    this.#watchers = this.#watchers.filter(({ count }) => this.acknowledgements < count);
  }

  /** Resolves when so many acknowledgements have come in all. */
  atLeast(count: number): Promise<void> {
    if (this.acknowledgements >= count) return Promise.resolve();
    return new Promise((resolve) => this.#watchers.push({ count, resolve }));
  }
}

class Refused extends Error {}

/** A visit with an admission, a move to another bed, the discharge, and now and then a cancelled one before. */
function makeVisit(number: string, random: Random): Visit {
  const beds = ['101', '102', '103', '104', '105'];
  const events: { event: string; at?: string }[] = [
    { event: 'A01' },
    { event: 'A08' },
    { event: 'A03', at: '20260316100000' },
  ];
  if (random.next() < 0.3) events.push({ event: 'A13' }, { event: 'A03', at: '20260317110000' });
  const messages = events.map(({ event, at }, i) => {
    const controlId = `${number}-${i + 1}`;
    const text = discharge({
      event,
      controlId,
      patient: `P${number}`,
      visit: number,
      phone: `139${String(random.whole(0, 99_999_999)).padStart(8, '0')}`,
      disposition: event === 'A03' ? '01' : '',
      ...(at && { dischargedAt: at }),
    }).replace('W1^101^01^RENHE', `W1^${beds[i % beds.length]}^01^RENHE`);
    return { controlId, text };
  });
  const discharges = events.filter((it) => it.event === 'A03').length;
  return { number, versions: events.length, discharges, messages };
}

/** Sends visit after visit over one connection at a time, each visit's messages in one go, until `enough`. */
export async function sendVisits(
  name: string,
  target: Target,
  ledger: Ledger,
  random: Random,
  enough: () => boolean,
): Promise<void> {
  let connection: { sender: MllpSender; generation: number } | undefined;
  let generation = 0;
  for (let n = 1; !enough(); n++) {
    const visit = makeVisit(`${name}V${n}`, random);
    ledger.visits.set(visit.number, visit);
    const entries = visit.messages.map(({ controlId, text }) => {
      const entry: Sent = { controlId, visit: visit.number, sends: 0, acknowledged: 0 };
      ledger.sent.set(controlId, entry);
      return { entry, bytes: Buffer.from(text) };
    });
    // Now and then the sender's own acknowledgement book is lost and it sends everything once more.
    const rounds = random.next() < 0.1 ? 2 : 1;
    for (let round = 1; round <= rounds; round++) {
      while (entries.some(({ entry }) => entry.acknowledged < round)) {
        try {
          if (!connection) {
            const found = await target.port(generation);
            generation = found.generation;
            connection = { sender: await MllpSender.connect('127.0.0.1', found.port), generation };
          }
          const { sender } = connection;
          const open = entries.filter(({ entry }) => entry.acknowledged < round);
          await Promise.all(
            open.map(async ({ entry, bytes }) => {
              entry.sends++;
              ledger.acknowledged(entry, await sender.send(bytes));
            }),
          );
        } catch (error) {
          if (error instanceof Refused) throw error;
          connection?.sender.close();
          connection = undefined;
        }
      }
    }
  }
  connection?.sender.close();
}
