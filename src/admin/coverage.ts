/** Which fields each sender fills, and what becomes of them, over messages of the journal. */
import { TooLong } from '../commit/time-limit.ts';
import { describe } from '../hl7v2/problem.ts';
import { coverMessage, readAgain } from '../ingest/apply.ts';
import { giveWay, walk } from '../ingest/walk.ts';
import { CoverageTally } from '../mapping/sender-coverage.ts';
import type { JournalRow } from '../store/rows.ts';
import type { AdminParts } from './parts.ts';
import { type AdminAnswer, type AdminRequest, chosen, queryOf, schemaOf, selection, wholeNumber } from './request.ts';

/** Messages that are looked at: by default, and at most. */
const [limitDefault, limitMax] = [1000, 100_000];

/** Fields of one message at most. */
const fieldsMax = 10_000;

const coverageQuery = schemaOf({
  type: 'object',
  additionalProperties: false,
  properties: { ...selection, before: wholeNumber, limit: { ...wholeNumber, maximum: limitMax } },
});

/**
 * GET /admin/coverage: by the mapping that stands now, the newest messages first. `before` is there when there are more than
 * `limit`: the id to go on from.
 */
export async function readCoverage(request: AdminRequest, parts: AdminParts): Promise<AdminAnswer> {
  const query = queryOf(request, coverageQuery);
  const limit: number = query.limit ?? limitDefault;
  const tally = new CoverageTally();
  let messages = 0;
  let last: number | undefined;
  let before: number | undefined;
  for await (const row of walk(parts.store, { ...chosen(query, parts.zone), limit: limit + 1 })) {
    if (messages === limit) {
      before = last;
      break;
    }
    cover(row, tally, parts);
    messages++;
    last = row.id;
    await giveWay();
  }
  return { status: 200, body: { messages, ...(before !== undefined && { before }), senders: tally.report() } };
}

function cover(row: JournalRow, tally: CoverageTally, { mappingOf, zone }: AdminParts): void {
  const site = mappingOf(row.site);
  const message = readAgain(row);
  const problems = message ? site.mapping.check(message) : [];
  if (!message || problems.length > 0) {
    tally.refuse(message, problems.map(describe).join('; ') || 'the bytes cannot be read');
    return;
  }
  try {
    tally.add(message, coverMessage(message, row, site, zone, fieldsMax).fields);
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    tally.refuse(message, error.message);
  }
}
