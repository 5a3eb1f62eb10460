/** The repository as text, for the tests that read it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** path from the root, with slashes ─▶ text, of every file with one of the endings. */
export function textsUnder(folders: readonly string[], endings: readonly string[]): Map<string, string> {
  const texts = new Map<string, string>();
  for (const folder of folders) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !endings.some((ending) => entry.name.endsWith(ending))) continue;
      const full = join(entry.parentPath, entry.name);
      texts.set(full.slice(root.length).split(sep).join('/'), readFileSync(full, 'utf8'));
    }
  }
  return texts;
}
