/** The wiring: the only file that knows everybody. Starts from the store up to the listeners, stops the other way round. */
import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { RestHookChannel } from '../adapters/rest-hook/channel.ts';
import { SqliteStore } from '../adapters/sqlite/store.ts';
import { adminRouter } from './admin/server.ts';
import { parseProtocol } from './care/protocol.ts';
import { careStage } from './care/stage.ts';
import { type Clock, systemClock } from './clock.ts';
import { Commit } from './commit/commit.ts';
import { type Config, isLoopback, listenersOf } from './config.ts';
import { SearchParameters } from './fhir/search/parameters.ts';
import { parseQuery } from './fhir/search/query.ts';
import { warm } from './fhir/validate.ts';
import { type Ids, randomIds } from './ids.ts';
import { indexingStage, startIndexing } from './indexing/stage.ts';
import { allCodes, CodeAnswers } from './ingest/answers.ts';
import type { IngestParts } from './ingest/apply.ts';
import { ingestStage } from './ingest/stage.ts';
import { type Receive, receiver } from './journal/receive.ts';
import { readMappings } from './mapping/read.ts';
import { type SiteMapping, SiteMappings } from './mapping/site-mappings.ts';
import { mappingVersion } from './mapping/version.ts';
import { MllpListeners } from './mllp.ts';
import { describeError, Observer } from './observe.ts';
import { Sending } from './outbound/send.ts';
import { type OutboundParts, outboundStage, startOutbound } from './outbound/stage.ts';
import { Failure } from './outcome.ts';
import { publishProfiles, questionnairesOf, readProfiles } from './profiles.ts';
import { InProcessQueue } from './queue/in-process.ts';
import type { Queue } from './queue/queue.ts';
import { Canonicals } from './rest/canonicals.ts';
import { pageLinkMs } from './rest/page-link.ts';
import { httpServer } from './rest/server.ts';
import type { Key, Store } from './store/store.ts';
import { deliveryStage } from './subscriptions/deliver.ts';
import { subscriptionStage } from './subscriptions/stage.ts';
import { isTopic, parseTopic } from './subscriptions/topic.ts';

/** What a running server offers to its process. */
export interface App {
  /** `http://127.0.0.1:8080/fhir`. */
  readonly http: string;
  /** `mllp://127.0.0.1:2575`: the first of {@link listeners}. */
  readonly mllp: string;
  /** Every MLLP listener; `mllps:` over TLS. */
  readonly listeners: readonly string[];
  readonly store: Store;
  readonly queue: Queue;
  /** Reads the certificates of the listeners anew. */
  reload(): void;
  /** Refuses what is new, finishes what it took, closes. */
  stop(): Promise<void>;
}

const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** How often the sweep looks for bells that were lost. ms */
const sweepMs = 15_000;

/**
 * Starts a server.
 * @throws MappingError, ConfigError, or what the port or the file says: then nothing is left open
 */
export async function startApp(config: Config, clock: Clock = systemClock, ids: Ids = randomIds): Promise<App> {
  const begun = performance.now();
  const observer = new Observer(config.logLevel);
  const mappingFolder = config.mappings ?? root('mappings');
  const profiles = readProfiles(root('profiles'));
  const questionnaires = questionnairesOf(profiles);
  const mappings = new SiteMappings({
    read: (site) => ({ ...readMappings(mappingFolder, site || undefined), questionnaires }),
    version: (site) => mappingVersion(mappingFolder, site || undefined, questionnaires),
  });
  const mappingOf = (site: string): SiteMapping => mappings.of(site);
  // A mapping that cannot be used stops the start, not the first message.
  for (const { site } of listenersOf(config)) mappingOf(site ?? '');
  const parameters = new SearchParameters(config.zone, () => `${base()}/`);
  const store = await openStore(config.storeUrl);
  const queue = new InProcessQueue(({ kind }, error) =>
    observer.note({ event: 'job-failed', kind, error: describeError(error) }),
  );
  const ringStages = (): void => {
    for (const kind of ['care', 'subscriptions', 'indexing', 'outbound']) queue.ring({ kind, id: 'changes' });
  };
  const commit = new Commit(store, parameters, clock, ringStages);

  const channel = new RestHookChannel({ networks: config.subscriberNetworks, loopback: isLoopback(config.host) });
  const topics = profiles.filter(isTopic).map((basic) => parseTopic(basic, parameters));
  const subscriptions = { parameters, topics, channels: new Map([['rest-hook', channel]]) };
  const protocols = profiles.filter((it) => it.resourceType === 'PlanDefinition').map(parseProtocol);
  const { zone } = config;
  const sites = new Set(listenersOf(config).map(({ site }) => site ?? config.site ?? ''));
  const destinations = [...sites].flatMap((site) => mappingOf(site).destinations ?? []);

  let http: Server | undefined;
  let outbound = { stop: async (): Promise<void> => {} };
  // Asked for with every reference: the socket is asked once it listens.
  let address = `http://${hostOf(config.host)}:${config.httpPort}/fhir`;
  const base = (): string => address;
  const delivery = deliveryStage({
    ...subscriptions,
    store,
    commit,
    clock,
    ids,
    base,
    attempted: (outcome) => observer.note({ event: 'delivery', outcome }),
  });
  const ingest = { store, commit, parameters, mappingOf, zone, clock };
  queue.handle(
    'ingest',
    ingestStage(ingest, (id, state) => {
      observer.note({ event: 'message-applied', state });
      applied(id, state);
    }),
  );
  const notMade = ({ type, id }: Key, error: unknown): void =>
    observer.note({ event: 'plan-not-made', of: `${type}/${id}`, error: describeError(error) });
  queue.handle('care', careStage({ store, commit, parameters, protocols, zone, clock, notMade }));
  queue.handle('subscriptions', subscriptionStage({ ...subscriptions, store, commit, queue, clock }));
  const indexing = {
    store,
    parameters,
    progress: (indexed: { what: string; resources: number }) => observer.note({ event: 'indexed', ...indexed }),
  };
  queue.handle('indexing', indexingStage(indexing));
  queue.handle('handshake', (id) => delivery.handshake(id));
  queue.handle('deliver', (id) => delivery.deliver(id));
  queue.handle('sweep', async () => {
    queue.ring({ kind: 'ingest', id: 'journal' });
    ringStages();
    for (const { name } of destinations) queue.ring({ kind: 'send', id: name });
    const rows = await store.sweep(clock.now() - 2 * pageLinkMs);
    if (rows > 0) observer.note({ event: 'swept', rows });
    return { againMs: sweepMs };
  });

  const { receive, refuse, applied } = receiver({
    store,
    mappingOf,
    zone,
    clock,
    ids,
    charsetDefault: config.charsetDefault,
    kept: (state) => {
      observer.note({ event: 'message-kept', state });
      if (state === 'received') queue.ring({ kind: 'ingest', id: 'journal' });
    },
    givenUp: () => observer.note({ event: 'answer-given-up' }),
  });
  observer.gauge('aftercare_messages', 'Messages in the journal by state', () => store.messageCounts(), 'state');
  const outgoingCounts = () => store.outgoingCounts();
  observer.gauge('aftercare_outgoing_messages', 'Messages to hospitals by state', outgoingCounts, 'state');

  const receiveOverHttp: Receive = async (bytes, { site = config.site ?? '', ...origin }) => {
    if (site !== '' && !sites.has(site)) throw new Failure('not-found', 'no listener of this server has that site');
    return receive(bytes, { ...origin, site });
  };

  let mllp: MllpListeners | undefined;
  try {
    await startIndexing(indexing);
    await publishProfiles(profiles, commit);
    outbound = await openOutbound({ store, commit, queue, parameters, destinations, zone, clock }, observer);
    http = httpServer({
      admin: await openAdmin(ingest, mappings, queue, observer),
      store,
      commit,
      parameters,
      canonicals: new Canonicals(store, parameters, profiles),
      ids,
      clock,
      subscriptions,
      base,
      bodyBytesMax: config.bodyBytesMax,
      receive: receiveOverHttp,
      ready: async () => void (await store.head()),
      metrics: async () => ({ type: observer.registry.contentType, text: await observer.registry.metrics() }),
      served: (request) => observer.request(request),
      failed: (error) => observer.note({ event: 'request-failed', error: describeError(error) }),
    });
    await listen(http, config.host, config.httpPort);
    address = `http://${hostOf(config.host)}:${portOf(http)}/fhir`;
    mllp = new MllpListeners(listenersOf(config), { receive, refuse }, observer);
    await mllp.listen();
  } catch (error) {
    http?.close();
    await mllp?.stop();
    await store.close();
    throw error;
  }
  queue.start();
  queue.ring({ kind: 'sweep', id: 'all' });
  for (const { id } of await unfinished(store, parameters))
    for (const kind of ['handshake', 'deliver']) queue.ring({ kind, id });
  void warm([
    'Patient',
    'Encounter',
    'CarePlan',
    'Task',
    'Appointment',
    'QuestionnaireResponse',
    'Observation',
    'Condition',
    'Provenance',
  ]);
  const [first = '', ...others] = mllp.addresses;
  const addresses = { http: base(), mllp: first };
  observer.note({ event: 'started', ...addresses, ms: Math.round(performance.now() - begun) });

  const [server, listeners] = [http, mllp];
  return {
    ...addresses,
    listeners: [first, ...others],
    store,
    queue,
    reload: () => listeners.reload(),
    async stop() {
      await Promise.all([listeners.stop(), closed(server)]);
      // A delivery under way is cut off, not waited for: it will be made again.
      const stopped = queue.stop();
      await Promise.all([channel.close(), outbound.stop()]);
      await stopped;
      await store.close();
      observer.note({ event: 'stopped' });
    },
  };
}

/** @throws what the file or the database says */
async function openStore(url: string): Promise<Store> {
  if (url.startsWith('sqlite:')) return new SqliteStore(url.slice('sqlite:'.length));
  // Only who uses PostgreSQL loads its driver.
  const { openPostgres } = await import('../adapters/postgres/store.ts');
  return openPostgres(url);
}

/** The operator's API, with the answers to unknown codes: before the first message is applied. */
async function openAdmin(
  ingest: IngestParts,
  mappings: SiteMappings,
  queue: Queue,
  observer: Observer,
): Promise<ReturnType<typeof adminRouter>> {
  const received = (): void => queue.ring({ kind: 'ingest', id: 'journal' });
  const ring = (id: string): void => queue.ring({ kind: 'answers', id });
  const answers = new CodeAnswers({ ...ingest, mappings, ring, received });
  await answers.load();
  queue.handle('answers', answers.stage());
  ring(allCodes);
  const open = async () => ({ open: await answers.countOpen() });
  observer.gauge('aftercare_unknown_codes', 'Codes that no table translates, up to 10,000', open, 'state');
  const failed = (error: unknown): void => observer.note({ event: 'request-failed', error: describeError(error) });
  const send = (id: string): void => queue.ring({ kind: 'send', id });
  return adminRouter({ ...ingest, answers, ring: received, send, done: (it) => observer.note(it) }, failed);
}

/** What tells hospitals; where no site asks for it, nothing is loaded. */
async function openOutbound(
  parts: Omit<OutboundParts, 'notMade'>,
  observer: Observer,
): Promise<{ stop(): Promise<void> }> {
  const { queue, destinations } = parts;
  if (destinations.length === 0) {
    for (const kind of ['outbound', 'send']) queue.handle(kind, async () => undefined);
    return { stop: async () => {} };
  }
  // Only who sends loads the client: it takes 120 MB and 0.2 s.
  const { dialer } = await import('../adapters/hl7-client/dial.ts');
  const sending = new Sending({
    ...parts,
    dial: dialer,
    attempted: (destination, outcome) => {
      const isFailure = outcome === 'refused' || outcome === 'gave-up';
      observer.note({ event: isFailure ? 'outgoing-failed' : 'outgoing', destination, outcome });
    },
  });
  const stage = {
    ...parts,
    notMade: (destination: string, error: unknown) =>
      observer.note({ event: 'outgoing-not-made', destination, error: describeError(error) }),
  };
  await startOutbound(stage);
  queue.handle('outbound', outboundStage(stage));
  queue.handle('send', (id) => sending.deliver(id));
  return sending;
}

/** Subscriptions that may have something to be delivered, or a handshake to be made, from before the start. */
async function unfinished(store: Store, parameters: SearchParameters): Promise<readonly { id: string }[]> {
  const query = parseQuery('Subscription', new URLSearchParams('status=active,requested&_count=1000'), parameters);
  return (await store.search({ query })).hits;
}

function hostOf(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}

/** Requests that a client has begun and not ended are cut off then. ms */
const requestsMs = 15_000;

/** Takes nothing new from now on, and resolves when all requests are answered. */
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), requestsMs);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    server.closeIdleConnections();
  });
}
