import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { framed, fs, start, stopAll, until, vt } from './running.ts';

afterEach(stopAll);

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
        if (bytes.length === 4) return Promise.resolve({ accept: Buffer.from('pong') });
        taken++;
        return Promise.resolve({ accept: answer });
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

describe('frames of one connection', () => {
  test('wait for their answers up to a limit, and the rest of the chunk that they came in waits with them', async () => {
    const { listener, receiver, client } = await start({ auto: false });
    const sender = await client();
    const count = 2000;
    sender.write(Array.from({ length: count }, (_, i) => framed(`${i}`)).join(''));
    await receiver.got(64);
    await until(() => listener.state.paused === 1);
    expect([receiver.handed.length, listener.state.frames]).toEqual([64, 64]);
    receiver.handed[0]?.answer();
    expect(await sender.next()).toBe('ack 0');
    await receiver.got(65);
    expect(listener.state.frames).toBe(64);
    receiver.answerAll();
    expect((await sender.take(count - 1)).at(-1)).toBe(`ack ${count - 1}`);
    expect(receiver.remarkable).toContainEqual({ what: 'paused', reason: 'frames' });
    expect(listener.state).toMatchObject({ paused: 0, frames: 0 });
  });

  test('that had come in before the sender ended are all answered', async () => {
    const { receiver, client } = await start({ auto: false });
    const sender = await client();
    sender.write(`${Array.from({ length: 500 }, (_, i) => framed(`${i}`)).join('')}${vt}half`);
    sender.socket.end();
    await receiver.got(64);
    receiver.answerAll();
    expect((await sender.take(502)).slice(-3)).toEqual(['ack 499', 'nak half', undefined]);
  });
});

describe('bytes of all connections', () => {
  const waitingBytesMax = 1_000_000;
  const big = 'x'.repeat(400_000);

  test('wait up to a limit: then senders of big frames are read no further, senders of small ones are', async () => {
    const { listener, receiver, client } = await start({ auto: false, waitingBytesMax });
    const senders = await Promise.all(Array.from({ length: 10 }, () => client()));
    for (const [i, sender] of senders.entries()) for (let n = 0; n < 5; n++) sender.write(framed(`${i}.${n} ${big}`));
    await until(() => listener.state.heldBytes > waitingBytesMax);
    const small = await client();
    for (let i = 0; i < 50; i++) {
      small.write(framed('ping'));
      expect(await small.next()).toBe('ack ping');
    }
    // The limit, one frame, and a reserve and a chunk for each connection.
    expect(listener.state.heldBytes).toBeLessThan(waitingBytesMax + 400_010 + 11 * 2 * 65_536);
    expect(receiver.remarkable).toContainEqual({ what: 'paused', reason: 'bytes' });
    receiver.answerAll();
    for (const [i, sender] of senders.entries()) {
      const answers = await sender.take(5);
      expect(answers.map((it) => it?.slice(0, 7))).toEqual([0, 1, 2, 3, 4].map((n) => `ack ${i}.${n}`));
    }
    await until(() => listener.state.heldBytes < 100);
  });

  test('that are begun frames only do not wait for one another for ever', async () => {
    const { listener, receiver, client } = await start({ waitingBytesMax });
    const senders = await Promise.all(Array.from({ length: 12 }, () => client()));
    for (const sender of senders) sender.write(`${vt}${big.slice(0, 150_000)}`);
    await until(() => listener.state.paused > 0);
    expect(receiver.handed).toEqual([]);
    for (const sender of senders) sender.write(`${big.slice(150_000)}${fs}\r`);
    for (const sender of senders) expect((await sender.next())?.length).toBe(400_004);
  });

  test('of a sender that is gone are given back', async () => {
    const { listener, receiver, client } = await start({ auto: false, waitingBytesMax });
    const [one, two] = [await client(), await client()];
    one.write(`${vt}${big}`);
    two.write(framed(big));
    await until(() => listener.state.heldBytes > 800_000);
    one.socket.resetAndDestroy();
    await receiver.got(2);
    receiver.answerAll();
    await until(() => listener.state.connections === 1);
    expect(listener.state.heldBytes).toBeLessThan(100);
  });
});

describe('128 slow senders', () => {
  const message = `MSH|^~\\&|HIS|RENHE|||20260316||ADT^A08|1|P|2.5.1\rPID|1||1001^^^RENHE^MR||Doe^Jane\r`;

  test('that write byte by byte cost no more than twice their bytes, and each gets its answer', async () => {
    const { listener, client } = await start();
    const senders = await Promise.all(Array.from({ length: 128 }, () => client()));
    const bytes = Buffer.from(framed(message).trimEnd());
    for (let at = 0; at < bytes.length - 1; at++) {
      for (const sender of senders) sender.write(bytes.subarray(at, at + 1));
      await new Promise((resolve) => setImmediate(resolve));
      expect(listener.state.heldBytes).toBeLessThanOrEqual(128 * Math.max(65, 2 * at));
    }
    await until(() => listener.state.heldBytes >= 128 * message.length);
    expect(listener.state.heldBytes).toBeLessThanOrEqual(128 * 2 * message.length);
    for (const sender of senders) sender.write(bytes.subarray(-1));
    for (const sender of senders) expect(await sender.next()).toBe(`ack ${message}`);
    expect(listener.state.heldBytes).toBe(0);
  });
});
