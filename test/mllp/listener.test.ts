import { afterEach, describe, expect, test } from '@jest/globals';
import { frame } from '../../adapters/mllp/frame.ts';
import { MllpSender } from '../../adapters/mllp/sender.ts';
import { framed, fs, start, stopAll, vt } from './running.ts';

afterEach(stopAll);

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

test('a port that is taken is an error at the start', async () => {
  const { listener } = await start();
  await expect(start({ port: listener.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
