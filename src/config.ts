/** Environment ─▶ one typed object, checked. Every limit carries its unit in its name. */
import { Ajv } from 'ajv';
import { Zone } from './fhir/zone.ts';
import { type Charset, charsetOf } from './hl7v2/charset.ts';
import { ConfigError, isLoopback, type ListenerConfig, listenerOf, readListeners } from './listeners.ts';

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

/** @throws ConfigError that names each wrong variable */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  if (!validate({ ...env })) {
    const lines = (validate.errors ?? []).map(({ instancePath, message }) => {
      const name = instancePath.slice(1);
      return `${name}: ${hints[name] ?? message}`;
    });
    throw new ConfigError(lines.join('\n'));
  }
  const host = env.HOST || '127.0.0.1';
  if (!isLoopback(host))
    throw new ConfigError(
      `HOST: ${host} is not a loopback address, and AUTH is not there yet: without access control the server stays on this machine`,
    );
  const charset = env.CHARSET_DEFAULT || 'UTF-8';
  const charsetDefault = charsetOf(charset);
  if (!charsetDefault) throw new ConfigError(`CHARSET_DEFAULT: '${charset}' is not a known character set`);
  const config = {
    host,
    httpPort: portOf('HTTP_PORT', env.HTTP_PORT, 8080),
    mllpPort: portOf('MLLP_PORT', env.MLLP_PORT, 2575),
    storeUrl: env.STORE_URL || 'sqlite:./data/aftercare.db',
    zone: zoneOf(env.TIME_ZONE || 'Asia/Shanghai'),
    site: env.SITE || undefined,
    mappings: env.MAPPINGS || undefined,
    subscriberNetworks: (env.SUBSCRIBER_NETWORKS ?? '')
      .split(',')
      .map((it) => it.trim())
      .filter((it) => it !== ''),
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

function portOf(name: string, text: string | undefined, fallback: number): number {
  const value = text ? Number(text) : fallback;
  if (value > 65_535) throw new ConfigError(`${name}: ${value} is not a port`);
  return value;
}

function zoneOf(name: string): Zone {
  try {
    return new Zone(name);
  } catch {
    throw new ConfigError(`TIME_ZONE: '${name}' is not an IANA time zone`);
  }
}
