/** Our own client, against our own listener. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { type Exchange, MllpSender } from '../../adapters/mllp/sender.ts';
import { Authority } from './certificates.ts';
import { type Running, start, stopAll } from './running.ts';

afterEach(stopAll);

const answers = (it: Exchange): Promise<(string | undefined)[]> =>
  Promise.all([it.accept, it.application]).then((both) => both.map((answer) => answer?.toString()));

/** An answer with MSA-1 and MSA-2. */
const says = (code: string, id: string): string => `MSH|^~\\&|\rMSA|${code}|${id}\r`;

async function connected(): Promise<Running & { sender: MllpSender }> {
  const running = await start({ auto: false });
  return { ...running, sender: await MllpSender.connect('127.0.0.1', running.listener.port) };
}

/** The listener's answers, in the order in which they go out. */
const inTurn = (...all: string[]): Promise<Buffer> =>
  new Promise((resolve) => setImmediate(() => resolve(Buffer.from(all.join('')))));

describe('in enhanced mode', () => {
  test('a message has two answers', async () => {
    const { sender, receiver } = await connected();
    const both = sender.exchange(Buffer.from('1'), { controlId: 'C1', accept: true, application: true });
    await receiver.got(1);
    receiver.handed[0]?.enhanced(says('CA', 'C1'), inTurn(says('AA', 'C1')));
    expect(await answers(both)).toEqual([says('CA', 'C1'), says('AA', 'C1')]);
    sender.close();
  });

  test('answers find their messages by control id, in whatever order they come', async () => {
    const { sender, receiver } = await connected();
    const asked = ['C1', 'C2', 'C3'].map((controlId) =>
      sender.exchange(Buffer.from(controlId), { controlId, accept: true, application: true }),
    );
    await receiver.got(3);
    receiver.handed[0]?.answer(says('CA', 'C1'));
    receiver.handed[1]?.enhanced(says('CA', 'C2'), inTurn(says('AE', 'C2')));
    receiver.handed[2]?.enhanced(says('CA', 'C3'), inTurn(says('AA', 'C1')));
    expect(await answers(asked[1]!)).toEqual([says('CA', 'C2'), says('AE', 'C2')]);
    expect(await answers(asked[0]!)).toEqual([says('CA', 'C1'), says('AA', 'C1')]);
    expect((await asked[2]?.accept)?.toString()).toBe(says('CA', 'C3'));
    sender.close();
  });

  test('two messages with one control id have their answers in their order', async () => {
    const { sender, receiver } = await connected();
    const asked = { controlId: 'C1', accept: true, application: true };
    const both = ['1', '2'].map((text) => sender.exchange(Buffer.from(text), asked));
    await receiver.got(2);
    const later = Promise.withResolvers<Buffer | undefined>();
    receiver.handed[0]?.enhanced(says('CA', 'C1'), later.promise);
    receiver.handed[1]?.enhanced(
      says('CA', 'C1'),
      later.promise.then(() => Buffer.from(says('AE', 'C1'))),
    );
    await Promise.all(both.map((it) => it.accept));
    later.resolve(Buffer.from(says('AA', 'C1')));
    expect(await answers(both[0]!)).toEqual([says('CA', 'C1'), says('AA', 'C1')]);
    expect(await answers(both[1]!)).toEqual([says('CA', 'C1'), says('AE', 'C1')]);
    sender.close();
  });

  test.each(['CE', 'CR'])('%s is the last word', async (code) => {
    const { sender, receiver } = await connected();
    const both = sender.exchange(Buffer.from('1'), { controlId: 'C1', accept: true, application: true });
    await receiver.got(1);
    receiver.handed[0]?.answer(says(code, 'C1'));
    expect(await answers(both)).toEqual([says(code, 'C1'), undefined]);
    sender.close();
  });

  test('an application answer is the last word, also when the accept answer was left out', async () => {
    const { sender, receiver } = await connected();
    const both = sender.exchange(Buffer.from('1'), { controlId: 'C1', accept: true, application: true });
    await receiver.got(1);
    receiver.handed[0]?.enhanced(undefined, inTurn(says('AA', 'C1')));
    expect(await answers(both)).toEqual([undefined, says('AA', 'C1')]);
    sender.close();
  });

  test('who asks for one answer gets that one', async () => {
    const { sender, receiver } = await connected();
    const none = sender.exchange(Buffer.from('0'), { controlId: 'C0', accept: false, application: false });
    const accept = sender.exchange(Buffer.from('1'), { controlId: 'C1', accept: true, application: false });
    const application = sender.exchange(Buffer.from('2'), { controlId: 'C2', accept: false, application: true });
    await receiver.got(3);
    receiver.handed[0]?.enhanced(undefined, inTurn());
    receiver.handed[1]?.answer(says('CA', 'C1'));
    receiver.handed[2]?.enhanced(undefined, inTurn(says('AA', 'C2')));
    expect(await answers(none)).toEqual([undefined, undefined]);
    expect(await answers(accept)).toEqual([says('CA', 'C1'), undefined]);
    expect(await answers(application)).toEqual([undefined, says('AA', 'C2')]);
    sender.close();
  });

  test('an answer of original mode to a message of enhanced mode is its answer', async () => {
    const { sender, receiver } = await connected();
    const one = sender.exchange(Buffer.from('1'), { controlId: 'C1', accept: true, application: false });
    await receiver.got(1);
    receiver.handed[0]?.answer(says('AR', 'C1'));
    expect(await answers(one)).toEqual([says('AR', 'C1'), undefined]);
    sender.close();
  });

  test('what has no answer when the connection closes has none', async () => {
    const { listener, sender, receiver } = await connected();
    const both = sender.exchange(Buffer.from('1'), { controlId: 'C1', accept: true, application: true });
    await receiver.got(1);
    const stopping = listener.stop();
    receiver.handed[0]?.fail(new Error('disk full'));
    await expect(both.accept).rejects.toThrow('closed');
    await expect(both.application).rejects.toThrow('closed');
    await stopping;
    await expect(sender.send(Buffer.from('2'))).rejects.toThrow('closed');
  });
});

test('messages of both modes get on with each other', async () => {
  const { sender, receiver } = await connected();
  const original = sender.send(Buffer.from('1'));
  const both = sender.exchange(Buffer.from('2'), { controlId: 'C2', accept: true, application: true });
  const last = sender.send(Buffer.from('3'));
  await receiver.got(3);
  receiver.handed[1]?.enhanced(says('CA', 'C2'), inTurn(says('AA', 'C2')));
  receiver.handed[2]?.answer(says('AA', 'C3'));
  receiver.handed[0]?.answer(says('AA', 'C1'));
  expect(await answers(both)).toEqual([says('CA', 'C2'), says('AA', 'C2')]);
  expect((await original).toString()).toBe(says('AA', 'C1'));
  expect((await last).toString()).toBe(says('AA', 'C3'));
  sender.close();
});

describe('over TLS', () => {
  const authority = new Authority('hospital');
  const tls = {
    read: () => ({ ...authority.issue('aftercare'), ca: authority.cert }),
    clientCertificate: true,
  };

  test('it shows its certificate and gets its answers', async () => {
    const { listener, receiver } = await start({ tls });
    const options = { ca: authority.cert, ...authority.issue('engine1') };
    const sender = await MllpSender.connect('127.0.0.1', listener.port, options);
    expect((await sender.send(Buffer.from('1'))).toString()).toBe('ack 1');
    expect(receiver.handed[0]?.origin.peer).toBe('127.0.0.1 CN=engine1');
    sender.close();
  });

  test('it trusts nobody whom it was not told to', async () => {
    const { listener } = await start({ tls });
    await expect(MllpSender.connect('127.0.0.1', listener.port, {})).rejects.toThrow('certificate');
  });
});
