import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import { framed, fs, start, stopAll, until, vt } from './running.ts';

afterEach(stopAll);

const refused = (reason: string): object => ({ what: 'peer-refused', reason, peer: '127.0.0.1' });

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

  test('a frame that goes on byte by byte must end in time all the same', async () => {
    const { receiver, client } = await start({ incompleteMs: 50 });
    const sender = await client();
    let over = false;
    void sender.closed.then(() => {
      over = true;
    });
    sender.write(vt);
    await until(() => {
      sender.write('x');
      return over;
    });
    expect(await sender.next()).toMatch(/^nak x+$/);
    expect(receiver.remarkable).toEqual([
      { what: 'timed-out', reason: 'incomplete' },
      { what: 'frame-refused', reason: 'cut' },
    ]);
  });

  test('the time of a begun frame does not run while its sender is read no further', async () => {
    const { listener, receiver, client } = await start({ auto: false, incompleteMs: 300, waitingBytesMax: 100_000 });
    const half = 'x'.repeat(80_000);
    const [first, second, slow] = [await client(), await client(), await client()];
    for (const sender of [first, second]) sender.write(`${vt}${half}`);
    // Together they are too much: one is read on, and runs out of time.
    await until(() => listener.state.paused === 1);
    slow.write(`${vt}slow`);
    await until(() => receiver.handed.some(({ text }) => text === 'slow'));
    // One that was begun later has run out of time: so would have the one that waits.
    expect(receiver.handed).toHaveLength(2);
    for (const sender of [first, second]) sender.write(`${half}${fs}\r`);
    receiver.answerAll();
    const answers = await Promise.all([first.next(), second.next()]);
    expect(answers.map((it) => it?.slice(0, 4)).sort()).toEqual(['ack ', 'nak ']);
  });

  test('and runs when it is read on', async () => {
    const { receiver, client } = await start({ incompleteMs: 50, waitingBytesMax: 100_000 });
    const senders = [await client(), await client(), await client()];
    for (const sender of senders) sender.write(`${vt}${'x'.repeat(80_000)}`);
    for (const sender of senders) expect((await sender.next())?.slice(0, 4)).toBe('nak ');
    expect(receiver.handed).toHaveLength(3);
  });

  test('each frame has its own time', async () => {
    const { client } = await start({ incompleteMs: 2000 });
    const sender = await client();
    // Two frames, each of more than half of the time that one has.
    const half = async (): Promise<void> => {
      const begun = performance.now();
      await until(() => performance.now() - begun > 1100);
    };
    sender.write(`${vt}one`);
    await half();
    sender.write(`${fs}${vt}two`);
    expect(await sender.next()).toBe('ack one');
    await half();
    sender.write(fs);
    expect(await sender.next()).toBe('ack two');
  });

  test('a connection that is owed an answer is not idle', async () => {
    const { receiver, client } = await start({ auto: false, idleMs: 150 });
    const [owed, idle] = [await client(), await client()];
    owed.write(framed('1'));
    await receiver.got(1);
    await idle.closed;
    const another = await client();
    await another.closed;
    owed.write(framed('2'));
    await receiver.got(2);
    receiver.answerAll();
    expect(await owed.take(3)).toEqual(['ack 1', 'ack 2', undefined]);
    expect(receiver.remarkable).toEqual([1, 2, 3].map(() => ({ what: 'timed-out', reason: 'idle' })));
  });
});

const ipv6 = Object.values(networkInterfaces()).some((it) => it?.some(({ address }) => address === '::1'));
if (!ipv6) process.stdout.write('skipped: clients over IPv6, which this machine does not have\n');

if (ipv6 || process.env.CI === 'true')
  describe('on a listener on IPv6', () => {
    const allow = new BlockList();
    allow.addSubnet('127.0.0.0', 8, 'ipv4');

    test('a client with an IPv4 address is one with an IPv4 address', async () => {
      const { listener, receiver, client } = await start({ host: '::', allow });
      expect(listener.address).toBe(`mllp://[::]:${listener.port}`);
      const sender = await client();
      sender.write(framed('1'));
      expect(await sender.next()).toBe('ack 1');
      expect(receiver.handed[0]?.origin.peer).toBe('127.0.0.1');
    });

    test('one address has a limit of its own, and others are not touched by it', async () => {
      const { receiver, client } = await start({ host: '::', connectionsPerAddressMax: 1 });
      await client();
      await (await client()).closed;
      expect(receiver.remarkable).toEqual([refused('address')]);
      const other = await client({ host: '::1' });
      other.write(framed('1'));
      expect(await other.next()).toBe('ack 1');
    });
  });

describe('who may connect', () => {
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  const elsewhere = new BlockList();
  elsewhere.addSubnet('10.0.0.0', 8, 'ipv4');
  elsewhere.addSubnet('2001:db8::', 32, 'ipv6');

  test('who is in the allow-list is let in', async () => {
    const { client } = await start({ allow: loopback });
    const sender = await client();
    sender.write(framed('1'));
    expect(await sender.next()).toBe('ack 1');
  });

  test('who is not is closed at once, without an answer, and counted', async () => {
    const { listener, receiver, client } = await start({ allow: elsewhere });
    const sender = await client();
    sender.write(framed('1'));
    expect(await sender.next()).toBeUndefined();
    expect(receiver.handed).toEqual([]);
    expect(receiver.events).toEqual([refused('network')]);
    expect(listener.state.connections).toBe(0);
  });

  test('one address has a limit of its own, and its places are free again', async () => {
    const { listener, receiver, client } = await start({ connectionsPerAddressMax: 2 });
    const [one, two, three] = [await client(), await client(), await client()];
    await three.closed;
    expect(receiver.remarkable).toEqual([refused('address')]);
    for (const it of [one, two]) {
      it.write(framed('1'));
      expect(await it.next()).toBe('ack 1');
    }
    one.socket.end();
    await one.closed;
    await until(() => listener.state.connections === 1);
    const four = await client();
    four.write(framed('4'));
    expect(await four.next()).toBe('ack 4');
  });

  test('one more than the listener takes is counted', async () => {
    const { receiver, client } = await start({ connectionsMax: 1 });
    await client();
    await (await client()).closed;
    expect(receiver.remarkable).toEqual([refused('connections')]);
  });
});

describe('an origin', () => {
  test('carries the name, the site and the character set of its listener', async () => {
    const { receiver, client } = await start({ name: 'ward', site: 'renhe', charset: 'gb18030' });
    const sender = await client();
    sender.write(`${framed('1')}junk${framed('2')}`);
    await receiver.got(3);
    const origin = { listener: 'ward', peer: '127.0.0.1', site: 'renhe', charset: 'gb18030' };
    expect(receiver.handed.map((it) => it.origin)).toEqual([origin, origin, origin]);
  });

  test('of a listener without them has none', async () => {
    const { listener, receiver, client } = await start();
    const sender = await client();
    sender.write(framed('1'));
    await receiver.got(1);
    expect(Object.keys(receiver.handed[0]?.origin ?? {})).toEqual(['listener', 'peer']);
    expect(receiver.handed[0]?.origin.listener).toBe(`mllp:${listener.port}`);
  });
});
