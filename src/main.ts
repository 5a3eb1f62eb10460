/** Command line and signals. `serve`, `map`, `mapping`, `send`, `replay`. */
import { fileURLToPath } from 'node:url';
import { startApp } from './app.ts';
import type { Setting } from './cli/convert.ts';
import { mapCommand } from './cli/map.ts';
import { mappingCommand } from './cli/mapping.ts';
import { replayCommand } from './cli/replay.ts';
import { sendCommand } from './cli/send.ts';
import { ConfigError, readConfig } from './config.ts';
import type { StoredResource } from './fhir/types.ts';
import { MappingError } from './mapping/rows.ts';
import { questionnairesOf, readProfiles } from './profiles.ts';

const usage = `aftercare serve
aftercare map [--plan] [--lineage] [--strict] [--site NAME] FILE|FOLDER…
aftercare mapping diff|check|schema|coverage …
aftercare send [--to HOST:PORT] [--rate N] FILE…
aftercare replay [--id N]… [--state STATE] [--from TIME] [--to TIME] [--dry-run] [--server URL]
`;

const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

const profiles = (): StoredResource[] => readProfiles(root('profiles'));

const setting = (): Setting => ({
  ...readConfig(process.env),
  mappings: root('mappings'),
  questionnaires: () => questionnairesOf(profiles()),
});

async function serve(): Promise<number> {
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

async function main([command, ...rest]: string[]): Promise<number> {
  if (command !== 'serve') endWithReader();
  switch (command) {
    case 'serve':
      return serve();
    case 'map':
      return mapCommand(rest, setting(), profiles);
    case 'mapping':
      return mappingCommand(rest, setting());
    case 'send':
      return sendCommand(rest);
    case 'replay':
      return replayCommand(rest);
    default:
      process.stderr.write(usage);
      return 2;
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // What the operator can mend is said in a line; the rest is a defect and shows its stack.
  const expected = error instanceof ConfigError || error instanceof MappingError || 'code' in (error as object);
  process.stderr.write(expected ? `${(error as Error).message}\n` : `${(error as Error).stack}\n`);
  process.exitCode = 1;
}
