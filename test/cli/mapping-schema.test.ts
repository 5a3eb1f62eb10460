import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Ajv, type ValidateFunction } from 'ajv';
import { parse } from 'yaml';
import { editorSchemas, fileKinds } from '../../src/cli/mapping-schema.ts';
import { type FileKind, fileSchema } from '../../src/mapping/file-schemas.ts';
import { Workbench } from './run.ts';

const committed = (kind: FileKind): any => JSON.parse(readFileSync(`mappings/schema/${kind}.json`, 'utf8'));
const bench = new Workbench();
afterAll(() => bench.remove());

function validator(kind: FileKind): ValidateFunction {
  return new Ajv({ strict: false }).compile(committed(kind));
}

/** Every `properties` of a schema, with its path. */
function* properties(node: unknown, path = ''): Generator<[string, Record<string, any>]> {
  if (typeof node !== 'object' || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    if (key === 'properties') yield [path, value];
    yield* properties(value, `${path}/${key}`);
  }
}

describe('mapping schema', () => {
  test.each(fileKinds)('has written mappings/schema/%s.json as the code is now', (kind) => {
    // When this fails: npm run --silent mapping -- schema
    expect(committed(kind)).toEqual(editorSchemas('mappings')[kind]);
  });

  test('writes the files, and knows what a new file adds', () => {
    bench.write('mappings/datatypes/CX-Local.yaml', 'datatype: CX\nmakes: Identifier\nrows: []\n');
    const { code, out } = bench.mapping('schema');
    expect([code, out.split('\n')]).toEqual([0, [...fileKinds.map((kind) => `mappings/schema/${kind}.json`), '']]);
    const written = JSON.parse(readFileSync(bench.at('mappings/schema/segments.json'), 'utf8'));
    expect(written.definitions.row.properties.type.enum).toContain('CX-Local');
    expect(committed('segments').definitions.row.properties.type.enum).not.toContain('CX-Local');
  });

  test.each(fileKinds)('every file of mappings/%s is right by its schema', (kind) => {
    const validate = validator(kind);
    for (const name of readdirSync(join('mappings', kind))) {
      const right = validate(parse(readFileSync(join('mappings', kind, name), 'utf8')));
      expect([name, right, validate.errors]).toEqual([name, true, null]);
    }
  });

  test.each(fileKinds)('explains every key of %s', (kind) => {
    const schema = fileSchema(kind) as any;
    const isExplained = ({ description, $ref, properties: parts }: any): boolean =>
      typeof description === 'string' || parts !== undefined || isExplained(schema.definitions[$ref.split('/').at(-1)]);
    for (const [path, keys] of properties(schema))
      for (const [key, part] of Object.entries(keys)) expect([path, key, isExplained(part)]).toEqual([path, key, true]);
  });

  test.each([
    ['a type that is neither file nor converter', { field: 'PID-8', to: 'gender', type: 'CWE-kode' }],
    ['a table that is not there', { field: 'PID-8', to: 'gender', table: 'Sex' }],
    ['a key that is not there', { field: 'PID-8', too: 'gender' }],
    ['a place that is none', { field: 'PID 8', to: 'gender' }],
  ])('an editor marks %s', (_, row) => {
    const file = { segment: 'PID', resource: 'Patient', rows: [row] };
    expect(validator('segments')(file)).toBe(false);
    expect(validator('segments')({ ...file, rows: [{ field: 'PID-8', to: 'gender', table: 'v2-0001' }] })).toBe(true);
    expect(validator('segments')({ ...file, resource: 'Person2', rows: [] })).toBe(false);
  });

  test('a site may name types, tables and maps of its own', () => {
    const row = { field: 'ZPI-2', to: 'code', type: 'CWE-Own', table: 'Own' };
    const site = {
      segments: { 'ZPI-Flag': { segment: 'ZPI', resource: 'Flag', rows: [row] }, 'PID-Patient': [row] },
      messages: { ADT: [{ segment: 'ZPI', map: 'ZPI-Flag' }] },
      tables: { Own: { A: { system: 'urn:x', code: 'B' }, C: null } },
    };
    expect(validator('sites')(site)).toBe(true);
    expect(validator('sites')({ ...site, segments: { 'PID-Patient': [{ ...row, tabel: 'X' }] } })).toBe(false);
  });

  test('.vscode/settings.json gives each mapping file its schema', () => {
    const schemas: Record<string, string> = JSON.parse(readFileSync('.vscode/settings.json', 'utf8'))['yaml.schemas'];
    expect(schemas).toEqual(
      Object.fromEntries(fileKinds.map((kind) => [`./mappings/schema/${kind}.json`, `mappings/${kind}/*.yaml`])),
    );
  });
});
