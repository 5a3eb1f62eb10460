/** What the stories of trouble have in common: a hospital whose senders want to know when a message is kept and when it is applied. */
import { MllpSender } from '../../adapters/mllp/sender.ts';
import type { App } from '../../src/app.ts';
import { portOf } from '../support/app.ts';
import { discharge } from '../support/messages.ts';

/** Message n of the story: patient n is admitted (or what `event` says); enhanced mode, both answers wanted. */
export function admission(n: number, event = 'A01'): { controlId: string; bytes: Buffer } {
  const controlId = `T${n}`;
  const text = discharge({ event, controlId, patient: `P${n}`, visit: `V${n}`, disposition: '' });
  const minute = String(n).padStart(4, '0');
  return {
    controlId,
    bytes: Buffer.from(
      text
        .replace('|2.5.1|||||', '|2.5.1|||AL|AL|')
        .replaceAll('20260316103000', `2026031610${minute.slice(0, 2)}${minute.slice(2)}`),
    ),
  };
}

/** A message on its way, over a connection of its own. */
export interface Sending {
  readonly n: number;
  /** True: acknowledged with CA. False: the connection closed without an answer. */
  readonly kept: Promise<boolean>;
  /** The code of the application answer, whenever it comes; undefined when the message was not kept. */
  readonly applied: Promise<string | undefined>;
}

/** Sends patient n to the server. */
export function send(app: Pick<App, 'mllp'>, n: number): Sending {
  const { controlId, bytes } = admission(n);
  const connected = MllpSender.connect('127.0.0.1', portOf(app.mllp));
  const exchange = connected.then((sender) => sender.exchange(bytes, { controlId, accept: true, application: true }));
  const kept = exchange
    .then(({ accept }) => accept)
    .then(
      (answer) => {
        if (codeIn(answer) !== 'CA') throw new Error(`patient ${n} was answered ${codeIn(answer)}`);
        return true;
      },
      () => false,
    );
  const applied = kept.then(async (isKept) => {
    try {
      return isKept ? codeIn(await (await exchange).application) : undefined;
    } finally {
      void connected.then((sender) => sender.close());
    }
  });
  return { n, kept, applied };
}

/** Sends a patient until the message is kept. @returns how often it was sent, and the application answer */
export async function sendUntilKept(
  app: Pick<App, 'mllp'>,
  n: number,
): Promise<{ times: number; applied: Promise<string | undefined> }> {
  for (let times = 1; ; times++) {
    const { kept, applied } = send(app, n);
    if (await kept) return { times, applied };
    // A sender that is not answered waits a little.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function codeIn(answer: Buffer | undefined): string {
  return /\rMSA\|(\w\w)/.exec(answer?.toString() ?? '')?.[1] ?? 'nothing';
}

/** The patients whose messages were applied, in the order of the changes. */
export async function patientsInOrder({ store }: Pick<App, 'store'>): Promise<number[]> {
  const causes = (await store.changes(0, 10_000)).map(({ cause }) => cause);
  const ids = [...new Set(causes)].flatMap((cause) => /^message:(\d+)$/.exec(cause)?.[1] ?? []);
  const rows = await Promise.all(ids.map((id) => store.message(Number(id))));
  return rows.map((row) => Number(row?.controlId.slice(1)));
}
