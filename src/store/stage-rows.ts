/** Rows of the stages as a database gives them ─▶ rows of the seam. NULL there is absent here. */
import type { CodeAnswer, CodeKey, JournalRow, MessageOutcome, OutgoingRow, UnknownCode } from './rows.ts';

type Row = Readonly<Record<string, unknown>>;

/** The columns of `received_message`, for {@link journalRow}. */
export const messageColumns = `id, received_at AS "receivedAt", listener, peer, site, bytes, charset, type,
  control_id AS "controlId", application, facility, sha256, content, answer, state, attempts, tries, error,
  mapping_version AS "mappingVersion", wrote, applied_at AS "appliedAt"`;

/** How many messages that are applied again go with so many new ones, of `limit`: a quarter, or what the new ones leave. */
export function againMax(fresh: number, limit: number): number {
  return limit - Math.min(fresh, Math.ceil((limit * 3) / 4));
}

export function journalRow(row: Row): JournalRow {
  return written(row) as unknown as JournalRow;
}

/** The columns of `message_outcome`, for {@link messageOutcome}. */
export const outcomeColumns = 'at, state, mapping_version AS "mappingVersion", wrote, error';

export function messageOutcome(row: Row): MessageOutcome {
  return written(row) as unknown as MessageOutcome;
}

const answerColumns = `target_system AS "targetSystem", target_code AS "targetCode", target_display AS "targetDisplay",
  answered_by AS "answeredBy", answered_at AS "answeredAt"`;

/** The columns of `unknown_code`, for {@link unknownCode}. */
export const unknownCodeColumns = `id, site, code_table AS "table", code, system, display, field, messages,
  first_at AS "firstAt", last_at AS "lastAt", ${answerColumns}`;

export function unknownCode(row: Row): UnknownCode {
  const { answer, rest } = answered(row);
  return { ...rest, ...(answer && { answer }) } as unknown as UnknownCode;
}

/** The columns of an `unknown_code` that is answered, for {@link answeredCode}. */
export const answeredCodeColumns = `site, code_table AS "table", code, ${answerColumns}`;

export function answeredCode(row: Row): CodeKey & { readonly answer: CodeAnswer } {
  const { answer, rest } = answered(row);
  return { ...rest, answer } as unknown as CodeKey & { readonly answer: CodeAnswer };
}

/** The columns of `outgoing_message m`, for {@link outgoingRow}. */
export const outgoingColumns = `m.id, m.destination, m.lane, m.identity, m.control_id AS "controlId", m.bytes, m.at, m.state,
  m.attempts, m.due_at AS "dueAt", m.answer, m.error`;

export function outgoingRow(row: Row): OutgoingRow {
  return present(row) as unknown as OutgoingRow;
}

function present(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}

function written({ wrote, ...row }: Row): Row {
  return { ...present(row), ...(typeof wrote === 'string' && { wrote: JSON.parse(wrote) }) };
}

function answered({ targetSystem, targetCode, targetDisplay, answeredBy, answeredAt, ...rest }: Row): {
  answer: CodeAnswer | undefined;
  rest: Row;
} {
  if (answeredAt === null) return { answer: undefined, rest };
  const display = targetDisplay === null ? {} : { display: targetDisplay };
  const target = targetCode === null ? {} : { target: { system: targetSystem, code: targetCode, ...display } };
  return { answer: { ...target, by: answeredBy, at: answeredAt } as CodeAnswer, rest };
}
