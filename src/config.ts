/** Environment ─▶ one typed object, checked. Every limit carries its unit in its name. */
import { Ajv } from 'ajv';
import { Zone } from './fhir/zone.ts';
import { type Charset, charsetOf } from './hl7v2/charset.ts';
import { ConfigError, isLoopback, type ListenerConfig, listenerOf, networkOf, readListeners } from './listeners.ts';

export { ConfigError, isLoopback } from './listeners.ts';

export interface Config {
  readonly host: string;
  /** 0 picks a free port. */
  readonly httpPort: number;
  readonly mllpPort: number;
  /** `sqlite:PATH`, `sqlite::memory:` or `postgres://…`. */
  readonly storeUrl: string;
  readonly zone: Zone;
  /** The mapping overrides of `mappings/sites/NAME.yaml`. */
  readonly site: string | undefined;
  /** The folder of the mapping files; undefined: the one that ships. */
  readonly mappings: string | undefined;
  readonly subscriberNetworks: readonly string[];
  readonly charsetDefault: Charset;
  readonly frameBytesMax: number;
  readonly bodyBytesMax: number;
  readonly connectionsMax: number;
  /** What the file of `LISTENERS` says; see {@link listenersOf}. */
  readonly listeners?: readonly ListenerConfig[];
  readonly logLevel: string;
}

const port = { type: 'string', pattern: '^[0-9]{1,5}$' };
const bytes = { type: 'string', pattern: '^[1-9][0-9]{2,9}$' };
const schema = {
  type: 'object',
  properties: {
    HOST: { type: 'string', minLength: 1 },
    HTTP_PORT: port,
    MLLP_PORT: port,
    STORE_URL: { type: 'string', pattern: '^(sqlite:.+|postgres(ql)?://.+)$' },
    REDIS_URL: { type: 'string', maxLength: 0 },
    SITE: { type: 'string', pattern: '^[A-Za-z0-9_-]*$' },
    MAPPINGS: { type: 'string' },
    TIME_ZONE: { type: 'string' },
    SUBSCRIBER_NETWORKS: { type: 'string' },
    CHARSET_DEFAULT: { type: 'string' },
    FRAME_BYTES_MAX: bytes,
    BODY_BYTES_MAX: bytes,
    CONNECTIONS_MAX: { type: 'string', pattern: '^[1-9][0-9]{0,4}$' },
    LISTENERS: { type: 'string' },
    LOG_LEVEL: { enum: ['trace', 'debug', 'info', 'warn', 'error', 'silent'] },
  },
};

const hints: Record<string, string> = {
  STORE_URL: 'is sqlite:PATH or postgres://USER@HOST:PORT/DATABASE (a FHIR server as the store is not there yet)',
  REDIS_URL: 'the Redis queue is not there yet: leave it unset',
  SITE: 'the name of a file in mappings/sites without its ending',
};

const validate = new Ajv({ allErrors: true, meta: false, validateSchema: false }).compile(schema);

/** @throws ConfigError with a line for each wrong variable */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const lines = new Map<string, string>();
  const wrong = (name: string, text: string): void => void (lines.has(name) || lines.set(name, `${name}: ${text}`));
  if (!validate({ ...env }))
    for (const { instancePath, message } of validate.errors ?? []) {
      const name = instancePath.slice(1);
      wrong(name, hints[name] ?? `${message}`);
    }
  /** What a variable says; undefined when that cannot be used. */
  const read = <T>(
    name: string,
    fallback: string,
    value: (text: string) => T | undefined,
    text: string,
  ): T | undefined => {
    const found = value(env[name] || fallback);
    if (found === undefined)
      wrong(
        name,
        text.replace('%', () => env[name] ?? ''),
      );
    return found;
  };
  const host = read(
    'HOST',
    '127.0.0.1',
    (it) => (isLoopback(it) ? it : undefined),
    '% is not a loopback address, and AUTH is not there yet: without access control the server stays on this machine',
  );
  const httpPort = read('HTTP_PORT', '8080', portOf, '% is not a port');
  const mllpPort = read('MLLP_PORT', '2575', portOf, '% is not a port');
  const storeUrl = read('STORE_URL', 'sqlite:./data/aftercare.db', storeOf, hints.STORE_URL as string);
  const zone = read('TIME_ZONE', 'Asia/Shanghai', zoneOf, "'%' is not an IANA time zone");
  const charsetDefault = read('CHARSET_DEFAULT', 'UTF-8', charsetOf, "'%' is not a known character set");
  const networks = listOf(env.SUBSCRIBER_NETWORKS ?? '');
  for (const it of networks)
    if (!networkOf(it)) wrong('SUBSCRIBER_NETWORKS', `'${it}' is not a network such as 10.1.0.0/16`);
  if (
    lines.size > 0 ||
    !host ||
    httpPort === undefined ||
    mllpPort === undefined ||
    !storeUrl ||
    !zone ||
    !charsetDefault
  )
    throw new ConfigError([...lines.values()].join('\n'));
  const config = {
    host,
    httpPort,
    mllpPort,
    storeUrl,
    zone,
    site: env.SITE || undefined,
    mappings: env.MAPPINGS || undefined,
    subscriberNetworks: networks,
    charsetDefault,
    frameBytesMax: Number(env.FRAME_BYTES_MAX || 33_554_432),
    bodyBytesMax: Number(env.BODY_BYTES_MAX || 33_554_432),
    connectionsMax: Number(env.CONNECTIONS_MAX || 512),
    logLevel: env.LOG_LEVEL || 'info',
  };
  if (!env.LISTENERS) return config;
  return { ...config, listeners: readListeners(env.LISTENERS, { ...config, port: config.mllpPort }) };
}

/** The MLLP listeners: those of the `LISTENERS` file, or the one of `MLLP_PORT`, `HOST` and `SITE`. */
export function listenersOf(config: Config): readonly ListenerConfig[] {
  return config.listeners ?? [listenerOf({ ...config, port: config.mllpPort })];
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((it) => it.trim())
    .filter((it) => it !== '');
}

function portOf(text: string): number | undefined {
  return Number(text) <= 65_535 ? Number(text) : undefined;
}

/** The address of a database as it is, when it can be read as one. Never shown: it may hold a password. */
function storeOf(url: string): string | undefined {
  return url.startsWith('sqlite:') || URL.canParse(url) ? url : undefined;
}

function zoneOf(name: string): Zone | undefined {
  try {
    return new Zone(name);
  } catch {
    return undefined;
  }
}
