/** Messages to hospitals and what became of them; an operator may have one sent again. Never the bytes, nor the answers. */
import type { Clock } from '../clock.ts';
import type { Commit } from '../commit/commit.ts';
import type { Json } from '../fhir/types.ts';
import { Failure } from '../outcome.ts';
import { type OutgoingRow, outgoingStates } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { type AdminAnswer, type AdminRequest, bodyOf, idOf, isoOf, queryOf, schemaOf, wholeNumber } from './request.ts';

export interface OutgoingAdminParts {
  readonly store: Pick<Store, 'outgoing'>;
  readonly commit: Commit;
  readonly clock: Clock;
  /** The bell: a message to this destination waits. */
  readonly send: (destination: string) => void;
}

/** Messages on a page at most. */
const limitMax = 1000;
const limitDefault = 100;

const listQuery = schemaOf({
  type: 'object',
  additionalProperties: false,
  properties: {
    state: { enum: [...outgoingStates] },
    before: wholeNumber,
    limit: { ...wholeNumber, maximum: limitMax },
  },
});
const nothing = schemaOf({ type: 'object', additionalProperties: false });

/** GET /admin/outgoing: the newest first, with a link to the next page. */
export async function listOutgoing(request: AdminRequest, { store }: OutgoingAdminParts): Promise<AdminAnswer> {
  const { limit = limitDefault, ...which } = queryOf(request, listQuery);
  const rows = await store.outgoing({ ...which, limit: limit + 1 });
  const messages = rows.slice(0, limit).map(shown);
  const next = rows.length > limit ? nextLink(request, messages.at(-1)?.id) : undefined;
  return { status: 200, body: { messages, ...(next !== undefined && { next }) } };
}

function nextLink({ query }: AdminRequest, before: number): string {
  const next = new URLSearchParams(query);
  next.set('before', String(before));
  return `/admin/outgoing?${next}`;
}

function shown({ id, destination, identity, lane, controlId, state, attempts, at, dueAt, error }: OutgoingRow): Json {
  const [kind, resource] = identity.split(' ');
  return {
    id,
    destination,
    kind,
    resource,
    patient: lane,
    controlId,
    state,
    attempts,
    at: isoOf(at),
    ...(state === 'waiting' && { dueAt: isoOf(dueAt) }),
    ...(error !== undefined && { error }),
    ...(state === 'failed' && { acts: 'operator', links: { retry: `/admin/outgoing/${id}/retry` } }),
  };
}

/**
 * POST /admin/outgoing/{id}/retry: the same bytes again, now; those behind it in its lane that were sent meanwhile stay sent.
 * @throws Failure `conflict` for one that has not failed
 */
export async function retryOutgoing(request: AdminRequest, parts: OutgoingAdminParts): Promise<AdminAnswer> {
  bodyOf(request, nothing);
  const id = idOf(request.path.id);
  const [row] = await parts.store.outgoing({ before: id + 1, limit: 1 });
  if (row?.id !== id) throw new Failure('not-found', 'there is no such message');
  const dueAt = parts.clock.now();
  await backToWaiting(id, dueAt, parts.commit);
  parts.send(row.destination);
  const { error: _, ...rest } = row;
  return { status: 202, body: shown({ ...rest, state: 'waiting', dueAt }) };
}

async function backToWaiting(id: number, dueAt: number, commit: Commit): Promise<void> {
  const waits = await commit.effects('client:admin', [{ kind: 'sent', id, from: 'failed', to: 'waiting', dueAt }]);
  if (!waits) throw new Failure('conflict', 'only a message that has failed is sent again');
}
