/** `mapping schema`: the JSON schemas of mapping files for editors, with the names that are there. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resourceTypes } from '../fhir/definitions.ts';
import { converters } from '../mapping/converters.ts';
import { type FileKind, fileSchema } from '../mapping/file-schemas.ts';

export const fileKinds: readonly FileKind[] = ['messages', 'segments', 'datatypes', 'sites'];

/** The schemas by kind, for the mapping files of a folder. */
export function editorSchemas(folder: string): Record<FileKind, unknown> {
  const named = (kind: string, ending: string): string[] =>
    readdirSync(join(folder, kind))
      .filter((it) => it.endsWith(ending))
      .map((it) => it.slice(0, -ending.length))
      .sort();
  const names = {
    resources: resourceTypes,
    converters: [...Object.keys(converters), 'PL-Location'].sort(),
    messages: named('messages', '.yaml'),
    segments: named('segments', '.yaml'),
    datatypes: named('datatypes', '.yaml'),
    tables: named('tables', '.json'),
  };
  return Object.fromEntries(fileKinds.map((kind) => [kind, fileSchema(kind, names)])) as Record<FileKind, unknown>;
}

/** Writes `schema/*.json` into the folder. @returns the exit code */
export function schemaCommand(folder: string): number {
  mkdirSync(join(folder, 'schema'), { recursive: true });
  for (const [kind, schema] of Object.entries(editorSchemas(folder))) {
    writeFileSync(join(folder, 'schema', `${kind}.json`), `${JSON.stringify(schema, null, 2)}\n`);
    process.stdout.write(`mappings/schema/${kind}.json\n`);
  }
  return 0;
}
