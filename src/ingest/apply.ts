/** One received message ─▶ resources in the store, in one unit with the message's own state. */
import type { Clock } from '../clock.ts';
import type { Commit, Intention, Written } from '../commit/commit.ts';
import { rewriteReferences } from '../fhir/reference.ts';
import type { StoredResource } from '../fhir/types.ts';
import type { Zone } from '../fhir/zone.ts';
import { type Charset, decode } from '../hl7v2/charset.ts';
import { type Message, parse } from '../hl7v2/message.ts';
import { describe } from '../hl7v2/problem.ts';
import type { Built } from '../mapping/context.ts';
import type { Mapping } from '../mapping/map.ts';
import { Failure } from '../outcome.ts';
import type { JournalRow, MessageState } from '../store/rows.ts';
import { LostClaim, type Store, type View } from '../store/store.ts';
import { merge } from './merge.ts';

export interface IngestParts {
  readonly store: Store;
  readonly commit: Commit;
  readonly mapping: Mapping;
  /** The version of the mapping files: remembered with each message. */
  readonly mappingVersion: string;
  readonly zone: Zone;
  readonly clock: Clock;
}

/**
 * Applies a message and moves its row on. Hands its work to the writer before it first waits, so that messages started in
 * order are applied in order.
 * @param sentAgain the same message was applied before: nothing is to be done
 * @returns the state it is in now; undefined when another worker had it
 * @throws what the store throws when it cannot write at all: the message stays `received` and is tried again
 */
export async function applyMessage(
  row: JournalRow,
  sentAgain: boolean,
  parts: IngestParts,
): Promise<MessageState | undefined> {
  const message = readAgain(row);
  const problems = message ? parts.mapping.check(message) : [];
  if (!message || problems.length > 0) {
    return settle(row, 'unmapped', problems.map(describe).join('; ') || 'the bytes cannot be read any more', parts);
  }
  if (sentAgain) return settle(row, 'duplicate', undefined, parts);
  try {
    await write(row, mapped(message, row, parts), parts);
    return 'applied';
  } catch (error) {
    if (error instanceof LostClaim) return undefined;
    // A defect of ours on this one message must not hold up the journal behind it.
    if (isDefect(error)) return settle(row, 'failed', `a defect: ${(error as Error).name}`, parts);
    // Only what our own gate refuses is the message's fate; a database that is away is not, and a conflict passes.
    if (!(error instanceof Failure) || error.kind === 'conflict') throw error;
    const detail = error.details.map(({ expression, text }) => `${expression ?? ''} ${text}`.trim()).join('; ');
    return settle(row, 'unmapped', `${error.kind}: ${detail}`, parts);
  }
}

/** What JavaScript throws at a mistake in the program; a database throws errors of its own. */
function isDefect(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof SyntaxError
  );
}

function readAgain(row: JournalRow): Message | undefined {
  const decoded = decode(row.bytes, row.charset as Charset);
  return 'text' in decoded ? parse(decoded.text) : undefined;
}

function mapped(message: Message, row: JournalRow, { mapping, zone }: IngestParts): readonly Built[] {
  return mapping.map(message, { zone, receivedAt: zone.isoOf(row.receivedAt) }).resources;
}

async function write(row: JournalRow, built: readonly Built[], parts: IngestParts): Promise<void> {
  const { commit, mappingVersion, clock } = parts;
  await commit.run({
    cause: `message:${row.id}`,
    keys: built.flatMap(({ resource, identifier }) => {
      const type = resource.resourceType;
      return identifier
        ? [
            { type, id: resource.id },
            { type, identifier },
          ]
        : [{ type, id: resource.id }];
    }),
    decide: (view) => ({
      intentions: intentions(built, view),
      effects: (written) => [
        {
          kind: 'message',
          claim: {
            id: row.id,
            from: 'received',
            to: 'applied',
            at: clock.now(),
            mappingVersion,
            wrote: names(written),
          },
        },
      ],
    }),
  });
}

function names(written: readonly Written[]): string[] {
  return written
    .filter((it) => it.interaction !== 'none')
    .map(({ type, id, version }) => `${type}/${id}/_history/${version}`);
}

/**
 * A resource is the stored one with the same id, else the one that a FHIR client wrote with the same identifier, else new.
 * References follow when the id is another than the message's own.
 */
function intentions(built: readonly Built[], view: View): Intention[] {
  const renamed = new Map<string, string>();
  const stored = built.map(({ resource, identifier }) => {
    const { resourceType: type, id } = resource;
    const own = view.get({ type, id });
    if (own || !identifier) return own?.resource;
    const found = view.find({ type, identifier });
    const only = found.length === 1 ? found[0] : undefined;
    if (only) renamed.set(`${type}/${id}`, `${type}/${only.id}`);
    return only?.resource;
  });
  // Two of the message may be one that a client wrote: the second completes what the first makes of it.
  const results = new Map<string, StoredResource>();
  for (const [i, it] of built.entries()) {
    const own =
      renamed.size === 0
        ? it
        : { ...it, resource: rewriteReferences(it.resource, (reference) => renamed.get(reference)) };
    const id = stored[i]?.id ?? own.resource.id;
    const key = `${own.resource.resourceType}/${id}`;
    results.set(key, { ...merge(results.get(key) ?? stored[i], own), id });
  }
  return [...results.values()].map((resource): Intention => ({ kind: 'put', resource }));
}

async function settle(
  row: JournalRow,
  to: MessageState,
  error: string | undefined,
  { commit, clock, mappingVersion }: IngestParts,
): Promise<MessageState | undefined> {
  try {
    await commit.run({
      cause: `message:${row.id}`,
      keys: [],
      decide: () => ({
        intentions: [],
        effects: () => [
          {
            kind: 'message',
            claim: { id: row.id, from: 'received', to, at: clock.now(), mappingVersion, ...(error && { error }) },
          },
        ],
      }),
    });
    return to;
  } catch (lost) {
    if (lost instanceof LostClaim) return undefined;
    throw lost;
  }
}
