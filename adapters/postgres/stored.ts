/** Versions as the tables hold them and as the seam speaks of them. */
import type { Version } from '../../src/store/store.ts';
import { Stored } from '../../src/store/stored.ts';
import type { Row } from './transactions.ts';

/** The columns of a version, of `resource r` and `change c`. */
export const versionColumns = 'c.rid, r.type, r.id, c.version, c.sequence, c.at, c.interaction, c.cause, c.json';

/** The columns of a version as a decision sees it: with the marks of its resource. */
export const storedColumns = `${versionColumns}, r.marks`;

export function versionOf({ type, id, version, sequence, at, interaction, cause, json }: Row): Version {
  return { type, id, version, sequence, at, interaction, cause, json: json ?? undefined };
}

/** A row with all of {@link storedColumns} as a decision sees it. */
export function storedOf(row: Row): Stored {
  return new Stored(row.rid, versionOf(row), row.marks ?? undefined);
}
