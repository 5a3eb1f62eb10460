/** Versions as the tables hold them and as the seam speaks of them. */
import type { StoredResource } from '../../src/fhir/types.ts';
import type { Cause, Current, Interaction, Key, Version } from '../../src/store/store.ts';
import type { Row } from './transactions.ts';

/** The columns of a version, of `resource r` and `change c`. */
export const versionColumns = 'c.rid, r.type, r.id, c.version, c.sequence, c.at, c.interaction, c.cause, c.json';

export function versionOf({ type, id, version, sequence, at, interaction, cause, json }: Row): Version {
  return { type, id, version, sequence, at, interaction, cause, json: json ?? undefined };
}

/** A current version for a decision, with the number of its resource. Its JSON is parsed when somebody looks. */
export class Stored implements Current {
  readonly rid: number;
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly sequence: number;
  readonly at: number;
  readonly interaction: Interaction;
  readonly cause: Cause;
  readonly json: string | undefined;
  #resource: StoredResource | undefined;

  constructor(rid: number, { type, id, version, sequence, at, interaction, cause, json }: Version) {
    this.rid = rid;
    this.type = type;
    this.id = id;
    this.version = version;
    this.sequence = sequence;
    this.at = at;
    this.interaction = interaction;
    this.cause = cause;
    this.json = json;
  }

  get resource(): StoredResource | undefined {
    if (this.#resource === undefined && this.json !== undefined) this.#resource = JSON.parse(this.json);
    return this.#resource;
  }
}

export function nameOf({ type, id }: Key): string {
  return `${type}/${id}`;
}
