/**
 * `npm run torture`: 50 kills under load, 10,000 mutated messages, and 60 s of FHIR clients on each database. KILLS, FUZZ,
 * TORTURE_SECONDS and SEED change that.
 */
import { databases } from '../support/databases.ts';
import { crash } from './crash.ts';
import { fuzz } from './fuzz.ts';
import { seedOf } from './random.ts';
import { tortureRest } from './rest.ts';

const seed = seedOf(process.env.SEED);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

say(`SEED=${seed}`);
try {
  const kills = Number(process.env.KILLS ?? 50);
  say(`killing the server ${kills} times under load`);
  const crashed = await crash({ kills, seed, progress: say });
  say(`  ${JSON.stringify(crashed)}`);
  const messages = Number(process.env.FUZZ ?? 10_000);
  say(`sending ${messages} mutated messages`);
  const fuzzed = await fuzz({ messages, seed, progress: say });
  say(`  ${JSON.stringify(fuzzed)}`);
  const seconds = Number(process.env.TORTURE_SECONDS ?? 60);
  for (const { name, open } of databases) {
    say(`${name}: FHIR clients that write, read, page and create on conditions for ${seconds} s`);
    const database = await open();
    const report = await tortureRest({ storeUrl: database.url, seconds, seed }).finally(() => database.drop());
    say(`  ${JSON.stringify(report)}`);
  }
  say('nothing lost, nothing twice, everything answered');
} catch (error) {
  say((error as Error).stack ?? String(error));
  process.exitCode = 1;
}
