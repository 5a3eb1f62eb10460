import { afterEach, describe, expect, test } from '@jest/globals';
import { Client } from './client.ts';
import { framed, start, stopAll, until, vt } from './running.ts';

afterEach(stopAll);

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

  test('answers every whole frame that has come in, also those that were not handed over yet', async () => {
    const { listener, receiver, client } = await start({ auto: false });
    const sender = await client();
    sender.write(Array.from({ length: 200 }, (_, i) => framed(`${i}`)).join(''));
    await receiver.got(64);
    const stopping = listener.stop();
    receiver.answerAll();
    expect((await sender.take(201)).slice(-2)).toEqual(['ack 199', undefined]);
    await stopping;
  });

  test('closes without a reset, so that a sender that goes on writing still reads its answers', async () => {
    const { listener, receiver, client } = await start({ auto: false, lingerMs: 60_000 });
    const sender = await client();
    let reset = false;
    sender.socket.on('error', () => {
      reset = true;
    });
    sender.write(framed('1'));
    await receiver.got(1);
    sender.socket.pause();
    const stopping = listener.stop();
    receiver.handed[0]?.answer();
    for (let i = 0; i < 50; i++) {
      sender.write(framed('x'.repeat(10_000)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    sender.socket.resume();
    expect(await sender.take(2)).toEqual(['ack 1', undefined]);
    await stopping;
    expect([reset, receiver.handed.length]).toEqual([false, 1]);
  });

  test('waits for application answers', async () => {
    const { listener, receiver, client } = await start({ auto: false, stopApplicationMs: 60_000 });
    const sender = await client();
    sender.write(framed('1'));
    await receiver.got(1);
    const application = Promise.withResolvers<Buffer | undefined>();
    const stopping = listener.stop();
    receiver.handed[0]?.enhanced('CA 1', application.promise);
    expect(await sender.next()).toBe('CA 1');
    application.resolve(Buffer.from('AA 1'));
    expect(await sender.take(2)).toEqual(['AA 1', undefined]);
    await stopping;
  });

  test('but not for ever, be their accept answers sent before or later', async () => {
    const { listener, receiver, client } = await start({ auto: false, stopApplicationMs: 20 });
    const sender = await client();
    sender.write(framed('1') + framed('2'));
    await receiver.got(2);
    const never = new Promise<undefined>(() => {});
    receiver.handed[0]?.enhanced('CA 1', never);
    expect(await sender.next()).toBe('CA 1');
    const stopping = listener.stop();
    await until(() => receiver.remarkable.length === 1);
    receiver.handed[1]?.enhanced('CA 2', never);
    expect(await sender.take(2)).toEqual(['CA 2', undefined]);
    await stopping;
    expect(receiver.remarkable).toEqual([1, 2].map(() => ({ what: 'application-answer-lost', reason: 'late' })));
  });

  test('destroys what is left when its time is over, and a message that is kept after that harms nobody', async () => {
    const { listener, receiver, client } = await start({ auto: false, stopMs: 20 });
    const sender = await client();
    sender.write(framed('1'));
    await receiver.got(1);
    await listener.stop();
    expect(await sender.next()).toBeUndefined();
    expect(receiver.remarkable).toEqual([{ what: 'destroyed' }]);
    receiver.handed[0]?.answer();
    await until(() => listener.state.connections === 0);
    expect([receiver.failures, listener.state.heldBytes]).toEqual([[], 0]);
  });

  test('waits for the message of a sender that is gone: what is under way must not meet a closed store', async () => {
    const { listener, receiver, client } = await start({ auto: false });
    const sender = await client();
    sender.write(`${framed('1')}${vt}half`);
    await receiver.got(1);
    sender.socket.resetAndDestroy();
    await receiver.got(2);
    let stopped = false;
    const stopping = listener.stop().then(() => {
      stopped = true;
    });
    receiver.handed[1]?.answer();
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(stopped).toBe(false);
    receiver.handed[0]?.answer();
    await stopping;
  });
});
