/** A client that we did not write: node-hl7-client. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client, Message } from 'node-hl7-client';
import { discharge } from '../support/messages.ts';
import { Authority } from './certificates.ts';
import { type Running, start, stopAll, until } from './running.ts';

type Connection = ReturnType<Client['createConnection']>;

const open: Connection[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((it) => it.close()));
  await stopAll();
});

/** An answer as the journal gives it. */
const accepted = (text: string): string =>
  `MSH|^~\\&|AFTERCARE|RENHE|HIS|RENHE|20260316103001||ACK|A1|P|2.5.1\rMSA|AA|${text.split('|')[9]}\r`;

/** Sends messages one after the other; gives MSA-2 of each answer. */
async function sendAll({ listener }: Running, texts: readonly string[], tls?: object): Promise<string[]> {
  const client = new Client({ host: '127.0.0.1', version: '2.5.1', ...(tls && { tls }) });
  const answered: string[] = [];
  let arrived: () => void = () => {};
  const connection = client.createConnection({ port: listener.port, version: '2.5.1', waitAck: true }, (response) => {
    answered.push(response.getMessage().get('MSA.2').toString());
    arrived();
  });
  open.push(connection);
  for (const text of texts) {
    const answer = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await connection.sendMessage(new Message({ text }));
    await answer;
  }
  return answered;
}

const authority = new Authority('hospital');
const tls = {
  read: () => ({ ...authority.issue('aftercare'), ca: authority.cert }),
  clientCertificate: true,
};
const messages = ['F1', 'F2', 'F3'].map((controlId) => discharge({ controlId }));

/** A listener whose receiver says AA to every message. */
const hospital = (options: Parameters<typeof start>[0] = {}): Promise<Running> =>
  start({
    ...options,
    receive: async (bytes) => ({ accept: Buffer.from(accepted(bytes.toString())) }),
  });

describe('node-hl7-client', () => {
  test('gets its answers', async () => {
    expect(await sendAll(await hospital(), messages)).toEqual(['F1', 'F2', 'F3']);
  });

  test('gets its answers over TLS', async () => {
    const running = await hospital({ tls: { ...tls, clientCertificate: false } });
    expect(await sendAll(running, messages, { ca: authority.cert })).toEqual(['F1', 'F2', 'F3']);
  });

  test('gets its answers over mutual TLS', async () => {
    const pair = authority.issue('engine1');
    expect(await sendAll(await hospital({ tls }), messages, { ca: authority.cert, ...pair })).toEqual([
      'F1',
      'F2',
      'F3',
    ]);
  });

  test('gets both answers of enhanced mode', async () => {
    const running = await start({
      receive: async (bytes) => {
        const accept = accepted(bytes.toString());
        return {
          accept: Buffer.from(accept.replace('|AA|', '|CA|')),
          application: new Promise((resolve) => setImmediate(() => resolve(Buffer.from(accept)))),
        };
      },
    });
    const client = new Client({ host: '127.0.0.1', version: '2.5.1' });
    const codes: string[] = [];
    const connection = client.createConnection({ port: running.listener.port, version: '2.5.1' }, (response) => {
      codes.push(response.getMessage().get('MSA.1').toString());
    });
    open.push(connection);
    await connection.sendMessage(new Message({ text: discharge({ controlId: 'F1' }) }));
    await until(() => codes.length === 2);
    expect(codes).toEqual(['CA', 'AA']);
  });

  test('is let go by a stop', async () => {
    const running = await hospital();
    await sendAll(running, messages);
    await running.listener.stop();
    expect(running.listener.state.connections).toBe(0);
  });
});
