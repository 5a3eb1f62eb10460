/** The file that `LISTENERS` names ─▶ one typed object for each MLLP listener, checked. Every limit carries its unit in its name. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { Ajv } from 'ajv';
import { LineCounter, parseDocument } from 'yaml';
import { type Charset, charsetOf } from './hl7v2/charset.ts';

/** What is wrong with the environment or a file that it names, a line for each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** PEM files, absolute paths. */
export interface TlsConfig {
  readonly certificate: string;
  readonly key: string;
  /** Mutual TLS: only who has a certificate of these authorities may connect. */
  readonly clientAuthority: string | undefined;
}

export interface ListenerConfig {
  /** In the journal and the metrics; `mllp:PORT` when there is none. */
  readonly name: string | undefined;
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** The mapping overrides of `mappings/sites/NAME.yaml`. */
  readonly site: string | undefined;
  /** The character set when MSH-18 is empty; the one of the server when there is none. */
  readonly charset: Charset | undefined;
  readonly tls: TlsConfig | undefined;
  /** Who may connect; everybody who can reach the port when there is none. */
  readonly allow: BlockList | undefined;
  readonly frameBytesMax: number;
  readonly waitingBytesMax: number;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly idleMs: number;
  readonly incompleteMs: number;
  readonly applicationMs: number;
}

/** What a listener has that does not say otherwise. */
export type ListenerDefaults = Pick<ListenerConfig, 'host' | 'port' | 'site' | 'frameBytesMax' | 'connectionsMax'>;

type Limit =
  | 'frameBytesMax'
  | 'waitingBytesMax'
  | 'connectionsMax'
  | 'connectionsPerAddressMax'
  | 'idleMs'
  | 'incompleteMs'
  | 'applicationMs';

/** A listener as it is written. */
interface Written extends Partial<Pick<ListenerConfig, Limit>> {
  readonly port: number;
  readonly name?: string;
  readonly host?: string;
  readonly site?: string;
  readonly charset?: string;
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientAuthority?: string };
  readonly allow?: readonly string[];
}

type Keys = readonly (string | number)[];

/** Says no, at a place of the file. */
type Refuse = (keys: Keys, text: string) => never;

const bytes = { type: 'integer', minimum: 100, maximum: 2_000_000_000 };
const ms = { type: 'integer', minimum: 10, maximum: 86_400_000 };
const count = { type: 'integer', minimum: 1, maximum: 99_999 };
const path = { type: 'string', minLength: 1 };
const schema = {
  type: 'array',
  minItems: 1,
  maxItems: 100,
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['port'],
    properties: {
      name: { type: 'string', pattern: '^[A-Za-z0-9_.:-]{1,50}$' },
      port: { type: 'integer', minimum: 0, maximum: 65_535 },
      host: { type: 'string', minLength: 1 },
      site: { type: 'string', pattern: '^[A-Za-z0-9_-]+$' },
      charset: { type: 'string' },
      tls: {
        type: 'object',
        additionalProperties: false,
        required: ['certificate', 'key'],
        properties: { certificate: path, key: path, clientAuthority: path },
      },
      allow: { type: 'array', minItems: 1, maxItems: 1000, items: { type: 'string' } },
      frameBytesMax: bytes,
      waitingBytesMax: bytes,
      connectionsMax: count,
      connectionsPerAddressMax: count,
      idleMs: ms,
      incompleteMs: ms,
      applicationMs: ms,
    },
  },
};

const validate = new Ajv({ allErrors: true, meta: false, validateSchema: false }).compile<Written[]>(schema);

/** `localhost` or an address of this machine that nobody else reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * The listener of a server without a `LISTENERS` file.
 * @throws ConfigError when others could reach it
 */
export function listenerOf(defaults: ListenerDefaults): ListenerConfig {
  return complete({ port: defaults.port }, defaults, '.', (_, text) => {
    throw new ConfigError(`HOST: ${text}`);
  });
}

/**
 * Reads the file.
 * @throws ConfigError with file, line and key: all that is wrong with the shape, else the first of the rest
 */
export function readListeners(file: string, defaults: ListenerDefaults): readonly ListenerConfig[] {
  const { content, at } = parsed(file);
  if (!validate(content)) {
    const faults = (validate.errors ?? []).map(({ instancePath, message, keyword, params }) => {
      const keys = instancePath.split('/').slice(1);
      const unknown = keyword === 'additionalProperties' ? `has no key '${params.additionalProperty}'` : message;
      return at(
        keys.map((it) => (/^\d+$/.test(it) ? Number(it) : it)),
        `${unknown}`,
      );
    });
    throw new ConfigError(faults.join('\n'));
  }
  const refuse: Refuse = (keys, text) => {
    throw new ConfigError(at(keys, text));
  };
  const listeners = content.map((it, i) =>
    complete(it, defaults, dirname(file), (keys, text) => refuse([i, ...keys], text)),
  );
  refuseTwins(listeners, refuse);
  return listeners;
}

/** The content of a YAML file, and how to say where in it something is wrong. */
function parsed(file: string): { content: unknown; at: (keys: Keys, text: string) => string } {
  const lines = new LineCounter();
  const document = parseDocument(bytesOf(file, 'LISTENERS: ').toString(), { lineCounter: lines });
  const [broken] = document.errors;
  if (broken) throw new ConfigError(`${file}:${broken.linePos?.[0].line ?? 1}: is not YAML (${broken.code})`);
  const line = (keys: Keys): number => {
    for (let depth = keys.length; depth > 0; depth--) {
      const node = document.getIn(keys.slice(0, depth), true) as { range?: readonly number[] } | undefined;
      if (node?.range) return lines.linePos(node.range[0] as number).line;
    }
    return 1;
  };
  const named = (keys: Keys): string =>
    keys.map((it, i) => (typeof it === 'number' ? `[${it}]` : i === 0 ? it : `.${it}`)).join('');
  const at = (keys: Keys, text: string): string =>
    [`${file}:${line(keys)}:`, named(keys), text].filter((it) => it !== '').join(' ');
  return { content: document.toJS(), at };
}

function complete(it: Written, defaults: ListenerDefaults, folder: string, refuse: Refuse): ListenerConfig {
  const connectionsMax = it.connectionsMax ?? defaults.connectionsMax;
  const file = (name: string): string => resolve(folder, name);
  const tls = it.tls && {
    certificate: file(it.tls.certificate),
    key: file(it.tls.key),
    clientAuthority: it.tls.clientAuthority === undefined ? undefined : file(it.tls.clientAuthority),
  };
  if (tls) checkTls(tls, refuse);
  const host = it.host ?? defaults.host;
  const allow = it.allow && networksOf(it.allow, refuse);
  // Section 6 of the design: an address that others reach wants access control. A network of everybody is none.
  const controlled = (allow && !allow.everybody) || tls?.clientAuthority !== undefined;
  if (!isLoopback(host) && !controlled)
    refuse(['host'], `${host} is not a loopback address: that takes allow, or tls with clientAuthority`);
  return {
    name: it.name,
    host,
    port: it.port,
    site: it.site ?? defaults.site,
    charset: it.charset === undefined ? undefined : charsetNamed(it.charset, refuse),
    tls,
    allow: allow?.list,
    frameBytesMax: it.frameBytesMax ?? defaults.frameBytesMax,
    waitingBytesMax: it.waitingBytesMax ?? 134_217_728,
    connectionsMax,
    connectionsPerAddressMax: it.connectionsPerAddressMax ?? connectionsMax,
    idleMs: it.idleMs ?? 600_000,
    incompleteMs: it.incompleteMs ?? 60_000,
    applicationMs: it.applicationMs ?? 60_000,
  };
}

function charsetNamed(name: string, refuse: Refuse): Charset {
  return charsetOf(name) ?? refuse(['charset'], `'${name}' is not a known character set`);
}

function refuseTwins(listeners: readonly ListenerConfig[], refuse: Refuse): void {
  const seen = new Set<string>();
  for (const [i, { name, host, port }] of listeners.entries()) {
    if (name !== undefined && seen.has(name)) refuse([i, 'name'], `'${name}' is there twice`);
    const address = `${host} ${port}`;
    if (port !== 0 && seen.has(address)) refuse([i, 'port'], `${port} is there twice`);
    if (name !== undefined) seen.add(name);
    seen.add(address);
  }
}

/** A network: its address without the mask, and how many bits of it count. */
interface Network {
  readonly address: string;
  readonly length: number;
  readonly family: 'ipv4' | 'ipv6';
}

/**
 * A network such as `10.1.0.0/16`, `2001:db8::/32`, or a single address. IPv4 within IPv6 (`::ffff:10.1.0.0/112`) is IPv4.
 * @returns undefined for what is none
 */
export function networkOf(text: string): Network | undefined {
  const [, mapped, address = '', bits] = /^(::ffff:(?=\d+\.))?([^/%]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const version = isIP(address);
  const width = version === 4 ? 32 : 128;
  const length = bits === undefined ? width : Number(bits) - (mapped ? 96 : 0);
  if (version === 0 || (mapped && version === 6) || length < 0 || length > width) return undefined;
  return { address, length, family: version === 4 ? 'ipv4' : 'ipv6' };
}

function networksOf(networks: readonly string[], refuse: Refuse): { list: BlockList; everybody: boolean } {
  const list = new BlockList();
  const prefixes: string[] = [];
  for (const [i, text] of networks.entries()) {
    const network = networkOf(text) ?? refuse(['allow', i], `'${text}' is not a network such as 10.1.0.0/16`);
    list.addSubnet(network.address, network.length, network.family);
    prefixes.push(prefixOf(network));
  }
  return { list, everybody: covers(prefixes, '') || covers(prefixes, ipv4Prefix) };
}

/** IPv4 within IPv6 (`::ffff:0:0/96`), in bits: there a BlockList finds IPv4 addresses too. */
const ipv4Prefix = '0'.repeat(80) + '1'.repeat(16);

/** The bits of a network that count. */
function prefixOf({ address, length, family }: Network): string {
  const bits = (numbers: readonly number[], width: number): string =>
    numbers.map((it) => it.toString(2).padStart(width, '0')).join('');
  if (family === 'ipv4') return ipv4Prefix + bits(address.split('.').map(Number), 8).slice(0, length);
  // An URL has IPv6 in hexadecimal groups, whatever way it was written.
  const [head = [], tail = []] = new URL(`http://[${address}]`).hostname
    .slice(1, -1)
    .split('::')
    .map((part) => (part === '' ? [] : part.split(':').map((it) => Number.parseInt(it, 16))));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  return bits([...head, ...zeros, ...tail], 16).slice(0, length);
}

/** True when the networks together are all of what begins with these bits: two halves allow everybody as the whole does. */
function covers(networks: readonly string[], prefix: string): boolean {
  if (networks.some((it) => prefix.startsWith(it))) return true;
  const within = networks.filter((it) => it.startsWith(prefix));
  return within.length > 0 && covers(within, `${prefix}0`) && covers(within, `${prefix}1`);
}

/** What node:tls takes; PEM. */
export interface Certificates {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
}

/**
 * Reads the files of a listener: at the start, and when they have changed.
 * @throws ConfigError for a file that cannot be read; what is in them, node:tls will say
 */
export function readCertificates({ certificate, key, clientAuthority }: TlsConfig): Certificates {
  return {
    cert: bytesOf(certificate),
    key: bytesOf(key),
    ...(clientAuthority !== undefined && { ca: bytesOf(clientAuthority) }),
  };
}

/** Each file by itself, so that the right one is blamed; then whether certificate and key belong together. */
function checkTls(tls: TlsConfig, refuse: Refuse): void {
  const check = (name: keyof TlsConfig, read: (bytes: Buffer) => unknown): void => {
    const file = tls[name];
    if (file === undefined) return;
    try {
      read(bytesOf(file));
    } catch (error) {
      if (error instanceof ConfigError) refuse(['tls', name], error.message);
      refuse(['tls', name], `${file} is not sound (${(error as NodeJS.ErrnoException).code})`);
    }
  };
  check('certificate', (pem) => new X509Certificate(pem));
  check('clientAuthority', (pem) => new X509Certificate(pem));
  check('key', (pem) => createPrivateKey(pem));
  check('key', () => createSecureContext(readCertificates(tls)));
}

function bytesOf(file: string, variable = ''): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConfigError(`${variable}${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
