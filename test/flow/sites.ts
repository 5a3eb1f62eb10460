/** Hospitals with a mapping of their own on one server: a folder with the mapping as it ships, and their files. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../src/config.ts';
import { listenerOf } from '../../src/listeners.ts';
import { temporaryFolder, testConfig } from '../support/app.ts';

const shipped = fileURLToPath(new URL('../../mappings', import.meta.url));

/**
 * @param sites YAML of `mappings/sites/NAME.yaml` by name
 * @returns the folder for `MAPPINGS`; the caller removes it
 */
export function mappingsWith(sites: Readonly<Record<string, string>>): { path: string; remove(): void } {
  const folder = temporaryFolder();
  for (const kind of ['messages', 'segments', 'datatypes', 'tables'])
    symlinkSync(join(shipped, kind), join(folder.path, kind));
  mkdirSync(join(folder.path, 'sites'));
  for (const [name, yaml] of Object.entries(sites)) writeFileSync(join(folder.path, 'sites', `${name}.yaml`), yaml);
  return folder;
}

/** A server on that folder with a listener for each site, in this order; undefined: the mapping as it ships. */
export function serving(folder: { readonly path: string }, sites: readonly (string | undefined)[]): Partial<Config> {
  const config = testConfig();
  return { mappings: folder.path, listeners: sites.map((site) => listenerOf({ ...config, port: 0, site })) };
}
