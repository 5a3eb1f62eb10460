/** Every curl command of the README that talks to /fhir, word for word, after the sample hospital day. */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { settled, startTestApp, temporaryFolder } from '../support/app.ts';
import { hospitalDay } from '../support/messages.ts';

const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
/** The address of `npm start`, which the README writes. */
const written = 'http://127.0.0.1:8080';

/** What ends inside of quotes, or with a backslash, goes on in the next line. */
const unfinished = /^(?:[^'"\\]|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*")*(?:'[^']*|"(?:[^"\\]|\\[\s\S])*|\\)$/;

/** The commands in the `sh` blocks of a page. */
function commandsOf(page: string): string[] {
  return [...page.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = '']) => {
    const commands: string[] = [];
    for (const line of block.trimEnd().split('\n')) {
      const open = commands.at(-1);
      if (open !== undefined && unfinished.test(open)) commands.push(`${commands.pop()}\n${line}`);
      else commands.push(line);
    }
    return commands;
  });
}

const all = commandsOf(readme).filter((it) => it.startsWith('curl '));
const commands = all.filter((it) => it.includes('/fhir'));

/** Why the commands cannot run here; undefined when they can. */
function obstacle(): string | undefined {
  if (spawnSync('curl', ['--version']).status === 0) return undefined;
  if (process.env.CI === 'true') throw new Error('CI has no curl to try the README with');
  return 'curl is not there';
}
const missing = obstacle();
if (missing) process.stdout.write(`skipped: ${missing}\n`);

test('the commands are found, over several lines too', () => {
  expect(commandsOf('```sh\na b\ncurl -d \'{\n  "c": "d" }\'\ncurl e \\\n  f\n```\n```json\n{}\n```\n')).toEqual([
    'a b',
    'curl -d \'{\n  "c": "d" }\'',
    'curl e \\\n  f',
  ]);
  // Counted in another way: lines that begin one.
  expect(all).toHaveLength(readme.match(/^curl /gm)?.length ?? 0);
  expect(commands.length).toBeGreaterThan(0);
});

(missing ? describe.skip : describe)('after the sample hospital day, the README has an answer to', () => {
  const folder = temporaryFolder();
  let app: App;

  beforeAll(async () => {
    // What no command says: be quiet, end with an error for an answer of 400 and above, do not wait for ever.
    writeFileSync(join(folder.path, '.curlrc'), 'silent\nshow-error\nfail-with-body\nmax-time = 10\n');
    app = await startTestApp();
    for (const { bytes } of hospitalDay())
      await fetch(new URL('/hl7v2', app.http), { method: 'POST', body: bytes as Uint8Array<ArrayBuffer> });
    await settled(app);
  });
  afterAll(async () => {
    await app.stop();
    folder.remove();
  });

  test.each(commands)('%s', async (command) => {
    expect(command).toContain(written);
    const { stdout } = await promisify(execFile)('sh', ['-c', command.replaceAll(written, new URL(app.http).origin)], {
      env: { ...process.env, CURL_HOME: folder.path },
      maxBuffer: 16 * 1024 * 1024,
    });
    const answer = JSON.parse(stdout);
    expect(answer.resourceType).not.toBe('OperationOutcome');
    if (answer.type !== 'searchset') return;
    // Nothing in the command was ignored, and a newcomer sees something.
    expect(answer.entry?.map((it: any) => it.search.mode) ?? []).not.toContain('outcome');
    expect(answer.total ?? answer.entry?.length ?? 0).toBeGreaterThan(0);
  });
});
