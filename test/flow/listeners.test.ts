/** A server with two listeners, one of them with mutual TLS, as an interface engineer would set them up. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MllpSender } from '../../adapters/mllp/sender.ts';
import { type App, startApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { Authority } from '../mllp/certificates.ts';
import { portOf, settled, temporaryFolder } from '../support/app.ts';
import { discharge } from '../support/messages.ts';

const folder = temporaryFolder();
const authority = new Authority('hospital');
let app: App;

function write(name: string, text: string): string {
  const file = join(folder.path, name);
  writeFileSync(file, text);
  return file;
}

function writeServer(of: Authority): void {
  const { cert, key } = of.issue('aftercare');
  write('server.crt', cert);
  write('server.key', key);
}

beforeEach(async () => {
  writeServer(authority);
  write('engines.crt', authority.cert);
  const file = write(
    'listeners.yaml',
    `- { name: ward, port: 0 }
- name: engine
  port: 0
  tls: { certificate: server.crt, key: server.key, clientAuthority: engines.crt }
`,
  );
  app = await startApp(
    readConfig({ LISTENERS: file, HTTP_PORT: '0', STORE_URL: 'sqlite::memory:', LOG_LEVEL: 'silent' }),
  );
});
afterEach(async () => {
  await app.stop();
  folder.remove();
});

test('both take messages, the journal knows which, and new certificates are read without a restart', async () => {
  expect(app.listeners.map((it) => it.split(':')[0])).toEqual(['mllp', 'mllps']);
  const [ward, engine] = app.listeners.map(portOf) as [number, number];
  const plain = await MllpSender.connect('127.0.0.1', ward);
  expect((await plain.send(Buffer.from(discharge({ controlId: 'C1' })))).toString()).toContain('MSA|AA|C1');
  const pair = authority.issue('engine1');
  const known = await MllpSender.connect('127.0.0.1', engine, { ca: authority.cert, ...pair });
  expect((await known.send(Buffer.from(discharge({ controlId: 'C2' })))).toString()).toContain('MSA|AA|C2');
  const other = new Authority('other');
  writeServer(other);
  app.reload();
  const renewed = await MllpSender.connect('127.0.0.1', engine, { ca: other.cert, ...pair });
  expect((await renewed.send(Buffer.from(discharge({ controlId: 'C3' })))).toString()).toContain('MSA|AA|C3');
  await settled(app);
  const metrics = await (await fetch(new URL('/metrics', app.http))).text();
  expect(metrics).toContain('aftercare_mllp_connections{listener="ward"} 1');
  expect(metrics).toContain('aftercare_mllp_connections{listener="engine"} 2');
  expect(metrics).toContain('aftercare_mllp_total{listener="engine",what="certificates-read",reason=""} 1');
  for (const sender of [plain, known, renewed]) sender.close();
});
