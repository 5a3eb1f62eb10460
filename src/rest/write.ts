/**
 * A write as a plan, so that it runs the same alone and as an entry of a transaction: which resources it is about is found
 * inside the commit, and then what each of them shall become.
 */
import type { Intention, Written } from '../commit/commit.ts';
import { informational } from '../fhir/operation-outcome.ts';
import type { Json, Resource, StoredResource } from '../fhir/types.ts';
import { assertValid } from '../fhir/validate.ts';
import { parseSearchParameter } from '../indexing/search-parameter.ts';
import type { Current, Key, QueryKey, View } from '../store/store.ts';
import { admit } from '../subscriptions/subscription.ts';
import { etagOf, type FhirRequest, type FhirResponse, type Interaction, preference, type RestParts } from './fhir.ts';
import { present } from './present.ts';

/** A resource that a write is about. */
export interface Target extends Key {
  /** Its current version, deleted ones included; undefined when there never was one. */
  readonly current: Current | undefined;
}

export interface Write {
  /** Everything that is looked at. */
  readonly keys: readonly (Key | QueryKey)[];
  /** @throws Failure when the condition finds none, or too many */
  targets(view: View): readonly Target[];
  /**
   * What a target shall become; undefined when it stays as it is.
   * @param body the resource of the request, its references rewritten in a transaction
   */
  become(target: Target, body: unknown, view: View): Intention | undefined;
  /** Looked up before the commit, outside of it: profiles that the resource claims. @throws Failure */
  check?(body: unknown): Promise<void>;
  /** Of a conditional create or update, the same text for the same condition: in a transaction it is about one resource. */
  readonly condition?: string;
  /** The answer, when it is not the resource that was written: that of an operation. */
  answer?(outcome: Outcome): FhirResponse;
}

/** @throws Failure for what can be told from the request alone */
export type Plan = (request: FhirRequest, parts: RestParts) => Write | Promise<Write>;

/** What became of a target. A target that stayed as it is has the interaction `none`. */
export type Outcome = Written;

/** Runs a plan as an interaction of its own. */
export function alone(plan: Plan): Interaction {
  return async (request, parts) => {
    const write = await plan(request, parts);
    await write.check?.(request.body);
    let targets: readonly Target[] = [];
    let places: (number | undefined)[] = [];
    const written = await parts.commit.run({
      cause: 'client:rest',
      keys: write.keys,
      decide: (view) => {
        targets = write.targets(view);
        const intentions: Intention[] = [];
        places = targets.map((target) => {
          const intention = write.become(target, request.body, view);
          return intention && intentions.push(intention) - 1;
        });
        return { intentions };
      },
    });
    const outcomes = targets.map((target, i) => outcomeOf(target, written[places[i] ?? -1]));
    return answer(request, write, outcomes, parts);
  };
}

/** @param written what the commit gave; undefined for a target that stayed as it is */
export function outcomeOf({ type, id, current }: Target, written: Written | undefined): Outcome {
  if (written) return written;
  const { version = 0, at = 0, json } = current ?? {};
  return { type, id, version, interaction: 'none', at, json };
}

/** The answer to one write. R4 http.html#create, #update, #delete: 201 with Location, 200, or 204. */
export function answer(
  request: FhirRequest,
  write: Write,
  outcomes: readonly Outcome[],
  parts: RestParts,
): FhirResponse {
  const [first] = outcomes;
  // Several only come from a conditional delete; none, when it found nothing.
  if (!first || outcomes.length > 1) return { status: 204 };
  if (write.answer) return write.answer(first);
  const { type, id, version, interaction, at, json } = first;
  const versioned = version > 0 ? { etag: etagOf(version), lastModified: at } : {};
  if (json === undefined) return { status: 204, ...versioned };
  const body = preferred(request, present(type, json));
  const created = interaction === 'create';
  return {
    status: created ? 201 : 200,
    ...versioned,
    ...((created || request.method === 'POST') && { location: `${parts.base()}/${type}/${id}/_history/${version}` }),
    ...(body !== undefined && { body }),
  };
}

/** R4 http.html#ops: the representation that `Prefer: return=` asks for, after a write. */
function preferred(request: FhirRequest, json: string): string | Json | undefined {
  const wish = preference(request, 'return');
  if (wish === 'minimal') return undefined;
  return wish === 'OperationOutcome' ? informational('done') : json;
}

/** A client's resource as it may be stored. @throws Failure when a Subscription or SearchParameter will not be honoured */
export function toPut(resource: Resource, id: string, current: Current | undefined, parts: RestParts): Intention {
  const own = { ...resource, id } as StoredResource;
  parts.canonicals.assertShippedProfiles(own);
  if (own.resourceType === 'SearchParameter') {
    assertValid(own);
    parseSearchParameter(own, parts.parameters);
  }
  if (own.resourceType !== 'Subscription') return { kind: 'put', resource: own };
  assertValid(own);
  return { kind: 'put', resource: admit(own, current?.resource, parts.subscriptions) };
}
