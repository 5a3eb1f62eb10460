/**
 * How long a sender waits for its ACK, at 1, 16 and 128 connections, against a bare server on the same port that frames, writes
 * the bytes in group-committed rows (fsync) and answers a fixed text. And a message of 20 MB with an embedded document: the time
 * per byte against one of 2 MB.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type Database from 'better-sqlite3';
import { Framer, frame } from '../adapters/mllp/frame.ts';
import { MllpSender } from '../adapters/mllp/sender.ts';
import { openDatabase } from '../adapters/sqlite/open.ts';
import { startApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { decode } from '../src/hl7v2/charset.ts';
import { type Message, parse } from '../src/hl7v2/message.ts';
import { Mapping } from '../src/mapping/map.ts';
import { readMappings } from '../src/mapping/read.ts';
import { dischargeMessage } from './messages.ts';
import { median, type Row, temporary, time, zone } from './support.ts';

/** Waiting times of one round, ms, sorted. */
type Waits = readonly number[];

const percentile = (waits: Waits, p: number): number =>
  waits[Math.min(waits.length - 1, Math.ceil(waits.length * p) - 1)] as number;

/** @param messages in a round, of all connections together, at least five of each */
export async function ack(messages: number, rounds: number): Promise<Row[]> {
  const folder = temporary();
  const floor = await BareServer.start(openDatabase(folder.path('floor.db')));
  const env = { STORE_URL: `sqlite:${folder.path('ours.db')}`, HTTP_PORT: '0', MLLP_PORT: '0', LOG_LEVEL: 'silent' };
  const app = await startApp(readConfig(env));
  const port = Number(new URL(app.mllp).port);
  const rows: Row[] = [];
  let sent = 0;
  for (const connections of [1, 16, 128]) {
    const each = Math.max(5, Math.ceil(messages / connections));
    const measured: { ours: Waits[]; floor: Waits[] } = { ours: [], floor: [] };
    for (let round = 0; round <= rounds; round++) {
      // Applying what was received is not what the sender waits for: between the rounds it is let finish.
      const ours = await waitsOf(port, connections, each, () => sent++);
      await app.queue.idle();
      const bare = await waitsOf(floor.port, connections, each, () => sent++);
      if (round === 0) continue;
      measured.ours.push(ours);
      measured.floor.push(bare);
    }
    for (const [name, p] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      const ours = median(measured.ours.map((it) => percentile(it, p)));
      const bare = median(measured.floor.map((it) => percentile(it, p)));
      const what = `wait for the ACK, ${name}, ${connections} connections`;
      rows.push({ what, unit: 'ms', ours, floor: bare, ratio: bare / ours, promise: 0.3 });
    }
  }
  await app.stop();
  await floor.stop();
  folder.remove();
  return [...rows, await large()];
}

async function waitsOf(port: number, connections: number, each: number, next: () => number): Promise<Waits> {
  const senders = await Promise.all(Array.from({ length: connections }, () => MllpSender.connect('127.0.0.1', port)));
  const waits: number[] = [];
  await Promise.all(
    senders.map(async (sender) => {
      for (let i = 0; i < each; i++) {
        const bytes = dischargeMessage(next());
        waits.push(await time(() => sender.send(bytes)));
      }
    }),
  );
  for (const sender of senders) sender.close();
  return waits.sort((a, b) => a - b);
}

/** What is to be had at least: a frame, a row, an fsync for all that wait, an answer. */
class BareServer {
  readonly #server: Server;
  readonly #db: Database.Database;
  #waiting: { bytes: Uint8Array; socket: Socket }[] = [];

  private constructor(server: Server, db: Database.Database) {
    this.#server = server;
    this.#db = db;
  }

  static async start(db: Database.Database): Promise<BareServer> {
    db.exec('CREATE TABLE message (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)');
    const server = createServer({ noDelay: true });
    const bare = new BareServer(server, db);
    server.on('connection', (socket) => bare.#serve(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return bare;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  #serve(socket: Socket): void {
    const framer = new Framer(33_554_432);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      for (const item of framer.push(chunk)) {
        if (this.#waiting.push({ bytes: item.bytes, socket }) === 1) setImmediate(() => this.#commit());
      }
    });
  }

  #commit(): void {
    const group = this.#waiting;
    this.#waiting = [];
    const insert = this.#db.prepare('INSERT INTO message (bytes) VALUES (?)');
    this.#db.transaction(() => {
      for (const { bytes } of group) insert.run(bytes);
    })();
    const answer = frame(Buffer.from('MSH|^~\\&|||||||ACK|1|P|2.5.1\rMSA|AA|1\r'));
    for (const { socket } of group) socket.write(answer);
  }

  stop(): Promise<void> {
    return new Promise((resolve) =>
      this.#server.close(() => {
        this.#db.close();
        resolve();
      }),
    );
  }
}

/** Decoded, cut and mapped: ten times the bytes may take ten times as long, not more. */
async function large(): Promise<Row> {
  const mapping = new Mapping(readMappings('mappings'));
  const of = (bytes: number): Buffer => {
    const document = Buffer.alloc(Math.ceil((bytes * 3) / 4), 'x').toString('base64');
    const header = 'MSH|^~\\&|LIS|RENHE|||20260316103000||ORU^R01^ORU_R01|L1|P|2.5.1';
    const result = `OBX|1|ED|18842-5^Discharge summary^LN||^application^pdf^Base64^${document}||||||F`;
    return Buffer.from(
      [header, 'PID|1||1001^^^RENHE^MR||Doe^Jane', 'OBR|1||F1|18842-5^Discharge summary^LN', result, ''].join('\r'),
    );
  };
  const took = async (message: Buffer): Promise<number> => {
    const times: number[] = [];
    for (let i = 0; i < 5; i++)
      times.push(
        await time(() => {
          const decoded = decode(message, 'utf-8');
          if ('error' in decoded) throw new Error(decoded.error);
          const parsed = parse(decoded.text) as Message;
          const { resources } = mapping.map(parsed, { zone, receivedAt: '2026-03-16T10:00:00+08:00' });
          if (resources.length === 0) throw new Error('nothing was mapped');
        }),
      );
    return median(times);
  };
  const [small, big] = [await took(of(2_000_000)), await took(of(20_000_000))];
  return {
    what: 'a message of 20 MB (floor: ten times one of 2 MB)',
    unit: 'ms',
    ours: big,
    floor: small * 10,
    ratio: (small * 10) / big,
    promise: 0.5,
  };
}
