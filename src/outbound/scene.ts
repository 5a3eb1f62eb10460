/** What the builders of messages are given beside the resource. They are pure: whatever they look at has been read before. */
import type { Json } from '../fhir/types.ts';
import type { Zone } from '../fhir/zone.ts';
import type { Destination } from '../mapping/destination.ts';

/** One message to one hospital. */
export interface Scene {
  readonly destination: Destination;
  readonly zone: Zone;
  readonly patient: Json;
  /** The visit that it is about, where it is about one. */
  readonly encounter: Json | undefined;
  /** A resource by its reference, `Practitioner/1`; undefined when it is not there. */
  look(reference: string | undefined): Json | undefined;
  /** A Questionnaire by its canonical, with version or without. */
  questionnaire(canonical: string | undefined): Json | undefined;
}

/** What goes into a message behind MSH. */
export interface Content {
  /** MSH-9.1 to MSH-9.3: `SIU`, `S13`, `SIU_S12`. */
  readonly type: readonly [type: string, event: string, structure: string];
  readonly segments: readonly string[];
}

/** How the changes of one resource type become messages. */
export interface Rule {
  readonly resourceType: string;
  /** Patient and Encounter that a resource is about, as references. */
  about(resource: Json): { readonly patient: string | undefined; readonly encounter: string | undefined };
  /** True for what the hospital may be told of; a cheap look before anything is read. */
  concerns(resource: Json): boolean;
  /** References and canonicals that {@link tell} will look at. */
  references(resource: Json): { readonly resources: readonly string[]; readonly questionnaires: readonly string[] };
  /**
   * What the hospital is to be told now.
   * @param known the version of the resource that the hospital knows; undefined when it was never told
   * @param now undefined when it was deleted
   * @returns undefined when there is nothing to tell
   */
  tell(known: Json | undefined, now: Json | undefined, scene: Scene): Content | undefined;
}
