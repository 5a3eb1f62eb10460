import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';
import { converters } from '../../src/mapping/converters.ts';
import { messageStates } from '../../src/store/rows.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8').replace(/ {2,}/g, ' ');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((it) => it.endsWith('.md'))
    .map((it) => `docs/${it}`),
];
const scripts = Object.keys(JSON.parse(read('package.json')).scripts);

describe('what the pages say is so', () => {
  test.each(pages)('every npm script that %s names exists', (page) => {
    const named = [...read(page).matchAll(/npm (?:run (?:--silent )?|)(start|test|[a-z-]+)(?= |`|$)/gm)].map(
      (it) => it[1] as string,
    );
    for (const name of named.filter((it) => !['ci', 'run'].includes(it))) expect(scripts).toContain(name);
  });

  test.each(pages)('every file that %s links to exists', (page) => {
    for (const [, link] of read(page).matchAll(/\]\(([^)#]+)\)/g)) {
      if (!/^https?:/.test(link as string)) expect(existsSync(join(root, dirname(page), link as string))).toBe(true);
    }
  });

  test('every folder of the code map exists, and every folder of the code is in it', () => {
    const named = new Set(
      [...read('README.md').matchAll(/`([a-z]+(?:\/[a-z0-9]+)?)\/`/g)].map((it) => it[1] as string),
    );
    for (const folder of named) expect(existsSync(join(root, folder))).toBe(true);
    for (const entry of readdirSync(join(root, 'src'), { withFileTypes: true })) {
      if (entry.isDirectory()) expect(named).toContain(`src/${entry.name}`);
    }
  });

  test('the map commands of the README run and give one Bundle per line', () => {
    const commands = [...read('README.md').matchAll(/^npm run --silent map -- (.+)$/gm)].map((it) => it[1] as string);
    expect(commands.length).toBeGreaterThan(1);
    for (const command of commands) {
      const out = execFileSync(process.execPath, ['bin/aftercare.js', 'map', ...command.split(' ')], {
        cwd: root,
        encoding: 'utf8',
      });
      expect(
        out
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line).resourceType),
      ).toEqual(['Bundle']);
    }
  });

  test('the mapping page lists every converter and no other', () => {
    const [, listed = ''] = /## Converters\s+`([^`]+)`/.exec(read('docs/mapping.md')) ?? [];
    expect(listed.split(/\s+/).sort()).toEqual([...Object.keys(converters), 'PL-Location'].sort());
  });

  test('the operating page gives the defaults that the server has', () => {
    const config = readConfig({});
    const page = read('docs/operating.md');
    expect(page).toContain(`| ${config.httpPort}, ${config.mllpPort} |`);
    expect(page).toContain(`| ${config.frameBytesMax} |`);
    expect(page).toContain(`| ${config.connectionsMax} |`);
    expect(page).toContain(`\`${config.zone.name}\``);
  });

  test('the states page names every state of a message', () => {
    for (const state of messageStates) expect(read('docs/states.md')).toContain(state);
  });

  test('every claim of the conformance table names its test, and the README says the same', () => {
    const rowsOf = (page: string): string[][] =>
      [...read(page).matchAll(/^\| (?!Feature|-)(.+) \|$/gm)]
        .map((it) => (it[1] as string).split(' | '))
        .filter((it) => it.length === 6);
    const rows = rowsOf('docs/conformance.md');
    expect(rows.length).toBeGreaterThan(35);
    for (const [feature, ours = ''] of rows) {
      const named = [...ours.matchAll(/`([a-z]+(?:\/[a-z0-9-]+)*)`/g)].map((it) => `test/${it[1]}`);
      const there = named.filter((it) => existsSync(join(root, it)) || existsSync(join(root, `${it}.test.ts`)));
      expect([feature, named.length > 0, there]).toEqual([feature, true, named]);
    }
    const plain = rows.map((cells) => cells.map((it) => it.replace(/\[\^\d+\]/g, '')));
    expect(rowsOf('README.md')).toEqual(plain);
  });
});
