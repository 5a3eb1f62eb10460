/** The version of the mapping: a digest of its files, remembered with each message that was applied with them. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param questionnaires that answers are mapped by
 * @returns 12 hexadecimal digits; equal for equal files
 */
export function mappingVersion(folder: string, site = '', questionnaires: readonly unknown[] = []): string {
  const digest = createHash('sha256').update(site).update(JSON.stringify(questionnaires));
  for (const name of readdirSync(folder, { recursive: true }).map(String).sort()) {
    // What editors complete from says nothing of what a message becomes.
    if (!/\.(yaml|json)$/.test(name) || /^schema[\\/]/.test(name)) continue;
    // What another hospital says changes nothing here.
    if (/^sites[\\/]/.test(name) && name !== join('sites', `${site}.yaml`)) continue;
    digest
      .update(name)
      .update('\0')
      .update(readFileSync(join(folder, name)))
      .update('\0');
  }
  return digest.digest('hex').slice(0, 12);
}
