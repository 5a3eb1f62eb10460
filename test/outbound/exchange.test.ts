/** The line to a hospital: when it is opened, kept, and given up. The hospital is a few functions here. */
import { describe, expect, test } from '@jest/globals';
import { Exchange } from '../../src/outbound/exchange.ts';
import type { Dial, LineListener } from '../../src/outbound/line.ts';

/** A line that a test answers on, and closes. */
class Wire {
  readonly written: string[] = [];
  listener!: LineListener;
  lines = 0;
  closed = 0;
  /** Called with the text of each message. */
  got: (controlId: string) => void = () => {};
  opened: Promise<void> = Promise.resolve();

  readonly dial: Dial = async (listener) => {
    this.lines++;
    await this.opened;
    this.listener = listener;
    return {
      write: (bytes) => {
        const id = Buffer.from(bytes).toString();
        this.written.push(id);
        this.got(id);
      },
      close: () => {
        this.closed++;
        queueMicrotask(() => listener.closed());
      },
    };
  };

  answer(controlId: string, code = 'AA'): void {
    this.listener.answered(Buffer.from(`MSH|^~\\&|HIS\rMSA|${code}|${controlId}\r`));
  }
}

function exchange(wire: Wire, options: { timeoutMs?: number; idleMs?: number } = {}): Exchange {
  return new Exchange({ dial: wire.dial, charset: 'UTF-8', timeoutMs: 5000, idleMs: 5000, ...options });
}

const message = (controlId: string) => ({ controlId, bytes: Buffer.from(controlId) });

describe('a line', () => {
  test('is opened once for all that ask at the same time, and kept', async () => {
    const wire = new Wire();
    wire.got = (id) => wire.answer(id);
    const own = exchange(wire);
    const outcomes = await Promise.all(['1', '2', '3'].map((it) => own.send(message(it))));
    await own.send(message('4'));
    expect(outcomes.map((it) => it.kind)).toEqual(['answered', 'answered', 'answered']);
    expect(wire.lines).toBe(1);
    await own.stop(0);
  });

  test('that closed is opened again for the next message', async () => {
    const wire = new Wire();
    wire.got = () => wire.listener.closed();
    const own = exchange(wire);
    expect(await own.send(message('1'))).toEqual({ kind: 'no-answer', text: 'the connection was closed' });
    wire.got = (id) => wire.answer(id);
    expect((await own.send(message('2'))).kind).toBe('answered');
    expect(wire.lines).toBe(2);
    await own.stop(0);
  });

  test('that closed as soon as it was open has sent nothing', async () => {
    const wire = new Wire();
    const dial: Dial = async (listener, signal) => {
      const line = await wire.dial(listener, signal);
      listener.closed();
      return line;
    };
    const own = new Exchange({ dial, charset: 'UTF-8', timeoutMs: 5000, idleMs: 5000 });
    expect(await own.send(message('1'))).toMatchObject({ kind: 'unreachable' });
    expect(wire.written).toEqual([]);
    await own.stop(0);
  });

  test('without traffic is closed', async () => {
    const wire = new Wire();
    wire.got = (id) => wire.answer(id);
    const own = exchange(wire, { idleMs: 5 });
    await own.send(message('1'));
    const closed = new Promise<void>((resolve) => {
      const before = wire.listener.closed;
      wire.listener.closed = () => {
        before();
        resolve();
      };
    });
    await closed;
    expect(wire.closed).toBe(1);
    await own.stop(0);
  });

  test('of which nothing is heard is closed, and all that is on it sent again elsewhere', async () => {
    const wire = new Wire();
    const own = exchange(wire, { timeoutMs: 20 });
    const outcomes = await Promise.all([own.send(message('1')), own.send(message('2'))]);
    expect(outcomes.map((it) => it.kind)).toEqual(['no-answer', 'no-answer']);
    expect(wire.closed).toBe(1);
    wire.got = (id) => wire.answer(id);
    expect((await own.send(message('3'))).kind).toBe('answered');
    expect(wire.lines).toBe(2);
    await own.stop(0);
  });

  test('late answers are those of the message, also when it was sent again', async () => {
    const wire = new Wire();
    wire.got = (id) => {
      // The other one is answered, so the line is alive and stays.
      if (id === '2') wire.answer('2');
    };
    const own = exchange(wire, { timeoutMs: 20 });
    const [first] = await Promise.all([own.send(message('1')), own.send(message('2'))]);
    expect(first).toMatchObject({ kind: 'no-answer' });
    const again = own.send(message('1'));
    wire.got = () => {};
    await Promise.resolve();
    wire.answer('1');
    expect((await again).kind).toBe('answered');
    expect(wire.lines).toBe(1);
    await own.stop(0);
  });
});

describe('when the process stops', () => {
  test('what is on its way is waited for, so long and no longer', async () => {
    const wire = new Wire();
    const sent = new Promise<void>((resolve) => {
      wire.got = () => resolve();
    });
    const own = exchange(wire);
    const attempt = own.send(message('1'));
    await sent;
    await own.stop(10);
    expect(await attempt).toEqual({ kind: 'stopped' });
    expect(wire.closed).toBe(1);
  });

  test('a line that opens too late is closed', async () => {
    const wire = new Wire();
    let open = (): void => {};
    wire.opened = new Promise((resolve) => {
      open = resolve;
    });
    const own = exchange(wire);
    const attempt = own.send(message('1'));
    await own.stop(0);
    open();
    expect(await attempt).toEqual({ kind: 'stopped' });
    expect([wire.closed, wire.written]).toEqual([1, []]);
  });

  test('nothing is sent any more', async () => {
    const wire = new Wire();
    const own = exchange(wire);
    await own.stop(0);
    expect(await own.send(message('1'))).toEqual({ kind: 'stopped' });
    expect(wire.lines).toBe(0);
  });
});
