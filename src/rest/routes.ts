/** The flat table of FHIR interactions. The CapabilityStatement is made from it, so it cannot promise what is not here. */
import { isResourceType } from '../fhir/definitions.ts';
import { Failure } from '../outcome.ts';
import { create } from './create.ts';
import { remove } from './delete.ts';
import type { FhirRequest, FhirResponse, Interaction, RestParts } from './fhir.ts';
import { history } from './history.ts';
import { metadata } from './metadata.ts';
import { read } from './read.ts';
import { search } from './search.ts';
import { subscriptionStatus } from './subscription-status.ts';
import { bundle } from './transaction.ts';
import { update } from './update.ts';
import { vread } from './vread.ts';

export interface Route {
  readonly method: string;
  /** `:type` is a resource type, `:id` and `:vid` any text. */
  readonly path: readonly string[];
  /** The code in `CapabilityStatement.rest.resource.interaction` (or `.rest.interaction`); absent when it has none. */
  readonly code?: string;
  readonly run: Interaction;
}

const runBundle = bundle((request, parts) => dispatch(request, parts));

export const routes: readonly Route[] = [
  { method: 'GET', path: ['metadata'], run: metadata },
  { method: 'GET', path: ['Subscription', ':id', '$status'], run: subscriptionStatus },
  { method: 'POST', path: [], code: 'transaction', run: runBundle },
  { method: 'POST', path: [], code: 'batch', run: runBundle },
  { method: 'GET', path: [':type', ':id'], code: 'read', run: read },
  { method: 'GET', path: [':type', ':id', '_history', ':vid'], code: 'vread', run: vread },
  { method: 'PUT', path: [':type', ':id'], code: 'update', run: update },
  { method: 'DELETE', path: [':type', ':id'], code: 'delete', run: remove },
  { method: 'GET', path: [':type', ':id', '_history'], code: 'history-instance', run: history },
  { method: 'POST', path: [':type', '_search'], run: search },
  { method: 'POST', path: [':type'], code: 'create', run: create },
  { method: 'GET', path: [':type'], code: 'search-type', run: search },
];

function fits(pattern: readonly string[], path: readonly string[]): boolean {
  return (
    pattern.length === path.length &&
    pattern.every((part, i) =>
      part === ':type'
        ? isResourceType(path[i] as string)
        : part.startsWith(':')
          ? !/^[$_]/.test(path[i] as string)
          : part === path[i],
    )
  );
}

/** Runs one request. HEAD is GET whose body the edge leaves out. @throws Failure when there is no such interaction */
export async function dispatch(request: FhirRequest, parts: RestParts): Promise<FhirResponse> {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const fitting = routes.filter((route) => fits(route.path, request.path));
  const route = fitting.find((it) => it.method === method);
  if (route) return route.run(request, parts);
  const allow = [...new Set(fitting.map((it) => it.method))];
  const text = `this URL takes ${allow.join(', ')}`;
  if (allow.length > 0) throw new Failure('method-not-allowed', text, [{ text }], allow);
  throw new Failure('not-supported', 'there is no such interaction, resource type or operation here: see /metadata');
}
