/** Command line and signals. `serve`, `map`, `send`. */
import { fileURLToPath } from 'node:url';
import { startApp } from './app.ts';
import { mapCommand } from './cli/map.ts';
import { sendCommand } from './cli/send.ts';
import { ConfigError, readConfig } from './config.ts';
import { MappingError } from './mapping/rows.ts';
import { readProfiles } from './profiles.ts';

const usage = `aftercare serve
aftercare map [--plan] [--lineage] [--site NAME] FILE…
aftercare send [--to HOST:PORT] [--rate N] FILE…
`;

async function serve(): Promise<number> {
  const app = await startApp(readConfig(process.env));
  process.stdout.write(`FHIR ${app.http}\nHL7 v2 ${app.mllp}\n`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await app.stop();
  return 0;
}

async function main([command, ...rest]: string[]): Promise<number> {
  switch (command) {
    case 'serve':
      return serve();
    case 'map':
      return mapCommand(rest, readConfig(process.env).zone, () =>
        readProfiles(fileURLToPath(new URL('../profiles', import.meta.url))),
      );
    case 'send':
      return sendCommand(rest);
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
