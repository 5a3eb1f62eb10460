/** What senders put into frames: single messages, repeats, batches, noise. Same seed, same packets. */
import { frame } from '../../adapters/mllp/frame.ts';
import { encode } from '../../src/hl7v2/charset.ts';
import { carriedIn } from './charsets.ts';
import { type Grammar, type MessageOptions, type World, wellFormed } from './grammar.ts';
import { mutated, seedMessages, withControlId } from './mutate.ts';
import type { Random } from './random.ts';

/** Makes the packets of one connection. */
export class Packets {
  readonly #grammar: Grammar;
  readonly #world: World;
  readonly #random: Random;
  readonly #samples = seedMessages();
  readonly #sent: Buffer[] = [];
  readonly #begin: number;
  #count = 0;

  /** @param begin when its first message is sent; minutes after midnight */
  constructor(grammar: Grammar, world: World, begin: number, random: Random) {
    this.#begin = begin;
    this.#grammar = grammar;
    this.#world = world;
    this.#random = random;
  }

  /** The next content of a frame or an HTTP body. */
  next(): Buffer {
    const packet = this.#make();
    this.#sent.push(packet);
    return packet;
  }

  #make(): Buffer {
    const random = this.#random;
    const dice = random.next();
    if (dice < 0.03 && this.#sent.length > 0) return random.pick(this.#sent);
    // The same content under a new control id, or other content under an old one.
    if (dice < 0.05 && this.#sent.length > 0) return withControlId(random.pick(this.#sent), this.#id());
    if (dice < 0.06 && this.#sent.length > 0) return this.#edited(random.pick(this.#sent));
    if (dice < 0.1) return this.#spoiled(this.#batch(), 0.4);
    if (dice < 0.32) return this.#spoiled(withControlId(random.pick(this.#samples), this.#id()), 0.9);
    return this.#spoiled(this.#message(), 0.75);
  }

  #id(): string {
    return `${this.#world.chunk}C${++this.#count}`;
  }

  /** What a new message says of itself; each is a minute after the one before. */
  #head(declared: string, scheme: string): MessageOptions {
    const controlId = this.#id();
    const sentAt = new Date(Date.UTC(2026, 2, 16) + (this.#begin + this.#count) * 60_000).toISOString();
    return { controlId, charset: declared, scheme, sentAt: sentAt.slice(0, 19).replace(/[-T:]/g, '') };
  }

  #message(): Buffer {
    const { declared, scheme, charset } = carriedIn(this.#random);
    const segments = wellFormed(this.#grammar, this.#world, this.#head(declared, scheme), this.#random);
    return encode(textOf(segments), charset);
  }

  /** Other bytes under the same control id. */
  #edited(bytes: Buffer): Buffer {
    return Buffer.concat([bytes, Buffer.from('NTE|1||more\r')]);
  }

  /** FHS, BHS, messages, BTS, FTS: some of it missing, some counts wrong. */
  #batch(): Buffer {
    const random = this.#random;
    const { declared, scheme, charset } = carriedIn(random);
    const often = (share: number): boolean => random.next() < share;
    const lines: string[] = [];
    if (often(0.5)) lines.push('FHS|^~\\&|HIS|RENHE|AFTERCARE|RENHE|20260316||day.hl7||F1\r');
    const groups = random.pick([1, 1, 2]);
    for (let group = 1; group <= groups; group++) {
      const count = random.pick([0, 1, 2, 3, 5]);
      if (often(0.8)) lines.push(`BHS|^~\\&|HIS|RENHE|AFTERCARE|RENHE|20260316||||B${group}\r`);
      for (let n = 0; n < count; n++) {
        lines.push(textOf(wellFormed(this.#grammar, this.#world, this.#head(declared, scheme), random)));
      }
      if (often(0.8)) lines.push(`BTS|${often(0.9) ? count : random.pick(['99', 'x', '-1', ''])}\r`);
    }
    if (often(0.5)) lines.push(`FTS|${often(0.9) ? groups : 7}\r`);
    return encode(lines.join(''), charset);
  }

  #spoiled(bytes: Buffer, share: number): Buffer {
    const random = this.#random;
    if (random.next() >= share) return bytes;
    let spoiled = bytes;
    for (let n = random.pick([1, 1, 2, 3]); n > 0; n--) spoiled = mutated(spoiled, random, this.#samples);
    return spoiled;
  }
}

function textOf(segments: readonly (readonly string[])[]): string {
  return segments.map((fields) => `${fields.join('|')}\r`).join('');
}

/** What goes over the wire: a frame, now and then a broken one. */
export function framed(bytes: Buffer, random: Random): Buffer {
  const whole = frame(bytes);
  const dice = random.next();
  if (dice < 0.01) return whole.subarray(0, -2);
  if (dice < 0.02) return whole.subarray(1);
  if (dice < 0.03) return Buffer.concat([Buffer.from('\r\n noise \r\n'), whole]);
  if (dice < 0.05) return whole.subarray(0, -1);
  if (dice < 0.06) return Buffer.concat([Buffer.from('\r\n \0'), whole]);
  return whole;
}
