import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { sendCommand } from '../../src/cli/send.ts';
import { Authority } from '../mllp/certificates.ts';
import { start, stopAll } from '../mllp/running.ts';
import { temporaryFolder } from '../support/app.ts';
import { discharge } from '../support/messages.ts';

const folder = temporaryFolder();
afterAll(folder.remove);
afterEach(async () => {
  jest.restoreAllMocks();
  await stopAll();
});

function file(name: string, text: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
}

/** What the command prints; lines. */
let out: string[];
beforeEach(() => {
  out = [];
  const said = (text: unknown): boolean => {
    out.push(...String(text).trimEnd().split('\n'));
    return true;
  };
  jest.spyOn(process.stdout, 'write').mockImplementation(said);
  jest.spyOn(process.stderr, 'write').mockImplementation(said);
});

/** An answer to the message that {@link discharge} makes with this control id. */
const says = (code: string, id: string): Buffer => Buffer.from(`MSH|^~\\&|\rMSA|${code}|${id}\r`);
/** A message with MSH-15 and MSH-16. */
const enhanced = (accept: string, application: string): string =>
  discharge({ controlId: 'C1' }).replace('|||||CHN|', `|||${accept}|${application}|CHN|`);

describe('in original mode', () => {
  test.each([
    ['AA', 0],
    ['AE', 1],
  ])('%s is printed, and the exit code is %i', async (code, exit) => {
    const { listener } = await start({ receive: async () => ({ accept: says(code, 'C1') }) });
    const path = file('a03.hl7', discharge({ controlId: 'C1' }));
    expect(await sendCommand([path, '--to', `127.0.0.1:${listener.port}`])).toBe(exit);
    expect(out[0]).toMatch(new RegExp(`^${code} .*a03\\.hl7`));
    expect(out).toContain(`MSA|${code}|C1`);
  });
});

describe('in enhanced mode', () => {
  test('both answers are printed', async () => {
    const { listener } = await start({
      receive: async () => ({ accept: says('CA', 'C1'), application: Promise.resolve(says('AE', 'C1')) }),
    });
    const path = file('a03.hl7', enhanced('AL', 'AL'));
    expect(await sendCommand([path, '--to', `mllp://127.0.0.1:${listener.port}`])).toBe(1);
    expect(out.filter((it) => it.startsWith('MSA'))).toEqual(['MSA|CA|C1', 'MSA|AE|C1']);
  });

  test('no answer to a message that wants none is none', async () => {
    const { listener, receiver } = await start({ receive: async () => ({ accept: undefined }) });
    const path = file('a03.hl7', enhanced('NE', 'NE'));
    expect(await sendCommand([path, '--to', `127.0.0.1:${listener.port}`])).toBe(0);
    expect(out).toEqual([expect.stringMatching(/^-- .*a03\.hl7/)]);
    expect(receiver.failures).toEqual([]);
  });
});

test.each([
  ['before the message came', 'end'],
  ['when it had come', 'data'],
] as const)('a listener that closes the connection %s is told in one line', async (_, when) => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (when === 'end') socket.destroy();
    else socket.on('data', () => socket.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const path = file('a03.hl7', enhanced('AL', 'AL'));
  expect(await sendCommand([path, '--to', `127.0.0.1:${port}`])).toBe(1);
  expect(out).toEqual([expect.stringMatching(/^the (listener closed the connection|connection (was lost|is closed))/)]);
  await new Promise((resolve) => server.close(resolve));
});

test('over mutual TLS', async () => {
  const authority = new Authority('hospital');
  const [server, client] = [authority.issue('aftercare'), authority.issue('engine1')];
  const { listener } = await start({
    tls: { read: () => ({ ...server, ca: authority.cert }), clientCertificate: true },
    receive: async (_, { peer }) => ({ accept: says('AA', peer) }),
  });
  const flags = [
    '--ca',
    file('ca.crt', authority.cert),
    '--certificate',
    file('c.crt', client.cert),
    '--key',
    file('c.key', client.key),
  ];
  const path = file('a03.hl7', discharge({ controlId: '127.0.0.1 CN=engine1' }));
  expect(await sendCommand([path, '--to', listener.address, ...flags])).toBe(0);
  expect(out).toContain('MSA|AA|127.0.0.1 CN=engine1');
});

test.each([
  ['no file', []],
  ['an address that is none', ['x.hl7', '--to', 'nowhere']],
  ['a flag that nobody knows', ['x.hl7', '--fast']],
  ['a rate that is no number', ['x.hl7', '--rate', 'fast']],
])('%s is a wrong call', async (_, args) => {
  expect(await sendCommand(args)).toBe(2);
  expect(out[0]).toMatch(/^send FILE/);
});
