/** Codes that no table translates: the list, and the answers of the mapping owner. */
import { Terminology } from '../fhir/terminology/terminology.ts';
import type { Json } from '../fhir/types.ts';
import type { Table, TableTarget } from '../mapping/tables.ts';
import { Failure } from '../outcome.ts';
import type { UnknownCode } from '../store/rows.ts';
import type { AdminParts } from './parts.ts';
import {
  type AdminAnswer,
  type AdminRequest,
  bodyOf,
  idOf,
  isoOf,
  nextLink,
  queryOf,
  schemaOf,
  wholeNumber,
} from './request.ts';

const limitMax = 1000;
const limitDefault = 100;

const listQuery = schemaOf({
  type: 'object',
  additionalProperties: false,
  properties: { open: { type: 'boolean' }, before: wholeNumber, limit: { ...wholeNumber, maximum: limitMax } },
});

const noQuery = schemaOf({ type: 'object', additionalProperties: false });

/** R4 datatypes.html#code: no blanks around, single blanks inside. */
const code = { type: 'string', pattern: '^\\S+( \\S+)*$', maxLength: 250 };

const answerBody = schemaOf({
  type: 'object',
  additionalProperties: false,
  required: ['target', 'by'],
  properties: {
    target: {
      type: ['object', 'null'],
      additionalProperties: false,
      required: ['system', 'code'],
      properties: {
        system: { type: 'string', pattern: '^[a-zA-Z][a-zA-Z0-9+.-]*:\\S+$', maxLength: 500 },
        code,
        display: { type: 'string', minLength: 1, maxLength: 1000 },
      },
    },
    by: { type: 'string', pattern: '\\S', maxLength: 250 },
  },
});

/** What ships with the program; stored code systems are not asked. */
const terminology = new Terminology();

/** GET /admin/codes: the newest first. */
export async function listCodes(request: AdminRequest, { store }: AdminParts): Promise<AdminAnswer> {
  const { open = false, before, limit = limitDefault } = queryOf(request, listQuery);
  const found = await store.unknownCodes({ open, ...(before !== undefined && { before }), limit: limit + 1 });
  const codes = found.slice(0, limit);
  const last = found.length > limit ? codes.at(-1)?.id : undefined;
  return {
    status: 200,
    body: { codes: codes.map(told), ...(last !== undefined && { next: nextLink('codes', request, last) }) },
  };
}

/** Messages of one code that are named. */
const messagesTold = 100;

/** GET /admin/codes/{id}: with the first messages that hold it. */
export async function readCode(request: AdminRequest, parts: AdminParts): Promise<AdminAnswer> {
  queryOf(request, noQuery);
  const found = await codeOf(request, parts);
  const messageIds = await parts.store.messagesWithCode(found.id, 0, messagesTold);
  const systems = tableOf(found, parts)?.targets ?? [];
  return { status: 200, body: { ...told(found), ...(systems.length > 0 && { systems }), messageIds } };
}

/** POST /admin/codes/{id}: `{target: {system, code, display?} | null, by}`. */
export async function postAnswer(request: AdminRequest, parts: AdminParts): Promise<AdminAnswer> {
  const { target, by } = bodyOf(request, answerBody);
  const found = await codeOf(request, parts);
  if (target) checkTarget(target, tableOf(found, parts));
  const answered = await parts.answers.answer(found.id, target ?? undefined, by);
  parts.done({ event: 'code-answered', site: found.site, table: found.table });
  return { status: 202, body: { ...told(answered), progress: '/admin/messages?state=received' } };
}

async function codeOf({ path }: AdminRequest, { store }: AdminParts): Promise<UnknownCode> {
  const found = await store.unknownCode(idOf(path.id));
  if (!found) throw new Failure('not-found', 'there is no code with this id');
  return found;
}

function tableOf({ site, table }: UnknownCode, { mappingOf }: AdminParts): Table | undefined {
  return mappingOf(site).mapping.table(table);
}

/**
 * A target must be of a system that the table translates to: its rows go to elements that are bound to it. Where the content
 * of that system is here, the code must be in it.
 * @throws Failure `invalid`
 */
function checkTarget({ system, code, display }: TableTarget, table: Table | undefined): void {
  const systems = table?.targets ?? [];
  if (systems.length > 0 && !systems.includes(system))
    throw new Failure('invalid', `table ${table?.name} translates to ${systems.join(' or ')}`);
  const { result, message } = validation(system, code, display);
  if (!result) throw new Failure('invalid', message ?? `the code is not in ${system}`);
}

function validation(system: string, code: string, display: string | undefined): { result: boolean; message?: string } {
  try {
    return terminology.validateInCodeSystem({ codeSystem: system, code, ...(display && { display }) });
  } catch (error) {
    // The content of the system is not here: nobody can tell.
    if (error instanceof Failure) return { result: true };
    throw error;
  }
}

/** The mapping owner of the site acts on what is open. */
function told({ id, site, table, code, system, display, field, messages, firstAt, lastAt, answer }: UnknownCode): Json {
  return {
    id,
    ...(!answer && { acts: 'mapping owner' }),
    site,
    table,
    code,
    ...(system && { system }),
    ...(display && { display }),
    field,
    messages,
    firstAt: isoOf(firstAt),
    lastAt: isoOf(lastAt),
    ...(answer && { answer: { target: answer.target ?? null, by: answer.by, at: isoOf(answer.at) } }),
  };
}
