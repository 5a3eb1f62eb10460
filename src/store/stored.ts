/** A version as a database holds it: with the number of its resource. */
import type { StoredResource } from '../fhir/types.ts';
import type { Cause, Current, Interaction, Version } from './store.ts';

/** A current version for a decision. Its JSON is parsed when somebody looks. */
export class Stored implements Current {
  /** Number of the resource, see `range`. */
  readonly rid: number;
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly sequence: number;
  readonly at: number;
  readonly interaction: Interaction;
  readonly cause: Cause;
  readonly json: string | undefined;
  readonly marks: string | undefined;
  #resource: StoredResource | undefined;

  constructor(rid: number, { type, id, version, sequence, at, interaction, cause, json }: Version, marks?: string) {
    this.rid = rid;
    this.type = type;
    this.id = id;
    this.version = version;
    this.sequence = sequence;
    this.at = at;
    this.interaction = interaction;
    this.cause = cause;
    this.json = json;
    this.marks = marks;
  }

  get resource(): StoredResource | undefined {
    if (this.#resource === undefined && this.json !== undefined) this.#resource = JSON.parse(this.json);
    return this.#resource;
  }

  /** The same version with other marks: what was parsed stays. */
  withMarks(marks: string | undefined): Stored {
    if (marks === this.marks) return this;
    const other = new Stored(this.rid, this, marks);
    other.#resource = this.#resource;
    return other;
  }
}
