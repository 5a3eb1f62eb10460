import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RestHookChannel } from '../../adapters/rest-hook/channel.ts';
import type { Notification } from '../../src/subscriptions/channel.ts';
import { channelConformance } from './channel.ts';
import { freePort, Subscriber } from './subscriber.ts';

channelConformance('rest-hook', async () => {
  const channel = new RestHookChannel({ networks: [], loopback: true });
  const subscriber = await Subscriber.start();
  const answers = { takes: 200, 'not-now': 503, never: 410, hangs: 'hang' } as const;
  return {
    channel,
    endpoint: subscriber.url(),
    nobody: `http://127.0.0.1:${await freePort()}/hook`,
    forbidden: 'http://10.0.0.1/hook',
    behave(behaviour) {
      subscriber.answer = () => answers[behaviour];
    },
    got: () => subscriber.received,
    async close() {
      await channel.close();
      await subscriber.close();
    },
  };
});

describe('rest-hook deliveries', () => {
  let subscriber: Subscriber;
  let channel: RestHookChannel;
  beforeEach(async () => {
    subscriber = await Subscriber.start();
    channel = new RestHookChannel({ networks: [], loopback: true });
  });
  afterEach(async () => {
    await channel.close();
    await Subscriber.closeAll();
  });

  const notification = (overrides: Partial<Notification> = {}): Notification => ({
    method: 'POST',
    url: subscriber.url(),
    headers: [],
    contentType: 'application/fhir+json',
    body: '{}',
    timeoutMs: 5000,
    ...overrides,
  });

  test.each([
    [200, 'delivered'],
    [201, 'delivered'],
    [202, 'delivered'],
    [204, 'delivered'],
    [299, 'delivered'],
    [301, 'permanent'],
    [302, 'permanent'],
    [304, 'permanent'],
    [307, 'permanent'],
    [308, 'permanent'],
    [400, 'permanent'],
    [401, 'permanent'],
    [403, 'permanent'],
    [404, 'permanent'],
    [405, 'permanent'],
    [410, 'permanent'],
    [413, 'permanent'],
    [422, 'permanent'],
    [408, 'try-again'],
    [425, 'try-again'],
    [429, 'try-again'],
    [500, 'try-again'],
    [501, 'try-again'],
    [502, 'try-again'],
    [503, 'try-again'],
    [504, 'try-again'],
  ])('an answer %i is %s', async (status, kind) => {
    subscriber.answer = () => status;
    expect((await channel.deliver(notification())).kind).toBe(kind);
    expect(subscriber.received).toHaveLength(1);
  });

  test('a redirect is not followed', async () => {
    const other = await Subscriber.start();
    subscriber.answer = () => ({ status: 307, headers: { location: other.url() } });
    expect(await channel.deliver(notification())).toMatchObject({ kind: 'permanent' });
    expect(other.received).toHaveLength(0);
    await other.close();
  });

  test('method, content type and headers are sent as the notification says', async () => {
    await channel.deliver(
      notification({ method: 'PUT', headers: ['X-Site: renhe', 'Authorization:Basic YTpi'], body: '{"a":1}' }),
    );
    const [request] = subscriber.received;
    expect(request).toMatchObject({ method: 'PUT', path: '/hook', body: '{"a":1}' });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/fhir+json',
      'x-site': 'renhe',
      authorization: 'Basic YTpi',
    });
  });

  test('a header that the subscription gives twice is sent twice', async () => {
    await channel.deliver(notification({ headers: ['X-Tag: one', 'X-Tag: two'] }));
    expect(subscriber.received[0]?.headers['x-tag']).toBe('one, two');
  });

  test('a value with a colon in it arrives whole', async () => {
    await channel.deliver(notification({ headers: ['X-Back: http://127.0.0.1:1/a:b'] }));
    expect(subscriber.received[0]?.headers['x-back']).toBe('http://127.0.0.1:1/a:b');
  });

  test('a notification without payload is an empty POST without content type', async () => {
    await channel.deliver(notification({ contentType: '', body: '' }));
    const [request] = subscriber.received;
    expect(request).toMatchObject({ method: 'POST', body: '' });
    expect(request?.headers['content-type']).toBeUndefined();
  });

  test('of a huge answer little is read', async () => {
    const chunk = Buffer.alloc(65_536, 0x61);
    const chunks = 4096;
    let given = 0;
    function* endless(): Generator<Buffer> {
      while (given < chunks) {
        given++;
        yield chunk;
      }
    }
    subscriber.answer = () => ({ status: 200, body: endless() });
    await channel.deliver(notification());
    // What the sockets buffer is a few megabytes; the whole answer would be 256.
    expect(given).toBeLessThan(chunks / 4);
  });

  test('an answer with a small body is delivered and the connection is used again', async () => {
    subscriber.answer = () => ({ status: 200, body: [Buffer.from('{"ok":true}')] });
    for (let i = 0; i < 3; i++) expect((await channel.deliver(notification())).kind).toBe('delivered');
    expect(subscriber.received).toHaveLength(3);
  });

  test('a far end that breaks the connection is tried again', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    expect(await channel.deliver(notification({ url: `http://127.0.0.1:${port}/` }))).toMatchObject({
      kind: 'try-again',
    });
    server.close();
  });

  test('a far end that does not speak HTTP is tried again', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.6\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    expect(await channel.deliver(notification({ url: `http://127.0.0.1:${port}/` }))).toMatchObject({
      kind: 'try-again',
    });
    server.close();
  });
});

describe('addresses that rest-hook may call', () => {
  const channels = {
    plain: new RestHookChannel({ networks: [], loopback: false }),
    loopback: new RestHookChannel({ networks: [], loopback: true }),
    networks: new RestHookChannel({ networks: ['10.1.0.0/16', '192.168.7.9', 'fd00:7::/32'], loopback: false }),
  };

  test.each([
    ['plain', 'https://example.org/hook'],
    ['plain', 'https://example.org:8443/hook?x=1'],
    ['plain', 'https://8.8.8.8/hook'],
    ['plain', 'https://[2606:4700::1111]/hook'],
    ['loopback', 'http://127.0.0.1:9000/hook'],
    ['loopback', 'http://127.9.9.9/hook'],
    ['loopback', 'http://localhost:9000/hook'],
    ['loopback', 'https://localhost/hook'],
    ['loopback', 'http://[::1]:9000/hook'],
    ['networks', 'http://10.1.2.3/hook'],
    ['networks', 'https://10.1.2.3/hook'],
    ['networks', 'http://192.168.7.9/hook'],
    ['networks', 'http://[fd00:7::1]/hook'],
    ['networks', 'https://8.8.8.8/hook'],
  ] as const)('with %s settings %s is taken', (settings, endpoint) => {
    expect(channels[settings].refuses(endpoint)).toBeUndefined();
  });

  test.each([
    ['plain', 'http://127.0.0.1:9000/hook'],
    ['plain', 'https://127.0.0.1/hook'],
    ['plain', 'http://localhost/hook'],
    ['plain', 'https://localhost/hook'],
    ['plain', 'https://[::1]/hook'],
    ['plain', 'http://example.org/hook'],
    ['plain', 'http://8.8.8.8/hook'],
    ['loopback', 'http://example.org/hook'],
    ['loopback', 'http://10.1.2.3/hook'],
    ['plain', 'https://0.0.0.0/'],
    ['plain', 'https://10.1.2.3/'],
    ['plain', 'https://100.64.0.1/'],
    ['plain', 'https://172.16.0.1/'],
    ['plain', 'https://172.31.255.255/'],
    ['plain', 'https://192.168.0.1/'],
    ['plain', 'https://198.18.0.1/'],
    ['plain', 'https://224.0.0.1/'],
    ['plain', 'https://255.255.255.255/'],
    ['plain', 'http://169.254.169.254/latest/meta-data'],
    ['plain', 'https://169.254.169.254/latest/meta-data'],
    ['loopback', 'http://169.254.169.254/latest/meta-data'],
    ['networks', 'http://169.254.169.254/latest/meta-data'],
    ['plain', 'https://[fd00::1]/'],
    ['plain', 'https://[fe80::1]/'],
    ['plain', 'https://[ff02::1]/'],
    ['plain', 'https://[::]/'],
    ['plain', 'https://[fec0::1]/'],
    // v4-mapped, NAT64 (RFC 6052, RFC 8215) and 6to4 forms of private addresses
    ['plain', 'https://[::ffff:127.0.0.1]/'],
    ['plain', 'https://[::ffff:a9fe:a9fe]/'],
    ['plain', 'https://[::ffff:10.1.2.3]/'],
    ['plain', 'https://[64:ff9b::a9fe:a9fe]/'],
    ['plain', 'https://[64:ff9b:1::a9fe:a9fe]/'],
    ['plain', 'https://[2002:a9fe:a9fe::1]/'],
    // other ways to write 127.0.0.1
    ['plain', 'https://2130706433/'],
    ['plain', 'https://0x7f.1/'],
    ['plain', 'https://127.1/'],
    ['plain', 'https://0177.0.0.1/'],
    ['networks', 'http://10.2.0.1/hook'],
    ['networks', 'http://192.168.7.10/hook'],
    ['networks', 'http://[fd00:8::1]/hook'],
    ['networks', 'http://127.0.0.1/hook'],
    ['loopback', 'http://user:password@127.0.0.1/hook'],
    ['loopback', 'http://token@127.0.0.1/hook'],
    ['plain', 'https://user:password@example.org/hook'],
    ['plain', 'ftp://example.org/hook'],
    ['plain', 'file:///etc/passwd'],
    ['plain', 'ws://example.org/'],
    ['plain', 'mailto:a@example.org'],
    ['plain', 'javascript:alert(1)'],
    ['plain', 'example.org/hook'],
    ['plain', '/hook'],
    ['plain', ''],
  ] as const)('with %s settings %s is refused', (settings, endpoint) => {
    const reason = channels[settings].refuses(endpoint);
    expect(reason).toEqual(expect.any(String));
    expect(reason).not.toContain('password');
  });

  test.each(['10.1.0.0/16x', '10.1.0.0/33', '10.1.0.0/', '10.1.0', 'example.org', '10.1.0.0/16/8', 'fd00::/129', '/8'])(
    'a network written as %s is refused when the channel is made',
    (network) => {
      expect(() => new RestHookChannel({ networks: [network], loopback: false })).toThrow();
    },
  );

  test.each([
    ['https', false],
    ['http', false],
  ])('a name that leads to a private address is not connected to over %s', async (scheme, loopback) => {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    const { port } = server.address() as { port: number };
    const channel = new RestHookChannel({ networks: [], loopback });
    const outcome = await channel.deliver({
      method: 'POST',
      url: `${scheme}://localhost:${port}/hook`,
      headers: [],
      contentType: 'application/fhir+json',
      body: '{}',
      timeoutMs: 5000,
    });
    expect(outcome).toEqual({ kind: 'try-again', reason: 'the address of the endpoint is not allowed' });
    expect(connections).toBe(0);
    await channel.close();
    server.close();
  });
});
