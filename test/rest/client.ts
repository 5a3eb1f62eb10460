/** Requests to one server under test, and what tests look for in its answers. */
import { expect } from '@jest/globals';
import type { App } from '../../src/app.ts';
import { fhir } from '../support/app.ts';

export type Answer = Awaited<ReturnType<typeof fhir>>;
export type Headers = Record<string, string>;
export type Resource = { readonly resourceType: string } & Readonly<Record<string, unknown>>;

/** An entry of a transaction or batch. */
export interface Entry {
  readonly fullUrl?: string;
  readonly resource?: object;
  readonly request: object;
}

export const form = { 'content-type': 'application/x-www-form-urlencoded' };
export const strict = { prefer: 'handling=strict' };
export const lenient = { prefer: 'handling=lenient' };

/** @param app asked at each request: the server starts after the tests are described */
export function clientOf(app: () => Pick<App, 'http' | 'store'>) {
  const call = (method: string, path: string, body?: unknown, headers?: Headers): Promise<Answer> =>
    fhir(app(), method, path, body, headers);
  return {
    call,
    get: (path: string, headers?: Headers) => call('GET', path, undefined, headers),
    post: (resource: Resource, headers?: Headers) => call('POST', resource.resourceType, resource, headers),
    put: (resource: Resource, headers?: Headers) =>
      call('PUT', `${resource.resourceType}/${resource.id}`, resource, headers),
    remove: (path: string, headers?: Headers) => call('DELETE', path, undefined, headers),
    bundle: (type: 'transaction' | 'batch', entry: readonly unknown[], headers?: Headers) =>
      call('POST', '', { resourceType: 'Bundle', type, entry }, headers),
    /** The sequence of the newest change: it stays where it is when nothing was written. */
    head: () => app().store.head(),
    /** The path of a link of this server, below its base. */
    below: (url: string) => belowOf(app().http, url),
    /** An answer as text, with its content type. */
    async text(method: string, path: string, body?: string | Uint8Array, headers: Headers = {}) {
      const response = await fetch(`${app().http}/${path}`, {
        method,
        headers,
        ...(body !== undefined && { body: body as string }),
      });
      return {
        status: response.status,
        type: response.headers.get('content-type'),
        headers: response.headers,
        text: await response.text(),
      };
    },
    /** Every page of a search or history, by its next links. @param between run before each page but the first */
    async pages(path: string, between: (page: number) => Promise<unknown> = async () => {}): Promise<any[]> {
      const found: any[] = [];
      for (let next: string | undefined = path; next !== undefined; ) {
        const { status, body }: Answer = await call('GET', next);
        expect([next, status]).toEqual([next, 200]);
        found.push(body);
        const link = linkOf(body, 'next');
        next = link === undefined ? undefined : belowOf(app().http, link);
        if (next !== undefined) await between(found.length);
      }
      return found;
    },
  };
}

/** The path of a URL below a base, which `http://…/fhir?_count=1` has as well. */
function belowOf(base: string, url: string): string {
  expect(url.startsWith(base)).toBe(true);
  return url.slice(base.length).replace(/^\//, '');
}

export function linkOf(body: any, relation: string): string | undefined {
  return body.link.find((it: any) => it.relation === relation)?.url;
}

/** Ids of a searchset's entries. */
export function ids(body: any, mode = 'match'): string[] {
  return (body.entry ?? []).filter((it: any) => it.search.mode === mode).map((it: any) => it.resource.id);
}

/** The diagnostics of the outcome that a searchset has beside its hits. */
export function warnings(body: any): string {
  const outcomes = (body.entry ?? []).filter((it: any) => it.search.mode === 'outcome');
  return outcomes.flatMap((it: any) => it.resource.issue.map((issue: any) => issue.diagnostics)).join('\n');
}

export function expectOutcome({ status, headers, body }: Answer, expected: number, code?: string): void {
  expect([status, body?.resourceType]).toEqual([expected, 'OperationOutcome']);
  expect(headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
  expect(body.issue[0]).toMatchObject({ severity: 'error', ...(code && { code }) });
}

/** Entries of a transaction or batch. */
export const entries = {
  post: (resource: Resource, more: object = {}, fullUrl?: string): Entry => ({
    ...(fullUrl && { fullUrl }),
    resource,
    request: { method: 'POST', url: resource.resourceType, ...more },
  }),
  put: (resource: Resource, more: object = {}, fullUrl?: string): Entry => ({
    ...(fullUrl && { fullUrl }),
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}`, ...more },
  }),
  remove: (url: string, more: object = {}): Entry => ({ request: { method: 'DELETE', url, ...more } }),
  get: (url: string, more: object = {}): Entry => ({ request: { method: 'GET', url, ...more } }),
};

/** Statuses of the entries of a response. */
export function statuses(body: any): string[] {
  return (body.entry ?? []).map((it: any) => it.response.status);
}

/** `Patient/1` of `http://…/fhir/Patient/1/_history/1`, for each entry of a response. */
export function namesOf(body: any): string[] {
  return body.entry.map((it: any) => /fhir\/(\w+\/[^/]+)/.exec(it.response.location ?? '')?.[1]);
}
