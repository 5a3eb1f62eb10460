/** MLLP over TLS (RFC 8446, RFC 5246), and mutual TLS: who speaks is known by a certificate. */
import { BlockList, connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ListenerOptions } from '../../adapters/mllp/listener.ts';
import { Authority, type Pair } from './certificates.ts';
import { framed, start, stopAll, until, vt } from './running.ts';

afterEach(stopAll);

const refused = (reason: string): object => ({ what: 'peer-refused', reason, peer: '127.0.0.1' });

const authority = new Authority('hospital');
const stranger = new Authority('stranger');
const server = authority.issue('aftercare');
/** What a client needs to trust the listener. */
const trust = { ca: authority.cert };

type Tls = NonNullable<ListenerOptions['tls']>;
const oneWay = (pair: Pair = server): { tls: Tls } => ({ tls: { read: () => pair, clientCertificate: false } });
const mutual: { tls: Tls } = { tls: { read: () => ({ ...server, ca: authority.cert }), clientCertificate: true } };

describe('a listener with a certificate', () => {
  test('answers over TLS, messages of any size, in order', async () => {
    const { listener, client } = await start(oneWay());
    expect(listener.address).toBe(`mllps://127.0.0.1:${listener.port}`);
    const sender = await client({}, trust);
    const big = 'x'.repeat(500_000);
    sender.write(framed('1') + framed(big) + framed('3'));
    expect(await sender.take(3)).toEqual(['ack 1', `ack ${big}`, 'ack 3']);
  });

  test('speaks TLS 1.2 and 1.3, and nothing older', async () => {
    const { receiver, client } = await start(oneWay());
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const sender = await client({}, { ...trust, minVersion: version, maxVersion: version });
      sender.write(framed(version));
      expect(await sender.next()).toBe(`ack ${version}`);
    }
    // Security level 0, so that it is the listener that says no.
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(client({}, { ...trust, ...old })).rejects.toMatchObject({
      code: expect.stringContaining('PROTOCOL_VERSION'),
    });
    await until(() => receiver.remarkable.length === 1);
    expect(receiver.remarkable).toEqual([refused('handshake')]);
  });

  test('turns away who speaks no TLS, and goes on', async () => {
    const { receiver, client } = await start(oneWay());
    const plain = await client();
    plain.write(framed('MSH|^~\\&|HIS|RENHE'));
    await plain.closed;
    expect(receiver.handed).toEqual([]);
    expect(receiver.remarkable).toEqual([refused('handshake')]);
    const sender = await client({}, trust);
    sender.write(framed('2'));
    expect(await sender.next()).toBe('ack 2');
  });

  test('waits for a handshake only so long, and holds a place for it no longer', async () => {
    const { receiver, client } = await start({ ...oneWay(), handshakeMs: 500, connectionsMax: 1 });
    await (await client()).closed;
    expect(receiver.remarkable).toEqual([refused('handshake')]);
    const sender = await client({}, trust);
    sender.write(framed('1'));
    expect(await sender.next()).toBe('ack 1');
  });

  test('looks at the allow-list before it shakes hands', async () => {
    const allow = new BlockList();
    allow.addSubnet('10.0.0.0', 8, 'ipv4');
    const { receiver, client } = await start({ ...oneWay(), allow });
    await expect(client({}, trust)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(receiver.events).toEqual([refused('network')]);
  });

  test('counts the connections of an address', async () => {
    const { listener, client } = await start({ ...oneWay(), connectionsPerAddressMax: 1 });
    const first = await client({}, trust);
    await expect(client({}, trust)).rejects.toMatchObject({ code: 'ECONNRESET' });
    first.socket.end();
    await first.closed;
    await until(() => listener.state.connections === 0);
    const next = await client({}, trust);
    next.write(framed('1'));
    expect(await next.next()).toBe('ack 1');
  });

  test('answers a sender that has closed its half, then closes the other', async () => {
    const { receiver, client } = await start({ ...oneWay(), auto: false });
    const sender = await client({ allowHalfOpen: true }, trust);
    sender.write(`${framed('1')}${vt}half`);
    sender.socket.end();
    await receiver.got(2);
    receiver.answerAll();
    expect(await sender.take(3)).toEqual(['ack 1', 'nak half', undefined]);
  });

  test('gives up a sender that reads no answers', async () => {
    const { listener, receiver, client } = await start({ ...oneWay(), auto: false, idleMs: 200 });
    const deaf = await client({}, trust);
    deaf.socket.pause();
    for (let i = 0; i < 30; i++) deaf.write(framed(`${i}`));
    await receiver.got(30);
    for (const it of receiver.handed) it.answer('y'.repeat(1_000_000));
    await until(() => listener.state.connections === 0);
    expect(receiver.remarkable).toEqual([{ what: 'timed-out', reason: 'deaf' }]);
  });

  test('reads no further than the limit', async () => {
    const { listener, receiver, client } = await start({ ...oneWay(), auto: false });
    const sender = await client({}, trust);
    for (let i = 0; i < 500; i++) sender.write(framed(`${i} ${'x'.repeat(1000)}`));
    await until(() => listener.state.paused === 1);
    expect(listener.state.frames).toBe(64);
    receiver.answerAll();
    expect((await sender.take(500)).at(-1)).toMatch(/^ack 499 /);
  });

  test('stops with answers given and without waiting for half a handshake', async () => {
    const { listener, receiver, client } = await start({ ...oneWay(), auto: false, handshakeMs: 60_000 });
    const sender = await client({}, trust);
    const silent = connect(listener.port, '127.0.0.1').on('error', () => {});
    const gone = new Promise((resolve) => silent.once('close', resolve));
    sender.write(framed('1'));
    await receiver.got(1);
    // A third one is in: then the silent one, which came before, is in as well.
    await client({}, trust);
    const stopping = listener.stop();
    await gone;
    receiver.handed[0]?.answer();
    expect(await sender.take(2)).toEqual(['ack 1', undefined]);
    await stopping;
  });
});

describe('mutual TLS', () => {
  test('puts the common name of the client into the origin', async () => {
    const { receiver, client } = await start(mutual);
    const sender = await client({}, { ...trust, ...authority.issue('engine1') });
    sender.write(framed('1'));
    expect(await sender.next()).toBe('ack 1');
    expect(receiver.handed[0]?.origin.peer).toBe('127.0.0.1 CN=engine1');
  });

  test('puts the first alternative name there when there is no common name', async () => {
    const { receiver, client } = await start(mutual);
    const sender = await client({}, { ...trust, ...authority.issue('', 'engine1.hospital') });
    sender.write(framed('1'));
    expect(await sender.next()).toBe('ack 1');
    expect(receiver.handed[0]?.origin.peer).toBe('127.0.0.1 SAN=DNS:engine1.hospital');
  });

  test.each<[string, Partial<Pair>]>([
    ['without a certificate', {}],
    ['with a certificate of another authority', stranger.issue('engine1')],
    // The same name makes no authority.
    ['with a certificate of another authority of the same name', new Authority('hospital').issue('engine1')],
  ])('turns away a client %s', async (_, pair) => {
    const { receiver, client } = await start(mutual);
    // In TLS 1.3 a client thinks that it is in before the listener has seen its certificate.
    const sender = await client({}, { ...trust, ...pair }).catch(() => undefined);
    sender?.write(framed('1'));
    expect(await sender?.next()).toBeUndefined();
    expect(receiver.handed).toEqual([]);
    expect(receiver.remarkable).toEqual([refused('handshake')]);
  });
});

describe('certificates that have changed', () => {
  test('are those of connections from then on, while others go on', async () => {
    let pair = server;
    const { listener, receiver, client } = await start({ tls: { read: () => pair, clientCertificate: false } });
    const before = await client({}, trust);
    pair = stranger.issue('aftercare');
    listener.reload();
    const after = await client({}, { ca: stranger.cert });
    await expect(client({}, trust)).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    for (const sender of [before, after]) {
      sender.write(framed('1'));
      expect(await sender.next()).toBe('ack 1');
    }
    expect(receiver.remarkable[0]).toEqual({ what: 'certificates-read' });
  });

  test('are those of the clients too', async () => {
    let ca = authority.cert;
    const { listener, client } = await start({ tls: { read: () => ({ ...server, ca }), clientCertificate: true } });
    ca = stranger.cert;
    listener.reload();
    const known = await client({}, { ...trust, ...stranger.issue('engine1') });
    known.write(framed('1'));
    expect(await known.next()).toBe('ack 1');
    const gone = await client({}, { ...trust, ...authority.issue('engine1') }).catch(() => undefined);
    gone?.write(framed('1'));
    expect(await gone?.next()).toBeUndefined();
  });

  test.each<[string, () => Pair]>([
    ['cannot be read', () => JSON.parse('no file')],
    ['are no certificates', () => ({ cert: 'x', key: 'y' })],
    ['do not belong together', () => ({ cert: server.cert, key: stranger.issue('aftercare').key })],
  ])('and %s leave the old ones in place', async (_, read) => {
    let now = (): Pair => server;
    const { listener, receiver, client } = await start({ tls: { read: () => now(), clientCertificate: false } });
    now = read;
    listener.reload();
    expect(receiver.remarkable).toEqual([
      { what: 'certificates-not-read', error: expect.objectContaining({ stack: expect.any(String) }) },
    ]);
    const sender = await client({}, trust);
    sender.write(framed('1'));
    expect(await sender.next()).toBe('ack 1');
  });

  test('are no certificates at the start: then there is no listener', async () => {
    await expect(start(oneWay({ cert: 'x', key: 'y' }))).rejects.toThrow();
  });

  test('mean nothing to a listener without TLS', async () => {
    const { listener, receiver } = await start();
    listener.reload();
    expect(receiver.events).toEqual([]);
  });
});
