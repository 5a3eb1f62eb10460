/** Kills the server again and again under load and holds the database against what was acknowledged. */
import { topicSubscription } from '../subscriptions/resources.ts';
import { allEventNumbers, Subscriber } from '../subscriptions/subscriber.ts';
import { fhir, portOf, settled, startTestApp } from '../support/app.ts';
import type { DatabaseKind } from '../support/databases.ts';
import { checkAlways, checkEnd } from './check.ts';
import { readGrammar } from './grammar.ts';
import { Ledger, sendVisits, type Target } from './load.ts';
import { type Random, seeded } from './random.ts';
import { ServerProcess } from './server-process.ts';

export interface CrashOptions {
  readonly database: DatabaseKind;
  readonly kills: number;
  readonly seed: number;
  readonly connections?: number;
  readonly progress?: (text: string) => void;
}

export interface CrashReport {
  readonly kills: number;
  readonly messages: number;
  readonly resends: number;
  readonly visits: number;
  readonly events: number;
}

/** @throws Error with everything that does not hold, and the seed */
export async function crash(options: CrashOptions): Promise<CrashReport> {
  const { kills, seed, connections = 6, progress = () => {} } = options;
  const random = seeded(seed);
  const database = await options.database.open();
  const subscriber = await Subscriber.start();
  const ledger = new Ledger();
  const fail = (problems: readonly string[], when: string): void => failWith(problems, `seed ${seed}, ${when}`);
  const servers = new Servers(database.url);
  let enough = false;
  try {
    await servers.start();
    await subscribe(servers.http, subscriber);
    const broken = sendAll(connections, servers, ledger, random, () => enough);
    for (let kill = 1; kill <= kills; kill++) {
      await Promise.race([servers.killUnderLoad(ledger, random), broken]);
      await servers.start(random);
      fail(await checkAlways(database.url, ledger), `after kill ${kill}`);
      progress(`kill ${kill} of ${kills}: ${ledger.acknowledgements} acknowledged, ${ledger.visits.size} visits`);
    }
    // The last server has its load too.
    await Promise.race([ledger.atLeast(ledger.acknowledgements + 50), broken]);
    enough = true;
    await broken;
    await servers.stop();
    await finish(database.url);
    fail(await checkEnd(database.url, ledger), 'at the end');
    fail(checkNotified(subscriber, ledger), 'at the subscriber');
    const sent = [...ledger.sent.values()];
    const resends = sent.reduce((sum, it) => sum + it.sends - 1, 0);
    return { kills, messages: sent.length, resends, visits: ledger.visits.size, events: ledger.discharges };
  } finally {
    enough = true;
    await servers.stop();
    await subscriber.close();
    await database.drop();
  }
}

/** @throws Error when there are any */
export function failWith(problems: readonly string[], when: string): void {
  if (problems.length === 0) return;
  throw new Error(`${when}: ${problems.length} problems\n${problems.slice(0, 20).join('\n')}`);
}

/** Senders on connections of their own. @returns when all have ended */
export async function sendAll(
  connections: number,
  target: Target,
  ledger: Ledger,
  random: Random,
  enough: () => boolean,
): Promise<void> {
  const oru = readGrammar().shapes.some((it) => it.type === 'ORU');
  await Promise.all(
    Array.from({ length: connections }, (_, i) =>
      sendVisits({ name: `S${i}`, target, ledger, random: seeded(random.whole(1, 2 ** 31)), oru, enough }),
    ),
  );
}

/** A topic subscription of the discharges, active. */
export async function subscribe(http: string, subscriber: Subscriber): Promise<void> {
  const subscription = topicSubscription(subscriber.url(), { maxCount: 20 });
  const { status } = await fhir({ http }, 'POST', 'Subscription', subscription);
  if (status !== 201) throw new Error(`the subscription was answered with ${status}`);
  await subscriber.atLeast(1);
  // Asks until the handshake has made it active: each answer of the server is the signal to ask again.
  for (;;) {
    const { body } = await fhir({ http }, 'GET', 'Subscription?status=active');
    if (body.entry) return;
  }
}

/** Lets all stages do what is left; in this process, where their end can be awaited. */
export async function finish(storeUrl: string): Promise<void> {
  const app = await startTestApp({ storeUrl });
  await settled(app);
  await app.stop();
}

/** Each discharge was told, in order; now and then one twice. @returns what does not hold */
export function checkNotified(subscriber: Subscriber, { discharges }: Ledger): string[] {
  const firsts = [...new Set(allEventNumbers(subscriber.received.slice(1)))];
  if (firsts.length !== discharges) return [`${firsts.length} of ${discharges} events were notified`];
  const wrong = firsts.findIndex((number, i) => number !== i + 1);
  return wrong < 0 ? [] : [`event ${firsts[wrong]} was notified at place ${wrong + 1}`];
}

/** The server of the moment. */
class Servers implements Target {
  readonly #url: string;
  #process: ServerProcess | undefined;
  #up: { http: string; port: number } | undefined;
  #generation = 0;
  #waiting: (() => void)[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  get http(): string {
    return this.#up?.http ?? '';
  }

  /** Starts until one is up; with `random` now and then one is killed while it starts. */
  async start(random?: Random): Promise<void> {
    if (random && random.next() < 0.15) {
      const early = new ServerProcess(this.#url);
      early.ready().catch(() => {});
      setTimeout(() => early.kill('SIGKILL'), random.whole(50, 600));
      await early.exited;
    }
    const server = new ServerProcess(this.#url);
    this.#process = server;
    const { http, mllp } = await server.ready();
    this.#up = { http, port: portOf(mllp) };
    this.#generation++;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async port(than: number): Promise<{ port: number; generation: number }> {
    while (!this.#up || this.#generation <= than) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return { port: this.#up.port, generation: this.#generation };
  }

  /** Lets some messages through, then kills without warning. */
  async killUnderLoad(ledger: Ledger, random: Random): Promise<void> {
    await ledger.atLeast(ledger.acknowledgements + random.whole(0, 80));
    await new Promise((resolve) => setTimeout(resolve, random.whole(0, 20)));
    const server = this.#process as ServerProcess;
    this.#up = undefined;
    server.kill('SIGKILL');
    const how = await server.exited;
    if (how !== 'SIGKILL') throw new Error(`the server ended by itself (${how}): ${server.log}`);
    if (server.log !== '') throw new Error(`the server logged an error: ${server.log}`);
  }

  /** Ends the last server as an operator does. */
  async stop(): Promise<void> {
    if (!this.#up) this.#process?.kill('SIGKILL');
    else this.#process?.kill('SIGTERM');
    this.#up = undefined;
    await this.#process?.exited;
  }
}
