/** Ids as an argument: random for what clients create, derived from identity for what messages and plans create. */
import { hash, randomBytes, randomUUID } from 'node:crypto';

export interface Ids {
  /** A new logical id: 36 characters of A-Z a-z 0-9 and dash, never given twice. */
  next(): string;
  /** A new control id (MSH-10, BHS-11, FHS-11): 20 characters of A-Z and 0-9, never given twice. */
  controlId(): string;
}

// 32 characters, so that each is five bits of a byte: a hundred in all.
const controlLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** HL7 v2.5.1 2.14.9.10; up to v2.6 a longer one may be cut by who gets it. */
const controlIdLength = 20;

/** Drawn many at a time: each acknowledgement takes some. */
let drawn = Buffer.alloc(0);
let taken = 0;

function randomControlId(): string {
  if (taken + controlIdLength > drawn.length) [drawn, taken] = [randomBytes(200 * controlIdLength), 0];
  let id = '';
  for (let i = 0; i < controlIdLength; i++) id += controlLetters[(drawn[taken++] as number) & 31];
  return id;
}

export const randomIds: Ids = { next: () => randomUUID(), controlId: randomControlId };

/** Counting ids (`prefix-1`, `prefix-2` …) for tests. */
export function countingIds(prefix: string): Ids {
  let last = 0;
  const next = (): string => `${prefix}-${++last}`;
  return { next, controlId: next };
}

/**
 * The id of a thing by its identity: equal parts give the equal id, on every machine and at every time.
 * 128 bits of SHA-256 in UUID form (RFC 9562 version 8, "custom").
 */
export function identityId(...parts: readonly string[]): string {
  let text = '';
  for (const part of parts) text += `${part.length}:${part}`;
  const known = given.get(text);
  if (known) return known;
  const digest = hash('sha256', text, 'hex');
  const variant = '89ab'[Number.parseInt(digest[16] as string, 16) & 3];
  const id = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
  if (given.size >= givenMax) given.clear();
  // A whole segment may be the identity, with a document in it: that is not remembered.
  if (text.length <= rememberedTextMax) given.set(text, id);
  return id;
}

/** Longer identities are digested each time; characters. */
const rememberedTextMax = 1000;

/** Doctors, wards and insurers come with every message: their ids are remembered, at most so many. */
const givenMax = 10_000;
const given = new Map<string, string>();
