/** The flat table of FHIR interactions. The CapabilityStatement is made from it, so it cannot promise what is not here. */
import { isResourceType } from '../fhir/definitions.ts';
import { Failure } from '../outcome.ts';
import { bundle } from './bundle.ts';
import { create, planCreate } from './create.ts';
import { conditionalDelete, planConditionalDelete, planDelete, remove } from './delete.ts';
import type { FhirRequest, FhirResponse, Interaction, RestParts } from './fhir.ts';
import { history } from './history.ts';
import { metadata } from './metadata.ts';
import { operations } from './operations/table.ts';
import { conditionalPatch, patch, planConditionalPatch, planPatch } from './patch.ts';
import { read } from './read.ts';
import { search } from './search.ts';
import { conditionalUpdate, planConditionalUpdate, planUpdate, update } from './update.ts';
import { vread } from './vread.ts';
import type { Plan } from './write.ts';

export interface Route {
  readonly method: string;
  /** `:type` is a resource type, `:id` and `:vid` any text. */
  readonly path: readonly string[];
  /** The code in `CapabilityStatement.rest.resource.interaction` (or `.rest.interaction`); absent when it has none. */
  readonly code?: string;
  readonly run: Interaction;
  /** Of what writes: how it takes part in a transaction. */
  readonly plan?: Plan;
}

const runBundle = bundle({ route: (request) => routeOf(request) });

export const routes: readonly Route[] = [
  { method: 'GET', path: ['metadata'], run: metadata },
  ...operations,
  { method: 'POST', path: [], code: 'transaction', run: runBundle },
  { method: 'POST', path: [], code: 'batch', run: runBundle },
  { method: 'GET', path: [], code: 'search-system', run: search },
  { method: 'POST', path: ['_search'], run: search },
  { method: 'GET', path: ['_history'], code: 'history-system', run: history },
  { method: 'GET', path: [':type', ':id'], code: 'read', run: read },
  { method: 'GET', path: [':type', ':id', '_history', ':vid'], code: 'vread', run: vread },
  { method: 'PUT', path: [':type', ':id'], code: 'update', run: update, plan: planUpdate },
  { method: 'PUT', path: [':type'], run: conditionalUpdate, plan: planConditionalUpdate },
  { method: 'PATCH', path: [':type', ':id'], code: 'patch', run: patch, plan: planPatch },
  { method: 'PATCH', path: [':type'], run: conditionalPatch, plan: planConditionalPatch },
  { method: 'DELETE', path: [':type', ':id'], code: 'delete', run: remove, plan: planDelete },
  { method: 'DELETE', path: [':type'], run: conditionalDelete, plan: planConditionalDelete },
  { method: 'GET', path: [':type', ':id', '_history'], code: 'history-instance', run: history },
  { method: 'GET', path: [':type', '_history'], code: 'history-type', run: history },
  { method: 'POST', path: [':type'], code: 'create', run: create, plan: planCreate },
  { method: 'GET', path: [':type'], code: 'search-type', run: search },
  { method: 'POST', path: [':type', '_search'], run: search },
  { method: 'GET', path: [':type', ':id', ':member'], run: search },
  { method: 'POST', path: [':type', ':id', ':member', '_search'], run: search },
];

/** A part of a path that begins with these is not an id: an operation, `_history`, `_search`. */
const reserved = /^[$_]/;

function fitsPart(pattern: string, part: string): boolean {
  if (pattern === ':type') return isResourceType(part);
  if (pattern === ':member') return part === '*' || isResourceType(part);
  return pattern.startsWith(':') ? !reserved.test(part) : pattern === part;
}

function fits(pattern: readonly string[], path: readonly string[]): boolean {
  return pattern.every((part, i) => fitsPart(part, path[i] as string));
}

/** By the number of parts in the path: most routes are left aside without a look. */
const byLength = Map.groupBy(routes, ({ path }) => path.length);

/** HEAD is GET whose body the edge leaves out. @throws Failure when there is no such interaction */
function routeOf(request: FhirRequest): Route {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const near = byLength.get(request.path.length) ?? [];
  const route = near.find((it) => it.method === method && fits(it.path, request.path));
  if (route) return route;
  const allow = [
    ...new Set(
      near
        .filter((it) => fits(it.path, request.path))
        .flatMap((it) => (it.method === 'GET' ? ['GET', 'HEAD'] : it.method)),
    ),
  ];
  const text = `this URL takes ${allow.join(', ')}`;
  if (allow.length > 0) throw new Failure('method-not-allowed', text, [{ text }], allow);
  throw new Failure('not-supported', 'there is no such interaction, resource type or operation here: see /metadata');
}

/** Runs one request. @throws Failure when there is no such interaction, and what the interaction throws */
export async function dispatch(request: FhirRequest, parts: RestParts): Promise<FhirResponse> {
  return routeOf(request).run(request, parts);
}
