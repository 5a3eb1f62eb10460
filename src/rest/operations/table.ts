/** The operations, as routes. https://hl7.org/fhir/R4/operationslist.html */
import type { Route } from '../routes.ts';
import { subscriptionStatus } from '../subscription-status.ts';
import { alone, type Plan } from '../write.ts';
import { everything } from './everything.ts';
import { match } from './match.ts';
import { meta, planMetaAdd, planMetaDelete } from './meta.ts';
import { expand, lookup, subsumes, translate, validateInCodeSystem, validateInValueSet } from './terminology.ts';
import { validate } from './validate.ts';

export interface Operation {
  readonly name: string;
  /** Types that have it; `Resource` for all. */
  readonly type: string;
  readonly definition: string;
  readonly levels: readonly ('type' | 'instance')[];
  /** R4 operationdefinition: what changes state is not for GET. */
  readonly methods: readonly ('GET' | 'POST')[];
  readonly run: Route['run'];
  /** Of what writes. */
  readonly plan?: Plan;
}

const r4 = 'http://hl7.org/fhir/OperationDefinition/';
const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/';
const both = ['GET', 'POST'] as const;
const anywhere = ['type', 'instance'] as const;

export const operationList: readonly Operation[] = [
  {
    name: 'status',
    type: 'Subscription',
    definition: `${backport}backport-subscription-status`,
    levels: ['instance'],
    methods: both,
    run: subscriptionStatus,
  },
  {
    name: 'everything',
    type: 'Patient',
    definition: `${r4}Patient-everything`,
    levels: ['instance'],
    methods: both,
    run: everything,
  },
  {
    name: 'everything',
    type: 'Encounter',
    definition: `${r4}Encounter-everything`,
    levels: ['instance'],
    methods: both,
    run: everything,
  },
  { name: 'match', type: 'Patient', definition: `${r4}Patient-match`, levels: ['type'], methods: ['POST'], run: match },
  {
    name: 'validate',
    type: 'Resource',
    definition: `${r4}Resource-validate`,
    levels: anywhere,
    methods: both,
    run: validate,
  },
  { name: 'meta', type: 'Resource', definition: `${r4}Resource-meta`, levels: ['instance'], methods: both, run: meta },
  {
    name: 'meta-add',
    type: 'Resource',
    definition: `${r4}Resource-meta-add`,
    levels: ['instance'],
    methods: ['POST'],
    run: alone(planMetaAdd),
    plan: planMetaAdd,
  },
  {
    name: 'meta-delete',
    type: 'Resource',
    definition: `${r4}Resource-meta-delete`,
    levels: ['instance'],
    methods: ['POST'],
    run: alone(planMetaDelete),
    plan: planMetaDelete,
  },
  {
    name: 'expand',
    type: 'ValueSet',
    definition: `${r4}ValueSet-expand`,
    levels: anywhere,
    methods: both,
    run: expand,
  },
  {
    name: 'validate-code',
    type: 'ValueSet',
    definition: `${r4}ValueSet-validate-code`,
    levels: anywhere,
    methods: both,
    run: validateInValueSet,
  },
  {
    name: 'lookup',
    type: 'CodeSystem',
    definition: `${r4}CodeSystem-lookup`,
    levels: ['type'],
    methods: both,
    run: lookup,
  },
  {
    name: 'validate-code',
    type: 'CodeSystem',
    definition: `${r4}CodeSystem-validate-code`,
    levels: anywhere,
    methods: both,
    run: validateInCodeSystem,
  },
  {
    name: 'subsumes',
    type: 'CodeSystem',
    definition: `${r4}CodeSystem-subsumes`,
    levels: anywhere,
    methods: both,
    run: subsumes,
  },
  {
    name: 'translate',
    type: 'ConceptMap',
    definition: `${r4}ConceptMap-translate`,
    levels: anywhere,
    methods: both,
    run: translate,
  },
];

export const operations: readonly Route[] = operationList.flatMap(({ name, type, levels, methods, run, plan }) => {
  const own = type === 'Resource' ? ':type' : type;
  const paths = levels.map((level) => (level === 'type' ? [own, `$${name}`] : [own, ':id', `$${name}`]));
  return paths.flatMap((path) => methods.map((method) => ({ method, path, run, ...(plan && { plan }) })));
});
