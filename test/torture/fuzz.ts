/** Mutated messages over real MLLP: every one answered, every one kept, every AA applied, memory bounded. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Framer, frame } from '../../adapters/mllp/frame.ts';
import { MllpSender } from '../../adapters/mllp/sender.ts';
import type { App } from '../../src/app.ts';
import { portOf, settled, startTestApp, temporaryFolder } from '../support/app.ts';
import { discharge } from '../support/messages.ts';
import { mutant, seedMessages, withControlId } from './mutate.ts';
import { seeded } from './random.ts';

export interface FuzzOptions {
  readonly messages: number;
  readonly seed: number;
  readonly progress?: (text: string) => void;
}

export interface FuzzReport {
  readonly messages: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly states: Readonly<Record<string, number>>;
  /** RSS at the end less RSS after the first messages, MB. */
  readonly grownMegabytes: number;
}

/** Messages on their way at a time, and over one connection. */
const batch = 24;
const perConnection = 240;
const frameBytesMax = 262_144;
const grownMegabytesMax = 300;
/** No answer takes longer; ms. */
const answerMsMax = 20_000;

/** @throws Error with the first things that do not hold, the seed, and a folder with the messages concerned */
export async function fuzz({ messages, seed, progress = () => {} }: FuzzOptions): Promise<FuzzReport> {
  const folder = temporaryFolder();
  const path = join(folder.path, 'fuzz.db');
  const app = await startTestApp({ sqlitePath: path, config: { frameBytesMax } });
  try {
    const wire = new Wire(app, seed);
    let baseline = 0;
    for (let done = 0; done < messages; ) {
      const count = Math.min(batch, messages - done);
      await wire.send(count);
      done += count;
      if (baseline === 0 && done >= messages / 5) {
        await settled(app);
        baseline = process.memoryUsage.rss();
      }
      if (done % 1000 < count)
        progress(
          `${Math.round(process.memoryUsage.rss() / 1_048_576)} MB, ${done} of ${messages} sent, ${wire.answers.length} answers`,
        );
    }
    await wire.finish();
    await settled(app);
    const grownMegabytes = Math.round((process.memoryUsage.rss() - baseline) / 1_048_576);
    const problems = check(path, wire.answers);
    if (grownMegabytes > grownMegabytesMax) problems.push({ text: `memory grew by ${grownMegabytes} MB` });
    if (problems.length > 0) throw new Error(report(problems, seed));
    const answers: Record<string, number> = {};
    for (const { code } of wire.answers) answers[code] = (answers[code] ?? 0) + 1;
    return { messages, answers, states: await app.store.messageCounts(), grownMegabytes };
  } finally {
    await app.stop();
    folder.remove();
  }
}

interface Answer {
  readonly code: string;
  readonly text: string;
}

/** Sends over one connection after the other, so that the order of the answers is the order of the rows. */
class Wire {
  readonly #app: App;
  readonly #seed: number;
  readonly #random;
  readonly #seeds = seedMessages();
  /** Cuts what was sent as the listener does: says how many answers are to come. */
  #framer = new Framer(frameBytesMax);
  #sender: MllpSender | undefined;
  #sent = 0;
  #total = 0;
  readonly answers: Answer[] = [];

  constructor(app: App, seed: number) {
    this.#app = app;
    this.#seed = seed;
    this.#random = seeded(seed);
  }

  async send(count: number): Promise<void> {
    const bytes: Buffer[] = [];
    for (let i = 0; i < count; i++) bytes.push(mutant(this.#seeds, `F${++this.#total}`, this.#random));
    await this.#exchange(bytes);
    this.#sent += count;
    if (this.#sent >= perConnection) await this.finish();
  }

  /** A good message ends what was left open; it must be taken as any good message. Then the connection is closed. */
  async finish(): Promise<void> {
    if (!this.#sender) return;
    await this.#exchange([frame(withControlId(Buffer.from(discharge({ event: 'A08' })), `G${this.#total}`))]);
    const last = this.answers.at(-1);
    if (last?.code !== 'AA') throw new Error(`seed ${this.#seed}: a good message was answered ${last?.text}`);
    this.#sender.close();
    this.#sender = undefined;
    this.#sent = 0;
    this.#framer = new Framer(frameBytesMax);
  }

  async #exchange(pieces: readonly Buffer[]): Promise<void> {
    this.#sender ??= await MllpSender.connect('127.0.0.1', portOf(this.#app.mllp));
    const sender = this.#sender;
    const all = Buffer.concat(pieces);
    const expected = [...this.#framer.push(all)].length;
    const waiting = Array.from({ length: expected }, () => sender.answer());
    sender.raw(all);
    const late = Symbol('late');
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<typeof late>((resolve) => {
      timer = setTimeout(() => resolve(late), answerMsMax);
    });
    try {
      const got = await Promise.race([Promise.all(waiting), deadline]);
      if (got === late) throw new Error('not every message was answered');
      for (const bytes of got) this.answers.push(parseAnswer(bytes));
    } catch (error) {
      throw new Error(`seed ${this.#seed}, messages up to F${this.#total}: ${(error as Error).message}`);
    } finally {
      clearTimeout(timer);
    }
  }
}

function parseAnswer(bytes: Buffer): Answer {
  const text = bytes.toString('latin1');
  const code = /^MSH.*?\rMSA.{1,4}?(AA|AE|AR)/s.exec(text)?.[1] ?? 'none';
  return { code, text };
}

interface Problem {
  readonly text: string;
  readonly bytes?: Buffer;
}

interface Row {
  readonly id: number;
  readonly state: string;
  readonly error: string | null;
  readonly bytes: Buffer;
}

const statesOf: Record<string, readonly string[]> = {
  AA: ['applied', 'duplicate'],
  AE: ['rejected'],
  AR: ['rejected'],
};

/** The nth answer belongs to the nth row. */
function check(path: string, answers: readonly Answer[]): Problem[] {
  const db = new Database(path, { readonly: true });
  const problems: Problem[] = [];
  let n = 0;
  for (const row of db.prepare('SELECT id, state, error, bytes FROM received_message ORDER BY id').iterate()) {
    const { id, state, error, bytes } = row as Row;
    const answer = answers[n++];
    if (!answer) problems.push({ text: `row ${id} has no answer`, bytes });
    else if (!statesOf[answer.code]?.includes(state))
      problems.push({ text: `row ${id} was answered ${answer.code} and is ${state} (${error})`, bytes });
    if (problems.length > 500) break;
  }
  if (n !== answers.length) problems.push({ text: `${answers.length} answers, ${n} rows` });
  db.close();
  return problems;
}

function report(problems: readonly Problem[], seed: number): string {
  const folder = join(tmpdir(), `aftercare-fuzz-${seed}`);
  mkdirSync(folder, { recursive: true });
  const lines = problems.slice(0, 40).map(({ text, bytes }, i) => {
    if (!bytes) return text;
    const file = join(folder, `${i + 1}.hl7`);
    writeFileSync(file, bytes);
    return `${text}: ${file}`;
  });
  return [`seed ${seed}: ${problems.length} problems`, ...lines].join('\n');
}
