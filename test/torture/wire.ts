/** One connection to the listener: everything that is sent, and every answer until the listener has closed it. */
import { connect } from 'node:net';
import { request } from 'undici';
import { Framer } from '../../adapters/mllp/frame.ts';
import { splitBatch } from '../../src/hl7v2/batch.ts';
import type { Random } from './random.ts';

/** What was exchanged, over MLLP or HTTP. */
export interface Exchange {
  /** The messages that must be rows now, in the order sent: their bytes as the journal keeps them. */
  readonly messages: readonly Buffer[];
  /** The frames that came back, in order. */
  readonly answers: readonly Buffer[];
  /** HTTP gives one answer of enhanced mode's two. */
  readonly http: boolean;
}

/** No connection takes longer from its first byte to its last answer; ms. */
const exchangeMsMax = 60_000;

/** The messages that a listener sees in the bytes of one connection. */
function messagesIn(bytes: Buffer, frameBytesMax: number): Buffer[] {
  const framer = new Framer(frameBytesMax);
  const frames = [...framer.push(bytes), ...(framer.open ? framer.end() : [])];
  return frames.flatMap((it) => (it.kind === 'frame' ? messagesOf(it.bytes) : [it.bytes]));
}

function messagesOf(content: Buffer): Buffer[] {
  const batch = splitBatch(content);
  return batch && batch.messages.length > 0 ? batch.messages.map((it) => Buffer.from(it)) : [content];
}

/**
 * Writes all bytes, in pieces that begin and end anywhere, then closes its half: the listener answers what it owes and closes
 * its own.
 * @throws Error when it takes too long, or the connection is cut
 */
export async function overMllp(port: number, bytes: Buffer, frameBytesMax: number, random: Random): Promise<Exchange> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const framer = new Framer(16_777_216);
  const answers: Buffer[] = [];
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(() => over.reject(new Error('the connection did not come to its end')), exchangeMsMax);
  socket.on('data', (chunk: Buffer) => {
    for (const { bytes: answer } of framer.push(chunk)) answers.push(answer);
  });
  socket.on('error', over.reject);
  socket.on('close', () => over.resolve());
  try {
    let at = 0;
    for (const pieces = random.pick([1, 1, 3, 12]); at < bytes.length; ) {
      const end = Math.min(bytes.length, at + Math.ceil(bytes.length / pieces));
      socket.write(bytes.subarray(at, end));
      at = end;
      if (pieces > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end();
    await over.promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
  if (framer.open) throw new Error('the last answer is cut off');
  return { messages: messagesIn(bytes, frameBytesMax), answers, http: false };
}

/** POSTs one content. @throws Error for a status that is neither an answer nor the wish for none */
export async function overHttp(base: string, content: Buffer): Promise<Exchange> {
  const { statusCode, body } = await request(`${new URL(base).origin}/hl7v2`, {
    method: 'POST',
    headers: { 'content-type': 'x-application/hl7-v2+er7' },
    body: content,
  });
  const bytes = Buffer.from(await body.arrayBuffer());
  if (statusCode !== 200 && statusCode !== 204) throw new Error(`HTTP was answered with ${statusCode}`);
  return { messages: messagesOf(content), answers: statusCode === 200 ? [bytes] : [], http: true };
}
