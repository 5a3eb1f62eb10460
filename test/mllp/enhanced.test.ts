/** Enhanced mode (HL7 v2, chapter 2.9.3): an accept answer at once, an application answer when it is there. */
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from '@jest/globals';
import { framed, start, stopAll, until } from './running.ts';

afterEach(stopAll);

/** An application answer that the test gives. */
const later = (): PromiseWithResolvers<Buffer | undefined> => Promise.withResolvers<Buffer | undefined>();
const never = new Promise<undefined>(() => {});

/** A sender that has sent messages `1` to `count`, all of them handed over. */
async function sent(count: number, options: Parameters<typeof start>[0] = {}) {
  const all = await start({ auto: false, ...options });
  const sender = await all.client();
  sender.write(Array.from({ length: count }, (_, i) => framed(`${i + 1}`)).join(''));
  await all.receiver.got(count);
  return { ...all, sender, handed: all.receiver.handed };
}

describe('application answers', () => {
  test('follow their accept answers on the same connection', async () => {
    const { sender, handed } = await sent(1);
    const application = later();
    handed[0]?.enhanced('CA 1', application.promise);
    expect(await sender.next()).toBe('CA 1');
    application.resolve(Buffer.from('AA 1'));
    expect(await sender.next()).toBe('AA 1');
  });

  test('come in the order of the messages, even when a later one is ready first', async () => {
    const { sender, handed } = await sent(3);
    const applications = [later(), later(), later()];
    for (const [i, { promise }] of applications.entries()) handed[i]?.enhanced(`CA ${i + 1}`, promise);
    expect(await sender.take(3)).toEqual(['CA 1', 'CA 2', 'CA 3']);
    for (const i of [2, 1, 0]) applications[i]?.resolve(Buffer.from(`AA ${i + 1}`));
    expect(await sender.take(3)).toEqual(['AA 1', 'AA 2', 'AA 3']);
  });

  test('wait for their accept answers, and so for the accept answers before', async () => {
    const { sender, handed } = await sent(2);
    handed[1]?.enhanced('CA 2', Promise.resolve(Buffer.from('AA 2')));
    handed[0]?.enhanced('CA 1', Promise.resolve(Buffer.from('AA 1')));
    const answers = await sender.take(4);
    expect(answers.filter((it) => it?.startsWith('CA'))).toEqual(['CA 1', 'CA 2']);
    expect(answers.filter((it) => it?.startsWith('AA'))).toEqual(['AA 1', 'AA 2']);
    expect(answers.indexOf('AA 2')).toBeGreaterThan(answers.indexOf('CA 2'));
  });

  test('come without an accept answer when the sender wants none', async () => {
    const { sender, handed } = await sent(2);
    handed[0]?.enhanced(undefined, Promise.resolve(Buffer.from('AA 1')));
    handed[1]?.answer('AA 2');
    expect((await sender.take(2)).sort()).toEqual(['AA 1', 'AA 2']);
  });

  test('and accept answers that nobody wants are not sent, and the connection goes on', async () => {
    const { sender, receiver, handed } = await sent(60);
    for (const it of handed) it.enhanced(undefined, Promise.resolve(undefined));
    sender.write(Array.from({ length: 10 }, () => framed('ping')).join(''));
    expect(await sender.take(10)).toEqual(Array.from({ length: 10 }, () => 'ack ping'));
    expect(receiver.remarkable).toEqual([]);
  });

  test('still come when the sender has closed its half', async () => {
    const { sender, handed } = await sent(1);
    const application = later();
    handed[0]?.enhanced('CA 1', application.promise);
    expect(await sender.next()).toBe('CA 1');
    sender.socket.end();
    application.resolve(Buffer.from('AA 1'));
    expect(await sender.take(2)).toEqual(['AA 1', undefined]);
  });
});

describe('an application answer that never comes', () => {
  test('does not hold up accept answers', async () => {
    const { sender, handed, receiver } = await sent(1);
    handed[0]?.enhanced('CA 1', never);
    expect(await sender.next()).toBe('CA 1');
    receiver.auto = true;
    sender.write(Array.from({ length: 200 }, (_, i) => framed(`${i + 2}`)).join(''));
    expect((await sender.take(200)).at(-1)).toBe('ack 201');
  });

  test('is given up after its time, and those behind it go out', async () => {
    const { sender, handed, receiver } = await sent(2, { applicationMs: 20 });
    handed[0]?.enhanced('CA 1', never);
    handed[1]?.enhanced('CA 2', Promise.resolve(Buffer.from('AA 2')));
    expect(await sender.take(3)).toEqual(['CA 1', 'CA 2', 'AA 2']);
    expect(receiver.remarkable).toEqual([{ what: 'application-answer-lost', reason: 'late' }]);
  });

  test('is given up when too many have piled up behind it', async () => {
    const { sender, receiver } = await start({ auto: false }).then(async (all) => ({
      ...all,
      sender: await all.client(),
    }));
    let handed = 0;
    for (let i = 1; i <= 1001; i++) {
      sender.write(framed(`${i}`));
      await receiver.got(++handed);
      receiver.handed[i - 1]?.enhanced(`CA ${i}`, i === 1 ? never : Promise.resolve(Buffer.from(`AA ${i}`)));
      if (i <= 1000) expect(await sender.next()).toBe(`CA ${i}`);
    }
    expect((await sender.take(1001)).sort()).toEqual(
      ['CA 1001', ...Array.from({ length: 1000 }, (_, i) => `AA ${i + 2}`)].sort(),
    );
    expect(receiver.remarkable).toEqual([{ what: 'application-answer-lost', reason: 'late' }]);
  });

  test('is no trouble when the connection is gone before', async () => {
    const { sender, handed, receiver, listener } = await sent(1);
    const application = later();
    handed[0]?.enhanced('CA 1', application.promise);
    expect(await sender.next()).toBe('CA 1');
    sender.socket.resetAndDestroy();
    await until(() => listener.state.connections === 0);
    application.resolve(Buffer.from('AA 1'));
    expect(receiver.remarkable).toEqual([{ what: 'application-answer-lost', reason: 'disconnected' }]);
    expect(receiver.failures).toEqual([]);
  });
});

describe('an application answer that fails', () => {
  test('is reported, and the others go out', async () => {
    const { sender, handed, receiver } = await sent(2);
    const error = new Error('the mapping is not there');
    handed[0]?.enhanced('CA 1', Promise.reject(error));
    handed[1]?.enhanced('CA 2', Promise.resolve(Buffer.from('AA 2')));
    const answers = await sender.take(3);
    expect(answers).toEqual(['CA 1', 'CA 2', 'AA 2']);
    expect(receiver.remarkable).toEqual([{ what: 'application-answer-lost', reason: 'failed', error }]);
    expect(receiver.failures).toEqual([]);
  });

  test('before its accept answer could be sent, does not end the process', async () => {
    const worker = new Worker(new URL('./unseen-failure.ts', import.meta.url));
    const answers = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(answers).toEqual(['AA 1', 'CA 2']);
    await worker.terminate();
  });
});
