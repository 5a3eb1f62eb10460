/** node-hl7-client as we use it: what it does not do by itself is tested here, so that an update that changes it is noticed. */
import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { dialer } from '../../adapters/hl7-client/dial.ts';
import { frame } from '../../adapters/mllp/frame.ts';
import type { Line } from '../../src/outbound/line.ts';
import { Authority } from '../mllp/certificates.ts';
import { ack, HospitalListener } from '../outbound/hospital.ts';
import { temporaryFolder } from '../support/app.ts';

const never = new AbortController().signal;
afterEach(() => HospitalListener.closeAll());

/** An open line with everything that it tells. */
class Probe {
  readonly answers: string[] = [];
  line!: Line;
  closed!: Promise<void>;
  #next: (() => void)[] = [];

  static async open(port: number, options: Partial<Parameters<typeof dialer>[0]> = {}): Promise<Probe> {
    const probe = new Probe();
    const dial = dialer({ host: '127.0.0.1', port, version: '2.5.1', ...options });
    probe.closed = new Promise((resolve) => {
      const opened = dial(
        {
          answered: (bytes) => {
            probe.answers.push(Buffer.from(bytes).toString('latin1'));
            for (const next of probe.#next.splice(0)) next();
          },
          closed: resolve,
        },
        never,
      );
      probe.#opened = opened.then((line) => {
        probe.line = line;
      });
    });
    await probe.#opened;
    return probe;
  }

  #opened: Promise<void> = Promise.resolve();

  async answered(count: number): Promise<void> {
    while (this.answers.length < count) await new Promise<void>((resolve) => this.#next.push(resolve));
  }
}

const message = (controlId: string, text = ''): Buffer =>
  Buffer.from(`MSH|^~\\&|A|B|C|D|2026||SIU^S12^SIU_S12|${controlId}|P|2.5.1\rNTE|1||${text}\r`);

describe('a line', () => {
  test('sends the bytes as they are, to the last', async () => {
    // 0xA0 is a blank in latin1 and half of a character in UTF-8; the client alone would cut it off, and the CR with it.
    const bytes = message('C1', 'caffà 张');
    const hospital = createServer();
    await new Promise<void>((resolve) => hospital.listen(0, '127.0.0.1', resolve));
    const whole = new Promise<Buffer>((resolve) => {
      hospital.once('connection', (socket) => {
        const chunks: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          if (chunk.includes(0x1c)) resolve(Buffer.concat(chunks));
        });
      });
    });
    const probe = await Probe.open((hospital.address() as { port: number }).port);
    const ending = Buffer.concat([bytes, Buffer.from('NTE|2||à')]);
    probe.line.write(ending);
    expect(await whole).toEqual(frame(ending));
    probe.line.close();
    await new Promise((resolve) => hospital.close(resolve));
  });

  test('gives every answer, however they are cut, and several that come at once', async () => {
    let asked: Socket | undefined;
    const hospital = await HospitalListener.open((_, socket) => {
      asked = socket;
      return 'silent';
    });
    const probe = await Probe.open(hospital.port);
    for (const id of ['C1', 'C2', 'C3']) probe.line.write(message(id));
    await hospital.arrived(3);
    const all = Buffer.concat(hospital.received.map((it) => frame(ack(it, 'AA'))));
    asked?.setNoDelay(true);
    for (const at of [0, 1, 80, 81, 82, 130, all.length - 1]) {
      const next = [1, 80, 81, 82, 130, all.length - 1, all.length].find((it) => it > at);
      await new Promise<void>((resolve) => asked?.write(all.subarray(at, next), () => resolve()));
    }
    await probe.answered(3);
    expect(probe.answers.map((it) => /MSA\|AA\|(\w+)/.exec(it)?.[1])).toEqual(['C1', 'C2', 'C3']);
    probe.line.close();
  });

  test('tells at once that the hospital hung up, and opens no other by itself', async () => {
    const hospital = await HospitalListener.open(() => 'hang-up');
    const probe = await Probe.open(hospital.port);
    probe.line.write(message('C1'));
    await probe.closed;
    probe.line.write(message('C2'));
    const other = await Probe.open(hospital.port);
    other.line.write(message('C3'));
    await other.closed;
    expect(hospital.control).toEqual(['C1', 'C3']);
    expect(hospital.connections).toBe(2);
  });

  test('is over when the hospital sends nothing more', async () => {
    const hospital = await HospitalListener.open((_, socket) => {
      socket.end();
      return 'silent';
    });
    const probe = await Probe.open(hospital.port);
    probe.line.write(message('C1'));
    await probe.closed;
    expect(probe.answers).toEqual([]);
  });

  test('tells that it is closed when we close it', async () => {
    const hospital = await HospitalListener.open();
    const probe = await Probe.open(hospital.port);
    probe.line.close();
    await probe.closed;
  });

  test('to a hospital that answers without end is closed', async () => {
    const hospital = await HospitalListener.open((_, socket) => {
      socket.write(Buffer.concat([Buffer.from([0x0b]), Buffer.alloc(2_000_000, 'x')]));
      return 'silent';
    });
    const probe = await Probe.open(hospital.port);
    probe.line.write(message('C1'));
    await probe.closed;
  });
});

describe('no line comes about', () => {
  const listener = { answered: () => {}, closed: () => {} };
  const dial = (port: number, signal = never, options = {}): Promise<Line> =>
    dialer({ host: '127.0.0.1', port, version: '2.5.1', ...options })(listener, signal);

  test('where nobody listens', async () => {
    const hospital = await HospitalListener.open();
    const { port } = hospital;
    await hospital.close();
    await expect(dial(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('where no name is known', async () => {
    await expect(dial(2575, never, { host: 'no-such-host.invalid' })).rejects.toMatchObject({
      code: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/),
    });
  });

  test('when the process stops before', async () => {
    const hospital = await HospitalListener.open();
    await expect(dial(hospital.port, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
    expect(hospital.connections).toBe(0);
  });

  test('when the process stops meanwhile', async () => {
    const stopping = new AbortController();
    const hospital = await HospitalListener.open();
    const opening = dial(hospital.port, stopping.signal);
    stopping.abort();
    await expect(opening).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('where somebody listens who does not speak TLS, within the time', async () => {
    const hospital = await HospitalListener.open();
    await expect(dial(hospital.port, never, { tls: {}, connectMs: 50 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });
});

describe('over TLS', () => {
  const folder = temporaryFolder();
  const file = (name: string, text: string): string => {
    const path = join(folder.path, name);
    writeFileSync(path, text);
    return path;
  };
  afterAll(() => folder.remove());

  const authority = new Authority('hospitals');
  const own = authority.issue('aftercare');
  const ca = file('ca.pem', authority.cert);
  const [cert, key] = [file('own.pem', own.cert), file('own.key', own.key)];

  async function hospitalWithTls(): Promise<HospitalListener> {
    const server = createTlsServer({ ...authority.issue('hospital'), ca: authority.cert, requestCert: true });
    return HospitalListener.open(() => 'AA', { server, carries: 'secureConnection' });
  }

  test('a message is sent and answered, with certificates on both sides', async () => {
    const hospital = await hospitalWithTls();
    const probe = await Probe.open(hospital.port, { tls: { ca, cert, key } });
    probe.line.write(message('C1'));
    await probe.answered(1);
    expect(probe.answers[0]).toContain('MSA|AA|C1');
    probe.line.close();
  });

  test.each([
    [
      'somebody whom we do not trust',
      () => ({ ca: file('other.pem', new Authority('other').cert) }),
      /VERIFY|SELF_SIGNED|ISSUER/,
    ],
    ['somebody of another name', () => ({ ca, serverName: 'other.example' }), /ALTNAME_INVALID/],
  ])('there is no line to %s', async (_, tls, code) => {
    const hospital = await hospitalWithTls();
    const dialled = Probe.open(hospital.port, { tls: tls() });
    await expect(dialled).rejects.toMatchObject({ code: expect.stringMatching(code) });
    expect(hospital.received).toEqual([]);
  });

  test('a hospital that wants a certificate of ours closes the line, and has read nothing', async () => {
    const hospital = await hospitalWithTls();
    // TLS 1.3 lets the client speak before the server has looked at its certificate.
    const probe = await Probe.open(hospital.port, { tls: { ca } });
    probe.line.write(message('C1'));
    await probe.closed;
    expect(hospital.received).toEqual([]);
  });

  test('a certificate that is not there stops the start', () => {
    const tls = { ca: join(folder.path, 'missing.pem') };
    expect(() => dialer({ host: 'h', port: 1, version: '2.5.1', tls })).toThrow(/ENOENT/);
  });
});
