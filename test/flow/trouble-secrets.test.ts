/**
 * Story: the sample day with everything that can go wrong, at LOG_LEVEL=trace. Whatever the server writes (the log, the
 * console, the metrics) holds no value of a message: no name, number, address, telephone, diagnosis, finding.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { MllpSender } from '../../adapters/mllp/sender.ts';
import { decode } from '../../src/hl7v2/charset.ts';
import { type Message, parse } from '../../src/hl7v2/message.ts';
import { fhir, portOf, temporaryFolder } from '../support/app.ts';
import { hospitalDay } from '../support/messages.ts';
import { ServerProcess } from '../torture/server-process.ts';

const day = hospitalDay().map(({ bytes }) => bytes);

/** Segments that tell of the message and not of a patient. */
const ofMessage = ['MSH', 'EVN', 'SFT'];

/** Every component of every field of a patient's segments that nothing but the message can have brought. */
function valuesOf(message: Message): string[] {
  const { component, repetition, subcomponent } = message.delimiters;
  const cut = (text: string): string[] =>
    [repetition, component, subcomponent].reduce((parts, by) => parts.flatMap((it) => it.split(by)), [text]);
  return message.segments
    .filter(({ name }) => !ofMessage.includes(name))
    .flatMap((segment) => Array.from({ length: segment.fieldCount }, (_, i) => segment.field(i + 1)))
    .flatMap(cut)
    .filter((it) => it.length >= 5 || /[^\0-\x7f]/.test(it));
}

const values = new Set(
  day.flatMap((bytes) => {
    const decoded = decode(bytes, 'utf-8');
    const message = 'text' in decoded ? parse(decoded.text) : undefined;
    if (!message) throw new Error('a message of the sample day cannot be read');
    return valuesOf(message);
  }),
);

/** The values that stand in a text as words of their own. */
function leaksIn(text: string): string[] {
  const words = new Set(text.split(/[^\p{L}\p{N}.^@-]+/u));
  return [...values].filter((it) => (/^[\w.@-]+$/.test(it) ? words.has(it) : text.includes(it)));
}

describe('what the server writes while everything goes wrong', () => {
  const folder = temporaryFolder();
  const path = join(folder.path, 'aftercare.db');
  let server: ServerProcess;
  let http: string;
  let port: number;
  let metrics = '';
  beforeAll(async () => {
    server = new ServerProcess(`sqlite:${path}`, { LOG_LEVEL: 'trace', FRAME_BYTES_MAX: '100000' });
    const addresses = await server.ready();
    http = addresses.http;
    port = portOf(addresses.mllp);
  });
  afterAll(async () => {
    server.kill('SIGKILL');
    await server.exited;
    folder.remove();
  });

  /** Sends over a connection of its own; gives MSA-1, or `closed`. */
  async function send(...messages: Uint8Array[]): Promise<string[]> {
    const sender = await MllpSender.connect('127.0.0.1', port);
    try {
      const answers = [];
      for (const bytes of messages) answers.push(await sender.send(bytes));
      return answers.map((it) => /\rMSA\|(\w\w)/.exec(it.toString('latin1'))?.[1] ?? '');
    } catch {
      return ['closed'];
    } finally {
      sender.close();
    }
  }

  const edited = (bytes: Buffer, from: string | RegExp, to: string): Buffer =>
    Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1');

  /** While a table is not there under its name. */
  async function without(table: string, run: () => Promise<void>): Promise<void> {
    const other = new Database(path);
    other.exec(`ALTER TABLE ${table} RENAME TO moved`);
    await run();
    other.exec(`ALTER TABLE moved RENAME TO ${table}`);
    other.close();
  }

  test('the sample day is taken', async () => {
    expect(new Set(await send(...day))).toEqual(new Set(['AA']));
  });

  test('messages that are no messages, are too long, cut off, in another set, of another type, and copies', async () => {
    const bad = day.flatMap((bytes, i) => [
      edited(bytes, /\rPID/, '\rPIX'),
      edited(bytes, 'MSH|', 'MSX|'),
      edited(bytes, /\|CHN\|[^\r]*/, '|CHN|UNICODE UTF-16'),
      edited(bytes, /ADT\^A\d\d/, 'ZZZ^Z01'),
      edited(bytes, /\rPID/, `\rNTE|1||${'x'.repeat(200_000)}\rPID`),
      edited(bytes, /(\|P\|2)/, `${i}$1`),
    ]);
    const answers = new Set(await send(...bad));
    expect([...answers].sort()).toEqual(['AA', 'AE', 'AR']);
    const sender = await MllpSender.connect('127.0.0.1', port);
    const answer = sender.answer();
    sender.raw(
      Buffer.concat([
        edited(day[0] as Buffer, /\rPID/, '\rZZ1|1\rPID'),
        Buffer.from([0x0b]),
        (day[1] as Buffer).subarray(0, 300),
        Buffer.from([0x0b, 0x1c, 0x0d]),
      ]),
    );
    expect((await answer).toString('latin1')).toMatch(/\rMSA\|AR/);
    sender.close();
  });

  test('the journal cannot be written: no answer, the connection closes', async () => {
    await without('received_message', async () => expect(await send(day[0] as Buffer)).toEqual(['closed']));
  });

  test('resources cannot be read or written: requests fail, and messages wait', async () => {
    await without('resource', async () => {
      const other = edited(edited(day[0] as Buffer, /\rPID/, '\rZZ2|1\rPID'), /(\|P\|2)/, 'W$1');
      expect(await send(other)).toEqual(['AA']);
      expect((await fhir({ http }, 'GET', 'Patient?name=Whitfield&identifier=100267')).status).toBe(500);
      await server.wrote('"kind":"ingest"');
    });
  });

  test('clients that send and ask for what they should not', async () => {
    const body = { resourceType: 'Patient', name: [{ family: 'Whitfield', nonsense: 'Carter' }], birthDate: 'Reed' };
    expect((await fhir({ http }, 'POST', 'Patient', body)).status).toBe(422);
    expect((await fhir({ http }, 'POST', 'Patient', '{"resourceType":"Patient","name":"Whitfield')).status).toBe(400);
    expect((await fhir({ http }, 'GET', 'Whitfield/Carter?Reed=Thomas')).status).toBe(404);
    expect((await fetch(`${new URL(http).origin}/Whitfield`)).status).toBe(404);
    metrics = await (await fetch(`${new URL(http).origin}/metrics`)).text();
  });

  test('all of that was written down', async () => {
    server.kill('SIGTERM');
    await server.exited;
    const events = new Set([...server.written.matchAll(/"msg":"([\w-]+)"/g)].map(([, event]) => event));
    const wanted = [
      'started',
      'message-kept',
      'message-applied',
      'message-not-kept',
      'job-failed',
      'request-failed',
      'stopped',
    ];
    expect(wanted.filter((it) => !events.has(it))).toEqual([]);
    expect(metrics).toMatch(/aftercare_failures_total/);
  });

  test('and none of it holds a value of a message', () => {
    expect(values.size).toBeGreaterThan(300);
    expect(leaksIn(`{"error":"no such patient: Whitfield, 张伟"}`).sort()).toEqual(['Whitfield', '伟', '张']);
    expect(leaksIn(server.written)).toEqual([]);
    expect(leaksIn(metrics)).toEqual([]);
  });
});
