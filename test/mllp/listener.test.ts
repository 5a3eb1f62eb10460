import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { frame } from '../../adapters/mllp/frame.ts';
import { type ListenerOptions, MllpListener } from '../../adapters/mllp/listener.ts';
import { MllpSender } from '../../adapters/mllp/sender.ts';
import type { Origin } from '../../src/journal/receive.ts';
import { Client } from './client.ts';

const vt = '\u000b';
const fs = '\u001c';

function framed(text: string): string {
  return `${vt}${text}${fs}\r`;
}

/** One frame that was handed over, to be answered by the test. */
interface Handed {
  readonly text: string;
  readonly origin: Origin;
  /** Why it was refused; undefined for a whole frame. */
  readonly refused: string | undefined;
  answer(text?: string): void;
  fail(error: Error): void;
}

/** A receiver whose answers the test gives; `auto` answers at once. */
class Receiver {
  readonly handed: Handed[] = [];
  readonly failures: unknown[] = [];
  auto: boolean;
  #waiting: { count: number; resolve(): void }[] = [];

  constructor(auto: boolean) {
    this.auto = auto;
  }

  take(bytes: Uint8Array, origin: Origin, refused?: string): Promise<Buffer> {
    const text = Buffer.from(bytes).toString();
    return new Promise((resolve, reject) => {
      const answer = (it = `${refused === undefined ? 'ack' : 'nak'} ${text}`): void => resolve(Buffer.from(it));
      this.handed.push({ text, origin, refused, answer, fail: reject });
      if (this.auto || text === 'ping') answer();
      this.#waiting = this.#waiting.filter(({ count, resolve: done }) => {
        if (this.handed.length < count) return true;
        done();
        return false;
      });
    });
  }

  /** Resolves when that many frames were handed over. */
  async got(count: number): Promise<void> {
    if (this.handed.length >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  answerAll(): void {
    this.auto = true;
    for (const it of this.handed) it.answer();
  }
}

const running: { listener: MllpListener; receiver: Receiver; clients: Client[] }[] = [];

async function start(options: Partial<ListenerOptions> & { auto?: boolean } = {}) {
  const { auto = true, ...rest } = options;
  const receiver = new Receiver(auto);
  const listener = new MllpListener({
    host: '127.0.0.1',
    port: 0,
    frameBytesMax: 1_000_000,
    connectionsMax: 100,
    incompleteMs: 60_000,
    idleMs: 60_000,
    receive: (bytes, origin) => receiver.take(bytes, origin),
    refuse: (bytes, origin, text) => receiver.take(bytes, origin, text),
    failed: (error) => receiver.failures.push(error),
    ...rest,
  });
  await listener.listen();
  const clients: Client[] = [];
  const client = async (): Promise<Client> => {
    const made = await Client.connect(listener.port);
    clients.push(made);
    return made;
  };
  running.push({ listener, receiver, clients });
  return { listener, receiver, client };
}

afterEach(async () => {
  for (const { listener, receiver, clients } of running.splice(0)) {
    receiver.answerAll();
    for (const client of clients) client.socket.destroy();
    await listener.stop();
  }
});

describe('answers', () => {
  test('come in the order of the messages, even when a later one is ready first', async () => {
    const { receiver, client } = await start({ auto: false });
    const sender = await client();
    sender.write(framed('1') + framed('2') + framed('3'));
    await receiver.got(3);
    for (const it of receiver.handed.toReversed()) it.answer();
    expect(await sender.take(3)).toEqual(['ack 1', 'ack 2', 'ack 3']);
  });

  test('are not waited for before the next message is handed over', async () => {
    const { receiver, client } = await start({ auto: false });
    const sender = await client();
    sender.write(framed('1'));
    await receiver.got(1);
    sender.write(framed('2'));
    await receiver.got(2);
    expect(receiver.handed.map((it) => it.text)).toEqual(['1', '2']);
  });

  test('go to the connection that the message came from', async () => {
    const { receiver, client } = await start({ auto: false });
    const [one, two] = [await client(), await client()];
    one.write(framed('1'));
    await receiver.got(1);
    two.write(framed('2'));
    await receiver.got(2);
    receiver.handed[1]?.answer();
    expect(await two.next()).toBe('ack 2');
    receiver.handed[0]?.answer();
    expect(await one.next()).toBe('ack 1');
  });

  test('come for a message that arrives byte by byte', async () => {
    const { client } = await start();
    const sender = await client();
    for (const byte of frame(Buffer.from('MSH|张三'))) sender.write(Uint8Array.of(byte));
    expect(await sender.next()).toBe('ack MSH|张三');
  });

  test('come for hundreds of messages in one write', async () => {
    const { client } = await start();
    const sender = await client();
    const texts = Array.from({ length: 500 }, (_, i) => `m${i}`);
    sender.write(texts.map(framed).join(''));
    expect(await sender.take(500)).toEqual(texts.map((it) => `ack ${it}`));
  });

  test('reach our own sender, each the message that it is for', async () => {
    const { listener } = await start();
    const sender = await MllpSender.connect('127.0.0.1', listener.port);
    const answers = await Promise.all(['a', 'b', 'c'].map((it) => sender.send(Buffer.from(it))));
    expect(answers.map(String)).toEqual(['ack a', 'ack b', 'ack c']);
    sender.close();
  });

  test('know the listener and the peer', async () => {
    const { listener, receiver, client } = await start();
    const sender = await client();
    sender.write(framed('1'));
    await sender.next();
    expect(receiver.handed[0]?.origin).toEqual({ listener: `mllp:${listener.port}`, peer: '127.0.0.1' });
  });
});

describe('what is not a sound frame gets an answer, and the connection goes on', () => {
  test.each<[string, string, string[], (string | undefined)[]]>([
    ['a frame that is too long', framed('x'.repeat(101)), [`nak ${'x'.repeat(101)}`], ['longer']],
    ['a frame cut off by the next', `${vt}half`, ['nak half'], ['cut off']],
    ['an empty frame', framed(''), ['ack '], [undefined]],
    ['garbage in a frame', framed('\0\u0001garbage'), ['ack \0\u0001garbage'], [undefined]],
    ['garbage before a frame', 'GET / HTTP/1.1', ['nak GET / HTTP/1.1'], ['outside']],
    ['two of them', `junk${vt}half`, ['nak junk', 'nak half'], ['outside', 'cut off']],
  ])('%s', async (_, bytes, answers, reasons) => {
    const { receiver, client } = await start({ frameBytesMax: 100 });
    const sender = await client();
    sender.write(bytes + framed('sound'));
    expect(await sender.take(answers.length + 1)).toEqual([...answers, 'ack sound']);
    sender.write(framed('and on'));
    expect(await sender.next()).toBe('ack and on');
    for (const [i, reason] of reasons.entries()) {
      const { refused } = receiver.handed[i]!;
      if (reason === undefined) expect(refused).toBeUndefined();
      else expect(refused).toContain(reason);
    }
  });

  test('a frame that is too long is refused before it ends', async () => {
    const { client } = await start({ frameBytesMax: 100 });
    const sender = await client();
    sender.write(`${vt}${'x'.repeat(500)}`);
    expect(await sender.next()).toMatch(/^nak x+$/);
    sender.write(`${'x'.repeat(500)}${fs}\r${framed('sound')}`);
    expect(await sender.next()).toBe('ack sound');
  });

  test('a CR that is missing after FS is not missed', async () => {
    const { client } = await start();
    const sender = await client();
    sender.write(`${vt}one${fs}${vt}two${fs}`);
    expect(await sender.take(2)).toEqual(['ack one', 'ack two']);
  });
});

describe('back-pressure', () => {
  test('a sender that does not wait is read no further than the limit, and loses nothing', async () => {
    const { receiver, client } = await start({ auto: false });
    const [flood, other] = [await client(), await client()];
    const count = 1500;
    // A chunk from the socket is at most 64 KiB: with frames of 16 KiB, five more than the limit may have come.
    const padding = 'x'.repeat(16_384);
    for (let i = 0; i < count; i++) flood.write(framed(`${i} ${padding}`));
    await receiver.got(64);
    // Round trips of another connection: the loop turns, and the flood could have come in.
    for (let i = 0; i < 50; i++) {
      other.write(framed('ping'));
      expect(await other.next()).toBe('ack ping');
    }
    const waiting = receiver.handed.length - 50;
    expect(waiting).toBeGreaterThanOrEqual(64);
    expect(waiting).toBeLessThanOrEqual(69);
    receiver.answerAll();
    const answers = await flood.take(count);
    expect(answers.map((it) => it?.split(' ')[1])).toEqual(Array.from({ length: count }, (_, i) => `${i}`));
  });

  test('a sender that reads no answers is read no further either, and gets them all when it does', async () => {
    const accepted: Socket[] = [];
    const seen = (message: unknown): void => void accepted.push((message as { socket: Socket }).socket);
    subscribe('net.server.socket', seen);
    const answer = Buffer.alloc(200_000, 'y');
    let taken = 0;
    const { client } = await start({
      receive: (bytes) => {
        if (bytes.length === 4) return Promise.resolve(Buffer.from('pong'));
        taken++;
        return Promise.resolve(answer);
      },
    });
    const [deaf, other] = [await client(), await client()];
    deaf.socket.pause();
    const count = 400;
    for (let i = 0; i < count; i++) deaf.write(framed('x'.repeat(16_384)));
    for (let i = 0; i < 50; i++) {
      other.write(framed('ping'));
      expect(await other.next()).toBe('pong');
    }
    expect(taken).toBeLessThan(count);
    deaf.socket.resume();
    const answers = await deaf.take(count);
    expect(answers.every((it) => it?.length === answer.length)).toBe(true);
    expect(taken).toBe(count);
    unsubscribe('net.server.socket', seen);
    // A wait for a drain that leaves a listener behind is memory that a slow sender takes.
    expect(Math.max(...accepted.map((it) => it.listenerCount('close')))).toBeLessThan(10);
  });
});

describe('the end of a connection', () => {
  test('a sender that has closed its half still gets its answers, then the other half closes', async () => {
    const { receiver, client } = await start({ auto: false });
    const sender = await client();
    sender.write(framed('1') + framed('2'));
    sender.socket.end();
    await receiver.got(2);
    receiver.handed[1]?.answer();
    receiver.handed[0]?.answer();
    expect(await sender.take(3)).toEqual(['ack 1', 'ack 2', undefined]);
    await sender.closed;
  });

  test('a frame that was only begun is refused and answered', async () => {
    const { receiver, client } = await start();
    const sender = await client();
    sender.write(`${framed('1')}${vt}half`);
    sender.socket.end();
    expect(await sender.take(3)).toEqual(['ack 1', 'nak half', undefined]);
    expect(receiver.handed.map((it) => it.refused)).toEqual([undefined, expect.stringContaining('cut off')]);
  });

  test('a message that could not be kept is not acknowledged: the connection closes', async () => {
    const { receiver, client } = await start({ auto: false });
    const [sender, other] = [await client(), await client()];
    sender.write(framed('1') + framed('2') + framed('3'));
    await receiver.got(3);
    receiver.handed[2]?.answer();
    receiver.handed[0]?.answer();
    expect(await sender.next()).toBe('ack 1');
    const error = new Error('disk full');
    receiver.handed[1]?.fail(error);
    expect(await sender.next()).toBeUndefined();
    await sender.closed;
    expect(receiver.failures).toEqual([error]);
    receiver.auto = true;
    other.write(framed('4'));
    expect(await other.next()).toBe('ack 4');
  });

  test('a refused frame that could not be kept closes the connection too', async () => {
    const { receiver, client } = await start({ auto: false });
    const sender = await client();
    sender.write(`${vt}half${vt}`);
    await receiver.got(1);
    receiver.handed[0]?.fail(new Error('disk full'));
    expect(await sender.next()).toBeUndefined();
    expect(receiver.failures).toHaveLength(1);
  });

  test('a reset while an answer is due stops nobody else', async () => {
    const { receiver, client } = await start({ auto: false });
    const [sender, other] = [await client(), await client()];
    sender.write(`${framed('1')}${vt}half`);
    await receiver.got(1);
    sender.socket.resetAndDestroy();
    // The begun frame gets its row, so its refusal shows that the reset has arrived.
    await receiver.got(2);
    expect(receiver.handed[1]).toMatchObject({ text: 'half', refused: expect.stringContaining('cut off') });
    receiver.answerAll();
    other.write(framed('2'));
    expect(await other.next()).toBe('ack 2');
    expect(receiver.failures).toEqual([]);
  });

  test('a connection beyond the limit is turned away, and its place is free again later', async () => {
    const { client } = await start({ connectionsMax: 1 });
    const first = await client();
    first.write(framed('1'));
    expect(await first.next()).toBe('ack 1');
    await (await client()).closed;
    first.write(framed('2'));
    expect(await first.next()).toBe('ack 2');
    first.socket.end();
    await first.closed;
    // The listener frees the place when its own half is closed, which the client cannot see: ask until it answers.
    let answer: string | undefined;
    while (answer === undefined) {
      const next = await client();
      next.write(framed('3'));
      answer = await next.next();
    }
    expect(answer).toBe('ack 3');
  });
});

describe('time limits', () => {
  test('a frame that is not ended in time is refused, answered and the connection closed', async () => {
    const { receiver, client } = await start({ incompleteMs: 20 });
    const sender = await client();
    sender.write(`${vt}half`);
    expect(await sender.take(2)).toEqual(['nak half', undefined]);
    expect(receiver.handed[0]?.refused).toContain('cut off');
  });

  test('a connection without traffic is closed', async () => {
    const { client } = await start({ idleMs: 20 });
    const sender = await client();
    expect(await sender.next()).toBeUndefined();
  });

  test('a connection whose frames are all whole is not taken for one with a begun frame', async () => {
    const { client } = await start({ incompleteMs: 20 });
    const [sender, slow] = [await client(), await client()];
    sender.write(framed('1'));
    expect(await sender.next()).toBe('ack 1');
    // Begun after the first answer: when this one has run out of time, the other would have as well.
    slow.write(`${vt}half`);
    expect(await slow.take(2)).toEqual(['nak half', undefined]);
    sender.write(framed('2'));
    expect(await sender.next()).toBe('ack 2');
  });
});

describe('stop', () => {
  test('answers what is whole, not what is begun, and takes nothing new', async () => {
    const { listener, receiver, client } = await start({ auto: false });
    const [sender, idle] = [await client(), await client()];
    const port = listener.port;
    sender.write(`${framed('1')}${framed('2')}${vt}half`);
    await receiver.got(2);
    let stopped = false;
    const stopping = listener.stop().then(() => {
      stopped = true;
    });
    await idle.closed;
    expect(stopped).toBe(false);
    await expect(Client.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    receiver.handed[1]?.answer();
    receiver.handed[0]?.answer();
    expect(await sender.take(3)).toEqual(['ack 1', 'ack 2', undefined]);
    await stopping;
    expect(receiver.handed.map((it) => it.text)).toEqual(['1', '2']);
  });

  test('does not wait for a sender that keeps its half open', async () => {
    const { listener, client } = await start();
    const sender = await client();
    sender.write(framed('1'));
    expect(await sender.next()).toBe('ack 1');
    await listener.stop();
    await sender.closed;
  });

  test('does not wait for ever for a sender that reads no answers: the limit of idle time counts', async () => {
    const answer = Buffer.alloc(1_000_000, 'y');
    const { listener, receiver, client } = await start({ auto: false, idleMs: 50 });
    const deaf = await client();
    deaf.socket.pause();
    for (let i = 0; i < 30; i++) deaf.write(framed(`${i}`));
    await receiver.got(30);
    for (const it of receiver.handed) it.answer(answer.toString());
    await listener.stop();
  }, 3000);

  test('without any connection ends at once', async () => {
    const { listener } = await start();
    await listener.stop();
  });

  test('is no harm when a message cannot be kept meanwhile', async () => {
    const { listener, receiver, client } = await start({ auto: false });
    const sender = await client();
    sender.write(framed('1'));
    await receiver.got(1);
    const stopping = listener.stop();
    receiver.handed[0]?.fail(new Error('disk full'));
    await stopping;
    expect(await sender.next()).toBeUndefined();
  });
});

test('a port that is taken is an error at the start', async () => {
  const { listener } = await start();
  await expect(start({ port: listener.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
