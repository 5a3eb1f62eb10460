// https://hl7.org/fhir/R4/http.html#capabilities
import { resourceTypes } from '../fhir/definitions.ts';
import type { Json } from '../fhir/types.ts';
import type { FhirRequest, FhirResponse, RestParts } from './fhir.ts';
import { type Route, routes } from './routes.ts';

const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/';
let made: { base: string; statement: Json } | undefined;

/** `GET [base]/metadata`: made once from the table of routes and the compiled search parameters. */
export async function metadata(_: FhirRequest, parts: RestParts): Promise<FhirResponse> {
  const base = parts.base();
  if (made?.base !== base) made = { base, statement: statement(base, parts) };
  return { status: 200, body: made.statement };
}

function codes(level: 'type' | 'system'): Json[] {
  const ofLevel = (route: Route): boolean => (route.path[0] === ':type') === (level === 'type');
  return routes.filter((route) => route.code && ofLevel(route)).map(({ code }) => ({ code }));
}

function statement(base: string, parts: RestParts): Json {
  const interaction = codes('type');
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: '2026-11-22',
    kind: 'instance',
    instantiates: [`${backport}CapabilityStatement/backport-subscription-server-r4`],
    software: { name: 'Aftercare', version: '0.1.0' },
    implementation: { description: 'Aftercare: FHIR R4 for post-discharge care', url: base },
    fhirVersion: '4.0.1',
    format: ['json', 'application/fhir+json'],
    rest: [
      {
        mode: 'server',
        interaction: codes('system'),
        resource: resourceTypes.map((type) => resource(type, interaction, parts)),
      },
    ],
  };
}

function resource(type: string, interaction: Json[], { parameters, subscriptions }: RestParts): Json {
  const all = [...parameters.of(type).values()];
  const references = all.filter((it) => it.kind === 'reference').map((it) => `${type}:${it.code}`);
  return {
    type,
    ...(type === 'Subscription' && {
      extension: subscriptions.topics.map((topic) => ({
        url: `${backport}StructureDefinition/capabilitystatement-subscriptiontopic-canonical`,
        valueCanonical: topic.url,
      })),
      supportedProfile: [`${backport}StructureDefinition/backport-subscription`],
      operation: [{ name: 'status', definition: `${backport}OperationDefinition/backport-subscription-status` }],
    }),
    interaction,
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate: true,
    conditionalCreate: false,
    conditionalRead: 'full-support',
    conditionalUpdate: false,
    conditionalDelete: 'not-supported',
    ...(references.length > 0 && { searchInclude: references }),
    searchParam: [
      { name: '_id', definition: 'http://hl7.org/fhir/SearchParameter/Resource-id', type: 'token' },
      ...all.map(({ code, url, declared }) => ({ name: code, definition: url, type: declared })),
    ],
  };
}
