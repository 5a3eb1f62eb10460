/** Messages of one hospital, and what they leave when they come in an order. */
import { expect } from '@jest/globals';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { parseProtocol } from '../../src/care/protocol.ts';
import { careStage } from '../../src/care/stage.ts';
import { FixedClock } from '../../src/clock.ts';
import { Commit } from '../../src/commit/commit.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import type { Json } from '../../src/fhir/types.ts';
import { Zone } from '../../src/fhir/zone.ts';
import { ingestStage } from '../../src/ingest/stage.ts';
import { Mapping } from '../../src/mapping/map.ts';
import { readMappings } from '../../src/mapping/read.ts';
import { readProfiles } from '../../src/profiles.ts';
import { received } from './received.ts';

const zone = new Zone('Asia/Shanghai');
const parameters = new SearchParameters(zone);
const site = { mapping: new Mapping(readMappings('mappings')), settings: {}, version: 'v' };
const protocols = readProfiles('profiles')
  .filter((it) => it.resourceType === 'PlanDefinition')
  .map(parseProtocol);

/** The nth event: its header, EVN an hour after the one before, and segments. */
export function event(n: number, type: string, ...segments: readonly string[]): string {
  const at = `202603${String(10 + Math.floor(n / 24)).padStart(2, '0')}${String(n % 24).padStart(2, '0')}0000`;
  const [name, trigger] = type.split('^') as [string, string];
  const evn = name === 'ADT' ? [`EVN|${trigger}|${at}`] : [];
  return [`MSH|^~\\&|HIS|RENHE|||${at}||${type}|M${n}|P|2.5.1`, ...evn, ...segments, ''].join('\r');
}

export const person = (id: string, rest = ''): string => `PID|1||${id}^^^RENHE^MR||Doe^Jane${rest}`;
export const visit = (id: string, fields: Readonly<Record<number, string>> = {}): string => {
  const pv1 = Array.from({ length: 46 }, () => '');
  Object.assign(pv1, {
    0: 'PV1',
    1: '1',
    2: 'I',
    7: 'D012^Li^Min',
    19: `${id}^^^RENHE^VN`,
    44: '20260309080000',
    ...fields,
  });
  return pv1.join('|').replace(/\|+$/, '');
};
export const discharged = (at: string): Readonly<Record<number, string>> => ({ 36: '01', 45: at });

const notMade = (_: unknown, error: unknown): never => {
  throw error;
};

/** What a hospital's messages leave, sent in the order given; the care stage runs after each. */
export async function left(messages: readonly string[]): Promise<{ resources: Json; tasks: unknown[] }> {
  const store = new SqliteStore(':memory:');
  const clock = new FixedClock('2026-03-12T02:31:00Z');
  const commit = new Commit(store, parameters, clock);
  const ingest = ingestStage({ store, commit, parameters, mappingOf: () => site, zone, clock }, () => {});
  const care = careStage({ store, commit, parameters, protocols, zone, clock, notMade });
  for (const text of messages) {
    await store.keep(received(text, clock.now()));
    await ingest();
    await care();
  }
  const counts = await store.messageCounts();
  expect(Object.keys(counts).filter((it) => !['applied', 'stale', 'duplicate'].includes(it))).toEqual([]);
  const names = new Set((await store.history({ limit: 100_000 })).map(({ type, id }) => `${type}/${id}`));
  const resources: Json = {};
  const tasks: Json[] = [];
  for (const name of [...names].sort()) {
    const [type, id] = name.split('/') as [string, string];
    const { json, cause } = (await store.read({ type, id })) as { json: string; cause: string };
    const { meta, ...resource } = JSON.parse(json) as Json;
    if (type === 'Task' && ['requested', 'ready'].includes(resource.status)) tasks.push(resource);
    if (['MessageHeader', 'Provenance'].includes(type) || (await isCare(store, type, id, cause))) continue;
    resources[name] = resource;
  }
  await store.close();
  return { resources, tasks: tasks.map(essence).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
}

/** Written first by the care stage: its plans are numbered in the order in which it saw discharges. */
async function isCare(store: SqliteStore, type: string, id: string, cause: string): Promise<boolean> {
  return cause.startsWith('plan:') || ((await store.readVersion({ type, id }, 1))?.cause.startsWith('plan:') ?? false);
}

/** What somebody has to do, when, and for whom. */
function essence({ code, status, for: patient, encounter, executionPeriod, description }: Json): unknown {
  return { code, status, patient: patient?.reference, encounter: encounter?.reference, executionPeriod, description };
}
