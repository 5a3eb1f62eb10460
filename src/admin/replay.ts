/** Messages that are applied again: what that would change, and the move itself. */
import type { Json } from '../fhir/types.ts';
import { type Preview, preview, type ResourceDifference, replay, replayable } from '../ingest/replay.ts';
import { giveWay, walk } from '../ingest/walk.ts';
import { Failure } from '../outcome.ts';
import type { JournalRow, MessageState } from '../store/rows.ts';
import { messageOf } from './messages.ts';
import type { AdminParts } from './parts.ts';
import { type AdminAnswer, type AdminRequest, bodyOf, chosen, schemaOf, selection, wholeNumber } from './request.ts';

/** Messages moved by one request, and ids named in one. */
const [movedMax, idsMax] = [100_000, 10_000];
/** Messages that a dry run looks at; each is decided as if it were applied. */
const previewedMax = 1000;
/** Differences told by default. */
const toldDefault = 50;

const one = schemaOf({
  type: 'object',
  additionalProperties: false,
  properties: { dryRun: { type: 'boolean' }, values: { type: 'boolean' } },
});

const many = schemaOf({
  type: 'object',
  additionalProperties: false,
  properties: {
    ...selection,
    ids: { type: 'array', minItems: 1, maxItems: idsMax, items: wholeNumber },
    before: wholeNumber,
    dryRun: { type: 'boolean' },
    values: { type: 'boolean' },
    limit: { ...wholeNumber, maximum: previewedMax },
  },
});

/** What a message chosen for replay is told by. */
type Chosen = Pick<JournalRow, 'id' | 'state'>;

/** POST /admin/messages/{id}/replay. */
export async function postMessageReplay(request: AdminRequest, parts: AdminParts): Promise<AdminAnswer> {
  const { dryRun = false, values = false } = bodyOf(request, one);
  const row = await messageOf(request, parts);
  refuseState(row.state);
  if (dryRun) {
    if (values) parts.done({ event: 'content-read', what: `difference of message ${row.id}` });
    return { status: 200, body: told(row, await preview(row, parts), values) };
  }
  const moved = await moveAll([row], parts);
  if (moved === 0) throw new Failure('conflict', 'somebody else has moved this message meanwhile');
  return { status: 202, body: { moved, progress: `/admin/messages/${row.id}` } };
}

/** POST /admin/replay: in the order of the journal, or with `dryRun` the differences alone. */
export async function postReplay(request: AdminRequest, parts: AdminParts): Promise<AdminAnswer> {
  const body = bodyOf(request, many);
  const { ids, dryRun = false, values = false, limit = toldDefault, before, ...rest } = body;
  if (!ids && Object.keys(rest).length === 0)
    throw new Failure(
      'malformed',
      'name what is to be replayed: ids, state, type, site, facility, controlId, from or to',
    );
  if (rest.state) refuseState(rest.state);
  const { chosen: all, skipped, more } = await choose(body, parts);
  const head = {
    ...(Object.keys(skipped).length > 0 && { skipped }),
    ...(more !== undefined && { before: more }),
  };
  if (dryRun) {
    if (values) parts.done({ event: 'content-read', what: `differences of ${all.length} messages` });
    return { status: 200, body: { messages: all.length, ...head, ...(await dry(all, limit, values, parts)) } };
  }
  const moved = await moveAll(all, parts);
  return { status: 202, body: { moved, ...head, progress: '/admin/messages?state=received' } };
}

function refuseState(state: MessageState): void {
  if (replayable.includes(state)) return;
  const why: Partial<Record<MessageState, string>> = {
    received: 'it is being applied',
    duplicate: 'a duplicate says nothing new: replay the message that it repeats',
    rejected: 'its sender was told so, and sends it anew',
  };
  throw new Failure('conflict', `a message in state ${state} is not replayed: ${why[state]}`);
}

/** The messages of a request, the oldest first; `more`: where to go on when there are too many. */
async function choose(
  body: Json,
  { store, zone }: AdminParts,
): Promise<{ chosen: Chosen[]; skipped: Record<string, number>; more?: number }> {
  const found: Chosen[] = [];
  const skipped: Record<string, number> = {};
  const take = ({ id, state }: Chosen): void => {
    if (replayable.includes(state)) found.push({ id, state });
    else skipped[state] = (skipped[state] ?? 0) + 1;
  };
  const query = chosen(body, zone);
  if (body.ids) {
    for (const id of [...new Set<number>(body.ids)].sort((a, b) => a - b)) {
      await giveWay();
      const row = await store.message(id);
      if (!row) skipped['not there'] = (skipped['not there'] ?? 0) + 1;
      else if (isChosen(row, query)) take(row);
    }
    return { chosen: found, skipped };
  }
  for await (const row of walk(store, { ...query, limit: Number.MAX_SAFE_INTEGER })) {
    take(row);
    if (found.length >= movedMax) return { chosen: found.reverse(), skipped, more: row.id };
  }
  return { chosen: found.reverse(), skipped };
}

/** What else is given beside ids must hold for each of them too. */
function isChosen(row: JournalRow, query: ReturnType<typeof chosen>): boolean {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, before, ...equal } = query;
  if (row.receivedAt < from || row.receivedAt >= to || (before !== undefined && row.id >= before)) return false;
  return Object.entries(equal).every(([name, value]) => row[name as keyof JournalRow] === value);
}

async function moveAll(messages: readonly Chosen[], parts: AdminParts): Promise<number> {
  const moved = await replay(messages, parts);
  if (moved > 0) {
    parts.done({ event: 'replayed', messages: moved });
    parts.ring();
  }
  return moved;
}

/** Each against what is stored now: what an earlier one of them changes, a later one does not see. */
async function dry(all: readonly Chosen[], limit: number, values: boolean, parts: AdminParts): Promise<Json> {
  const differences: Json[] = [];
  const states: Record<string, number> = {};
  const resources: Record<ResourceDifference['change'], number> = { create: 0, update: 0, delete: 0, unchanged: 0 };
  let differing = 0;
  let previewed = 0;
  for (const { id } of all.slice(0, previewedMax)) {
    const row = await parts.store.message(id);
    if (!row) continue;
    const seen = await preview(row, parts);
    previewed++;
    states[seen.to] = (states[seen.to] ?? 0) + 1;
    for (const { change } of seen.resources) resources[change]++;
    if (seen.to === row.state && seen.resources.every(({ change }) => change === 'unchanged')) continue;
    differing++;
    if (differences.length < limit) differences.push(told(row, seen, values));
  }
  return { previewed, differing, states, resources, differences };
}

function told(row: JournalRow, { to, error, resources, recalled }: Preview, values: boolean): Json {
  const { id, type, controlId, state, mappingVersion } = row;
  const changed = resources.filter(({ change }) => change !== 'unchanged');
  return {
    id,
    type,
    controlId,
    from: state,
    to,
    ...(error && { error }),
    ...(mappingVersion && { mappingVersion }),
    resources: changed.map((it) => (values ? it : withoutValues(it))),
    unchanged: resources.length - changed.length,
    ...(recalled.length > 0 && { recalled }),
  };
}

function withoutValues({ elements, ...rest }: ResourceDifference): Json {
  return { ...rest, elements: elements.map(({ op, path }) => ({ op, path })) };
}
