import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FixedClock } from '../../src/clock.ts';
import { Zone } from '../../src/fhir/zone.ts';
import { type Charset, decode, encode } from '../../src/hl7v2/charset.ts';
import { type Message, parse } from '../../src/hl7v2/message.ts';
import { countingIds } from '../../src/ids.ts';
import { type Receiver, type ReceiverParts, receiver } from '../../src/journal/receive.ts';
import { Mapping } from '../../src/mapping/map.ts';
import { readMappings } from '../../src/mapping/read.ts';
import type { SiteSettings } from '../../src/mapping/rows.ts';
import { firstId, namedAs } from '../../src/store/named-message.ts';
import type { KeptMessage, NewMessage } from '../../src/store/rows.ts';
import { discharge, foreignSamples, hospitalDay } from '../support/messages.ts';

const mapping = new Mapping(readMappings(new URL('../../mappings', import.meta.url).pathname));
const zone = new Zone('Asia/Shanghai');
const origin = { listener: 'mllp:2575', peer: '10.0.0.7' };
const now = '2026-03-16T02:30:01Z';

interface Bench {
  readonly kept: NewMessage[];
  readonly bells: string[];
  readonly log: string[];
  readonly parts: ReceiverParts;
  readonly receiver: Receiver;
  receive(message: string | Uint8Array): Promise<Message>;
  receiveBytes(message: string | Uint8Array): Promise<Buffer>;
  refuse(message: string | Uint8Array, text: string): Promise<Message>;
}

/** A receiver on a store that keeps in memory; `parts` replaces what a test is about. */
function bench(parts: Partial<ReceiverParts> = {}): Bench {
  const kept: NewMessage[] = [];
  const bells: string[] = [];
  const log: string[] = [];
  const all: ReceiverParts = {
    store: {
      keep: async (message) => {
        log.push('keep');
        kept.push(message);
        return kept.length;
      },
      keepNamed: async (message, clash) => {
        const at = kept.findLastIndex(
          ({ facility, controlId, state }) =>
            facility === message.facility && controlId === message.controlId && state !== 'rejected',
        );
        const last = kept[at] && { ...kept[at], id: at + 1 };
        log.push('keep');
        const first =
          last?.sha256 === message.sha256 ? { ...last, ...kept[firstId(last) - 1], id: firstId(last) } : undefined;
        const named = namedAs(message, last && { first }, clash);
        return { ...named.as, id: kept.push(named.message) };
      },
      answered: async (id, answer) => {
        kept[id - 1] = { ...(kept[id - 1] as NewMessage), answer };
      },
      message: async (id) => ({ ...(kept[id - 1] as NewMessage), id, attempts: 0 }),
    },
    mappingOf: () => ({ mapping, settings: {}, version: 'v' }),
    zone,
    clock: new FixedClock(now),
    ids: countingIds('ack'),
    charsetDefault: 'utf-8',
    kept: (state) => {
      log.push('bell');
      bells.push(state);
    },
    givenUp: () => log.push('given up'),
    ...parts,
  };
  const made = receiver(all);
  const { receive, refuse } = made;
  const ackOf = (bytes: Buffer): Message => {
    const message = parse(bytes.toString('latin1'));
    if (!message) throw new Error('the answer is not a message');
    return message;
  };
  const receiveBytes = async (message: string | Uint8Array): Promise<Buffer> =>
    (await receive(Buffer.from(message as string), origin)).accept as Buffer;
  return {
    kept,
    bells,
    log,
    parts: all,
    receiver: made,
    receiveBytes,
    receive: async (message) => ackOf(await receiveBytes(message)),
    refuse: async (message, text) =>
      ackOf((await refuse(Buffer.from(message as string), origin, text)).accept as Buffer),
  };
}

function shown(ack: Message): { code: string; errors: string[] } {
  return {
    code: ack.first('MSA')?.text(1) ?? '',
    errors: ack.segments.filter((it) => it.name === 'ERR').map((it) => `${it.field(2)} ${it.text(3)}`),
  };
}

function edited(change: (segments: string[][]) => void): string {
  const segments = discharge()
    .split('\r')
    .filter((line) => line !== '')
    .map((line) => line.split('|'));
  change(segments);
  return segments.map((fields) => `${fields.join('|')}\r`).join('');
}

/** Sets a field by name (`PID`) and number. */
function withField(name: string, field: number, value: string): string {
  return edited((segments) => {
    const segment = segments.find(([it]) => it === name) as string[];
    segment[name === 'MSH' ? field - 1 : field] = value;
  });
}

function without(name: string): string {
  return edited((segments) => {
    segments.splice(
      segments.findIndex(([it]) => it === name),
      1,
    );
  });
}

describe('keep, then acknowledge', () => {
  test('nothing is answered and no bell rings before the store has kept the message', async () => {
    const order: string[] = [];
    const keeping = Promise.withResolvers<KeptMessage>();
    const { receiveBytes } = bench({
      store: {
        keep: () => Promise.reject(new Error('it has a control id')),
        keepNamed: () => {
          order.push('keep begun');
          return keeping.promise;
        },
        answered: async () => {},
        message: async () => undefined,
      },
      kept: () => order.push('bell'),
    });
    const answer = receiveBytes(discharge()).then(() => order.push('answer'));
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(order).toEqual(['keep begun']);
    order.push('kept');
    keeping.resolve({ kind: 'new', id: 1 });
    await answer;
    expect(order).toEqual(['keep begun', 'kept', 'bell', 'answer']);
  });

  test('a store that cannot keep means no answer and no bell', async () => {
    const bells: string[] = [];
    const { receiveBytes, refuse } = bench({
      store: {
        keep: () => Promise.reject(new Error('disk full')),
        keepNamed: () => Promise.reject(new Error('disk full')),
        answered: () => Promise.reject(new Error('disk full')),
        message: async () => undefined,
      },
      kept: (state) => void bells.push(state),
    });
    await expect(receiveBytes(discharge())).rejects.toThrow('disk full');
    await expect(receiveBytes('garbage')).rejects.toThrow('disk full');
    await expect(refuse(discharge(), 'cut')).rejects.toThrow('disk full');
    expect(bells).toEqual([]);
  });

  test('a defect while a message is read rejects, and is not thrown into the socket', async () => {
    const { receiveBytes } = bench({
      mappingOf: () => {
        throw new Error('a defect');
      },
    });
    let answer: Promise<Buffer> | undefined;
    expect(() => {
      answer = receiveBytes(discharge());
    }).not.toThrow();
    await expect(answer).rejects.toThrow('a defect');
  });

  test('what is kept is the bytes as they came, with where, when and what they are', async () => {
    const { kept, bells, receive } = bench();
    const text = discharge({ controlId: 'C77' });
    await receive(text);
    expect(kept).toHaveLength(1);
    const { bytes, ...row } = kept[0]!;
    expect(Buffer.from(bytes).toString()).toBe(text);
    expect(row).toEqual({
      receivedAt: Date.parse(now),
      listener: 'mllp:2575',
      peer: '10.0.0.7',
      charset: 'utf-8',
      state: 'received',
      type: 'ADT^A03',
      controlId: 'C77',
      application: 'HIS',
      facility: 'RENHE',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      content: expect.stringMatching(/^[0-9a-f]{64}$/),
      site: '',
      answer: expect.any(Buffer),
    });
    expect(bells).toEqual(['received']);
  });

  test('the same bytes have the same digest, others another', async () => {
    const { kept, receive } = bench();
    for (const text of [discharge(), discharge(), discharge({ controlId: 'C2' })]) await receive(text);
    expect(kept[0]?.sha256).toBe(kept[1]?.sha256);
    expect(kept[0]?.sha256).not.toBe(kept[2]?.sha256);
  });

  test('a rejected message is kept too, with the reason, and rings the bell of the rejected', async () => {
    const { kept, bells, receive } = bench();
    await receive(without('PID'));
    expect(kept[0]).toMatchObject({
      state: 'rejected',
      type: 'ADT^A03',
      controlId: 'C1',
      error: 'PID: a required segment is missing (100)',
    });
    expect(bells).toEqual(['rejected']);
  });

  test('keys of the journal are bounded, the answer repeats the control id whole', async () => {
    const { kept, receive } = bench();
    const long = 'c'.repeat(5000);
    const ack = await receive(withField('MSH', 10, long));
    expect(kept[0]?.controlId.length).toBeLessThanOrEqual(250);
    expect(ack.first('MSA')?.text(2)).toBe(long);
  });

  test('the text is decoded by MSH-18, and by the default of the site where that is empty', async () => {
    for (const [field, charsetDefault, charset] of [
      ['GB 18030-2000', 'utf-8', 'gb18030'],
      ['', 'gb18030', 'gb18030'],
      ['', 'utf-8', 'utf-8'],
    ] satisfies [string, Charset, Charset][]) {
      const { kept, receive } = bench({ charsetDefault });
      await receive(encode(withField('MSH', 18, field).replace('Doe', '张'), charset));
      expect(kept[0]).toMatchObject({ charset, state: 'received' });
    }
  });
});

describe('AA', () => {
  test('answers every message of the sample hospital day', async () => {
    const { kept, receive } = bench({ charsetDefault: 'gb18030' });
    for (const { name, bytes } of hospitalDay()) expect([name, shown(await receive(bytes)).code]).toEqual([name, 'AA']);
    expect(kept.every((it) => it.state === 'received')).toBe(true);
  });

  test('names the control id, and has a control id of its own and the local time of the hospital', async () => {
    const { receive } = bench();
    const [one, two] = [await receive(discharge()), await receive(discharge({ controlId: 'C2' }))];
    expect([one.header.text(10), two.header.text(10)]).toEqual(['ack-1', 'ack-2']);
    expect([one.first('MSA')?.text(2), two.first('MSA')?.text(2)]).toEqual(['C1', 'C2']);
    expect(one.header.text(7)).toBe('20260316103001+0800');
  });
});

describe('an error names the segment and the field', () => {
  test.each<[string, string, string, string[]]>([
    ['no PID', without('PID'), 'AE', ['PID^1 100']],
    ['no PV1', without('PV1'), 'AE', ['PV1^1 100']],
    ['no PID-3', withField('PID', 3, ''), 'AE', ['PID^1^3^1^1 101']],
    ['PID-3 without an id', withField('PID', 3, '^^^RENHE^MR'), 'AE', ['PID^1^3^1^1 101']],
    ['PID-3 deleted', withField('PID', 3, '""'), 'AE', ['PID^1^3^1^1 101']],
    ['no MSH-10', withField('MSH', 10, ''), 'AE', ['MSH^1^10^1 101']],
    ['no MSH-9', withField('MSH', 9, ''), 'AE', ['MSH^1^9^1^1 101', 'MSH^1^9^1^2 101']],
    ['no event', withField('MSH', 9, 'ADT').replace(/EVN[^\r]*\r/, ''), 'AE', ['MSH^1^9^1^2 101']],
    ['an unknown type', withField('MSH', 9, 'ZZZ^Z01'), 'AR', ['MSH^1^9^1^1 200']],
    ['an unknown event', withField('MSH', 9, 'ADT^Z99'), 'AR', ['MSH^1^9^1^2 201']],
    ['a wrong processing id', withField('MSH', 11, 'X'), 'AR', ['MSH^1^11^1 202']],
    ['a wrong version', withField('MSH', 12, '3.0'), 'AR', ['MSH^1^12^1 203']],
    ['a version that is none', withField('MSH', 12, 'x'), 'AR', ['MSH^1^12^1 203']],
    ['a line that is no segment', `${discharge()}free text\r`, 'AE', [' 100']],
    [
      'several things',
      withField('PID', 3, '').replace('|P|2.5.1', '|X|2.5.1'),
      'AR',
      ['MSH^1^11^1 202', 'PID^1^3^1^1 101'],
    ],
    ['a charset that nobody knows', withField('MSH', 18, 'KLINGON'), 'AE', ['MSH^1^18^1 102']],
  ])('%s', async (_, message, code, errors) => {
    const { kept, bells, receive } = bench();
    const ack = await receive(message);
    expect(shown(ack)).toEqual({ code, errors });
    expect(kept).toHaveLength(1);
    expect(kept[0]?.state).toBe('rejected');
    expect(bells).toEqual(['rejected']);
    expect(Buffer.from(kept[0]!.bytes).toString()).toBe(message);
  });

  test('in the old way for an old sender', async () => {
    const { receiveBytes } = bench();
    const answer = await receiveBytes(withField('PID', 3, '').replace('|2.5.1|', '|2.3.1|'));
    expect(answer.toString().split('\r')).toEqual([
      expect.stringContaining('|ACK^A03|ack-1|P|2.3.1'),
      'MSA|AE|C1|a required field is empty, as is PID-2.1',
      'ERR|PID^1^3^101&Required field missing&HL70357',
      '',
    ]);
  });

  test('when its bytes are not of the declared set: the control id is still answered', async () => {
    const { kept, receive } = bench();
    const ack = await receive(encode(discharge().replace('Doe', '张三'), 'gb18030'));
    expect(shown(ack)).toEqual({ code: 'AE', errors: ['MSH^1^18^1 102'] });
    expect(ack.first('MSA')?.text(2)).toBe('C1');
    expect(kept[0]).toMatchObject({ state: 'rejected', type: 'ADT^A03', controlId: 'C1' });
  });

  test('when its bytes cannot be read: what the header said goes back byte for byte', async () => {
    const { receiveBytes } = bench();
    const facility = encode('仁和医院', 'gb18030');
    const message = Buffer.concat([
      encode(withField('MSH', 4, '仁和医院').replace('UNICODE UTF-8', 'GB 18030-2000'), 'gb18030'),
      Buffer.from([0xff, 0x0d]),
    ]);
    const answer = await receiveBytes(message);
    expect(answer.toString('latin1')).toContain('MSA|AE|C1');
    expect(answer.indexOf(Buffer.concat([Buffer.from('|'), facility, Buffer.from('|')]))).toBeGreaterThan(0);
  });
});

describe('what is not a message', () => {
  test.each<[string, string | Uint8Array]>([
    ['nothing', ''],
    ['garbage', 'GET / HTTP/1.1\r\n\r\n'],
    ['bytes of no character set', Buffer.from([0xff, 0xfe, 0x00, 0x81])],
    ['zeros', Buffer.alloc(1000)],
    ['a header cut off', 'MSH|^~'],
    ['a header alone, cut off before its type', 'MSH|^~\\&|HIS|'],
    ['a message in XML', '<ADT_A03 xmlns="urn:hl7-org:v2xml"/>'],
  ])('is kept and refused with AE: %s', async (_, message) => {
    const { kept, bells, receive } = bench();
    const { code, errors } = shown(await receive(message));
    expect(code).toBe('AE');
    expect(errors.length).toBeGreaterThan(0);
    expect(kept).toHaveLength(1);
    expect(kept[0]).toMatchObject({ state: 'rejected', controlId: '' });
    expect(Buffer.from(kept[0]!.bytes).equals(Buffer.from(message as string))).toBe(true);
    expect(bells).toEqual(['rejected']);
  });
});

describe('a frame that the listener cannot trust', () => {
  test('is kept and never acknowledged, however whole it looks', async () => {
    const { kept, bells, refuse } = bench();
    const ack = await refuse(discharge(), 'the frame was cut off');
    expect(shown(ack).code).not.toBe('AA');
    expect(ack.first('MSA')?.text(2)).toBe('C1');
    expect(ack.first('ERR')?.text(8)).toBe('the frame was cut off');
    expect(kept[0]).toMatchObject({ state: 'rejected', controlId: 'C1', error: 'the frame was cut off (207)' });
    expect(bells).toEqual(['rejected']);
  });

  test('is answered when nothing of it can be read', async () => {
    const { kept, refuse } = bench();
    for (const bytes of ['', 'junk', Buffer.from([0xff, 0x81])])
      expect(shown(await refuse(bytes, 'bytes outside of a frame')).code).not.toBe('AA');
    expect(kept).toHaveLength(3);
  });
});

describe('whatever comes in', () => {
  const day = hospitalDay().map(({ bytes }) => bytes);
  const change = fc.record({
    at: fc.nat({ max: 2000 }),
    remove: fc.nat({ max: 30 }),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc.constantFrom('|', '^', '~', '\\', '&', '\r', '\n', '|||', '""', '\\X0\\', '张').map((it) => Buffer.from(it)),
    ),
  });
  const mutilated = fc
    .tuple(fc.constantFrom(...day), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([bytes, changes]) =>
      changes.reduce((it: Buffer, { at, remove, insert }) => {
        const place = at % (it.length + 1);
        return Buffer.concat([it.subarray(0, place), insert, it.subarray(place + remove)]);
      }, bytes),
    );

  test('it is kept and answered, and AA means that it can be mapped', async () => {
    await fc.assert(
      fc.asyncProperty(mutilated, async (bytes) => {
        const { kept, bells, receiveBytes } = bench();
        const answer = await receiveBytes(bytes);
        expect(bells).toEqual(kept.map((it) => it.state));
        const received = kept.filter((it) => it.state === 'received');
        // A change may make a batch of it, or ask for no answer; what is acknowledged was kept to be applied.
        const accepted = answer?.toString('latin1').match(/[\r]MSA.[AC]A/g)?.length ?? 0;
        expect(accepted).toBeLessThanOrEqual(received.length);
        if (answer && kept.length === 1) expect(accepted).toBe(received.length);
        for (const { bytes } of received) {
          const decoded = decode(bytes, 'utf-8');
          if ('error' in decoded) throw new Error('acknowledged what cannot be decoded');
          expect(mapping.map(parse(decoded.text)!, { zone, receivedAt: now }).resources.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 400 },
    );
  });

  const samples = foreignSamples();
  const title = samples ? '' : ' (skipped: the samples are not beside this project)';
  test(`samples of other systems are all kept and answered${title}`, async () => {
    const { kept, receiveBytes } = bench({ charsetDefault: 'iso-8859-1' });
    for (const { bytes } of samples ?? []) expect((await receiveBytes(bytes)).includes('MSA')).toBe(true);
    expect(kept).toHaveLength(samples?.length ?? 0);
  });
});

describe('nothing of the patient', () => {
  const value = fc.stringMatching(/^Zq[a-z0-9]{6,12}$/);
  const breakage = fc.constantFrom<(text: string) => string | Uint8Array>(
    (text) => text.replace(/\rPID\|1\|\|[^|]*/, '\rPID|1||'),
    (text) => text.replace('\rPV1|', '\rZV1|'),
    (text) => text.replace('\rPID|', '\rpid|'),
    (text) => text.replace('\rPID|', '\r'),
    (text) => text.replace('|2.5.1|', '|9.9|'),
    (text) => text.replace('|P|2.5.1|', '|X|2.3.1|'),
    (text) => text.replace('ADT^A03^ADT_A01', 'ADT^Z77'),
    (text) => text.replace('UNICODE UTF-8', 'KLINGON'),
    (text) => Buffer.concat([Buffer.from(text), Buffer.from([0xff])]),
    (text) => text.replaceAll('\r', '\r\n \r'),
    (text) => text.slice(text.indexOf('PID')),
  );

  test('is in the reason of the journal or in the errors of the answer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 25, maxLength: 25 }), breakage, async (values, damage) => {
        let next = 0;
        const text = discharge().replace(/\r(PID|PV1|DG1)\|[^\r]*/g, (line) =>
          line
            .split('|')
            .map((field, i) =>
              i > 1 && field !== '' ? field.replace(/^[^^]*/, values[next++ % values.length] as string) : field,
            )
            .join('|'),
        );
        const { kept, receiveBytes } = bench();
        const answer = (await receiveBytes(damage(`${text}${values[0]} ${values[1]}\r`))).toString('latin1');
        expect(kept[0]?.state).toBe('rejected');
        const told = `${answer}${kept[0]?.error}${kept[0]?.type}${kept[0]?.controlId}${kept[0]?.facility}`;
        expect(values.filter((it) => told.includes(it))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

/** A discharge with MSH-15 and MSH-16. */
function wishing(accept: string, application: string, controlId = 'C1'): string {
  return withField('MSH', 15, accept)
    .replace(/(?<=^MSH(?:\|[^|]*){14}\|)[^|]*/, application)
    .replace('|C1|', `|${controlId}|`);
}

function code(bytes: Buffer | undefined): string | undefined {
  return bytes && /\rMSA\|(\w\w)/.exec(bytes.toString('latin1'))?.[1];
}

describe('enhanced mode', () => {
  test.each<[accept: string, application: string, sound: string | undefined, unsound: string | undefined]>([
    ['AL', 'NE', 'CA', 'CE'],
    ['NE', 'AL', undefined, undefined],
    ['ER', 'NE', undefined, 'CE'],
    ['SU', 'NE', 'CA', undefined],
    ['', 'AL', undefined, undefined],
    ['al', '', 'CA', 'CE'],
  ])(
    'with MSH-15 %p and MSH-16 %p a kept message is answered %p, a refused one %p',
    async (accept, application, ...wanted) => {
      const { receiver } = bench();
      const message = wishing(accept, application);
      const [sound, unsound] = await Promise.all(
        [message, message.replace('|C1|', '|C2|').replace(/\rPID[^\r]*/, '')].map((it) =>
          receiver.receive(Buffer.from(it), origin),
        ),
      );
      expect([code(sound?.accept), code(unsound?.accept)]).toEqual(wanted);
    },
  );

  test('the application acknowledgement comes when the message has been applied, with a control id of its own', async () => {
    const { receiver } = bench();
    const { accept, application } = await receiver.receive(Buffer.from(wishing('AL', 'AL')), origin);
    receiver.applied(1, 'applied');
    const [first, second] = [accept, await application].map((it) => parse(it?.toString('latin1') ?? ''));
    expect([first, second].map((it) => it?.first('MSA')?.raw)).toEqual(['MSA|CA|C1', 'MSA|AA|C1']);
    expect(first?.header.text(10)).not.toBe(second?.header.text(10));
  });

  test.each([
    ['stale', 'AA'],
    ['duplicate', 'AA'],
    ['unmapped', 'AE'],
    ['failed', 'AR'],
  ] as const)('says of a message that became %s: %s', async (state, answer) => {
    const { receiver } = bench();
    const { application } = await receiver.receive(Buffer.from(wishing('NE', 'AL')), origin);
    receiver.applied(1, state);
    expect(code(await application)).toBe(answer);
  });

  test('a sender that wants to hear of errors alone hears nothing of success', async () => {
    const { receiver } = bench();
    const { application } = await receiver.receive(Buffer.from(wishing('NE', 'ER')), origin);
    receiver.applied(1, 'applied');
    expect(await application).toBeUndefined();
  });

  test('of a batch of more than 10,000 messages each has its application acknowledgement', async () => {
    let last = 0;
    const count = 10_001;
    const { parts } = bench();
    const store = { ...parts.store, keepNamed: async () => ({ kind: 'new', id: ++last }) as const };
    const { receive, applied } = receiver({
      ...parts,
      store: { ...store, message: () => Promise.reject(new Error()) },
    });
    const all = Array.from({ length: count }, (_, i) => wishing('NE', 'AL', `B${i}`)).join('');
    const { application } = await receive(Buffer.from(all), origin);
    await new Promise<void>((resolve) => setImmediate(resolve));
    for (let id = 1; id <= count; id++) applied(id, 'applied');
    expect((await application)?.toString().match(/\rMSA\|AA\|/g)).toHaveLength(count);
  });

  test('when too many are waited for the oldest is given up, and that is told', async () => {
    const { log, receiver } = bench({ waitingMax: 1 });
    const [one, two] = await Promise.all(
      ['C1', 'C2'].map((it) => receiver.receive(Buffer.from(wishing('NE', 'AL', it)), origin)),
    );
    await new Promise<void>((resolve) => setImmediate(resolve));
    receiver.applied(2, 'applied');
    expect([await one?.application, code(await two?.application)]).toEqual([undefined, 'AA']);
    expect(log.filter((it) => it === 'given up')).toHaveLength(1);
  });

  test('a refused message has CE, which ends it; where none is wanted its application acknowledgement, at once', async () => {
    const { receiver } = bench();
    const refused = (accept: string): Buffer => Buffer.from(wishing(accept, 'AL').replace(/\rPID[^\r]*/, ''));
    const both = await receiver.receive(refused('AL'), origin);
    expect([code(both.accept), both.application]).toEqual(['CE', undefined]);
    const { accept, application } = await receiver.receive(refused('NE'), origin);
    expect(accept).toBeUndefined();
    expect(code(await application)).toBe('AE');
    expect((await application)?.toString()).toContain('\rERR||PID^1|100^');
  });
});

describe('a control id', () => {
  test('is whole, as MSA-2 gives it back; one that is too long is none that begins like it', async () => {
    const { kept, receive } = bench();
    const long = 'x'.repeat(250);
    for (const controlId of ['K^2', 'K^3', `${long}a`, `${long}b`]) await receive(discharge({ controlId }));
    const [two, three, a, b] = kept.map((it) => it.controlId);
    expect([two, three]).toEqual(['K^2', 'K^3']);
    expect(a).not.toBe(b);
    expect([a?.length, b?.length]).toEqual([250, 250]);
    expect(kept.map((it) => it.state)).toEqual(Array.from({ length: 4 }, () => 'received'));
  });
});

describe('a control id that came before', () => {
  test('with the same bytes gets the same answer, byte by byte, and is kept as a duplicate', async () => {
    const { kept, bells, receiveBytes } = bench();
    const [one, two] = [await receiveBytes(discharge()), await receiveBytes(discharge())];
    expect(two.equals(one)).toBe(true);
    expect(kept.map((it) => it.state)).toEqual(['received', 'duplicate']);
    expect(bells).toEqual(['received', 'duplicate']);
    expect(kept[1]?.error).toBe('message 1 sent again');
  });

  test('with other bytes is refused, and says so', async () => {
    const { kept, receive } = bench();
    await receive(discharge());
    const ack = await receive(discharge({ phone: '13900001111' }));
    expect(shown(ack)).toEqual({ code: 'AE', errors: ['MSH^1^10^1 205'] });
    expect(kept[1]).toMatchObject({ state: 'rejected', error: 'MSH-10: another message had this control id (205)' });
  });

  test('with other bytes is taken where the site counts anew', async () => {
    const { kept, receive } = bench({
      mappingOf: () => ({ mapping, settings: { controlIds: 'reused' }, version: 'v' }),
    });
    await receive(discharge());
    expect(shown(await receive(discharge({ phone: '13900001111' }))).code).toBe('AA');
    expect(kept.map((it) => it.state)).toEqual(['received', 'received']);
  });

  test('of a message that was refused may be used again', async () => {
    const { kept, receive } = bench();
    await receive(without('PID'));
    expect(shown(await receive(discharge())).code).toBe('AA');
    expect(kept.map((it) => it.state)).toEqual(['rejected', 'received']);
  });

  test('of another hospital is another one', async () => {
    const { receive } = bench();
    await receive(discharge());
    expect(shown(await receive(withField('MSH', 4, 'OTHER'))).code).toBe('AA');
  });

  test('is recognised when both come at the same time', async () => {
    const { kept, receiveBytes } = bench();
    const [one, two] = await Promise.all([receiveBytes(discharge()), receiveBytes(discharge())]);
    expect(two?.equals(one as Buffer)).toBe(true);
    expect(kept.map((it) => it.state)).toEqual(['received', 'duplicate']);
  });
});

describe('messages of one sender', () => {
  test('are handed to the store in the order in which they came, and none waits for the one before', () => {
    const handed: string[] = [];
    const { parts } = bench();
    const never = new Promise<never>(() => {});
    const { receive } = receiver({
      ...parts,
      store: {
        ...parts.store,
        keepNamed: ({ controlId }) => {
          handed.push(controlId);
          return never;
        },
      },
    });
    for (const controlId of ['C1', 'C2', 'C3']) void receive(Buffer.from(discharge({ controlId })), origin);
    expect(handed).toEqual(['C1', 'C2', 'C3']);
  });
});

describe('what the site says', () => {
  const settings = (it: SiteSettings): Partial<ReceiverParts> => ({
    mappingOf: () => ({ mapping, settings: it, version: 'v' }),
  });

  test('an event without a map is kept and acknowledged, where it shall be ignored', async () => {
    const { kept, receive } = bench(settings({ otherEvents: 'ignore' }));
    expect(shown(await receive(withField('MSH', 9, 'ADT^Z99')))).toEqual({ code: 'AA', errors: [] });
    expect(kept[0]).toMatchObject({ state: 'ignored', error: 'MSH-9.2: this event is not mapped (201)' });
  });

  test('the character set of a message that names none: of the listener, else of the site, else of the server', async () => {
    const bytes = encode(withField('MSH', 18, '').replace('Doe', '张'), 'gb18030');
    const { kept, receiver } = bench(settings({ charset: 'GB18030' }));
    await receiver.receive(bytes, origin);
    expect(kept[0]).toMatchObject({ charset: 'gb18030', state: 'received' });
    const other = bench(settings({ charset: 'UTF-8' }));
    await other.receiver.receive(bytes, { ...origin, charset: 'gb18030', site: 'renhe' });
    expect(other.kept[0]).toMatchObject({ charset: 'gb18030', state: 'received', site: 'renhe' });
  });
});

describe('a batch', () => {
  const batch = (...messages: string[]): Buffer =>
    Buffer.from(
      `FHS|^~\\&|HIS\rBHS|^~\\&|HIS|RENHE|||20260316||||B7\r${messages.join('')}BTS|${messages.length}\rFTS|1\r`,
    );

  test('has each message kept, and one answer with an acknowledgement for each, in order', async () => {
    const { kept, receiveBytes } = bench();
    const answer = await receiveBytes(
      batch(discharge(), without('PID').replace('|C1|', '|C2|'), discharge({ controlId: 'C3' })),
    );
    expect(kept.map((it) => [it.controlId, it.state])).toEqual([
      ['C1', 'received'],
      ['C2', 'rejected'],
      ['C3', 'received'],
    ]);
    const lines = answer.toString().split('\r');
    expect(lines.filter((it) => it.startsWith('MSA')).map((it) => it.slice(0, 9))).toEqual([
      'MSA|AA|C1',
      'MSA|AE|C2',
      'MSA|AA|C3',
    ]);
    expect(lines.map((it) => it.slice(0, 3)).filter((it) => /^[BF]/.test(it))).toEqual(['FHS', 'BHS', 'BTS', 'FTS']);
  });

  test('without messages is answered by one without, and kept as one that is ignored', async () => {
    const { kept, bells, receiveBytes } = bench();
    expect((await receiveBytes(batch())).toString().split('\r')).toEqual([
      'FHS|^~\\&|||HIS||20260316103001+0800||||ack-1|',
      'BHS|^~\\&|||HIS|RENHE|20260316103001+0800||||ack-2|B7',
      'BTS|0',
      'FTS|1',
      '',
    ]);
    expect([kept.map(({ state, error }) => [state, error]), bells]).toEqual([
      [['ignored', 'a batch without messages']],
      ['ignored'],
    ]);
  });

  test.each([
    ['a batch header', 'BHS|^~\\&|HIS\r'],
    ['a file header', 'FHS|^~\\&|HIS\rBHS|^~\\&|HIS\rBTS|0\r'],
    ['a header and the trailer of another', 'FHS|^~\\&|HIS\rBTS|0\r'],
    ['a trailer', 'BTS|0\r'],
    ['a batch that counts messages that did not come', 'BHS|^~\\&|HIS\rBTS|3\r'],
  ])('that is %s alone, and no message, is refused', async (_, text) => {
    const { kept, receive } = bench();
    expect(shown(await receive(text)).code).toBe('AE');
    expect(kept.map((it) => it.state)).toEqual(['rejected']);
  });
});
