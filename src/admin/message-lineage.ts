/** Where each field of a message went: to which elements of what is stored, or why nowhere. */
import type { Json } from '../fhir/types.ts';
import type { Message } from '../hl7v2/message.ts';
import { describe } from '../hl7v2/problem.ts';
import { appliedBefore } from '../ingest/again.ts';
import { coverMessage, readAgain } from '../ingest/apply.ts';
import { identified, keysOf } from '../ingest/decide.ts';
import { look } from '../ingest/look.ts';
import { namesIn, pathIn, placeOf, splitElement, valueAt } from '../ingest/place.ts';
import type { Names } from '../ingest/registers.ts';
import { Surveys } from '../ingest/survey.ts';
import type { Built } from '../mapping/context.ts';
import type { FieldUse } from '../mapping/coverage.ts';
import type { LineageRow } from '../mapping/lineage.ts';
import { nameOf } from '../store/key.ts';
import type { JournalRow } from '../store/rows.ts';
import { giverOf } from './giver.ts';
import { messageOf } from './messages.ts';
import type { AdminParts } from './parts.ts';
import { type AdminAnswer, type AdminRequest, queryOf, schemaOf } from './request.ts';

/** Fields of one message that are told of at most. */
const fieldsMax = 5000;

const lineageQuery = schemaOf({
  type: 'object',
  additionalProperties: false,
  properties: { values: { type: 'boolean' } },
});

/** GET /admin/messages/{id}/lineage: by the mapping that stands now. */
export async function readMessageLineage(request: AdminRequest, parts: AdminParts): Promise<AdminAnswer> {
  const { values = false } = queryOf(request, lineageQuery);
  const row = await messageOf(request, parts);
  if (values) parts.done({ event: 'content-read', what: `lineage of message ${row.id}` });
  const site = parts.mappingOf(row.site);
  const head = {
    id: row.id,
    type: row.type,
    state: row.state,
    mappingVersion: site.version,
    ...(row.mappingVersion && { appliedWith: row.mappingVersion, isCurrent: row.mappingVersion === site.version }),
  };
  const message = readAgain(row);
  if (!message) return { status: 200, body: { ...head, problems: ['the bytes cannot be read any more'], fields: [] } };
  const problems = site.mapping.check(message);
  if (problems.length > 0) return { status: 200, body: { ...head, problems: problems.map(describe), fields: [] } };
  const { fields, cut, mapped } = coverMessage(message, row, site, parts.zone, fieldsMax);
  const stored = await storedOf(mapped.resources, row, parts);
  const told = fields.map((it) => fieldOf(it, stored, values ? message : undefined));
  return { status: 200, body: { ...head, fields: told, ...(cut && { cut: fieldsMax }) } };
}

/** A resource of the message with what is stored of it. */
interface Stored {
  readonly built: Built;
  /** `Patient/ID` as it is stored. */
  readonly name: string;
  readonly resource: Json | undefined;
  readonly names: Names;
  /** Who gave a register; absent for one that is not there. */
  readonly giver: (register: string) => Json | undefined;
}

/** Resources that tell of the message itself have no registers: they are the message's as a whole. */
const ofMessage = new Set(['MessageHeader', 'Provenance']);

async function storedOf(
  made: readonly Built[],
  row: JournalRow,
  parts: AdminParts,
): Promise<ReadonlyMap<string, Stored>> {
  const named = made.map(({ resource }) => nameOf({ type: resource.resourceType, id: resource.id }));
  const { wrote = [] } = (await appliedBefore(row, parts.store)) ?? {};
  const surveys = new Surveys(made, parts.parameters, wrote);
  return look([...keysOf(made), ...surveys.keys(), ...wrote], parts, (scene, view) => {
    const { resources } = identified(surveys.joined(made, view), view, new Set(named));
    const all = made.map((built, i): [string, Stored] => {
      const { resourceType: type, id } = resources[i]?.resource ?? built.resource;
      const key = { type, id };
      const current = view.get(key);
      const draft = current?.resource && scene.draft(key);
      const isOwn = current?.cause === `message:${row.id}`;
      const giver = (register: string): Json | undefined => {
        if (!draft) return undefined;
        if (ofMessage.has(type)) return isOwn ? { message: row.id } : { cause: current?.cause };
        return draft.parts.has(register) ? giverOf(draft.marks.stampOf(register, true)) : undefined;
      };
      const { resourceType, id: own } = built.resource;
      const { resource } = current ?? {};
      const names = draft?.marks.names ?? {};
      return [`${resourceType}/${own}`, { built, name: nameOf(key), resource, names, giver }];
    });
    return new Map(all);
  });
}

function fieldOf(
  { field, segment, use, lineage, rows, readBy, reason }: FieldUse,
  stored: ReadonlyMap<string, Stored>,
  message: Message | undefined,
): Json {
  const sent = message?.segments.find((it) => `${it.name} ${it.sequence}` === `${field.slice(0, 3)} ${segment}`);
  return {
    field,
    segment,
    use,
    ...(reason && { reason }),
    ...(rows.length > 0 && { rows }),
    ...(readBy.length > 0 && { readBy }),
    ...(lineage.length > 0 && { elements: lineage.map((it) => elementOf(it, stored, message !== undefined)) }),
    ...(sent && { value: sent.field(Number(field.slice(4))) }),
  };
}

/** An element of the message's own resource, where it stands in the stored one. */
function elementOf({ field, element, row }: LineageRow, stored: ReadonlyMap<string, Stored>, values: boolean): Json {
  const { name, path } = splitElement(element);
  const found = stored.get(name);
  if (!found) return { element, from: field, row };
  const { built, resource, names, giver } = found;
  const place = placeOf(path, built.resource, namesIn(built));
  const at = resource && pathIn(place, resource, names);
  const by = giver(place.register);
  return {
    element: `${found.name}.${at ?? path}`,
    from: field,
    row,
    ...(by ? { by } : { absent: true }),
    ...(values && resource && at && { value: valueAt(resource, at) }),
  };
}
