/**
 * PL ─▶ a chain of Locations: bed → room → point of care → floor → building → facility. The guide's own indices are
 * circular (v2-to-fhir.md 1.7). The reference is to the most granular; each is partOf the next that is valued.
 */
import type { Delimiters } from '../hl7v2/message.ts';
import { identityId } from '../ids.ts';
import { type Built, draftOf, isValued, type Json, leaf, type MappingContext, partOf } from './context.ts';
import { authoritySystemOf, codePattern, isV2Code, universalUri } from './systems.ts';

/** Component of PL, code and display of location-physical-type; from the building blocks up. */
const levels: readonly [component: number, code: string, display: string][] = [
  [4, 'si', 'Site'],
  [7, 'bu', 'Building'],
  [8, 'lvl', 'Level'],
  // The guide leaves the code of a point of care open; a nursing unit is a ward.
  [1, 'wa', 'Ward'],
  [2, 'ro', 'Room'],
  [3, 'bd', 'Bed'],
];

/**
 * @param raw a PL text
 * @param level the level of the text (1 field, 2 component)
 * @returns a Reference to the most granular Location; where no level is named, one that describes it (PL.9, PL.10), or nothing
 */
export function locations(raw: string, level: number, context: MappingContext): Json | undefined {
  const d = context.delimiters;
  const part = (n: number): string => partOf(raw, level, n, d);
  const path: string[] = [];
  const assigner = assignerOf(authorityOf(part(11), level + 1, context.delimiters), context);
  let last: Built | undefined;
  for (const [component, code, display] of levels) {
    const text = part(component);
    if (!isValued(text, d)) continue;
    path.push(`${code}=${leaf(text, level + 1, d)}`);
    const id = identityId('Location', context.senderSystem, ...path);
    const known = context.byKey.get(`Location/${id}`);
    last = known ?? make(id, text, level + 1, { code, display }, { parent: last, assigner }, context);
    if (!known) {
      context.built.push(last);
      context.byKey.set(`Location/${id}`, last);
    }
  }
  if (!last) {
    const display = leaf(part(9), level + 1, d);
    const identifier = comprehensive(part, level + 1, assigner, context);
    return display || identifier ? { ...(identifier && { identifier }), ...(display && { display }) } : undefined;
  }
  describe(last.resource, part, level + 1, assigner, context);
  return { reference: `Location/${last.resource.id}` };
}

function make(
  id: string,
  raw: string,
  level: number,
  type: { code: string; display: string },
  { parent, assigner }: { parent: Built | undefined; assigner: Json | undefined },
  context: MappingContext,
): Built {
  const d = context.delimiters;
  const [name, universal, kind] = [1, 2, 3].map((n) => leaf(partOf(raw, level, n, d), level + 1, d)) as [
    string,
    string,
    string,
  ];
  const system = universal ? authoritySystemOf('', universal, kind, context) : undefined;
  const identifier = [
    name && { value: name, ...(assigner && { assigner }) },
    system && {
      system: 'urn:ietf:rfc:3986',
      value: system,
      // A URI says itself that it is an OID.
      ...(kind &&
        !universalUri(universal, kind) && { type: coded(kind, 'http://terminology.hl7.org/CodeSystem/v2-0301') }),
    },
  ].filter((it) => it);
  const system2 = 'http://terminology.hl7.org/CodeSystem/location-physical-type';
  const resource = {
    resourceType: 'Location',
    id,
    ...(identifier.length > 0 && { identifier }),
    name: name || universal,
    mode: 'instance',
    physicalType: { coding: [{ system: system2, ...type }] },
    ...(parent && { partOf: { reference: `Location/${parent.resource.id}` } }),
  };
  context.trace?.push({ container: resource, key: 'name', field: context.place, row: 'PL-Location' });
  return { ...draftOf('Location'), resource };
}

/** What PL says of the place as a whole: type (PL.6), description (PL.9), comprehensive id (PL.10) with its authority (PL.11). */
function describe(
  resource: Json,
  part: (n: number) => string,
  level: number,
  assigner: Json | undefined,
  context: MappingContext,
): void {
  const d = context.delimiters;
  const text = (n: number): string => leaf(part(n), level, d);
  const kind = text(6);
  if (kind) resource.type ??= [coded(kind, 'http://terminology.hl7.org/CodeSystem/v2-0305')];
  if (text(9)) resource.description ??= text(9);
  const id = comprehensive(part, level, assigner, context);
  if (!id || resource.identifier?.some((it: Json) => it.value === id.value)) return;
  resource.identifier ??= [];
  resource.identifier.push(id);
}

/** PL.10 with its authority; where it names none, that of the location (PL.11) is meant. */
function comprehensive(
  part: (n: number) => string,
  level: number,
  assigner: Json | undefined,
  context: MappingContext,
): Json | undefined {
  const d = context.delimiters;
  const value = leaf(partOf(part(10), level, 1, d), level + 1, d);
  if (!value) return undefined;
  const own = authorityOf(part(10), level, d, 1);
  const system = authoritySystemOf(...own, context) ?? authoritySystemOf(...authorityOf(part(11), level, d), context);
  const by = assignerOf(own, context) ?? assigner;
  return { system: system ?? context.senderSystem, value, ...(by && { assigner: by }) };
}

/** A code with its system where that lists it; a text that can be none as text. */
function coded(code: string, system: string): Json {
  return codePattern.test(code) ? { coding: [{ ...(isV2Code(system, code) && { system }), code }] } : { text: code };
}

type Authority = [namespace: string, id: string, type: string];

/** An HD, or the end of an EI, behind so many parts. */
function authorityOf(raw: string, level: number, d: Delimiters, before = 0): Authority {
  return [1, 2, 3].map((n) => leaf(partOf(raw, level, before + n, d), level + 1, d)) as Authority;
}

/** Who assigns identifiers, as a logical reference. */
function assignerOf([namespace, id, type]: Authority, context: MappingContext): Json | undefined {
  const system = id && authoritySystemOf('', id, type, context);
  if (!namespace && !system) return undefined;
  return {
    ...(system && { identifier: { system: 'urn:ietf:rfc:3986', value: system } }),
    ...(namespace && { display: namespace }),
  };
}
