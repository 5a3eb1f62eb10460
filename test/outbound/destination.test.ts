import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { destinationsSchema } from '../../src/mapping/destination.ts';
import { parseFile, readMappings } from '../../src/mapping/read.ts';
import type { SiteFile } from '../../src/mapping/rows.ts';
import { withSite } from '../../src/mapping/sites.ts';
import { mappingFolder } from '../mapping/support.ts';

const files = readMappings(mappingFolder);
const read = (yaml: string) => withSite(files, parseFile<SiteFile>('sites', 'mappings/sites/renhe.yaml', yaml));

const least = `
destinations:
  - name: his
    host: his.renhe.example
    port: 6661
    application: HIS
    facility: RENHE
    send: [SIU^S12]
`;

describe('the destinations of a site', () => {
  test('need little, and the rest has defaults', () => {
    expect(read(least).destinations).toEqual([
      {
        name: 'his',
        host: 'his.renhe.example',
        port: 6661,
        tls: undefined,
        application: 'HIS',
        facility: 'RENHE',
        sender: { application: 'AFTERCARE', facility: 'AFTERCARE' },
        from: ['RENHE'],
        authority: 'RENHE',
        visitAuthority: 'RENHE',
        patientSystem: 'urn:id:RENHE',
        visitSystem: 'urn:id:RENHE',
        send: ['SIU^S12'],
        charset: 'UTF-8',
        version: '2.5.1',
        processing: 'P',
        contact: 'Follow-up centre',
        lanesMax: 8,
        timeoutMs: 30_000,
        giveUpHours: 72,
      },
    ]);
  });

  test('know their patients by the systems that the site gives its authorities', () => {
    const more =
      '    authority: RENHE-MRN\n    visitAuthority: RENHE-VN\nsystems: { RENHE-MRN: "urn:oid:1.2.156.7" }\n';
    expect(read(least + more).destinations?.[0]).toMatchObject({
      authority: 'RENHE-MRN',
      patientSystem: 'urn:oid:1.2.156.7',
      visitAuthority: 'RENHE-VN',
      visitSystem: 'urn:id:RENHE-VN',
    });
  });

  test('may want TLS with the authorities of Node, or with files', () => {
    expect(read(`${least}    tls: true\n`).destinations?.[0]?.tls).toEqual({});
    expect(read(`${least}    tls: { ca: ca.pem }\n`).destinations?.[0]?.tls).toEqual({ ca: 'ca.pem' });
  });

  test('are none where a site has none', () => {
    expect(read('settings: {}\n').destinations).toEqual([]);
    expect(files.destinations).toBeUndefined();
  });

  test.each([
    ['a message that is not there', least.replace('SIU^S12', 'SIU^S99'), 8],
    ['a port that the client does not take', least.replace('6661', '65500'), 5],
    ['a character set that has not every character', `${least}    charset: ISO 8859/1\n`, 9],
    ['half a certificate', `${least}    tls: { cert: a.pem }\n`, 3],
    ['two of one name', least + least.replace('\ndestinations:\n', ''), 9],
    ['a key that nobody knows', `${least}    hots: x\n`, 9],
  ])('with %s are refused, with the line', (_, yaml, line) => {
    expect(() => read(yaml)).toThrow(new RegExp(`^mappings/sites/renhe.yaml:${line}: `));
  });
});

describe('docs/outbound.md', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/outbound.md', import.meta.url)), 'utf8');
  const [, example = ''] = /```yaml\n([^`]+)```/.exec(page) ?? [];
  const [asked] = read(example).destinations ?? [];

  test('begins with a site file that works', () => {
    expect(asked).toMatchObject({ name: 'renhe-his', host: '10.1.2.3', send: ['SIU^S12', 'ORU^R01', 'MDM^T02'] });
  });

  test('lists every key with its default', () => {
    const rows = [...page.matchAll(/^\| `(\w+)`(?:, `\w+`)? +\| ([^|]+?) +\|/gm)];
    const listed = Object.fromEntries(rows.map(([, key = '', value = '']) => [key, value.replaceAll('`', '')]));
    expect(listed).toMatchObject({
      from: '[facility]',
      charset: asked?.charset,
      version: asked?.version,
      processing: asked?.processing,
      contact: asked?.contact,
      sender: 'AFTERCARE, AFTERCARE',
      lanesMax: String(asked?.lanesMax),
      timeoutMs: String(asked?.timeoutMs),
      giveUpHours: String(asked?.giveUpHours),
    });
    for (const key of Object.keys(destinationsSchema.items.properties))
      expect(page).toMatch(new RegExp(`\\b${key}\\b`));
  });
});
