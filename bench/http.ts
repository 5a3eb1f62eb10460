/** The REST API over HTTP at 1, 8 and 64 connections, against a bare server and the bare driver, on each database. */

import { isDeepStrictEqual } from 'node:util';
import { keyOf } from '../src/commit/commit.ts';
import type { StoredResource } from '../src/fhir/types.ts';
import type { Key } from '../src/store/store.ts';
import type { BenchDatabase } from './floors/database.ts';
import { benchDatabases, openOurs } from './floors/databases.ts';
import type { FloorSettings } from './floors/server.ts';
import { type Case, cases, type OtherServers, readsMax } from './http/cases.ts';
import { ask, drive, generatorLoad } from './http/generator.ts';
import { type Running, settle, startFloor, startOurs } from './http/processes.ts';
import { discharge, patient } from './http/resources.ts';
import { alternate, type Row } from './support.ts';

const connectionCounts = [1, 8, 64];
/** The figures of other servers are of so many connections. */
const comparedConnections = 8;

export interface HttpSize {
  /** Patients in the database before the first request. */
  readonly patients: number;
  readonly rounds: number;
  readonly roundMs: number;
}

/** A row that may stand beside the figures of other servers. */
export interface HttpRow extends Row {
  readonly others?: OtherServers;
}

type Progress = (text: string) => void;

export async function http(size: HttpSize, progress: Progress): Promise<HttpRow[]> {
  const rows: HttpRow[] = [];
  for (const database of benchDatabases()) rows.push(...(await onDatabase(database, size, progress)));
  progress(`the load generator was at most ${Math.round(generatorLoad() * 100)} % busy: near 100 it measures itself`);
  return rows;
}

async function onDatabase(database: BenchDatabase, size: HttpSize, progress: Progress): Promise<HttpRow[]> {
  const url = await database.create();
  progress(`${database.name}: ${size.patients.toLocaleString('en')} patients`);
  const settings = await prepare(database, url, size.patients);
  await database.tidy(url);
  const copy = await database.copy(url);
  await database.tidy(copy);
  const ours = await startOurs(url);
  const floor = await startFloor({ ...settings, url: copy, base: `${ours.origin}/fhir` });
  const rows: HttpRow[] = [];
  for (const one of cases(size.patients)) {
    if (!one.writes) await assertSame(one, ours, floor);
    for (const connections of connectionCounts) {
      const what = `${one.what}, ${connections} connection${connections > 1 ? 's' : ''}, ${database.name}`;
      progress(what);
      rows.push(await measure(what, one, connections, { ours, floor, size }));
    }
  }
  await Promise.all([ours.stop(), floor.stop()]);
  for (const it of [url, copy]) await database.drop(it);
  return rows;
}

/** Numbers of requests over all rounds: no write gets one twice. */
let served = 0;

interface Setting {
  readonly ours: Running;
  readonly floor: Running;
  readonly size: HttpSize;
}

async function measure(what: string, one: Case, connections: number, { ours, floor, size }: Setting): Promise<HttpRow> {
  const load = async ({ origin }: Running): Promise<{ ms: number; count: number }> => {
    const before = served;
    const ms = await drive(origin, connections, size.roundMs, () => one.request(served++));
    return { ms, count: served - before };
  };
  const times = await alternate(
    size.rounds,
    async () => {
      const { ms, count } = await load(ours);
      return one.writes ? ms + (await settle(ours.origin)) / count : ms;
    },
    async () => {
      if (one.floor === 'handler') return (await load(floor)).ms;
      const path = `/driver?connections=${connections}&ms=${size.roundMs}`;
      return (await ask(floor.origin, { method: 'POST', path, status: 200 })).ms;
    },
  );
  return {
    what,
    unit: 'requests/s',
    ours: 1000 / times.ours,
    floor: 1000 / times.floor,
    ratio: times.floor / times.ours,
    promise: one.promise,
    ...(connections === comparedConnections && { others: one.others }),
  };
}

/** Patients to read and search for; creates and transactions of our server, whose rows the floor writes again. */
async function prepare(
  database: BenchDatabase,
  url: string,
  patients: number,
): Promise<Omit<FloorSettings, 'url' | 'base'>> {
  const { store, commit } = await openOurs(database, url);
  for (let from = 0; from < patients; from += 1000) {
    const intentions = Array.from({ length: Math.min(1000, patients - from) }, (_, i) => {
      const resource = { ...patient(from + i, patients), id: `p${from + i}` } as StoredResource;
      return { kind: 'put' as const, resource };
    });
    await commit.run({ cause: 'system:bench', keys: intentions.map(keyOf), decide: () => ({ intentions }) });
  }
  await store.close();
  const { origin, stop } = await startOurs(url);
  const post = async (path: string, body: unknown, status: number): Promise<any> =>
    ask(origin, { method: 'POST', path, body: JSON.stringify(body), status });
  const creates: Key[] = [];
  for (let i = 0; i < 200; i++) {
    const { id } = await post('/fhir/Patient', patient(patients + served++, patients), 201);
    creates.push({ type: 'Patient', id });
  }
  const transactions: Key[][] = [];
  for (let i = 0; i < 50; i++) {
    const { entry } = await post('/fhir', discharge(patients + served++, patients), 200);
    transactions.push(entry.map((it: { response: { location: string } }) => keyAt(it.response.location)));
  }
  await settle(origin);
  await stop();
  const reads = Array.from({ length: Math.min(readsMax, patients) }, (_, i) => `p${i}`);
  return { database: database.name, reads, creates, transactions };
}

/** `…/Patient/1/_history/1` ─▶ the resource. */
function keyAt(location: string): Key {
  const [type, id] = location.split('/').slice(-4) as [string, string];
  return { type, id };
}

/** The floor must do the same work: what it answers is what we answer. */
async function assertSame(one: Case, ours: Running, floor: Running): Promise<void> {
  for (const n of [0, 1, 2, 3, 500]) {
    const exchange = one.request(n);
    const [a, b] = [await ask(ours.origin, exchange), await ask(floor.origin, exchange)];
    if (!isDeepStrictEqual(withoutPlace(a), withoutPlace(b)))
      throw new Error(`the floor answers otherwise: ${exchange.path}`);
    if (one.what.startsWith('search') && !a.entry?.length) throw new Error(`nothing found: ${exchange.path}`);
  }
}

/** Only where the next page begins may differ, and the instant in that link does. */
function withoutPlace(answer: any): unknown {
  const link = answer.link?.map((it: { relation: string; url: string }) => ({
    ...it,
    url: it.url.replace(/_page=.*/, ''),
  }));
  return { ...answer, link };
}
