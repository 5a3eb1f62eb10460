/**
 * `npm run torture`: everything that takes too long for `npm test`. A part alone: `npm run torture -- fuzz`, several by
 * several names. KILLS, FUZZ (messages), TROUBLE_SECONDS (each), TORTURE_SECONDS (of FHIR clients), PARALLEL and SEED change it.
 */
import { availableParallelism } from 'node:os';
import { databases } from '../support/databases.ts';
import { crash } from './crash.ts';
import { fuzz } from './fuzz.ts';
import { seedOf } from './random.ts';
import { tortureRest } from './rest.ts';
import { slowSenders } from './slow.ts';
import { troubled, troubles } from './trouble.ts';

const seed = seedOf(process.env.SEED);
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const show = (report: object): void => say(`  ${JSON.stringify(report)}`);
const number = (name: string, usual: number): number => Number(process.env[name] ?? usual);

const parts: Readonly<Record<string, () => Promise<void>>> = {
  async kill() {
    const kills = number('KILLS', 50);
    for (const database of databases) {
      say(`${database.name}: killing the server ${kills} times under load`);
      show(await crash({ database, kills, seed, progress: say }));
    }
  },
  async trouble() {
    const seconds = number('TROUBLE_SECONDS', 60);
    for (const trouble of troubles) {
      say(`${trouble.name} for ${seconds} s under load`);
      const report = await troubled(trouble, seconds, seed);
      if (report) show(report);
      else say(`  skipped: ${trouble.missing}`);
    }
  },
  async slow() {
    say('128 senders that write one byte at a time');
    show(await slowSenders());
  },
  async rest() {
    const seconds = number('TORTURE_SECONDS', 60);
    for (const { name, open } of databases) {
      say(`${name}: FHIR clients that write, read, page and create on conditions for ${seconds} s`);
      const database = await open();
      show(await tortureRest({ storeUrl: database.url, seconds, seed }).finally(() => database.drop()));
    }
  },
  async fuzz() {
    const messages = number('FUZZ', 1_000_000);
    const parallel = number('PARALLEL', availableParallelism());
    say(`sending ${messages} mutated messages to ${parallel} servers at a time`);
    show(await fuzz({ messages, seed, parallel, progress: say }));
  },
};

say(`SEED=${seed}`);
try {
  const asked = process.argv.slice(2);
  for (const name of asked.length > 0 ? asked : Object.keys(parts)) {
    const part = parts[name];
    if (!part) throw new Error(`no part '${name}': there are ${Object.keys(parts).join(', ')}`);
    await part();
  }
  say('nothing lost, nothing twice, everything answered');
} catch (error) {
  say((error as Error).stack ?? String(error));
  // Senders that nobody answers any more would go on for ever.
  process.exit(1);
}
