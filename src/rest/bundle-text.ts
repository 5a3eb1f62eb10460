/** Bundles as text: what is stored as JSON goes into the answer as it is, without being parsed and written again. */

/** An entry: the JSON text of its resource, and what stands beside it. */
export interface TextEntry {
  readonly fullUrl?: string;
  /** Absent for a deletion in a history. */
  readonly json?: string;
  readonly rest: object;
}

/**
 * @param head type, total and links
 * @returns JSON; a Bundle without entries has no `entry` (R4 json.html: an array is never empty)
 */
export function bundleText(head: object, entries: readonly TextEntry[]): string {
  const begin = JSON.stringify({ resourceType: 'Bundle', ...head }).slice(0, -1);
  return entries.length === 0 ? `${begin}}` : `${begin},"entry":[${entries.map(entryText).join(',')}]}`;
}

function entryText({ fullUrl, json, rest }: TextEntry): string {
  const parts = [
    ...(fullUrl === undefined ? [] : [`"fullUrl":${JSON.stringify(fullUrl)}`]),
    ...(json === undefined ? [] : [`"resource":${json}`]),
    JSON.stringify(rest).slice(1, -1),
  ];
  return `{${parts.join(',')}}`;
}
