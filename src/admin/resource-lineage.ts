/** Which message gave each part of a stored resource, by which field and row, and when. */
import { TooLong } from '../commit/time-limit.ts';
import { isResourceType } from '../fhir/definitions.ts';
import type { Json, StoredResource } from '../fhir/types.ts';
import { isSame, mapMessage, readAgain } from '../ingest/apply.ts';
import { look } from '../ingest/look.ts';
import type { Draft } from '../ingest/merge.ts';
import { namesIn, placeOf, registersOfList, splitElement, valueAt } from '../ingest/place.ts';
import type { Part } from '../ingest/registers.ts';
import { giveWay } from '../ingest/walk.ts';
import type { Mapped } from '../mapping/map.ts';
import { Failure } from '../outcome.ts';
import { nameOf } from '../store/key.ts';
import type { Cause, Current, Key } from '../store/store.ts';
import { type Giver, giverOf } from './giver.ts';
import type { AdminParts } from './parts.ts';
import { type AdminAnswer, type AdminRequest, isoOf, queryOf, schemaOf } from './request.ts';

/** Messages that are mapped again for one resource at most. */
const messagesMax = 200;

const lineageQuery = schemaOf({
  type: 'object',
  additionalProperties: false,
  properties: { values: { type: 'boolean' } },
});

/** A field and the row that made a register of it. */
interface By {
  readonly field: string;
  readonly row: string;
}

/** GET /admin/lineage/{type}/{id}. */
export async function readResourceLineage(request: AdminRequest, parts: AdminParts): Promise<AdminAnswer> {
  const { values = false } = queryOf(request, lineageQuery);
  const key = keyIn(request);
  const seen = await look([key], parts, (scene, view) => {
    const current = view.get(key);
    return current && { current, draft: scene.draft(key) };
  });
  if (!seen) throw new Failure('not-found', `there is no ${key.type} with this id`);
  const { current, draft } = seen;
  if (!current.resource) throw new Failure('gone', `this ${key.type} was deleted`);
  if (values) parts.done({ event: 'content-read', what: `lineage of a ${key.type}` });
  const told = new Told(parts, current as Current & { resource: StoredResource }, draft, values);
  const body = {
    resource: nameOf(key),
    version: current.version,
    at: isoOf(current.at),
    cause: current.cause,
    ...(draft.marks.replacedBy && { replacedBy: replacedBy(key, draft) }),
    ...(current.marks === undefined ? await told.asWhole() : await told.byRegister()),
  };
  return { status: 200, body };
}

function keyIn({ path }: AdminRequest): Key {
  const { type = '', id = '' } = path;
  if (!isResourceType(type)) throw new Failure('not-found', 'R4 has no resource of this type');
  if (!/^[A-Za-z0-9\-.]{1,64}$/.test(id))
    throw new Failure('malformed', 'an id has 1 to 64 characters of A-Z a-z 0-9 - .');
  return { type, id };
}

function replacedBy({ type }: Key, { marks }: Draft): Json | undefined {
  const edge = marks.replacedBy;
  return edge && { resource: `${type}/${edge.id}`, ...giverOf(edge.stamp) };
}

/** What one resource says of its origins. */
class Told {
  readonly #parts: AdminParts;
  readonly #current: Current & { readonly resource: StoredResource };
  readonly #draft: Draft;
  readonly #values: boolean;
  /** Message ─▶ register ─▶ fields and rows; read once each. */
  readonly #rows = new Map<number, ReadonlyMap<string, readonly By[]>>();

  constructor(
    parts: AdminParts,
    current: Current & { readonly resource: StoredResource },
    draft: Draft,
    values: boolean,
  ) {
    this.#parts = parts;
    this.#current = current;
    this.#draft = draft;
    this.#values = values;
  }

  async byRegister(): Promise<Json> {
    const { marks, parts } = this.#draft;
    const registers: Json[] = [];
    for (const [path, part] of parts) registers.push(await this.#register(path, part));
    const deleted = [...marks.said()].filter(([path]) => !parts.has(path));
    return {
      registers,
      ...(deleted.length > 0 && {
        deleted: deleted.map(([path, stamp]) => ({ register: this.#shown(path), ...giverOf(stamp) })),
      }),
    };
  }

  async #register(path: string, part: Part): Promise<Json> {
    const { marks } = this.#draft;
    // What merges say of a resource follows from all of them.
    const giver: Giver = part.name === 'merge' ? { by: 'merge' } : giverOf(marks.stampOf(path, true));
    const from = giver.message === undefined ? undefined : (await this.#rowsOf(giver.message))?.get(path);
    const elements = this.#elementsOf(path, part);
    return {
      register: this.#shown(path),
      elements,
      ...giver,
      ...(from && { from }),
      ...(this.#values && { values: elements.map((it) => valueAt(this.#current.resource, it)) }),
    };
  }

  /** The register of an identifier names its value, which is shown with the other values only. */
  #shown(path: string): string {
    return this.#values ? path : path.replace(/^identifier\(([^|]*)\|.*\)$/s, 'identifier($1|…)');
  }

  /** Where a register stands in the resource. */
  #elementsOf(path: string, { key, kind, members }: Part): string[] {
    if (kind === 'member') return Object.keys(members);
    if (kind === 'child') return Object.keys(members).map((it) => `${key}.${it}`);
    const list: unknown = this.#current.resource[key];
    if (!Array.isArray(list)) return [key];
    return registersOfList(key, list, this.#draft.marks.names).flatMap((it, i) =>
      it === path ? [`${key}[${i}]`] : [],
    );
  }

  /** A resource of which nothing is remembered is that of who wrote it last. */
  async asWhole(): Promise<Json> {
    const message = messageIn(this.#current.cause);
    if (message === undefined) return { registers: [] };
    const rows = await this.#rowsOf(message);
    const registers = [...(rows ?? [])].map(([register, from]) => ({ register, message, from }));
    return { message, registers };
  }

  async #rowsOf(message: number): Promise<ReadonlyMap<string, readonly By[]> | undefined> {
    const known = this.#rows.get(message);
    if (known || this.#rows.size >= messagesMax) return known;
    const found = await this.#mapAgain(message);
    this.#rows.set(message, found);
    return found;
  }

  async #mapAgain(id: number): Promise<ReadonlyMap<string, readonly By[]>> {
    const { store, mappingOf, zone } = this.#parts;
    const found = new Map<string, By[]>();
    await giveWay();
    const row = await store.message(id);
    const message = row && readAgain(row);
    const site = row && mappingOf(row.site);
    if (!message || !site || site.mapping.check(message).length > 0) return found;
    const mapped = mappedInTime(() => mapMessage(message, row, site, zone, true));
    if (!mapped) return found;
    const { resources, lineage = [] } = mapped;
    // What joined another resource (answers an open response) has not its id; the only one of its type is meant.
    const ofType = resources.filter(({ resource }) => resource.resourceType === this.#current.type);
    const built =
      ofType.find((it) => isSame(it, this.#current.resource)) ?? (ofType.length === 1 ? ofType[0] : undefined);
    if (!built) return found;
    const own = nameOf({ type: built.resource.resourceType, id: built.resource.id });
    for (const { field, row, element } of lineage) {
      const { name, path } = splitElement(element);
      if (name !== own) continue;
      const { register } = placeOf(path, built.resource, namesIn(built));
      const standing = found.get(register);
      if (standing) standing.push({ field, row });
      else found.set(register, [{ field, row }]);
    }
    return found;
  }
}

function messageIn(cause: Cause): number | undefined {
  const id = /^message:(\d+)$/.exec(cause)?.[1];
  return id === undefined ? undefined : Number(id);
}

/** A message that takes too long says nothing of a resource; those that do not are told of all the same. */
function mappedInTime(map: () => Mapped): Mapped | undefined {
  try {
    return map();
  } catch (error) {
    if (error instanceof TooLong) return undefined;
    throw error;
  }
}
