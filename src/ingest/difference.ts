/** What a message applied again changes in a resource, as the operator is shown it. Pure. */
import { type ElementChange, eachChange } from '../fhir/difference.ts';
import type { Json } from '../fhir/types.ts';

/** One change, named as in JSON Patch (RFC 6902 section 4). */
export interface Change {
  readonly op: 'add' | 'remove' | 'replace';
  /** `name[0].family`, `extension(URL).valueString`: indexes from 0, of what was before for `remove`, else of what is after. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

const operations: Readonly<Record<ElementChange['kind'], Change['op']>> = {
  added: 'add',
  removed: 'remove',
  changed: 'replace',
};

/**
 * What changes; what the server says of a version itself (`meta.versionId`, `meta.lastUpdated`) does not count.
 * @param max changes at most
 */
export function differenceOf(before: Json | undefined, after: Json | undefined, max: number): Change[] {
  const changes: Change[] = [];
  for (const { kind, path, before: was, after: is } of eachChange(bare(before), bare(after))) {
    const values = { ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) };
    changes.push({ op: operations[kind], path, ...values });
    if (changes.length >= max) break;
  }
  return changes;
}

function bare(resource: Json | undefined): Json {
  const { meta, ...rest } = resource ?? {};
  const { versionId: _, lastUpdated: __, ...own } = meta ?? {};
  return { ...rest, ...(Object.keys(own).length > 0 && { meta: own }) };
}
