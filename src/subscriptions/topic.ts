/**
 * SubscriptionTopics in R4: Basic resources with the R5 cross-version extensions (backport IG 1.2). Read once at start.
 */
import { evalFhirPath, type FhirPathAtom, parseFhirPath, toTypedValue } from '@medplum/core';
import { matches } from '../fhir/search/match.ts';
import type { SearchParameter, SearchParameters, SearchRow } from '../fhir/search/parameters.ts';
import { parseQuery, type SearchQuery } from '../fhir/search/query.ts';
import type { Json, Resource } from '../fhir/types.ts';
import type { Interaction } from '../store/store.ts';

const prefix = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.';

/** A resource before or after a change, with its search rows. */
export interface State {
  readonly resource: Resource;
  readonly rows: readonly SearchRow[];
}

/** A change as a trigger sees it. */
export interface Transition {
  readonly type: string;
  readonly interaction: Interaction;
  readonly previous: State | undefined;
  readonly current: State | undefined;
}

export interface Topic {
  readonly url: string;
  readonly version: string | undefined;
  /** The resource type that triggers it. */
  readonly type: string;
  /** Search parameters that a subscription may filter by. */
  readonly filters: readonly string[];
  /** Reference parameters whose targets go with the focus (`notificationShape.include`). */
  readonly includes: readonly SearchParameter[];
  triggers(transition: Transition): boolean;
}

/** True for the Basic that carries a topic. */
export function isTopic(resource: Resource): boolean {
  return (
    resource.resourceType === 'Basic' && resource.code?.coding?.some((it: Json) => it.code === 'SubscriptionTopic')
  );
}

/** @throws Error for a topic that cannot be evaluated as written */
export function parseTopic(basic: Resource, parameters: SearchParameters): Topic {
  const all = (name: string): Json[] => (basic.extension ?? []).filter((it: Json) => it.url === prefix + name);
  const url: string | undefined = all('url')[0]?.valueUri;
  const trigger = all('resourceTrigger')[0];
  if (!url || !trigger) throw new Error(`Basic/${basic.id} is not a topic with url and resourceTrigger`);
  const part = (node: Json | undefined, name: string): Json | undefined =>
    node?.extension?.find((it: Json) => it.url === name);
  const type = part(trigger, 'resource')?.valueUri as string;
  const interactions = new Set(
    (trigger.extension as Json[]).filter((it) => it.url === 'supportedInteraction').map((it) => it.valueCode),
  );
  const criteria = part(trigger, 'queryCriteria');
  const query = (name: string): SearchQuery | undefined => {
    const text: string | undefined = part(criteria, name)?.valueString;
    // R5 writes criteria as in a search URL, with or without the type, `:` modifiers included.
    return text === undefined
      ? undefined
      : parseQuery(type, new URLSearchParams(text.replace(/^\w+\?/, '')), parameters);
  };
  const [previous, current] = [query('previous'), query('current')];
  const both = part(criteria, 'requireBoth')?.valueBoolean === true;
  const onCreate = part(criteria, 'resultForCreate')?.valueCode !== 'test-fails';
  const path: string | undefined = part(trigger, 'fhirPathCriteria')?.valueString;
  const condition = path === undefined ? undefined : parseFhirPath(path);
  const filters = all('canFilterBy').map((it) => part(it, 'filterParameter')?.valueString as string);
  const includes = all('notificationShape')
    .flatMap((it) => it.extension as Json[])
    .filter((it) => it.url === 'include')
    .map((it) => {
      const parameter = parameters.of(type).get(String(it.valueString).split(':')[1] ?? '');
      if (parameter?.kind !== 'reference')
        throw new Error(`${url}: include ${it.valueString} is not a reference parameter`);
      return parameter;
    });

  const holds = (query: SearchQuery | undefined, state: State | undefined): boolean =>
    !query || (state !== undefined && matches(query, state.resource.id as string, state.rows));
  return {
    url,
    version: all('version')[0]?.valueString,
    type,
    filters,
    includes,
    triggers(transition) {
      if (transition.type !== type || !interactions.has(transition.interaction) || !transition.current) return false;
      const before = transition.previous ? holds(previous, transition.previous) : onCreate;
      const after = holds(current, transition.current);
      if (both ? !(before && after) : !(before || after)) return false;
      return !condition || fhirPathHolds(condition, transition);
    },
  };
}

function fhirPathHolds(condition: FhirPathAtom, { current, previous }: Transition): boolean {
  const variables = {
    '%current': toTypedValue(current?.resource),
    '%previous': { type: 'undefined', value: previous?.resource },
  };
  return evalFhirPath(condition, current?.resource, variables)[0] === true;
}
