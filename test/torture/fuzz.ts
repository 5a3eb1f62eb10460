/**
 * Mutated messages over real connections to a real server process: none lost, each with one row, a true answer and an end; no
 * crash, no hang, memory bounded. In rounds, each with a server and a database of its own.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { portOf, temporaryFolder } from '../support/app.ts';
import { type Grammar, readGrammar } from './grammar.ts';
import { framed, Packets } from './packets.ts';
import { type Random, seeded } from './random.ts';
import { ServerProcess } from './server-process.ts';
import { type Problem, verify } from './verify.ts';
import { type Exchange, overHttp, overMllp } from './wire.ts';

export interface FuzzOptions {
  readonly messages: number;
  readonly seed: number;
  /** Rounds at a time; 1 when it is not there. */
  readonly parallel?: number;
  readonly progress?: (text: string) => void;
}

export interface FuzzReport {
  readonly messages: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly states: Readonly<Record<string, number>>;
  /** The longest time that the event loop of a server was held up, ms. */
  readonly heldUpMs: number;
  /** The largest resident memory of a server, MB. */
  readonly megabytes: number;
}

const roundMessages = 5000;
const connections = 8;
const packetsPerConnection = 40;
const frameBytesMax = 262_144;
/** Connections whose messages are about the same people. */
const connectionsPerWorld = 4;
const peoplePerWorld = 6;
const megabytesMax = 900;
const heldUpMsMax = 5000;
const lookMs = 500;
const standstillMsMax = 30_000;
/** So many rounds that fail end a run: a long one shows more than its first finding. */
const failuresMax = 10;

/** @throws Error with the first things that do not hold, the seed, and a folder with the messages concerned */
export async function fuzz({ messages, seed, parallel = 1, progress = () => {} }: FuzzOptions): Promise<FuzzReport> {
  const grammar = readGrammar();
  const rounds = Math.ceil(messages / roundMessages);
  const total = { messages: 0, answers: {}, states: {}, heldUpMs: 0, megabytes: 0 };
  const failures: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < rounds && failures.length < failuresMax) {
      const round = next++;
      const count = Math.min(roundMessages, messages - round * roundMessages);
      const { problems, ...report } = await new Round(grammar, seed + round, count).run();
      if (problems.length > 0) {
        failures.push(written(problems, seed + round, report));
        progress(failures.at(-1) as string);
      }
      total.messages += report.messages;
      add(total.answers, report.answers);
      add(total.states, report.states);
      total.heldUpMs = Math.max(total.heldUpMs, report.heldUpMs);
      total.megabytes = Math.max(total.megabytes, report.megabytes);
      progress(`${total.messages} of ${messages}: ${JSON.stringify(report)}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  if (failures.length > 0) throw new Error(failures.join('\n'));
  return total;
}

function add(to: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [key, n] of Object.entries(more)) to[key] = (to[key] ?? 0) + n;
}

/** One server with its database. */
class Round {
  readonly #grammar: Grammar;
  readonly #seed: number;
  readonly #messages: number;
  readonly #exchanges: Exchange[] = [];
  readonly #problems: Problem[] = [];
  #sent = 0;
  #chunks = 0;
  #heldUpMs = 0;
  #megabytes = 0;

  constructor(grammar: Grammar, seed: number, messages: number) {
    this.#grammar = grammar;
    this.#seed = seed;
    this.#messages = messages;
  }

  async run(): Promise<FuzzReport & { problems: readonly Problem[] }> {
    const folder = temporaryFolder();
    const path = join(folder.path, 'fuzz.db');
    const server = new ServerProcess(`sqlite:${path}`, { FRAME_BYTES_MAX: String(frameBytesMax) });
    let watch: NodeJS.Timeout | undefined;
    try {
      const { http, mllp } = await server.ready();
      await this.#look(http);
      // What the start took is no concern of this.
      this.#heldUpMs = 0;
      watch = setInterval(() => void this.#look(http).catch(() => {}), lookMs);
      await Promise.all(Array.from({ length: connections }, () => this.#connect(http, portOf(mllp))));
      await this.#drained(http);
      server.kill('SIGTERM');
      const how = await server.exited;
      if (how !== '0') this.#say(`the server ended with ${how}`);
      if (server.log !== '') this.#say(`the server logged: ${server.log.slice(0, 2000)}`);
      if (this.#megabytes > megabytesMax) this.#say(`the server took ${this.#megabytes} MB`);
      if (this.#heldUpMs > heldUpMsMax) this.#say(`the event loop was held up for ${this.#heldUpMs} ms`);
      const { problems, ...verdict } = verify(path, this.#exchanges);
      const all = [...this.#problems, ...problems];
      return { ...verdict, heldUpMs: this.#heldUpMs, megabytes: this.#megabytes, problems: all };
    } finally {
      clearInterval(watch);
      server.kill('SIGKILL');
      await server.exited;
      folder.remove();
    }
  }

  #say(text: string): void {
    this.#problems.push({ text });
  }

  /** Looks again and again until no message waits, or nothing has moved for long. */
  async #drained(http: string): Promise<void> {
    let [waiting, since] = [await this.#look(http), Date.now()];
    while (waiting > 0 && Date.now() - since < standstillMsMax) {
      await wait(lookMs / 5);
      const now = await this.#look(http);
      if (now < waiting) since = Date.now();
      waiting = now;
    }
  }

  /** Looks at the metrics. @returns how many messages wait */
  async #look(http: string): Promise<number> {
    const text = await (await fetch(`${new URL(http).origin}/metrics`)).text();
    const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
    this.#megabytes = Math.max(this.#megabytes, Math.round(value('process_resident_memory_bytes') / 1_048_576));
    this.#heldUpMs = Math.max(this.#heldUpMs, Math.round(value('nodejs_eventloop_lag_max_seconds') * 1000));
    return value('aftercare_messages\\{state="received"\\}');
  }

  /** One connection after the other, until enough was sent. */
  async #connect(http: string, port: number): Promise<void> {
    while (this.#sent < this.#messages) {
      const chunk = this.#chunks++;
      const random = seeded(this.#seed * 100_003 + chunk);
      const world = { name: `W${Math.floor(chunk / connectionsPerWorld)}`, people: peoplePerWorld };
      const packets = new Packets(this.#grammar, { ...world, chunk: `K${chunk}` }, chunk * 5, random);
      const contents = Array.from({ length: packetsPerConnection }, () => packets.next());
      // As far as is known; the messages of batches come to it.
      this.#sent += contents.length;
      try {
        const done = await this.#exchange(http, port, contents, random);
        this.#exchanges.push(...done);
        this.#sent += done.reduce((sum, it) => sum + it.messages.length, 0) - contents.length;
      } catch (error) {
        for (const bytes of contents)
          this.#problems.push({ text: `chunk ${chunk}: ${(error as Error).message}`, bytes });
      }
    }
  }

  async #exchange(http: string, port: number, contents: readonly Buffer[], random: Random): Promise<Exchange[]> {
    if (random.next() > 0.08) {
      const bytes = Buffer.concat(contents.map((it) => framed(it, random)));
      return [await overMllp(port, bytes, frameBytesMax, random)];
    }
    const exchanges: Exchange[] = [];
    for (const it of contents) exchanges.push(await overHttp(http, it));
    return exchanges;
  }
}

function written(problems: readonly Problem[], seed: number, report: object): string {
  const folder = join(tmpdir(), `aftercare-fuzz-${seed}`);
  mkdirSync(folder, { recursive: true });
  const lines = problems.slice(0, 40).map(({ text, bytes }, i) => {
    if (!bytes) return text;
    const file = join(folder, `${i + 1}.hl7`);
    writeFileSync(file, bytes);
    return `${text}: ${file}`;
  });
  return [`seed ${seed}: ${problems.length} problems of ${JSON.stringify(report)}`, ...lines].join('\n');
}
