/** `npm run --silent mapping -- diff|check|schema|coverage`: what a mapping engineer works with, without a server. */
import type { Setting } from './convert.ts';
import { checkCommand } from './mapping-check.ts';
import { coverageCommand, coverageUsage } from './mapping-coverage.ts';
import { diffCommand, diffUsage } from './mapping-diff.ts';
import { schemaCommand } from './mapping-schema.ts';

const usage = `${diffUsage}mapping check [NAME]\nmapping schema\n${coverageUsage}`;

/** @returns the exit code: 2 for a wrong call. @throws MappingError for a mapping that cannot be used */
export function mappingCommand([command, ...args]: readonly string[], setting: Setting): number {
  switch (command) {
    case 'diff':
      return diffCommand(args, setting);
    case 'coverage':
      return coverageCommand(args, setting);
    case 'check':
      if (args.length <= 1 && !args[0]?.startsWith('-')) return checkCommand(setting.mappings, args[0]);
      break;
    case 'schema':
      if (args.length === 0) return schemaCommand(setting.mappings);
  }
  process.stderr.write(usage);
  return 2;
}
