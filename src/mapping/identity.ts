/** Identity: what makes a resource the same again in a later message, and the id that follows from it. */
import { identityId } from '../ids.ts';
import { textAt } from './condition.ts';
import type { Built, BusinessIdentifier, Json, MappingContext, Source } from './context.ts';
import { type Identity, type Located, MappingError } from './rows.ts';
import { rivalsOf } from './target.ts';

/** Finds what makes a resource the same again. */
export type Identifier = (
  draft: Json,
  source: Source,
  context: MappingContext,
) => { id: string; identifier?: BusinessIdentifier } | undefined;

/** Compiles `identity:`. @throws MappingError for a place that cannot be read */
export function compileIdentity(identity: Identity, owner: string, file: Located<unknown>): Identifier {
  const alternatives = identity.map((alternative, i): Identifier => {
    if (!Array.isArray(alternative)) return byIdentifier((alternative as { identifier: string[] }).identifier);
    try {
      return byPlaces(alternative as string[], owner);
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

function byIdentifier(preferred: readonly string[]): Identifier {
  return (draft) => {
    const all = (draft.identifier === undefined ? [] : [draft.identifier].flat()).filter(
      (it: Json) => it.value && it.system,
    );
    const typed = preferred.map((type) =>
      all.find((it: Json) => it.type?.coding?.some((coding: Json) => coding.code === type)),
    );
    const chosen = typed.find((it) => it) ?? all[0];
    if (!chosen) return undefined;
    const { system, value } = chosen as BusinessIdentifier;
    return { id: identityId(draft.resourceType, system, value), identifier: { system, value } };
  };
}

function byPlaces(parts: readonly string[], owner: string): Identifier {
  const readers = parts.map((part) => {
    if (part.startsWith('@'))
      return (_: Source, context: MappingContext) => context.named.get(part.slice(1))?.resource.id ?? '';
    if (part === 'sender') return (_: Source, context: MappingContext) => context.senderSystem;
    return textAt(owner, part);
  });
  return (draft, source, context) => {
    const values = readers.map((read) => read(source, context));
    // A reference that is not there (a patient without a visit) is a part like another; a place must be valued.
    const missing = values.some((value, i) => value === '' && !parts[i]?.startsWith('@'));
    return missing ? undefined : { id: identityId(draft.resourceType, ...parts, ...values) };
  };
}

/** Gives a draft its id and puts it among the resources of the message; the same id again completes the first. */
export function finish(
  draft: Json,
  identify: Identifier,
  source: Source,
  context: MappingContext,
  fallback: readonly string[],
): Built {
  const found = identify(draft, source, context);
  // Without any identity the same words of the same sender are the same thing: repeated, it makes nothing new.
  const id = found?.id ?? identityId(draft.resourceType, context.senderSystem, ...fallback);
  const key = `${draft.resourceType}/${id}`;
  const standing = context.byKey.get(key);
  if (standing) {
    for (const [key, value] of Object.entries(draft)) {
      const rivals = rivalsOf(draft.resourceType, key.replace(/^_/, ''));
      if (rivals.every((rival) => standing.resource[rival] === undefined)) standing.resource[key] ??= value;
    }
    return standing;
  }
  draft.id = id;
  const built: Built = {
    resource: draft as Built['resource'],
    ...(found?.identifier && { identifier: found.identifier }),
    clear: new Set(),
    initial: new Set(),
    keeps: new Map(),
  };
  context.built.push(built);
  context.byKey.set(key, built);
  return built;
}
