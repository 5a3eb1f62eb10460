/** rest-hook: notifications by HTTP. Refuses endpoints that a subscriber has no business to make this server call. */
import { lookup } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import type { Agent } from 'undici';
import type { Channel, DeliveryOutcome, Notification } from '../../src/subscriptions/channel.ts';

export interface RestHookOptions {
  /** CIDR networks that may be called besides public https: `10.1.0.0/16`. */
  readonly networks: readonly string[];
  /** Plain http to loopback is allowed: the server itself listens on loopback only. */
  readonly loopback: boolean;
}

/** Addresses that are not public (RFC 6890 and the cloud metadata address among them). */
const privateNetworks = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  'fec0::/10',
  '2001::/32',
  '2002::/16',
];

/** @throws Error for what is not a network */
function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(network) ?? [];
    const version = isIP(address);
    if (version === 0 || Number(bits ?? 0) > (version === 4 ? 32 : 128))
      throw new Error(`'${network}' is not a network such as 10.1.0.0/16`);
    list.addSubnet(
      address,
      bits === undefined ? (version === 4 ? 32 : 128) : Number(bits),
      version === 4 ? 'ipv4' : 'ipv6',
    );
  }
  return list;
}

/** Answers of at most this size are read and thrown away; bytes. */
const answerBytesMax = 65_536;

export class RestHookChannel implements Channel {
  readonly #listed: BlockList;
  readonly #private = blockList(privateNetworks);
  readonly #loopbackList = blockList(['127.0.0.0/8', '::1/128']);
  readonly #loopback: boolean;
  #agent: Agent | undefined;
  #isClosed = false;

  constructor({ networks, loopback }: RestHookOptions) {
    this.#listed = blockList(networks);
    this.#loopback = loopback;
  }

  /** @param undici loaded by the first notification: a server that nobody subscribes to does not need its 5 MB */
  #agentOf({ Agent }: typeof import('undici')): Agent {
    // The address is checked when the connection is made: a name that resolves to another address later is caught too.
    this.#agent ??= new Agent({
      maxResponseSize: answerBytesMax,
      connect: {
        lookup: (name, options, callback) => {
          lookup(name, options, (error, address, family) => {
            const addresses = Array.isArray(address) ? address.map((it) => it.address) : [address];
            const refused = !error && addresses.some((it) => !this.#mayCall(it, true) && !this.#mayCall(it, false));
            callback(
              refused
                ? Object.assign(new Error('the address is not allowed'), {
                    code: 'the address of the endpoint is not allowed',
                  })
                : error,
              address as string,
              family as number,
            );
          });
        },
      },
    });
    return this.#agent;
  }

  #mayCall(address: string, tls: boolean): boolean {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (this.#listed.check(address, family)) return true;
    if (this.#loopback && this.#loopbackList.check(address, family)) return true;
    return tls && !this.#private.check(address, family);
  }

  refuses(endpoint: string): string | undefined {
    const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
    if (!url || !['http:', 'https:'].includes(url.protocol)) return 'the endpoint is not an http or https URL';
    if (url.username || url.password) return 'the endpoint must not hold credentials: use channel.header';
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const tls = url.protocol === 'https:';
    if (host === 'localhost')
      return this.#mayCall('127.0.0.1', tls) ? undefined : 'this server does not call loopback addresses';
    if (isIP(host) !== 0)
      return this.#mayCall(host, tls) ? undefined : 'this server does not call that address: see SUBSCRIBER_NETWORKS';
    return tls ? undefined : 'plain http goes only to networks in SUBSCRIBER_NETWORKS, by address';
  }

  async deliver({ method, url, headers, contentType, body, timeoutMs }: Notification): Promise<DeliveryOutcome> {
    // A flat list: a header that the subscription gives twice is sent twice.
    const all = headers.flatMap((it) => [it.slice(0, it.indexOf(':')), it.slice(it.indexOf(':') + 1).trim()]);
    if (contentType) all.push('content-type', contentType);
    const undici = await import('undici');
    if (this.#isClosed) return { kind: 'try-again', reason: 'closed' };
    try {
      const answer = await undici.request(url, {
        method,
        headers: all,
        body: body || null,
        dispatcher: this.#agentOf(undici),
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        signal: AbortSignal.timeout(timeoutMs),
      });
      await answer.body.dump({ limit: answerBytesMax });
      return outcomeOf(answer.statusCode);
    } catch (error) {
      return { kind: 'try-again', reason: reasonOf(error) };
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#agent?.destroy();
  }
}

function outcomeOf(status: number): DeliveryOutcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const reason = `the endpoint answered ${status}`;
  // RFC 9110: these say "not now"; the other 4xx say that the same request will never do, a redirect that it is elsewhere.
  const passing = status >= 500 || [408, 425, 429].includes(status);
  return { kind: passing ? 'try-again' : 'permanent', reason };
}

/** The kind of failure, without the URL: that may hold a secret. */
function reasonOf(error: unknown): string {
  const { code, name } = error as Error & { code?: unknown };
  if (name === 'TimeoutError') return 'timeout';
  return typeof code === 'string' ? code : name;
}
