// https://hl7.org/fhir/R4/http.html#capabilities
import { resourceTypes } from '../fhir/definitions.ts';
import type { SearchParameter } from '../fhir/search/parameters.ts';
import type { Json } from '../fhir/types.ts';
import { Failure } from '../outcome.ts';
import { compartmentTypes } from './compartment.ts';
import type { FhirRequest, FhirResponse, RestParts } from './fhir.ts';
import { jsonPatchType } from './format.ts';
import { type Operation, operationList } from './operations/table.ts';
import { type Route, routes } from './routes.ts';

const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/';
const modes = ['full', 'normative', 'terminology'];

/** Made from the table of routes and the search parameters; made anew when a client's SearchParameter is ready. */
let made: { base: string; searchable: number; text: string } | undefined;

/** `GET [base]/metadata`, also with `mode=terminology`. */
export async function metadata(request: FhirRequest, parts: RestParts): Promise<FhirResponse> {
  const mode = request.query.get('mode') ?? 'full';
  if (!modes.includes(mode)) throw new Failure('malformed', `mode: must be one of ${modes.join(', ')}`);
  if (mode === 'terminology') return { status: 200, body: terminologyCapabilities(parts.base()) };
  const [base, searchable] = [parts.base(), parts.parameters.generation];
  if (made?.base !== base || made.searchable !== searchable)
    made = { base, searchable, text: JSON.stringify(statement(base, parts)) };
  return { status: 200, body: made.text };
}

function codes(level: 'type' | 'system'): Json[] {
  const ofLevel = (route: Route): boolean => (route.path[0] === ':type') === (level === 'type');
  return routes.filter((route) => route.code && ofLevel(route)).map(({ code }) => ({ code }));
}

function about(base: string): Json {
  return {
    status: 'active',
    date: '2026-11-22',
    kind: 'instance',
    software: { name: 'Aftercare', version: '0.1.0' },
    implementation: { description: 'Aftercare: FHIR R4 for post-discharge care', url: base },
  };
}

function statement(base: string, parts: RestParts): Json {
  const interaction = codes('type');
  return {
    resourceType: 'CapabilityStatement',
    ...about(base),
    instantiates: [
      `${backport}CapabilityStatement/backport-subscription-server-r4`,
      'http://hl7.org/fhir/CapabilityStatement/terminology-server',
    ],
    fhirVersion: '4.0.1',
    format: ['json', 'application/fhir+json', 'xml', 'application/fhir+xml'],
    patchFormat: [jsonPatchType, 'application/fhir+json', 'application/fhir+xml'],
    rest: [
      {
        mode: 'server',
        interaction: codes('system'),
        searchParam: common(parts.parameters.of('Patient').values()),
        compartment: compartmentTypes().map(
          (type) => `http://hl7.org/fhir/CompartmentDefinition/${type.charAt(0).toLowerCase()}${type.slice(1)}`,
        ),
        resource: resourceTypes.map((type) => resource(type, interaction, parts)),
        operation: operationsOf('Resource'),
      },
    ],
  };
}

const id = { name: '_id', definition: 'http://hl7.org/fhir/SearchParameter/Resource-id', type: 'token' };
const list = { name: '_list', definition: 'http://hl7.org/fhir/SearchParameter/List-item', type: 'special' };
const filter = { name: '_filter', type: 'special' };

function declared({ code, url, declared }: SearchParameter): Json {
  return { name: code, definition: url, type: declared };
}

/** What every type has, for searches of the system. */
function common(parameters: Iterable<SearchParameter>): Json[] {
  return [id, ...[...parameters].filter(({ code }) => code.startsWith('_')).map(declared), list, filter];
}

function operationsOf(type: string): Json[] {
  return operationList
    .filter((it) => it.type === type)
    .map(({ name, definition }: Operation) => ({ name, definition }));
}

function resource(type: string, interaction: Json[], { parameters, subscriptions }: RestParts): Json {
  const all = [...parameters.of(type).values()];
  const references = all.filter((it) => it.kind === 'reference').map((it) => `${type}:${it.code}`);
  const operation = operationsOf(type);
  const referring = revIncludes(type, parameters);
  return {
    type,
    ...(type === 'Subscription' && {
      extension: subscriptions.topics.map((topic) => ({
        url: `${backport}StructureDefinition/capabilitystatement-subscriptiontopic-canonical`,
        valueCanonical: topic.url,
      })),
      supportedProfile: [`${backport}StructureDefinition/backport-subscription`],
    }),
    interaction,
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate: true,
    conditionalCreate: true,
    conditionalRead: 'full-support',
    conditionalUpdate: true,
    conditionalDelete: 'multiple',
    referencePolicy: ['literal', 'logical', 'local'],
    ...(references.length > 0 && { searchInclude: ['*', ...references] }),
    ...(referring.length > 0 && { searchRevInclude: referring }),
    searchParam: [id, ...all.map(declared), list, filter],
    ...(operation.length > 0 && { operation }),
  };
}

/** Parameters of other types that may refer to this one. */
function revIncludes(type: string, parameters: RestParts['parameters']): string[] {
  return resourceTypes.flatMap((source) =>
    [...parameters.of(source).values()]
      .filter(({ kind, targets }) => kind === 'reference' && targets.includes(type))
      .map(({ code }) => `${source}:${code}`),
  );
}

/** R4 terminologycapabilities.html. */
function terminologyCapabilities(base: string): Json {
  return {
    resourceType: 'TerminologyCapabilities',
    ...about(base),
    codeSearch: 'all',
    expansion: {
      hierarchical: true,
      paging: true,
      parameter: [
        'filter',
        'offset',
        'count',
        'includeDesignations',
        'designation',
        'includeDefinition',
        'activeOnly',
        'excludeNested',
        'excludeNotForUI',
        'displayLanguage',
        'exclude-system',
      ].map((name) => ({ name })),
    },
    validateCode: { translations: false },
    translation: { needsMap: false },
  };
}
