/** docs/mapping.md followed word for word: its files are written, its commands run, and what they print is what it says. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { temporaryFolder } from '../support/app.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs/mapping.md'), 'utf8');

interface Block {
  /** Of the page, from 1. */
  readonly line: number;
  readonly language: string;
  /** What stands behind the language: a file, or `add to` a file. */
  readonly info: string;
  readonly body: string;
}

const blocks: readonly Block[] = [...page.matchAll(/^```(\w*)(?: (.+))?\n([\s\S]*?)^```$/gm)].map((it) => ({
  line: page.slice(0, it.index).split('\n').length,
  language: it[1] ?? '',
  info: it[2] ?? '',
  body: it[3] ?? '',
}));

/** What a reader does, in order: with a command goes what it prints. */
const steps = blocks.flatMap((block, i) => {
  const next = blocks[i + 1];
  const says = next?.language === 'text' ? next.body : '';
  const what = block.language === 'sh' ? block.body.trim().split('\n')[0] : block.info;
  return block.info || block.language === 'sh' ? [[`line ${block.line}: ${what}`, block, says] as const] : [];
});

const temporary = temporaryFolder();
/** One folder further down: the page makes a neighbour of the repository. */
const copy = join(temporary.path, 'repository');

beforeAll(async () => {
  mkdirSync(copy);
  for (const name of ['bin', 'src', 'adapters', 'mappings', 'profiles', 'package.json'])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  Object.assign(ports, { http: await freePort(), mllp: await freePort() });
});
afterAll(async () => {
  await closeWindow();
  temporary.remove();
});

function write({ info, body }: Block): void {
  const added = /^add to (.+)$/.exec(info)?.[1];
  const path = join(copy, added ?? info);
  mkdirSync(dirname(path), { recursive: true });
  if (added) appendFileSync(path, body);
  else writeFileSync(path, body);
}

/** The page says 8080 and 2575; here they are ports that are free. */
const ports = { http: 0, mllp: 0 };

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function environment(): NodeJS.ProcessEnv {
  const { SITE: _, STORE_URL: __, LISTENERS: ___, ...env } = process.env;
  const { http, mllp } = ports;
  return {
    ...env,
    HTTP_PORT: `${http}`,
    MLLP_PORT: `${mllp}`,
    NODE_NO_WARNINGS: '1',
    npm_config_update_notifier: 'false',
  };
}

/** Runs commands as a shell does, what goes to stderr in its place among the rest. */
function run({ body }: Block): { code: number | null; printed: string } {
  const commands = body.replaceAll(':8080', `:${ports.http}`).replaceAll(':2575', `:${ports.mllp}`);
  const { status, stdout } = spawnSync('sh', ['-e', '-c', `{ ${commands} } 2>&1`], {
    cwd: copy,
    encoding: 'utf8',
    env: environment(),
  });
  return { code: status, printed: stdout };
}

const patienceMs = 20_000;

/** What a server has been told it does in a moment: asked again until it says so, or for too long. */
async function runUntil(block: Block, says: string): Promise<ReturnType<typeof run>> {
  const begun = performance.now();
  for (;;) {
    const ran = run(block);
    if (ran.printed === says || performance.now() - begun > patienceMs) return ran;
    await wait(250);
  }
}

/** The other window: one command runs there at a time, and is ended as Ctrl-C does. */
let window: ChildProcess | undefined;

async function openWindow({ body }: Block): Promise<void> {
  await closeWindow();
  // A group of its own: Ctrl-C ends everything that runs in a window.
  const child = spawn('sh', ['-c', body], {
    cwd: copy,
    env: environment(),
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  window = child;
  let printed = '';
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the server ended: ${printed}`)));
    child.stdout?.on('data', (text) => {
      printed += text;
      if (printed.includes('HL7 v2 ')) resolve();
    });
  });
}

async function closeWindow(): Promise<void> {
  if (!window || window.exitCode !== null) return;
  const ended = once(window, 'exit');
  process.kill(-(window.pid as number), 'SIGINT');
  await ended;
  window = undefined;
}

describe('docs/mapping.md', () => {
  test('shows a Z-segment, codes and identifier systems in one file of a hospital', () => {
    const file = 'mappings/sites/renhe.yaml';
    const parts = blocks.filter((it) => it.info === file || it.info === `add to ${file}`).map((it) => it.body);
    expect(Object.keys(parse(parts.join('')))).toEqual(['segments', 'messages', 'tables', 'systems', 'datatypes']);
    expect(steps.filter(([, { language }]) => language === 'sh').length).toBeGreaterThan(8);
  });

  test('says of everything that is printed which command prints it', () => {
    const texts = blocks.filter(({ language }) => language === 'text');
    expect(texts.map(({ line }) => line)).toEqual(
      texts.filter((it) => blocks[blocks.indexOf(it) - 1]?.language === 'sh').map(({ line }) => line),
    );
  });

  test.each(steps)(
    '%s',
    async (_, block, says) => {
      if (block.info === 'in another window') await openWindow(block);
      else if (block.info) write(block);
      else if (window) expect(await runUntil(block, says)).toEqual({ code: 0, printed: says });
      else expect(run(block)).toEqual({ code: 0, printed: says });
    },
    120_000,
  );

  test.each(blocks.filter((it) => it.language === 'yaml').map((it) => [it.line, it.body] as const))(
    'the YAML of line %i is sound',
    (_, body) => {
      expect(typeof parse(body)).toBe('object');
    },
  );
});
