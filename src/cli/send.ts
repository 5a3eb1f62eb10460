/** `npm run --silent send -- FILE… [--to host:port] [--rate N]`: sends over MLLP and prints the ACKs. */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ConnectionLost, MllpSender } from '../../adapters/mllp/sender.ts';
import { ackWishOf } from '../hl7v2/ack.ts';
import { parse } from '../hl7v2/message.ts';
import { messagesOf } from './files.ts';

const usage = `send FILE… [--to HOST:PORT] [--rate MESSAGES_PER_SECOND]
  TLS: --to mllps://HOST:PORT [--ca FILE] [--certificate FILE --key FILE]
`;

/** How long an answer is waited for that must come, and one that may be left out (ER, SU); ms. */
const answerMs = 60_000;
const conditionalMs = 2000;

interface Call {
  readonly files: readonly string[];
  readonly sender: () => Promise<MllpSender>;
  readonly rate: number;
}

/** @returns the exit code: 1 when a message was not acknowledged with AA or CA as it asks or the connection was lost, 2 for a wrong call */
export async function sendCommand(args: readonly string[]): Promise<number> {
  const call = read(args);
  if (!call) {
    process.stderr.write(usage);
    return 2;
  }
  const sender = await call.sender();
  let refused = false;
  try {
    for (const { name, bytes } of messagesOf(call.files)) {
      if (!(await send(sender, name, bytes))) refused = true;
      if (call.rate > 0) await wait(1000 / call.rate);
    }
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    sender.close();
  }
  return refused ? 1 : 0;
}

function read(args: readonly string[]): Call | undefined {
  try {
    const text = { type: 'string' } as const;
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { to: text, rate: text, ca: text, certificate: text, key: text },
      allowPositionals: true,
    });
    const { to = '127.0.0.1:2575', rate = '0', ca, certificate, key } = values;
    const [, tls, host = '', port] = /^(?:mllp(s)?:\/\/)?(.+):(\d{1,5})$/.exec(to) ?? [];
    if (!port || positionals.length === 0 || Number.isNaN(Number(rate))) return undefined;
    const options = {
      ...(ca !== undefined && { ca: readFileSync(ca) }),
      ...(certificate !== undefined && { cert: readFileSync(certificate) }),
      ...(key !== undefined && { key: readFileSync(key) }),
    };
    const address = host.replace(/^\[|\]$/g, '');
    const sender = (): Promise<MllpSender> => MllpSender.connect(address, Number(port), tls ? options : undefined);
    return { files: positionals, rate: Number(rate), sender };
  } catch (error) {
    // A file that is not there is said as it is; a flag that nobody knows is a wrong call.
    if (String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')) return undefined;
    throw error;
  }
}

/** Sends one message and prints its answers: one in original mode, up to two in enhanced mode. @returns it was taken */
async function send(sender: MllpSender, name: string, bytes: Uint8Array): Promise<boolean> {
  // The header is enough, and its ASCII part is the same in every character set.
  const message = parse(
    Buffer.from(bytes)
      .toString('latin1')
      .split(/[\r\n]/, 1)[0] ?? '',
  );
  const wish = ackWishOf(message);
  const controlId = message?.header.text(10) ?? '';
  const [accept, application] = [wish.accept !== 'NE', wish.application !== 'NE'];
  const answers = sender.exchange(bytes, { controlId, accept, application });
  const wanted = [
    [wish.accept, answers.accept],
    [wish.application, answers.application],
  ] as const;
  let taken = true;
  let answered = false;
  for (const [condition, answer] of wanted) {
    const got = await within(condition === 'AL' ? answerMs : conditionalMs, answer);
    if (!got) continue;
    answered = true;
    taken &&= print(name, got);
  }
  // Silence is consent only where an answer would have been a complaint.
  const silent = wanted.every(([condition]) => condition === 'NE' || condition === 'ER');
  if (!answered) process.stdout.write(`-- ${name}\n`);
  return taken && (answered || silent);
}

/** What a promise gives, or undefined when its time is over. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  const late = wait(ms, undefined, { signal: over.signal }).catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}

function print(name: string, bytes: Buffer): boolean {
  const answer = bytes.toString('utf8').replaceAll('\r', '\n');
  const code = /^MSA\|(\w+)/m.exec(answer)?.[1] ?? '??';
  process.stdout.write(`${code} ${name}\n${answer.trimEnd()}\n`);
  return code === 'AA' || code === 'CA';
}
