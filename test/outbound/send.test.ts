/** Sending to real MLLP listeners: what a hospital answers, and what it does not. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { dialer } from '../../adapters/hl7-client/dial.ts';
import { frame } from '../../adapters/mllp/frame.ts';
import { SqliteStore } from '../../adapters/sqlite/store.ts';
import { FixedClock } from '../../src/clock.ts';
import { Commit } from '../../src/commit/commit.ts';
import { SearchParameters } from '../../src/fhir/search/parameters.ts';
import type { Message } from '../../src/hl7v2/message.ts';
import type { Destination } from '../../src/mapping/destination.ts';
import { Sending, type SendOutcome } from '../../src/outbound/send.ts';
import type { OutgoingRow } from '../../src/store/rows.ts';
import { ack, HospitalListener } from './hospital.ts';
import { destination, zone } from './support.ts';

const hour = 3_600_000;

let store: SqliteStore;
let clock: FixedClock;
let commit: Commit;
let outcomes: string[];
const sendings: Sending[] = [];

beforeEach(() => {
  store = new SqliteStore(':memory:');
  clock = new FixedClock('2026-03-16T02:30:00Z');
  commit = new Commit(store, new SearchParameters(zone), clock);
  outcomes = [];
});
afterEach(async () => {
  await Promise.all(sendings.splice(0).map((it) => it.stop()));
  await HospitalListener.closeAll();
  await store.close();
});

/** What a process has that sends; two of them are a restart. */
function sending(...destinations: readonly Destination[]): Sending {
  const attempted = (_: string, outcome: SendOutcome): void => void outcomes.push(outcome);
  const own = new Sending({ store, commit, clock, destinations, dial: dialer, attempted, lookMs: 5, stopMs: 500 });
  sendings.push(own);
  return own;
}

function to(hospital: Pick<HospitalListener, 'port'>, entry: Partial<Destination> = {}): Destination {
  return { ...destination({ port: hospital.port }), timeoutMs: 5000, ...entry };
}

let last = 0;

/** Messages that wait: `C1` for patient 1 … as `patient.number`. */
async function waiting(names: readonly string[], name = 'his'): Promise<void> {
  const messages = names.map((it) => ({
    destination: name,
    lane: `Patient/${it.split('.')[0]}`,
    identity: `SIU^S12 Appointment/${++last}/_history/1`,
    controlId: it,
    bytes: Buffer.from(`MSH|^~\\&|A|B|C|D|2026||SIU^S12^SIU_S12|${it}|P|2.5.1\rNTE|1||x\r`),
    at: clock.now(),
  }));
  await commit.run({
    cause: 'system:test',
    keys: [],
    decide: () => ({ intentions: [], effects: () => [{ kind: 'outgoing', messages }] }),
  });
}

/** `C1 acknowledged 0` of every message: its state, and the attempts that went on waiting. */
async function states(): Promise<string[]> {
  return (await rows()).map((it) => `${it.controlId} ${it.state} ${it.attempts}`);
}

async function rows(): Promise<OutgoingRow[]> {
  return (await store.outgoing({ limit: 1000 })).toReversed();
}

/** Answers by control id, else AA. */
function answers(by: Record<string, string>): (message: Message) => string {
  return (message) => by[message.header.text(10)] ?? 'AA';
}

describe('a message', () => {
  test('that is acknowledged is done, and the answer is kept', async () => {
    const hospital = await HospitalListener.open();
    await waiting(['1.1']);
    expect(await sending(to(hospital)).deliver('his')).toBeUndefined();
    const [row] = await rows();
    expect(row).toMatchObject({ state: 'acknowledged', attempts: 0 });
    expect(Buffer.from(row?.answer ?? []).toString()).toBe(ack(hospital.received[0] as Message, 'AA').toString());
    expect(outcomes).toEqual(['acknowledged']);
  });

  test.each([
    ['CA', 'acknowledged'],
    ['AE', 'failed'],
    ['AR', 'failed'],
    ['CE', 'failed'],
    ['CR', 'failed'],
  ])('answered %s is %s, and not sent again', async (code, state) => {
    const hospital = await HospitalListener.open(() => code);
    await waiting(['1.1']);
    const own = sending(to(hospital));
    expect(await own.deliver('his')).toBeUndefined();
    clock.advance(hour);
    await own.deliver('his');
    expect(await states()).toEqual([`1.1 ${state} 0`]);
    expect(hospital.control).toEqual(['1.1']);
  });

  test('that is refused says why, without what the hospital says of the patient', async () => {
    const hospital = await HospitalListener.open(() => 'AE');
    await waiting(['1.1']);
    await sending(to(hospital)).deliver('his');
    expect((await rows())[0]?.error).toBe('AE PID-3 (204)');
    expect(outcomes).toEqual(['refused']);
  });

  test('that has no answer is sent again, the same bytes, later and later', async () => {
    const hospital = await HospitalListener.open(() => 'silent');
    await waiting(['1.1']);
    const own = sending(to(hospital, { timeoutMs: 20 }));
    const waits: (number | undefined)[] = [];
    for (let i = 0; i < 11; i++) {
      const next = await own.deliver('his');
      waits.push(next?.againMs);
      clock.advance(next?.againMs ?? 0);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((it) => it * 1000));
    expect(new Set(hospital.received.map((it) => it.format())).size).toBe(1);
    expect(await states()).toEqual(['1.1 waiting 11']);
    expect((await rows())[0]?.error).toBe('no answer within 20 ms');
    hospital.behaviour = () => 'AA';
    await own.deliver('his');
    expect(await states()).toEqual(['1.1 acknowledged 11']);
    expect((await rows())[0]).not.toHaveProperty('error');
  });

  test('is not sent again before its time, whoever rings', async () => {
    const hospital = await HospitalListener.open(() => 'hang-up');
    await waiting(['1.1']);
    const own = sending(to(hospital));
    expect(await own.deliver('his')).toEqual({ againMs: 1000 });
    clock.advance(999);
    expect(await own.deliver('his')).toEqual({ againMs: 1 });
    expect(hospital.control).toEqual(['1.1']);
    clock.advance(1);
    await own.deliver('his');
    expect(hospital.control).toEqual(['1.1', '1.1']);
  });

  test('without an answer for three days has failed, and those behind it go on', async () => {
    const hospital = await HospitalListener.open(answers({ '1.1': 'silent' }));
    await waiting(['1.1']);
    const own = sending(to(hospital, { timeoutMs: 500 }));
    await own.deliver('his');
    await waiting(['1.2']);
    clock.advance(72 * hour - 1);
    await own.deliver('his');
    expect(await states()).toEqual(['1.1 waiting 2', '1.2 waiting 0']);
    clock.advance(300_000);
    await own.deliver('his');
    expect(await states()).toEqual(['1.1 failed 2', '1.2 acknowledged 0']);
    expect((await rows())[0]?.error).toBe('given up after 72 h: no answer within 500 ms');
    expect(outcomes).toEqual(['no-answer', 'no-answer', 'gave-up', 'acknowledged']);
  });
});

describe('an answer', () => {
  test.each<[string, (message: Message) => Uint8Array]>([
    ['to another message', (it) => ack(it, 'AA', 'X9')],
    ['to no message', (it) => ack(it, 'AA', '')],
    ['that is no acknowledgement', () => Buffer.from('MSH|^~\\&|HIS|RENHE|||||ACK|9|P|2.5.1\r')],
    ['that is no HL7', () => Buffer.from('OK')],
  ])('%s is none', async (_, answer) => {
    const hospital = await HospitalListener.open((it) => answer(it));
    await waiting(['1.1']);
    await sending(to(hospital, { timeoutMs: 20 })).deliver('his');
    expect(await states()).toEqual(['1.1 waiting 1']);
  });

  test('that comes to a message out of turn is that of its own message', async () => {
    const held: (() => void)[] = [];
    const hospital = await HospitalListener.open((message, socket) => {
      const code = message.header.text(10) === '1.1' ? 'AE' : 'AA';
      held.push(() => socket.write(frame(ack(message, code))));
      if (held.length === 2) for (const answer of held.toReversed()) answer();
      return 'silent';
    });
    await waiting(['1.1', '2.1']);
    await sending(to(hospital)).deliver('his');
    expect(await states()).toEqual(['1.1 failed 0', '2.1 acknowledged 0']);
  });
});

describe('the messages of one patient', () => {
  test('go in order, each after the answer to the one before, while others overtake', async () => {
    const order: string[] = [];
    let release = (): void => {};
    const hospital = await HospitalListener.open((message, socket) => {
      const id = message.header.text(10);
      order.push(id);
      if (id !== '1.1') return 'AA';
      release = () => socket.write(frame(ack(message, 'AA')));
      return 'silent';
    });
    await waiting(['1.1', '1.2', '1.3', '2.1', '2.2']);
    const done = sending(to(hospital)).deliver('his');
    await hospital.arrived(3);
    expect(order).toEqual(['1.1', '2.1', '2.2']);
    // What comes in meanwhile does not wait for the slow one either.
    await waiting(['3.1', '1.4']);
    await hospital.arrived(4);
    expect(order).toEqual(['1.1', '2.1', '2.2', '3.1']);
    release();
    await done;
    expect(order).toEqual(['1.1', '2.1', '2.2', '3.1', '1.2', '1.3', '1.4']);
    expect(hospital.connections).toBe(1);
  });

  test('wait for one that is tried again, not for one that was refused', async () => {
    const hospital = await HospitalListener.open(answers({ '1.1': 'hang-up', '2.1': 'AE' }));
    await waiting(['1.1', '1.2']);
    const own = sending(to(hospital, { lanesMax: 1 }));
    await own.deliver('his');
    await waiting(['2.1', '2.2']);
    await own.deliver('his');
    expect(await states()).toEqual(['1.1 waiting 1', '1.2 waiting 0', '2.1 failed 0', '2.2 acknowledged 0']);
  });

  test('of many patients are on the way at a time, no more than the site allows', async () => {
    const held: (() => void)[] = [];
    const hospital = await HospitalListener.open((message, socket) => {
      held.push(() => socket.write(frame(ack(message, 'AA'))));
      return 'silent';
    });
    await waiting(['1.1', '2.1', '3.1', '4.1', '5.1']);
    const done = sending(to(hospital, { lanesMax: 3 })).deliver('his');
    await hospital.arrived(3);
    expect(held).toHaveLength(3);
    held[0]?.();
    await hospital.arrived(4);
    expect(hospital.control).toEqual(['1.1', '2.1', '3.1', '4.1']);
    held[1]?.();
    await hospital.arrived(5);
    for (const answer of held.slice(2)) answer();
    await done;
    expect((await store.outgoingCounts()).acknowledged).toBe(5);
  });
});

describe('a hospital', () => {
  test('that hangs up in the middle gets what it did not answer again', async () => {
    const hospital = await HospitalListener.open((_, socket) => {
      if (hospital.received.length < 3) return 'silent';
      socket.destroy();
      return 'silent';
    });
    await waiting(['1.1', '2.1', '3.1']);
    const own = sending(to(hospital));
    expect(await own.deliver('his')).toEqual({ againMs: 1000 });
    expect((await rows())[0]?.error).toBe('the connection was closed');
    hospital.behaviour = () => 'AA';
    clock.advance(1000);
    await own.deliver('his');
    expect(await states()).toEqual(['1.1 acknowledged 1', '2.1 acknowledged 1', '3.1 acknowledged 1']);
    expect(hospital.connections).toBe(2);
  });

  test('that is down is asked once in a while, whatever waits, and gets everything when it is back', async () => {
    const gone = await HospitalListener.open();
    const { port } = gone;
    await gone.close();
    const names = Array.from({ length: 30 }, (_, i) => `${i}.1`);
    await waiting(names);
    const own = sending(to({ port }));
    const waits: (number | undefined)[] = [];
    for (let i = 0; i < 8; i++) {
      const next = await own.deliver('his');
      waits.push(next?.againMs);
      clock.advance(next?.againMs ?? 0);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((it) => it * 1000));
    expect((await rows())[0]?.error).toBe('ECONNREFUSED');
    // Eight are tried each time; when those wait longer than the pause is, the next eight.
    expect((await rows()).filter((it) => it.attempts > 0)).toHaveLength(16);
    const back = await HospitalListener.open(() => 'AA', { port });
    clock.advance(300_000);
    await own.deliver('his');
    expect([...back.control].sort()).toEqual([...names].sort());
    expect(await store.outgoingCounts()).toEqual({ acknowledged: 30 });
  });

  test('that stays down for three days: everything that waited so long has failed, tried or not', async () => {
    const gone = await HospitalListener.open();
    const { port } = gone;
    await gone.close();
    await waiting(Array.from({ length: 30 }, (_, i) => `${i % 10}.${i}`));
    const own = sending(to({ port }));
    await own.deliver('his');
    clock.advance(72 * hour);
    await waiting(['new.1']);
    await own.deliver('his');
    expect(await store.outgoingCounts()).toEqual({ failed: 30, waiting: 1 });
    expect((await rows())[29]?.error).toBe('given up after 72 h: no connection');
    expect(outcomes.filter((it) => it === 'gave-up')).toHaveLength(30);
  });

  test('whose line is dead without our knowing gets another one', async () => {
    const hospital = await HospitalListener.open(() => 'silent');
    await waiting(['1.1']);
    const own = sending(to(hospital, { timeoutMs: 20 }));
    await own.deliver('his');
    hospital.behaviour = () => 'AA';
    clock.advance(1000);
    await own.deliver('his');
    expect(hospital.connections).toBe(2);
    expect(await states()).toEqual(['1.1 acknowledged 1']);
  });

  test('that answers everything but one message keeps its line', async () => {
    const hospital = await HospitalListener.open(answers({ '1.1': 'silent' }));
    await waiting(['1.1', '2.1', '2.2', '2.3']);
    await sending(to(hospital, { timeoutMs: 50 })).deliver('his');
    expect(await states()).toEqual(['1.1 waiting 1', '2.1 acknowledged 0', '2.2 acknowledged 0', '2.3 acknowledged 0']);
    expect(hospital.connections).toBe(1);
  });

  test('does not hold up another', async () => {
    const [slow, quick] = [await HospitalListener.open(() => 'silent'), await HospitalListener.open()];
    await waiting(['1.1']);
    await waiting(['1.2'], 'pas');
    const own = sending(to(slow), to(quick, { name: 'pas' }));
    const first = own.deliver('his');
    await slow.arrived(1);
    await own.deliver('pas');
    expect(await states()).toEqual(['1.1 waiting 0', '1.2 acknowledged 0']);
    await own.stop();
    await first;
  });
});

describe('a process that ends', () => {
  test('while a message is on its way sends it again at the next start: the same bytes, once more', async () => {
    const hospital = await HospitalListener.open(() => 'silent');
    await waiting(['1.1', '1.2']);
    const before = sending(to(hospital));
    const running = before.deliver('his');
    await hospital.arrived(1);
    hospital.behaviour = () => 'AA';
    await before.stop();
    await running;
    expect(await states()).toEqual(['1.1 waiting 0', '1.2 waiting 0']);
    await sending(to(hospital)).deliver('his');
    expect(hospital.control).toEqual(['1.1', '1.1', '1.2']);
    expect(hospital.received[0]?.format()).toBe(hospital.received[1]?.format());
    expect(await states()).toEqual(['1.1 acknowledged 0', '1.2 acknowledged 0']);
  });

  test('waits for an answer that is on its way', async () => {
    let answer = (): void => {};
    const hospital = await HospitalListener.open((message, socket) => {
      answer = () => socket.write(frame(ack(message, 'AA')));
      return 'silent';
    });
    await waiting(['1.1']);
    const own = sending(to(hospital));
    const running = own.deliver('his');
    await hospital.arrived(1);
    const stopped = own.stop();
    answer();
    await Promise.all([stopped, running]);
    expect(await states()).toEqual(['1.1 acknowledged 0']);
  });

  test('keeps the time of the next attempt', async () => {
    const hospital = await HospitalListener.open(() => 'hang-up');
    await waiting(['1.1']);
    await sending(to(hospital)).deliver('his');
    const after = sending(to(hospital));
    clock.advance(999);
    await after.deliver('his');
    expect(hospital.received).toHaveLength(1);
    clock.advance(1);
    await after.deliver('his');
    expect(hospital.received).toHaveLength(2);
  });

  test('sends nothing more and opens no line', async () => {
    const hospital = await HospitalListener.open();
    await waiting(['1.1']);
    const own = sending(to(hospital));
    await own.stop();
    expect(await own.deliver('his')).toBeUndefined();
    expect(hospital.connections).toBe(0);
    expect(await states()).toEqual(['1.1 waiting 0']);
  });
});

test('when the answer cannot be written down, the message is sent again: at least once', async () => {
  const hospital = await HospitalListener.open();
  await waiting(['1.1']);
  const broken = { ...to(hospital) };
  const failing = new Proxy(commit, {
    get: (target, key) => (key === 'run' ? () => Promise.reject(new Error('disk full')) : Reflect.get(target, key)),
  });
  const own = new Sending({ store, commit: failing, clock, destinations: [broken], dial: dialer, attempted: () => {} });
  sendings.push(own);
  await expect(own.deliver('his')).rejects.toThrow('disk full');
  expect(await states()).toEqual(['1.1 waiting 0']);
  await sending(to(hospital)).deliver('his');
  expect(hospital.control).toEqual(['1.1', '1.1']);
  expect(await states()).toEqual(['1.1 acknowledged 0']);
});

test('a message that is acknowledged while others are looked for is not sent again', async () => {
  let release = (): void => {};
  const hospital = await HospitalListener.open((message, socket) => {
    if (message.header.text(10) !== '1.1') return 'AA';
    release = () => socket.write(frame(ack(message, 'AA')));
    return 'silent';
  });
  await waiting(['1.1', '2.1']);
  let looks = 0;
  // The rows are read, and come back only when the first message has come to its end.
  const outgoingDue: SqliteStore['outgoingDue'] = async (...query) => {
    const rows = await store.outgoingDue(...query);
    if (++looks === 2) {
      await hospital.arrived(2);
      release();
      while (!(await states()).includes('1.1 acknowledged 0')) await new Promise((resolve) => setImmediate(resolve));
    }
    return rows;
  };
  const slow = new Proxy(store, {
    get: (target, key) => {
      const value = key === 'outgoingDue' ? outgoingDue : Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const own = new Sending({
    store: slow,
    commit,
    clock,
    destinations: [to(hospital)],
    dial: dialer,
    attempted: () => {},
  });
  sendings.push(own);
  await own.deliver('his');
  expect(hospital.control).toEqual(['1.1', '2.1']);
});

test('a destination that no site has any more sends nothing', async () => {
  await waiting(['1.1'], 'gone');
  expect(await sending().deliver('gone')).toBeUndefined();
  expect(await states()).toEqual(['1.1 waiting 0']);
});
