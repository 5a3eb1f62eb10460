/** The wiring: the only file that knows everybody. Starts from the store up to the listeners, stops the other way round. */
import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { MllpListener } from '../adapters/mllp/listener.ts';
import { RestHookChannel } from '../adapters/rest-hook/channel.ts';
import { SqliteStore } from '../adapters/sqlite/store.ts';
import { parseProtocol } from './care/protocol.ts';
import { careStage } from './care/stage.ts';
import { type Clock, systemClock } from './clock.ts';
import { Commit } from './commit/commit.ts';
import { type Config, isLoopback } from './config.ts';
import { SearchParameters } from './fhir/search/parameters.ts';
import { parseQuery } from './fhir/search/query.ts';
import { warm } from './fhir/validate.ts';
import { type Ids, randomIds } from './ids.ts';
import { indexingStage, startIndexing } from './indexing/stage.ts';
import { ingestStage } from './ingest/stage.ts';
import { receiver } from './journal/receive.ts';
import { Mapping } from './mapping/map.ts';
import { readMappings } from './mapping/read.ts';
import { mappingVersion } from './mapping/version.ts';
import { describeError, Observer } from './observe.ts';
import { publishProfiles, readProfiles } from './profiles.ts';
import { InProcessQueue } from './queue/in-process.ts';
import type { Queue } from './queue/queue.ts';
import { Canonicals } from './rest/canonicals.ts';
import { pageLinkMs } from './rest/page-link.ts';
import { httpServer } from './rest/server.ts';
import type { Store } from './store/store.ts';
import { deliveryStage } from './subscriptions/deliver.ts';
import { subscriptionStage } from './subscriptions/stage.ts';
import { isTopic, parseTopic } from './subscriptions/topic.ts';

/** What a running server offers to its process. */
export interface App {
  /** `http://127.0.0.1:8080/fhir`. */
  readonly http: string;
  /** `mllp://127.0.0.1:2575`. */
  readonly mllp: string;
  readonly store: Store;
  readonly queue: Queue;
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
  const mappingFolder = root('mappings');
  const mapping = new Mapping(readMappings(mappingFolder, config.site));
  const version = mappingVersion(mappingFolder, config.site);
  const profiles = readProfiles(root('profiles'));
  const parameters = new SearchParameters(config.zone, () => `${base()}/`);
  const store = await openStore(config.storeUrl);
  const queue = new InProcessQueue(({ kind }, error) =>
    observer.note({ event: 'job-failed', kind, error: describeError(error) }),
  );
  const ringStages = (): void => {
    for (const kind of ['care', 'subscriptions', 'indexing']) queue.ring({ kind, id: 'changes' });
  };
  const commit = new Commit(store, parameters, clock, ringStages);

  const channel = new RestHookChannel({ networks: config.subscriberNetworks, loopback: isLoopback(config.host) });
  const topics = profiles.filter(isTopic).map((basic) => parseTopic(basic, parameters));
  const subscriptions = { parameters, topics, channels: new Map([['rest-hook', channel]]) };
  const protocols = profiles.filter((it) => it.resourceType === 'PlanDefinition').map(parseProtocol);
  const { zone } = config;

  let http: Server | undefined;
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
  queue.handle(
    'ingest',
    ingestStage({ store, commit, mapping, mappingVersion: version, zone, clock }, (state) =>
      observer.note({ event: 'message-applied', state }),
    ),
  );
  queue.handle('care', careStage({ store, commit, parameters, protocols, zone, clock }));
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
    const rows = await store.sweep(clock.now() - 2 * pageLinkMs);
    if (rows > 0) observer.note({ event: 'swept', rows });
    return { againMs: sweepMs };
  });

  const { receive, refuse } = receiver({
    store,
    mapping,
    zone,
    clock,
    ids,
    charsetDefault: config.charsetDefault,
    kept: (state) => {
      observer.note({ event: 'message-kept', state });
      queue.ring({ kind: 'ingest', id: 'journal' });
    },
  });
  observer.gauge('aftercare_messages', 'Messages in the journal by state', () => store.messageCounts(), 'state');

  const mllp = new MllpListener({
    host: config.host,
    port: config.mllpPort,
    frameBytesMax: config.frameBytesMax,
    connectionsMax: config.connectionsMax,
    incompleteMs: 30_000,
    idleMs: 600_000,
    receive,
    refuse,
    failed: (error) => observer.note({ event: 'message-not-kept', error: describeError(error) }),
  });
  try {
    await startIndexing(indexing);
    await publishProfiles(profiles, commit);
    http = httpServer({
      store,
      commit,
      parameters,
      canonicals: new Canonicals(store, parameters, profiles),
      ids,
      clock,
      subscriptions,
      base,
      bodyBytesMax: config.bodyBytesMax,
      receive,
      ready: async () => void (await store.head()),
      metrics: async () => ({ type: observer.registry.contentType, text: await observer.registry.metrics() }),
      served: (request) => observer.request(request),
      failed: (error) => observer.note({ event: 'request-failed', error: describeError(error) }),
    });
    await listen(http, config.host, config.httpPort);
    address = `http://${hostOf(config.host)}:${portOf(http)}/fhir`;
    await mllp.listen();
  } catch (error) {
    http?.close();
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
  const addresses = { http: base(), mllp: `mllp://${hostOf(config.host)}:${mllp.port}` };
  observer.note({ event: 'started', ...addresses, ms: Math.round(performance.now() - begun) });

  const server = http;
  return {
    ...addresses,
    store,
    queue,
    async stop() {
      await mllp.stop();
      await closed(server);
      // A delivery under way is cut off, not waited for: it will be made again.
      const stopped = queue.stop();
      await channel.close();
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

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
