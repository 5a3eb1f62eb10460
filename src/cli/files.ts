/** Files of HL7 v2 messages: one or many each, batches, MLLP-framed or not, in any character set; and folders of them. */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Framer } from '../../adapters/mllp/frame.ts';
import { splitBatch } from '../hl7v2/batch.ts';
import { shapeOf } from '../hl7v2/header-bytes.ts';

export interface MessageFile {
  /** `name.hl7`, or `name.hl7#2` for the second message of a file. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What is wrong with the batch that begins with it: a count that does not fit. */
  readonly problem?: string;
}

/**
 * The messages of files and folders, in order. Folders are read with all that is below, in the order of names; of them only
 * what has the ending of a message or begins like one. @throws Error with code ENOENT
 */
export function* messagesOf(paths: readonly string[]): Generator<MessageFile> {
  for (const path of paths) {
    for (const file of filesOf(path)) {
      const parts = split(readFileSync(file));
      for (const [i, part] of parts.entries()) yield { ...part, name: parts.length > 1 ? `${file}#${i + 1}` : file };
    }
  }
}

function* filesOf(path: string): Generator<string> {
  if (!statSync(path).isDirectory()) {
    yield path;
    return;
  }
  const entries = readdirSync(path, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) yield* filesOf(below);
    else if (statSync(below, { throwIfNoEntry: false })?.isFile() && isMessageFile(below)) yield below;
  }
}

function isMessageFile(path: string): boolean {
  return /\.(hl7|txt|msg)$/i.test(path) || /^(MSH|FHS|BHS)[^A-Za-z0-9]/.test(beginning(path));
}

/** The first letters, without what may stand in front: a byte-order mark, VT, blanks, the zeros of UTF-16. */
function beginning(path: string): string {
  const head = Buffer.alloc(64);
  const file = openSync(path, 'r');
  try {
    const length = readSync(file, head);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    return head.toString('latin1', 0, length).replace(/^[\u0000\s\u000b\u00ef\u00bb\u00bf\u00fe\u00ff]+|\u0000/g, '');
  } finally {
    closeSync(file);
  }
}

type Part = Omit<MessageFile, 'name'>;

/** Cuts at frames if there are any, and what is in a frame, or in none, as a batch. */
function split(bytes: Buffer): Part[] {
  // UTF-16 has VT inside its characters, and may not be framed.
  if (shapeOf(bytes).width > 1 || !bytes.includes(0x0b)) return unbatched(bytes);
  const framer = new Framer(Number.MAX_SAFE_INTEGER);
  const frames = [...framer.push(bytes), ...framer.end()].filter((it) => it.kind !== 'junk');
  return frames.flatMap((it) => unbatched(it.bytes));
}

function unbatched(bytes: Buffer): Part[] {
  const batch = splitBatch(bytes);
  if (batch)
    return batch.messages.map((it, i) => ({ bytes: it, ...(i === 0 && batch.problem && { problem: batch.problem }) }));
  const begin = firstHeader(bytes);
  // Something stands in front: it is shown as what it is, no message, and does not take the others with it.
  return begin > 0 ? [{ bytes: bytes.subarray(0, begin) }, ...unbatched(bytes.subarray(begin))] : [{ bytes }];
}

/** Where a line begins with MSH, FHS or BHS behind other text; -1 for none. */
function firstHeader(bytes: Buffer): number {
  if (shapeOf(bytes).width > 1 || /^(MSH|FHS|BHS)/.test(bytes.toString('latin1', shapeOf(bytes).mark, 9))) return -1;
  const found = /[\r\n](?=(MSH|FHS|BHS)[^A-Za-z0-9])/.exec(bytes.toString('latin1'));
  return found ? found.index + 1 : -1;
}
