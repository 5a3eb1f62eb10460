/** Messages that are applied again: what that would change, and the move back to `received`. */
import type { Written } from '../commit/commit.ts';
import type { Json } from '../fhir/types.ts';
import { describe } from '../hl7v2/problem.ts';
import { stateOf } from '../journal/receive.ts';
import { isLastingFailure } from '../outcome.ts';
import type { JournalRow, MessageState } from '../store/rows.ts';
import type { Effect, View } from '../store/store.ts';
import { isSentAgain } from './again.ts';
import {
  type Decided,
  decideMessage,
  type IngestParts,
  mapMessage,
  mappingThere,
  readAgain,
  reasonOf,
  reasonOfFailed,
  siteGone,
} from './apply.ts';
import { type Change, differenceOf } from './difference.ts';

/**
 * States from which a message may be applied again. What was rejected never: its sender was told so, and sends it anew. A
 * duplicate says nothing that the message which it repeats does not say.
 */
export const replayable: readonly MessageState[] = ['applied', 'stale', 'ignored', 'unmapped', 'failed'];

/** What would become of a resource. */
export interface ResourceDifference {
  /** `Patient/ID`. */
  readonly resource: string;
  readonly change: 'create' | 'update' | 'delete' | 'unchanged';
  readonly elements: readonly Change[];
}

/** What would become of a message that is applied again. */
export interface Preview {
  readonly to: MessageState;
  /** Why it would not be applied, or would be stale. */
  readonly error?: string;
  readonly resources: readonly ResourceDifference[];
  /** Ids of messages that would be applied again too: they speak of what this one does not say any more. */
  readonly recalled: readonly number[];
}

/** Carries what was decided out of a transaction that writes nothing. */
class Seen extends Error {
  readonly decided: Decided;

  constructor(decided: Decided) {
    super('a look, not a write');
    this.decided = decided;
  }
}

/** Changes told of one resource at most. */
const changesMax = 500;

/**
 * The difference that a message would make if it were applied now. Nothing is written.
 * @throws what the store throws when it cannot be read
 */
export async function preview(row: JournalRow, parts: IngestParts): Promise<Preview> {
  const nothing = { resources: [], recalled: [] };
  const site = mappingThere(row.site, parts);
  if (!site) return { to: 'failed', error: siteGone(row), ...nothing };
  try {
    const message = readAgain(row);
    if (!message) return { to: 'unmapped', error: 'the bytes cannot be read any more', ...nothing };
    const problems = site.mapping.check(message);
    if (problems.length > 0) {
      const to = stateOf(problems, site) === 'ignored' ? 'ignored' : 'unmapped';
      return { to, error: problems.map(describe).join('; '), ...nothing };
    }
    if (await isSentAgain(row, parts.store)) return { to: 'duplicate', ...nothing };
    await decideMessage(row, message, mapMessage(message, row, site, parts.zone), parts, (decided) => {
      throw new Seen(decided);
    });
    throw new Error('a look that was not seen');
  } catch (error) {
    if (error instanceof Seen) return previewOf(error.decided);
    const reason = reasonOfFailed(error);
    if (reason) return { to: 'failed', error: reason, ...nothing };
    if (!isLastingFailure(error)) throw error;
    return { to: 'unmapped', error: reasonOf(error), ...nothing };
  }
}

function previewOf({ to, error, written, view, recalled }: Decided): Preview {
  const resources = written.map((it) => differenceIn(it, view));
  return { to, ...(error && { error }), resources, recalled: [...recalled.keys()] };
}

function differenceIn({ type, id, interaction, json }: Written, view: View): ResourceDifference {
  const resource = `${type}/${id}`;
  if (interaction === 'none') return { resource, change: 'unchanged', elements: [] };
  const after = json === undefined ? undefined : (JSON.parse(json) as Json);
  const elements = differenceOf(view.get({ type, id })?.resource, after, changesMax);
  return { resource, change: interaction, elements };
}

/** Messages that are moved in one transaction. */
const batch = 100;

/**
 * Moves messages back to `received`; whoever calls rings the bell of the ingest. What became of them is kept as history.
 * @returns how many were moved: one that another worker has moved meanwhile is left alone
 */
export async function replay(
  messages: readonly Pick<JournalRow, 'id' | 'state'>[],
  parts: Pick<IngestParts, 'commit' | 'clock'>,
): Promise<number> {
  let moved = 0;
  for (let i = 0; i < messages.length; i += batch) {
    const group = messages.slice(i, i + batch).filter(({ state }) => replayable.includes(state));
    if (await move(group, parts)) moved += group.length;
    else for (const one of group) if (await move([one], parts)) moved++;
  }
  return moved;
}

/** @returns false when one of them is not in its state any more: then none was moved */
async function move(
  messages: readonly Pick<JournalRow, 'id' | 'state'>[],
  { commit, clock }: Pick<IngestParts, 'commit' | 'clock'>,
): Promise<boolean> {
  if (messages.length === 0) return true;
  const at = clock.now();
  const effects = messages.map(
    ({ id, state }): Effect => ({ kind: 'message', claim: { id, from: state, to: 'received', at } }),
  );
  return commit.effects('system:replay', effects);
}
