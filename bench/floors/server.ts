/**
 * The floor over HTTP: the same Express with bare handlers, no middleware, and the bare driver behind them. Settings come
 * as JSON on stdin; prints its address.
 */
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import express, { type Request, type Response } from 'express';
import type { Key } from '../../src/store/store.ts';
import { lanes } from '../http/lanes.ts';
import type { FloorDatabase } from './database.ts';
import { databaseNamed } from './databases.ts';
import { patientSearch } from './search.ts';

export interface FloorSettings {
  readonly database: string;
  readonly url: string;
  /** FHIR base of our server: the floor sends the same bytes. */
  readonly base: string;
  /** Ids of the patients that will be read. */
  readonly reads: readonly string[];
  /** Patients that our server created: a create writes the rows of one of them again. */
  readonly creates: readonly Key[];
  /** The resources of each transaction that our server ran. */
  readonly transactions: readonly (readonly Key[])[];
}

async function serve(settings: FloorSettings): Promise<void> {
  const db = await databaseNamed(settings.database).openFloor(settings.url);
  const content = await contents(db, settings);
  const search = await patientSearch(db, settings.base);
  const creates = await Promise.all(
    settings.creates.map(async (key) => ({ body: content.get(key.id) as Buffer, write: await db.copier([key]) })),
  );
  const transactions = await Promise.all(settings.transactions.map((keys) => db.copier(keys)));
  const nextCreate = inTurn(creates);
  const nextTransaction = inTurn(transactions);

  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.get('/fhir/Patient/:id', (request, response) => {
    send(response, 200, content.get(request.params.id) as Buffer);
  });
  app.get('/fhir/Patient', async (request, response) => {
    send(response, 200, Buffer.from(await search(request.url, request.query as Record<string, string>)));
  });
  app.post('/fhir/Patient', async (request, response) => {
    await bodyOf(request);
    const { body, write } = nextCreate();
    await write();
    send(response, 201, body);
  });
  // Without HTTP: a round of the driver alone, as many transactions under way as there are connections.
  app.post('/driver', async (request, response) => {
    const { connections, ms } = request.query as Record<string, string>;
    response.json({ ms: await lanes(Number(connections), Number(ms), () => nextTransaction()()) });
  });
  const server = app.listen(0, '127.0.0.1', () => {
    process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir\n`);
  });
}

/** id ─▶ the bytes that a read gives. */
async function contents(db: FloorDatabase, { reads, creates }: FloorSettings): Promise<Map<string, Buffer>> {
  const find = db.prepare(
    "SELECT c.json FROM resource r CROSS JOIN change c ON c.sequence = r.sequence WHERE r.type = 'Patient' AND r.id = ?",
  );
  const found = new Map<string, Buffer>();
  for (const id of [...reads, ...creates.map((key) => key.id)])
    found.set(id, Buffer.from((await find(id))[0]?.json as string));
  return found;
}

function inTurn<T>(items: readonly T[]): () => T {
  let i = 0;
  return () => items[i++ % items.length] as T;
}

/** Reads the body and makes nothing of it. */
function bodyOf(request: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    request.once('end', resolve);
    request.once('error', reject);
    request.resume();
  });
}

function send(response: Response, status: number, body: Buffer): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/fhir+json; charset=utf-8');
  response.setHeader('Content-Length', body.length);
  response.end(body);
}

await serve((await json(process.stdin)) as FloorSettings);
