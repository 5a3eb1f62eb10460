/** `npm run torture`: 50 kills under load and 10,000 mutated messages. KILLS, FUZZ and SEED change that. */
import { crash } from './crash.ts';
import { fuzz } from './fuzz.ts';
import { seedOf } from './random.ts';

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
  say('nothing lost, nothing twice, everything answered');
} catch (error) {
  say((error as Error).stack ?? String(error));
  process.exitCode = 1;
}
