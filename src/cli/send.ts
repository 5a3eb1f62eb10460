/** `npm run --silent send -- FILE… [--to host:port] [--rate N]`: sends over MLLP and prints the ACKs. */
import { setTimeout as wait } from 'node:timers/promises';
import { MllpSender } from '../../adapters/mllp/sender.ts';
import { messagesOf } from './files.ts';

const usage = 'send FILE… [--to HOST:PORT] [--rate MESSAGES_PER_SECOND]\n';

/** @returns the exit code: 1 when a message was not acknowledged with AA, 2 for a wrong call */
export async function sendCommand(args: readonly string[]): Promise<number> {
  const files: string[] = [];
  let to = '127.0.0.1:2575';
  let rate = 0;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (arg === '--to') to = args[++i] ?? '';
    else if (arg === '--rate') rate = Number(args[++i]);
    else files.push(arg);
  }
  const target = /^(.+):(\d{1,5})$/.exec(to.replace(/^mllp:\/\//, ''));
  if (!target || files.length === 0 || Number.isNaN(rate) || files.some((it) => it.startsWith('--'))) {
    process.stderr.write(usage);
    return 2;
  }
  const sender = await MllpSender.connect(target[1] as string, Number(target[2]));
  let refused = false;
  for (const { name, bytes } of messagesOf(files)) {
    const answer = (await sender.send(bytes)).toString('utf8');
    const code = /^MSA\|(\w+)/m.exec(answer.replaceAll('\r', '\n'))?.[1] ?? '??';
    refused ||= code !== 'AA';
    process.stdout.write(`${code} ${name}\n${answer.trimEnd().replaceAll('\r', '\n')}\n`);
    if (rate > 0) await wait(1000 / rate);
  }
  sender.close();
  return refused ? 1 : 0;
}
