/** Identity: what makes a resource the same again in a later message, and the id that follows from it. */
import type { Segment } from '../hl7v2/message.ts';
import { identityId } from '../ids.ts';
import { textAt } from './condition.ts';
import type { Built, BusinessIdentifier, Json, MappingContext, Source } from './context.ts';
import { standing } from './owner.ts';
import { itemNamed } from './questionnaire.ts';
import { type Identity, type Located, MappingError } from './rows.ts';
import { unite } from './unite.ts';

/** Finds what makes a resource the same again. */
export type Identifier = (
  draft: Json,
  source: Source,
  context: MappingContext,
) => { id: string; identifier?: BusinessIdentifier; others?: readonly BusinessIdentifier[] } | undefined;

/** Compiles `identity:`. @throws MappingError for a place that cannot be read */
export function compileIdentity(identity: Identity, owner: string, file: Located<unknown>): Identifier {
  const alternatives = identity.map((alternative, i): Identifier => {
    try {
      return 'identifier' in alternative ? byIdentifier(alternative, owner) : byPlaces(alternative, owner);
    } catch (error) {
      throw new MappingError(file.file, file.line(['identity', i]), (error as Error).message);
    }
  });
  return (draft, source, context) => {
    for (const alternative of alternatives) {
      const found = alternative(draft, source, context);
      if (found) return found;
    }
    return undefined;
  };
}

type ByIdentifier = Exclude<Identity[number], readonly string[]>;

function byIdentifier({ identifier: preferred, any = false, and }: ByIdentifier, owner: string): Identifier {
  const further = and && readerOfPlaces(and, owner);
  const there = withoutMissing(and ?? []);
  return (draft, source, context) => {
    const { identifier = [] } = draft;
    const all: Json[] = (Array.isArray(identifier) ? identifier : [identifier]).filter((it) => it.value && it.system);
    if (all.length === 0) return undefined;
    const typed = preferred.flatMap((type) => all.filter((it) => isOfType(it, type)));
    const chosen = typed[0] ?? (all[0] as Json);
    const { system, value } = chosen as BusinessIdentifier;
    // The identifier alone would find another that a sender gave it too.
    if (further) {
      const values = further([system, value], draft, source, context);
      return {
        id: identityId(draft.resourceType, system, value, ...there(values, values)),
      };
    }
    const others = any
      ? typed.filter((it) => it !== chosen).map(({ system, value }): BusinessIdentifier => ({ system, value }))
      : [];
    return {
      id: identityId(draft.resourceType, system, value),
      identifier: { system, value },
      ...(others.length > 0 && { others }),
    };
  };
}

function isOfType({ type }: Json, wanted: string): boolean {
  return type?.coding?.some(({ code }: Json) => code === wanted) ?? false;
}

function byPlaces(parts: readonly string[], owner: string): Identifier {
  const read = readerOfPlaces(parts, owner);
  const there = withoutMissing(parts);
  // A reference that is not there (a patient without a visit) is a part like another; a place must be valued.
  const mayBeEmpty = parts.map((part) => part.startsWith('@') || mayBeMissing.includes(part));
  return (draft, source, context) => {
    const values = read([], draft, source, context, mayBeEmpty);
    if (values.length < parts.length) return undefined;
    return { id: identityId(draft.resourceType, ...there(values, parts), ...there(values, values)) };
  };
}

/** Most results have no parent and no suffix: without one it is no part, and ids are those that they were before it was asked for. */
const mayBeMissing: readonly string[] = ['parent', 'suffix'];

/** Gives what of a list, one for each part, is of a part that is there. */
function withoutMissing(
  parts: readonly string[],
): (values: readonly string[], list: readonly string[]) => readonly string[] {
  const optional = parts.map((part) => mayBeMissing.includes(part));
  if (!optional.includes(true)) return (_, list) => list;
  return (values, list) => list.filter((_, i) => values[i] !== '' || !optional[i]);
}

/** Gives the text of each part; ends before the first that is empty and may not be. */
type PlacesReader = (
  beside: readonly string[],
  draft: Json,
  source: Source,
  context: MappingContext,
  mayBeEmpty?: readonly boolean[],
) => string[];

function readerOfPlaces(parts: readonly string[], owner: string): PlacesReader {
  const readers = parts.map((part) => {
    if (part.startsWith('@'))
      return (source: Source, context: MappingContext) =>
        standing(part.slice(1), source.segment, context)?.resource.id ?? '';
    if (part === 'sender') return (_: Source, context: MappingContext) => context.senderSystem;
    if (part === 'questionnaire') return questionnaireOf;
    if (part === 'parent') return parentOf;
    if (part === 'suffix') return ({ segment }: Source) => segment.text(3, 1, 2);
    if (part === 'occurrence') return () => 'occurrence';
    return textAt(owner, part);
  });
  const at = parts.indexOf('occurrence');
  const name = `\u0001${parts.join('\u0001')}\u0001`;
  return (beside, draft, source, context, mayBeEmpty) => {
    const values: string[] = [];
    for (let i = 0; i < readers.length; i++) {
      const value = (readers[i] as (typeof readers)[number])(source, context);
      if (value === '' && mayBeEmpty && !mayBeEmpty[i]) return values;
      values.push(value);
    }
    if (at >= 0) {
      const equal = [...beside, ...values].join('\u0001');
      values[at] = String(occurrence(`${draft.resourceType}${name}${equal}`, source, context));
    }
    return values;
  };
}

/** The questionnaire that OBX-3 names: answers to one questionnaire are one response. */
function questionnaireOf({ segment }: Source, context: MappingContext): string {
  return itemNamed(segment.repetitions(3)[0] ?? '', 1, context)?.sheet.id ?? '';
}

/**
 * The result that OBR-26 names: an antibiogram is of one isolate, and those of two have the same number, service and time.
 * Its sub-id tells apart results of one code; the words of OBR-26.3 do where nothing else does, since words are corrected.
 */
function parentOf({ segment }: Source, { owners }: MappingContext): string {
  const obr = owners.segmentNamed('OBR', segment);
  if (!obr?.field(26)) return '';
  const named = [obr.text(26) || obr.text(26, 1, 2), obr.text(26, 2) || obr.text(26, 3)];
  return named.every((it) => it === '') ? '' : named.join('\u0001');
}

/** Segments that are the same but for their order, by what makes them the same; texts of messages hold no control character. */
const occurrences = new WeakMap<MappingContext, Map<string, Map<Segment, number>>>();

/** 1 for the first segment of the message under this name, 2 for the second: the lines of one text are told apart. */
function occurrence(name: string, { segment }: Source, context: MappingContext): number {
  let all = occurrences.get(context);
  if (!all) {
    all = new Map();
    occurrences.set(context, all);
  }
  let segments = all.get(name);
  if (!segments) {
    segments = new Map();
    all.set(name, segments);
  }
  const known = segments.get(segment) ?? segments.size + 1;
  segments.set(segment, known);
  return known;
}

/** Gives a draft its id and puts it among the resources of the message; the same id again completes the first. */
export function finish(
  draft: Built,
  identify: Identifier,
  source: Source,
  context: MappingContext,
  fallback: readonly string[],
): Built {
  const { resource } = draft;
  const found = identify(resource, source, context);
  // Without any identity the same words of the same sender are the same thing: repeated, it makes nothing new.
  const id = found?.id ?? identityId(resource.resourceType, context.senderSystem, ...fallback);
  const key = `${resource.resourceType}/${id}`;
  const first = context.byKey.get(key);
  if (first) {
    unite(first, draft, context);
    return first;
  }
  resource.id = id;
  if (found?.identifier) draft.identifier = found.identifier;
  if (found?.others) draft.others = found.others;
  context.built.push(draft);
  context.byKey.set(key, draft);
  return draft;
}

/** True when no row found anything to say. */
export function isEmpty({ resource }: Built): boolean {
  for (const key in resource) if (key !== 'resourceType') return false;
  return true;
}
