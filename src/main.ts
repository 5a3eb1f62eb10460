/** Command line and signals. `serve`, `map`, `mapping`, `send`, `replay`. */
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import type { Setting } from './cli/convert.ts';
import type { StoredResource } from './fhir/types.ts';
import { questionnairesOf, readProfiles } from './profiles.ts';

const usage = `aftercare serve
aftercare map [--plan] [--lineage] [--strict] [--site NAME] FILE|FOLDER…
aftercare mapping diff|check|schema|coverage …
aftercare send [--to HOST:PORT] [--rate N] FILE…
aftercare replay [--id N]… [--state STATE] [--from TIME] [--to TIME] [--dry-run] [--server URL]
`;

const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

const profiles = (): StoredResource[] => readProfiles(root('profiles'));

async function setting(): Promise<Setting> {
  const { readConfig } = await import('./config.ts');
  const config = readConfig(process.env);
  return {
    ...config,
    mappings: config.mappings ?? root('mappings'),
    questionnaires: () => questionnairesOf(profiles()),
  };
}

/**
 * Per cent that the heap may grow over what lives in it before it is collected. V8 lets it grow to several times of that by
 * itself: 620 MB were resident in place of 360 after some thousand messages, and not one message more was applied a second.
 */
const heapGrowth = 20;

async function serve(): Promise<number> {
  setFlagsFromString(`--heap-growing-percent=${heapGrowth}`);
  const [{ startApp }, { readConfig }] = await Promise.all([import('./app.ts'), import('./config.ts')]);
  const app = await startApp(readConfig(process.env));
  process.stdout.write([`FHIR ${app.http}`, ...app.listeners.map((it) => `HL7 v2 ${it}`), ''].join('\n'));
  process.on('SIGHUP', () => app.reload());
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await app.stop();
  return 0;
}

/** Whoever reads a pipe (`head`) may stop when he has seen enough. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

// Each command loads what it needs when it is called: all of the server takes a second.
async function main([command, ...rest]: string[]): Promise<number> {
  if (command !== 'serve') endWithReader();
  switch (command) {
    case 'serve':
      return serve();
    case 'map':
      return (await import('./cli/map.ts')).mapCommand(rest, await setting(), profiles);
    case 'mapping':
      return (await import('./cli/mapping.ts')).mappingCommand(rest, await setting());
    case 'send':
      return (await import('./cli/send.ts')).sendCommand(rest);
    case 'replay':
      return (await import('./cli/replay.ts')).replayCommand(rest);
    default:
      process.stderr.write(usage);
      return 2;
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // What the operator can mend is said in a line; the rest is a defect and shows its stack.
  const { name, message, stack, code } = error as NodeJS.ErrnoException;
  const expected = name === 'ConfigError' || name === 'MappingError' || code !== undefined;
  process.stderr.write(`${expected ? message : stack}\n`);
  process.exitCode = 1;
}
