/**
 * FHIR clients that write, read and page at the same time, against a server process on either database. What must hold:
 * a read sees what was acknowledged before it; a page run holds no resource twice and misses none that stood all along; of
 * clients who create the same thing on a condition at the same time, one creates.
 */
import { Client } from 'undici';
import { type Random, seeded } from './random.ts';
import { ServerProcess } from './server-process.ts';

export interface RestTortureOptions {
  readonly storeUrl: string;
  readonly seconds: number;
  readonly seed: number;
}

export interface RestTortureReport {
  readonly writes: number;
  readonly pageRuns: number;
  readonly conditionalRounds: number;
}

const parallelCreates = 50;
const standing = 120;

interface Answer {
  readonly status: number;
  readonly body: any;
}

type Call = (method: string, path: string, body?: object, headers?: Record<string, string>) => Promise<Answer>;

/** @throws Error with what does not hold, and the seed */
export async function tortureRest({ storeUrl, seconds, seed }: RestTortureOptions): Promise<RestTortureReport> {
  const server = new ServerProcess(storeUrl);
  const { http } = await server.ready();
  const clients: Client[] = [];
  const connect = (): Call => {
    const client = new Client(new URL(http).origin);
    clients.push(client);
    return (method, path, body, headers) => call(client, method, path, body, headers);
  };
  const random = seeded(seed);
  const report = { writes: 0, pageRuns: 0, conditionalRounds: 0 };
  try {
    await fill(connect());
    const until = Date.now() + seconds * 1000;
    // On a slow machine the time may be over before each kind of work was done once.
    const going = (): boolean => Date.now() < until || Object.values(report).includes(0);
    await Promise.all([
      ...[1, 2, 3].map((n) => readAfterWrite(connect(), `w${n}`, seeded(random.whole(1, 2 ** 31)), going, report)),
      disturb(connect(), seeded(random.whole(1, 2 ** 31)), going),
      ...[7, 23].map((count) => pageThrough(connect(), count, going, report)),
      createTogether(Array.from({ length: parallelCreates }, connect), going, report),
    ]);
    if (server.log !== '') throw new Error(`the server logged errors:\n${server.log.slice(0, 2000)}`);
  } catch (error) {
    throw new Error(`seed ${seed}, ${storeUrl.split(':')[0]}: ${(error as Error).message}`, { cause: error });
  } finally {
    await Promise.all(clients.map((client) => client.destroy()));
    server.kill('SIGTERM');
    await server.exited;
  }
  return report;
}

async function call(
  client: Client,
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await client.request({
    method: method as 'GET',
    path: path.startsWith('/') ? path : `/fhir/${path}`,
    headers: { ...(body && { 'content-type': 'application/fhir+json' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.body.text();
  return { status: response.statusCode, body: text === '' ? undefined : JSON.parse(text) };
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

const tag = { system: 'urn:torture', code: 'paged' };

function paged(id: string, family: string): object {
  return { resourceType: 'Patient', id, meta: { tag: [tag] }, name: [{ family }] };
}

async function fill(send: Call): Promise<void> {
  const entry = Array.from({ length: standing }, (_, i) => ({
    resource: paged(`standing-${i}`, `F${i % 11}`),
    request: { method: 'PUT', url: `Patient/standing-${i}` },
  }));
  const { status } = await send('POST', '/fhir', { resourceType: 'Bundle', type: 'transaction', entry });
  expect(status === 200, `filling was answered with ${status}`);
}

/** Each write is read at once: by id, by version, and by the search for what it changed. */
async function readAfterWrite(
  send: Call,
  id: string,
  random: Random,
  going: () => boolean,
  report: { writes: number },
): Promise<void> {
  let version = 0;
  let alive = false;
  while (going()) {
    const value = `${id}-${random.whole(1, 1_000_000)}-${version}`;
    if (alive && random.whole(1, 10) === 1) {
      expect((await send('DELETE', `Patient/${id}`)).status === 204, 'a delete failed');
      expect((await send('GET', `Patient/${id}`)).status === 410, 'a deleted resource can be read');
      [alive, version] = [false, version + 1];
      continue;
    }
    const identifier = [{ system: 'urn:torture', value }];
    const { status } = await send('PUT', `Patient/${id}`, { resourceType: 'Patient', id, identifier });
    expect(status === (alive ? 200 : 201), `a PUT was answered with ${status}`);
    [alive, version] = [true, version + 1];
    const read = (await send('GET', `Patient/${id}`)).body;
    expect(read.meta.versionId === String(version), `version ${version} was written, ${read.meta.versionId} read`);
    const found = (await send('GET', `Patient?identifier=urn:torture|${value}`)).body;
    expect(found.entry?.length === 1, `the search for what was written gives ${found.entry?.length ?? 0}`);
    report.writes++;
  }
}

/** Moves, adds and removes resources in the sort order that others page through. */
async function disturb(send: Call, random: Random, going: () => boolean): Promise<void> {
  while (going()) {
    const id = `standing-${random.whole(0, standing - 1)}`;
    await send('PUT', `Patient/${id}`, paged(id, `F${random.whole(0, 20)}`));
    const passing = `passing-${random.whole(0, 30)}`;
    const gone = random.whole(0, 1) === 1;
    await (gone
      ? send('DELETE', `Patient/${passing}`)
      : send('PUT', `Patient/${passing}`, paged(passing, `F${random.whole(0, 20)}`)));
  }
}

async function pageThrough(
  send: Call,
  count: number,
  going: () => boolean,
  report: { pageRuns: number },
): Promise<void> {
  while (going()) {
    const sort = report.pageRuns % 2 === 0 ? 'family' : '-family,_id';
    const seen: string[] = [];
    for (let next: string | undefined = `/fhir/Patient?_tag=urn:torture|paged&_sort=${sort}&_count=${count}`; next; ) {
      const { status, body } = await send('GET', next);
      expect(status === 200, `a page was answered with ${status}`);
      seen.push(...(body.entry ?? []).map((it: any) => it.resource.id));
      const link: string | undefined = body.link.find((it: any) => it.relation === 'next')?.url;
      next = link && new URL(link).pathname + new URL(link).search;
    }
    expect(new Set(seen).size === seen.length, 'a page run holds a resource twice');
    const missed = Array.from({ length: standing }, (_, i) => `standing-${i}`).filter((id) => !seen.includes(id));
    expect(missed.length === 0, `a page run misses ${missed.length} resources that stood all along`);
    report.pageRuns++;
  }
}

async function createTogether(
  connections: readonly Call[],
  going: () => boolean,
  report: { conditionalRounds: number },
): Promise<void> {
  for (let round = 0; going(); round++) {
    const identifier = `urn:round|${round}`;
    const body = { resourceType: 'Patient', identifier: [{ system: 'urn:round', value: String(round) }] };
    const answers = await Promise.all(
      connections.map((send) => send('POST', 'Patient', body, { 'if-none-exist': `identifier=${identifier}` })),
    );
    const created = answers.filter(({ status }) => status === 201).length;
    const found = answers.filter(({ status }) => status === 200).length;
    expect(
      created === 1 && found === connections.length - 1,
      `of ${connections.length} conditional creates ${created} created, ${found} found`,
    );
    const { body: all } = await connections[0]!('GET', `Patient?identifier=${identifier}`);
    expect(all.entry.length === 1, `${all.entry.length} resources after conditional creates`);
    report.conditionalRounds++;
  }
}
