/** The journal: what was received, what became of it and who must act. Never the bytes, but on the path that asks for them. */
import type { Json } from '../fhir/types.ts';
import { type Charset, decode } from '../hl7v2/charset.ts';
import { type Message, parse, type Segment } from '../hl7v2/message.ts';
import { walk } from '../ingest/walk.ts';
import { Failure } from '../outcome.ts';
import type { JournalRow, MessageOutcome, MessageState } from '../store/rows.ts';
import type { AdminParts } from './parts.ts';
import {
  type AdminAnswer,
  type AdminRequest,
  chosen,
  idOf,
  isoOf,
  nextLink,
  queryOf,
  schemaOf,
  selection,
  wholeNumber,
} from './request.ts';

/** Messages on a page at most. */
const limitMax = 1000;
const limitDefault = 100;

const listQuery = schemaOf({
  type: 'object',
  additionalProperties: false,
  properties: { ...selection, before: wholeNumber, limit: { ...wholeNumber, maximum: limitMax } },
});

const noQuery = schemaOf({ type: 'object', additionalProperties: false });

/** Who must act on a message in a state; nobody on the others. */
const acts: Partial<Record<MessageState, string>> = {
  rejected: 'sender',
  unmapped: 'mapping owner',
  failed: 'operator',
};

/** GET /admin/messages: the newest first, with a link to the next page. */
export async function listMessages(request: AdminRequest, { store, zone }: AdminParts): Promise<AdminAnswer> {
  const query = queryOf(request, listQuery);
  const limit: number = query.limit ?? limitDefault;
  const messages: Json[] = [];
  let next: number | undefined;
  for await (const row of walk(store, { ...chosen(query, zone), limit: limit + 1 })) {
    if (messages.length < limit) messages.push(headOf(row));
    else next = messages.at(-1)?.id;
  }
  return { status: 200, body: { messages, ...(next !== undefined && { next: nextLink('messages', request, next) }) } };
}

/** GET /admin/messages/{id}: all that is known of it, but what is in it. */
export async function readMessage(request: AdminRequest, parts: AdminParts): Promise<AdminAnswer> {
  queryOf(request, noQuery);
  const row = await messageOf(request, parts);
  const outcomes = await parts.store.outcomes(row.id);
  const here = `/admin/messages/${row.id}`;
  const body = {
    ...headOf(row),
    listener: row.listener,
    peer: row.peer,
    charset: row.charset,
    bytes: row.bytes.length,
    sha256: row.sha256,
    attempts: row.attempts,
    ...(row.wrote && { wrote: row.wrote }),
    ...(row.answer.length > 0 && { answered: answerOf(row) }),
    earlier: outcomes.map(outcomeOf),
    links: { content: `${here}/content`, lineage: `${here}/lineage`, replay: `${here}/replay` },
  };
  return { status: 200, body };
}

/** GET /admin/messages/{id}/content: the bytes as they came. */
export async function readContent(request: AdminRequest, parts: AdminParts): Promise<AdminAnswer> {
  queryOf(request, noQuery);
  const row = await messageOf(request, parts);
  parts.done({ event: 'content-read', what: `message ${row.id}` });
  const charset = /^[\w.:-]+$/.test(row.charset) ? `; charset=${row.charset}` : '';
  return {
    status: 200,
    body: row.bytes,
    contentType: `x-application/hl7-v2+er7${charset}`,
    file: `message-${row.id}.hl7`,
  };
}

/** @throws Failure `not-found`, `malformed` */
export async function messageOf({ path }: AdminRequest, { store }: Pick<AdminParts, 'store'>): Promise<JournalRow> {
  const row = await store.message(idOf(path.id));
  if (!row) throw new Failure('not-found', 'there is no message with this id');
  return row;
}

/** What a list says of a message. */
export function headOf(row: JournalRow): Json {
  const { id, state, type, controlId, facility, site, receivedAt, appliedAt, mappingVersion, error } = row;
  return {
    id,
    state,
    ...(acts[state] && { acts: acts[state] }),
    ...(error && { error }),
    type,
    controlId,
    facility,
    site,
    receivedAt: isoOf(receivedAt),
    ...(appliedAt !== undefined && { appliedAt: isoOf(appliedAt) }),
    ...(mappingVersion && { mappingVersion }),
  };
}

function outcomeOf({ at, state, mappingVersion, wrote, error }: MessageOutcome): Json {
  return {
    state,
    ...(error && { error }),
    ...(mappingVersion && { mappingVersion }),
    ...(wrote && { wrote }),
    replayedAt: isoOf(at),
  };
}

/** What was answered at once: the code, and each problem with its place. */
function answerOf({ answer, charset }: JournalRow): Json {
  const decoded = decode(answer, charset as Charset);
  const message = 'text' in decoded ? parse(decoded.text) : undefined;
  if (!message) return { bytes: answer.length };
  const errors = message.segments.filter(({ name }) => name === 'ERR').map((err) => errorOf(err, message));
  return { code: message.first('MSA')?.text(1) ?? '', ...(errors.length > 0 && { errors }) };
}

/** Since v2.5 place, code and text are fields of their own; before they are parts of ERR-1. */
function errorOf(err: Segment, message: Message): Json {
  const legacy = err.field(1) !== '';
  const at = (component: number): string => err.text(legacy ? 1 : 2, component);
  const [segment, sequence, field] = [at(1), at(2), at(3)];
  const text = legacy ? message.first('MSA')?.text(3) : err.text(8);
  return {
    code: legacy ? err.text(1, 4) : err.text(3),
    ...(segment && { segment }),
    ...(segment && sequence && { sequence: Number(sequence) }),
    ...(field && { field: Number(field) }),
    ...(!legacy && at(5) && { component: Number(at(5)) }),
    ...(text && { text }),
  };
}
