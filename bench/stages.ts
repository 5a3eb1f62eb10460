/** What applies a discharge, wired as in the server: received, applied, followed up; the commit rings care. */
import { parseProtocol } from '../src/care/protocol.ts';
import { careStage } from '../src/care/stage.ts';
import { systemClock } from '../src/clock.ts';
import { Commit } from '../src/commit/commit.ts';
import type { SearchParameters } from '../src/fhir/search/parameters.ts';
import { randomIds } from '../src/ids.ts';
import { ingestStage } from '../src/ingest/stage.ts';
import { receiver } from '../src/journal/receive.ts';
import { Mapping } from '../src/mapping/map.ts';
import { readMappings } from '../src/mapping/read.ts';
import { readProfiles } from '../src/profiles.ts';
import { InProcessQueue } from '../src/queue/in-process.ts';
import type { Store } from '../src/store/store.ts';
import { notMade, zone } from './support.ts';

export interface Stages {
  /** Keeps messages. */
  receive(messages: readonly Uint8Array[]): Promise<void>;
  /** Applies what waits, with all that follows. */
  applied(): Promise<void>;
}

/** Reads mapping and protocols once; for each store the stages on it, begun: what waits at the start is applied one by one. */
export function stages(): (on: { store: Store; parameters: SearchParameters }) => Promise<Stages> {
  const site = { mapping: new Mapping(readMappings('mappings')), settings: {}, version: 'bench' };
  const protocols = readProfiles('profiles')
    .filter((it) => it.resourceType === 'PlanDefinition')
    .map(parseProtocol);
  return async ({ store, parameters }) => {
    const queue = new InProcessQueue((_, error) => {
      throw error;
    });
    const clock = systemClock;
    const commit = new Commit(store, parameters, clock, () => queue.ring({ kind: 'care', id: 'changes' }));
    const common = { store, commit, parameters, zone, clock };
    const mappingOf = () => site;
    const { receive } = receiver({
      store,
      mappingOf,
      zone,
      clock,
      ids: randomIds,
      givenUp: () => {},
      charsetDefault: 'utf-8',
      kept: () => {},
    });
    queue.handle(
      'ingest',
      ingestStage({ ...common, mappingOf }, () => {}),
    );
    queue.handle('care', careStage({ ...common, protocols, notMade }));
    queue.start();
    const applied = async (): Promise<void> => {
      queue.ring({ kind: 'ingest', id: 'journal' });
      await queue.idle();
    };
    await applied();
    const origin = { listener: 'mllp:2575', peer: '127.0.0.1' };
    return {
      applied,
      receive: async (messages) => void (await Promise.all(messages.map((bytes) => receive(bytes, origin)))),
    };
  };
}
