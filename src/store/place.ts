/** The place in the order of a search at which the next page goes on. */
import type { SortKey } from '../fhir/search/query.ts';
import { Failure } from '../outcome.ts';
import type { Sql } from './sql.ts';

/** The place behind a row, to go on from: the sort keys and the number. */
export function placeOf(row: Readonly<Record<string, unknown>>, sort: readonly SortKey[]): string {
  return JSON.stringify([...sort.map((_, i) => row[`k${i}`] ?? null), row.rid]);
}

/**
 * Rows behind a place: lexicographic over the keys, missing last, the number as the tie-break.
 * @throws Failure `malformed` for what {@link placeOf} never gave
 */
export function keyset(sort: readonly SortKey[], after: string): Sql {
  const place = readPlace(after, sort.length);
  let part: Sql = { text: 'rid > ?', values: [place[sort.length] as number] };
  for (let i = sort.length - 1; i >= 0; i--) {
    const value = place[i] as string | number | null;
    const beyond = (sort[i] as SortKey).descending ? '<' : '>';
    part =
      value === null
        ? { text: `(k${i} IS NULL AND ${part.text})`, values: part.values }
        : {
            text: `(k${i} IS NULL OR k${i} ${beyond} ? OR (k${i} = ? AND ${part.text}))`,
            values: [value, value, ...part.values],
          };
  }
  return part;
}

/** @throws Failure `malformed` */
export function readPlace(after: string, keys: number): (string | number | null)[] {
  try {
    const place: unknown = JSON.parse(after);
    const sound = Array.isArray(place) && place.length === keys + 1 && Number.isSafeInteger(place[keys]);
    if (sound && place.every((it) => it === null || ['string', 'number'].includes(typeof it))) return place;
  } catch {
    // falls through: one answer for every kind of garbage
  }
  throw new Failure('malformed', 'the page link is damaged: start the search again');
}
