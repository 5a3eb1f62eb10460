/** A server that stops takes nothing new over HTTP, whatever connections stand. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { portOf, startTestApp } from '../support/app.ts';
import { discharge } from '../support/messages.ts';

test('a request that ends after the stop has begun is answered with 503, its connection ends, and so does the server', async () => {
  const app = await startTestApp();
  const socket = connect(portOf(app.http), '127.0.0.1');
  const answered = async (): Promise<string> => String((await once(socket, 'data'))[0]);
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(await answered()).toMatch(/^HTTP\/1.1 200/);
  const message = discharge({ controlId: 'LATE' });
  const head = `POST /hl7v2 HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(message)}\r\n`;
  socket.write(head);
  // The server has read the beginning when it has answered somebody else after it.
  await (await fetch(new URL('/healthz', app.http))).text();
  const before = await app.store.messageCounts();
  const stopped = app.stop();
  const closed = once(socket, 'close');
  socket.write(`\r\n${message}`);
  const answer = await answered();
  expect(answer).toMatch(/^HTTP\/1.1 503/);
  expect(answer).toMatch(/\r\nConnection: close\r\n/);
  expect(before).toEqual({});
  await closed;
  await stopped;
});
