/** Files of HL7 v2 messages: one or many each, MLLP-framed or not, in any character set. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Frame, Framer } from '../../adapters/mllp/frame.ts';

export interface MessageFile {
  /** `name.hl7`, or `name.hl7#2` for the second message of a file. */
  readonly name: string;
  readonly bytes: Buffer;
}

/** The messages of files and folders, in order. @throws Error with code ENOENT */
export function* messagesOf(paths: readonly string[]): Generator<MessageFile> {
  for (const path of paths) {
    if (statSync(path).isDirectory()) {
      const names = readdirSync(path)
        .filter((name) => /\.(hl7|txt|msg)$/i.test(name))
        .sort();
      yield* messagesOf(names.map((name) => join(path, name)));
      continue;
    }
    const messages = split(readFileSync(path));
    for (const [i, bytes] of messages.entries()) yield { name: messages.length > 1 ? `${path}#${i + 1}` : path, bytes };
  }
}

/** Cuts at frames if there are any, else before each `MSH` at the beginning of a line. */
function split(bytes: Buffer): Buffer[] {
  if (bytes.includes(0x0b)) {
    const framer = new Framer(Number.MAX_SAFE_INTEGER);
    const frames: Frame[] = [...framer.push(bytes), ...framer.end()];
    return frames.filter((it) => it.kind !== 'junk').map((it) => it.bytes);
  }
  const starts: number[] = [];
  for (let at = bytes.indexOf('MSH'); at >= 0; at = bytes.indexOf('MSH', at + 1)) {
    if (at === 0 || bytes[at - 1] === 0x0d || bytes[at - 1] === 0x0a || (starts.length === 0 && at <= 3))
      starts.push(at);
  }
  if (starts.length <= 1) return [bytes];
  return starts.map((start, i) => bytes.subarray(i === 0 ? 0 : start, starts[i + 1]));
}
