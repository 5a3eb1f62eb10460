/** What one connection gets, and in which order, however its bytes are cut and whenever its answers are ready. */
import { afterEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { frame } from '../../adapters/mllp/frame.ts';
import { hospitalDay } from '../support/messages.ts';
import { framed, start, stopAll, until } from './running.ts';

afterEach(stopAll);

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

test.each(hospitalDay().map(({ name, bytes }) => [name, bytes] as const))(
  '%s is handed over whole wherever it is cut, and answered',
  async (_, bytes) => {
    const { listener, receiver, client } = await start();
    const sender = await client();
    // Without CR, so that nothing is held but what is begun.
    const stream = frame(bytes).subarray(0, -1);
    for (let place = 1; place < stream.length; place++) {
      sender.write(stream.subarray(0, place));
      await until(() => listener.state.heldBytes === place - 1);
      sender.write(stream.subarray(place));
      await sender.next();
    }
    const wrong = receiver.handed.filter((it) => it.refused !== undefined || it.text !== bytes.toString());
    expect([receiver.handed.length, wrong]).toEqual([stream.length - 1, []]);
  },
);

/** When the answers to one message are ready, in turns of the loop. */
interface Plan {
  readonly accept: number | undefined;
  readonly application: number | undefined;
}

const turnsOrNone = fc.option(fc.nat({ max: 12 }), { nil: undefined });
const plan: fc.Arbitrary<Plan> = fc.record({ accept: turnsOrNone, application: turnsOrNone });
const plans = fc.array(fc.array(plan, { minLength: 1, maxLength: 90 }), { minLength: 1, maxLength: 4 });

/** What a connection must get of one kind: the answers that its messages want, in their order. */
function wanted(kind: 'accept' | 'application', all: readonly Plan[]): string[] {
  return all.flatMap((it, i) => (it[kind] === undefined ? [] : [`${kind} ${i}`]));
}

test('whenever answers are ready, accept answers keep the order of the messages, application answers too, each after its own', async () => {
  let all: readonly Plan[][] = [];
  const { client } = await start({
    receive: async (bytes) => {
      const [connection, message] = bytes.toString().split(' ').map(Number) as [number, number];
      const { accept, application } = all[connection]![message]!;
      await turns(accept ?? 0);
      return {
        accept: accept === undefined ? undefined : Buffer.from(`accept ${message}`),
        application: turns(application ?? 0).then(() =>
          application === undefined ? undefined : Buffer.from(`application ${message}`),
        ),
      };
    },
  });
  await fc.assert(
    fc.asyncProperty(plans, async (connections) => {
      all = connections;
      const got = await Promise.all(
        connections.map(async (messages, c) => {
          const sender = await client();
          sender.write(messages.map((_, m) => framed(`${c} ${m}`)).join(''));
          const count = messages.flatMap((it) => [it.accept, it.application]).filter((it) => it !== undefined).length;
          const answers = await sender.take(count);
          sender.socket.end();
          expect(await sender.next()).toBeUndefined();
          return answers as string[];
        }),
      );
      for (const [c, answers] of got.entries()) {
        const messages = connections[c] as readonly Plan[];
        expect(answers.filter((it) => it.startsWith('accept'))).toEqual(wanted('accept', messages));
        expect(answers.filter((it) => it.startsWith('application'))).toEqual(wanted('application', messages));
        for (const [m, it] of messages.entries()) {
          if (it.accept === undefined || it.application === undefined) continue;
          expect(answers.indexOf(`application ${m}`)).toBeGreaterThan(answers.indexOf(`accept ${m}`));
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('behind a message that was not kept nothing is handed over, while the answer to one before it is still awaited', async () => {
  const { receiver, client } = await start({ auto: false });
  const [sender, other] = [await client(), await client()];
  sender.write(framed('1') + framed('2'));
  await receiver.got(2);
  receiver.handed[1]?.fail(new Error('disk full'));
  await turns(1);
  sender.write(framed('3'));
  other.write(framed('ping'));
  await other.next();
  expect(receiver.handed.map(({ text }) => text)).toEqual(['1', '2', 'ping']);
  receiver.handed[0]?.answer();
  expect(await sender.next()).toBe('ack 1');
  await sender.closed;
  expect(receiver.handed).toHaveLength(3);
});
