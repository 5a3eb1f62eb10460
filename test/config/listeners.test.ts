import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ConfigError, listenersOf, readConfig } from '../../src/config.ts';
import { type ListenerConfig, readCertificates, readListeners } from '../../src/listeners.ts';
import { Authority } from '../mllp/certificates.ts';
import { temporaryFolder } from '../support/app.ts';

const folder = temporaryFolder();
const authority = new Authority('hospital');
const pair = authority.issue('aftercare');

beforeAll(() => {
  const files = { 'server.crt': pair.cert, 'server.key': pair.key, 'clients.crt': authority.cert };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder.path, name), text);
  writeFileSync(join(folder.path, 'other.key'), authority.issue('other').key);
  writeFileSync(join(folder.path, 'broken.crt'), 'no certificate');
});
afterAll(folder.remove);

const defaults = { host: '127.0.0.1', port: 2575, site: undefined, frameBytesMax: 1000, connectionsMax: 50 };

function read(yaml: string): readonly ListenerConfig[] {
  const file = join(folder.path, 'listeners.yaml');
  writeFileSync(file, yaml);
  return readListeners(file, defaults);
}

/** What the error says, without the folder; undefined when there is none. */
function faultIn(yaml: string): string | undefined {
  try {
    read(yaml);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message.replaceAll(`${folder.path}/`, '');
  }
}

/** A listener that others reach, with something that lets it. */
const open = (rest: string): string => `- { port: 2575, host: 0.0.0.0, ${rest} }`;

describe('a listener', () => {
  test('that says nothing but its port has the defaults', () => {
    expect(read('- port: 2576')).toEqual([
      {
        name: undefined,
        host: '127.0.0.1',
        port: 2576,
        site: undefined,
        charset: undefined,
        tls: undefined,
        allow: undefined,
        frameBytesMax: 1000,
        waitingBytesMax: 134_217_728,
        connectionsMax: 50,
        connectionsPerAddressMax: 50,
        idleMs: 600_000,
        incompleteMs: 60_000,
        applicationMs: 60_000,
      },
    ]);
  });

  test('has what it says', () => {
    const [one] = read(`
- name: ward
  port: 2576
  host: 10.0.0.1
  site: renhe
  charset: GB 18030-2000
  tls: { certificate: server.crt, key: server.key, clientAuthority: clients.crt }
  allow: [10.1.0.0/16]
  frameBytesMax: 2000
  waitingBytesMax: 3000
  connectionsMax: 4
  connectionsPerAddressMax: 2
  idleMs: 50
  incompleteMs: 60
  applicationMs: 70
`);
    expect(one).toMatchObject({
      name: 'ward',
      host: '10.0.0.1',
      port: 2576,
      site: 'renhe',
      charset: 'gb18030',
      // Beside the file that names them.
      tls: {
        certificate: join(folder.path, 'server.crt'),
        key: join(folder.path, 'server.key'),
        clientAuthority: join(folder.path, 'clients.crt'),
      },
      frameBytesMax: 2000,
      waitingBytesMax: 3000,
      connectionsMax: 4,
      connectionsPerAddressMax: 2,
      idleMs: 50,
      incompleteMs: 60,
      applicationMs: 70,
    });
    expect(readCertificates(one!.tls!)).toEqual({
      cert: Buffer.from(pair.cert),
      key: Buffer.from(pair.key),
      ca: Buffer.from(authority.cert),
    });
  });
});

describe('an allow-list', () => {
  test.each<[string, 'ipv4' | 'ipv6', string, boolean]>([
    ['10.1.0.0/16', 'ipv4', '10.1.255.1', true],
    ['10.1.0.0/16', 'ipv4', '10.2.0.1', false],
    ['10.1.0.5', 'ipv4', '10.1.0.5', true],
    ['10.1.0.5', 'ipv4', '10.1.0.6', false],
    ['"2001:db8::/32"', 'ipv6', '2001:db8:1::1', true],
    ['"2001:db8::/32"', 'ipv6', '2001:db9::1', false],
    ['"::1"', 'ipv6', '::1', true],
    ['"::ffff:10.1.0.0/112"', 'ipv4', '10.1.2.3', true],
    ['"::ffff:10.1.0.0/112"', 'ipv4', '10.2.2.3', false],
    ['"::ffff:10.1.0.5"', 'ipv4', '10.1.0.5', true],
  ])('of %s, and the %s address %s: %s', (network, family, address, expected) => {
    expect(read(open(`allow: [${network}]`))[0]?.allow?.check(address, family)).toBe(expected);
  });

  test.each([
    '10.1.0.0/33',
    '10.1.0/16',
    'engine.hospital',
    '"::1/129"',
    '"::ffff:10.1.0.0/95"',
    '"::ffff:2001:db8::1"',
    '"fe80::1%eth0"',
    '""',
  ])('of %s is refused', (network) => {
    expect(faultIn(open(`allow: [10.0.0.0/8, ${network}]`))).toMatch(
      /^listeners\.yaml:1: \[0\]\.allow\[1\] .* is not a network/,
    );
  });
});

describe('what others can reach wants access control', () => {
  test.each([
    ['an allow-list', 'allow: [10.0.0.0/8]'],
    ['an allow-list of IPv4 and IPv6', 'allow: [0.0.0.0/1, 192.0.0.0/2, "2001:db8::/32", "8000::/1", "::1"]'],
    ['mutual TLS', 'tls: { certificate: server.crt, key: server.key, clientAuthority: clients.crt }'],
    ['both', 'allow: [0.0.0.0/0], tls: { certificate: server.crt, key: server.key, clientAuthority: clients.crt }'],
  ])('%s is enough', (_, rest) => {
    expect(faultIn(open(rest))).toBeUndefined();
  });

  test.each([
    ['nothing', 'name: ward'],
    ['TLS alone', 'tls: { certificate: server.crt, key: server.key }'],
    ['a list of everybody', 'allow: [10.0.0.0/8, 0.0.0.0/0]'],
    ['a list of everybody on IPv6', 'allow: ["::/0"]'],
    ['a list of both halves', 'allow: [0.0.0.0/1, 128.0.0.0/1]'],
    ['a list of the whole in more pieces', 'allow: [128.0.0.0/2, 10.0.0.0/8, 192.0.0.0/2, 0.0.0.0/1]'],
    ['a list of both halves of IPv6', 'allow: ["::/1", "8000::/1"]'],
    ['a list of the half of IPv6 that IPv4 is in', 'allow: ["::/1"]'],
    ['a list of every mapped IPv4 address', 'allow: ["::ffff:0.0.0.0/96"]'],
  ])('%s is not', (_, rest) => {
    expect(faultIn(open(rest))).toBe(
      'listeners.yaml:1: [0].host 0.0.0.0 is not a loopback address: that takes allow, or tls with clientAuthority',
    );
  });

  test.each(['127.0.0.1', '127.0.0.9', '"::1"', 'localhost'])('%s is reached by nobody else', (host) => {
    expect(faultIn(`- { port: 1, host: ${host} }`)).toBeUndefined();
  });
});

describe('an error names file, line and key', () => {
  test.each<[string, string, string]>([
    ['a key that is not there', '- port: 1\n- port: 2\n  prot: 3', "listeners.yaml:2: [1] has no key 'prot'"],
    ['no port', '- name: ward', "listeners.yaml:1: [0] must have required property 'port'"],
    ['a port that is none', '- name: a\n  port: 70000', 'listeners.yaml:2: [0].port must be <= 65535'],
    ['a limit that is no number', '- port: 1\n  idleMs: 10 s', 'listeners.yaml:2: [0].idleMs must be integer'],
    [
      'TLS without a key',
      '- port: 1\n  tls: { certificate: a }',
      "listeners.yaml:2: [0].tls must have required property 'key'",
    ],
    ['no list', 'port: 1', 'listeners.yaml:1: must be array'],
    ['an empty list', '[]', 'listeners.yaml:1: must NOT have fewer than 1 items'],
    ['no YAML', '- port: [1', 'listeners.yaml:1: is not YAML (BAD_INDENT)'],
    [
      'a character set that nobody knows',
      '- port: 1\n  charset: KOI9',
      "listeners.yaml:2: [0].charset 'KOI9' is not a known character set",
    ],
    ['a port twice', '- port: 1\n- port: 1', 'listeners.yaml:2: [1].port 1 is there twice'],
    ['a name twice', '- { port: 1, name: a }\n- { port: 2, name: a }', "listeners.yaml:2: [1].name 'a' is there twice"],
    [
      'a file that is not there',
      '- port: 1\n  tls:\n    certificate: none.crt\n    key: server.key',
      'listeners.yaml:3: [0].tls.certificate none.crt cannot be read (ENOENT)',
    ],
    [
      'a file that is no certificate',
      '- port: 1\n  tls:\n    certificate: server.crt\n    key: server.key\n    clientAuthority: broken.crt',
      'listeners.yaml:5: [0].tls.clientAuthority broken.crt is not sound (ERR_OSSL_PEM_NO_START_LINE)',
    ],
    [
      'a key that is none',
      '- port: 1\n  tls:\n    certificate: server.crt\n    key: broken.crt',
      'listeners.yaml:4: [0].tls.key broken.crt is not sound (ERR_OSSL_UNSUPPORTED)',
    ],
    [
      'a key of another certificate',
      '- port: 1\n  tls:\n    certificate: server.crt\n    key: other.key',
      'listeners.yaml:4: [0].tls.key other.key is not sound (ERR_OSSL_X509_KEY_VALUES_MISMATCH)',
    ],
  ])('%s', (_, yaml, fault) => {
    expect(faultIn(yaml)).toBe(fault);
  });

  test('all that is wrong with the shape at once', () => {
    expect(faultIn('- port: x\n- port: 2\n  idleMs: 1')?.split('\n')).toHaveLength(2);
  });

  test('port 0 picks a free one each time', () => {
    expect(faultIn('- port: 0\n- port: 0')).toBeUndefined();
  });
});

describe('the configuration', () => {
  test('without LISTENERS has the one listener of MLLP_PORT, HOST and SITE', () => {
    const config = readConfig({
      MLLP_PORT: '2600',
      HOST: '::1',
      SITE: 'renhe',
      FRAME_BYTES_MAX: '5000',
      CONNECTIONS_MAX: '7',
    });
    expect(listenersOf(config)).toMatchObject([
      {
        host: '::1',
        port: 2600,
        site: 'renhe',
        tls: undefined,
        allow: undefined,
        frameBytesMax: 5000,
        connectionsMax: 7,
        connectionsPerAddressMax: 7,
      },
    ]);
  });

  test('with LISTENERS has those of the file, and what they do not say from the environment', () => {
    const file = join(folder.path, 'two.yaml');
    writeFileSync(file, '- { port: 1, site: other }\n- { port: 2, connectionsMax: 3 }');
    const config = readConfig({ LISTENERS: file, SITE: 'renhe', CONNECTIONS_MAX: '7' });
    expect(listenersOf(config)).toMatchObject([
      { port: 1, site: 'other', connectionsMax: 7 },
      { port: 2, site: 'renhe', connectionsMax: 3, connectionsPerAddressMax: 3 },
    ]);
  });

  test.each<[string, Record<string, string>, RegExp[]]>([
    [
      'SUBSCRIBER_NETWORKS',
      { SUBSCRIBER_NETWORKS: '10.0.0.0/8,garbage' },
      [/^SUBSCRIBER_NETWORKS: 'garbage' is not a net/],
    ],
    ['STORE_URL', { STORE_URL: 'postgres://a:secret@[/db' }, [/^STORE_URL: is sqlite:PATH or postgres:/]],
    [
      'several variables',
      {
        HTTP_PORT: '70000',
        TIME_ZONE: 'Mars',
        LOG_LEVEL: 'loud',
        HOST: '0.0.0.0',
        MLLP_PORT: 'x',
        CHARSET_DEFAULT: 'K',
      },
      [
        /^MLLP_PORT: must match/,
        /^LOG_LEVEL: must be equal/,
        /^HOST: 0\.0\.0\.0 is not a loopback address/,
        /^HTTP_PORT: 70000 is not a port$/,
        /^TIME_ZONE: 'Mars' is not/,
        /^CHARSET_DEFAULT: 'K' is not/,
      ],
    ],
  ])('with a wrong value has a line for each: %s', (_, env, lines) => {
    let said: unknown;
    try {
      readConfig(env);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      said = (error as Error).message.split('\n');
    }
    expect(said).toEqual(lines.map((it) => expect.stringMatching(it)));
    expect(String(said)).not.toContain('secret');
  });

  test('whose LISTENERS file is not there says so', () => {
    expect(() => readConfig({ LISTENERS: '/nowhere/listeners.yaml' })).toThrow(
      new ConfigError('LISTENERS: /nowhere/listeners.yaml cannot be read (ENOENT)'),
    );
  });

  test('never opens a listener to others without saying who they are', () => {
    expect(() => listenersOf({ ...readConfig({}), host: '0.0.0.0' })).toThrow(/^HOST: 0\.0\.0\.0 is not a loopback/);
  });
});
