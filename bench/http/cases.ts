/** The interactions that are measured over HTTP, each with what it promises and what other servers do. */
import type { Exchange } from './generator.ts';
import { discharge, familyName, identifierSystem, patient } from './resources.ts';

/** Requests per second of other servers, from section 7 of the design: 8 connections, on a machine of this size. */
export interface OtherServers {
  readonly hapi: number;
  readonly medplum: number;
}

export interface Case {
  readonly what: string;
  readonly promise: number;
  /** The nth request; writes never get the same number twice. */
  request(n: number): Exchange;
  readonly writes: boolean;
  /** The same request to a bare handler, or the driver alone. */
  readonly floor: 'handler' | 'driver';
  readonly others: OtherServers;
}

/** Patients that are read, by turns. */
export const readsMax = 1000;

/** @param patients `Patient/p0` … are in the database */
export function cases(patients: number): readonly Case[] {
  const get = (path: string): Exchange => ({ method: 'GET', path: `/fhir/${path}`, status: 200 });
  const query = (pairs: Record<string, string>): string => `Patient?${new URLSearchParams(pairs)}`;
  const reads = Math.min(readsMax, patients);
  return [
    {
      what: 'read by id',
      promise: 0.5,
      request: (n) => get(`Patient/p${n % reads}`),
      writes: false,
      floor: 'handler',
      others: { hapi: 355, medplum: 585 },
    },
    {
      what: 'search by identifier',
      promise: 0.4,
      request: (n) => get(query({ identifier: `${identifierSystem}|${10_000_000 + ((n * 37) % patients)}` })),
      writes: false,
      floor: 'handler',
      others: { hapi: 109, medplum: 238 },
    },
    {
      what: 'search by name and gender, sorted',
      promise: 0.4,
      request: (n) =>
        get(query({ name: familyName(n, patients), gender: n % 2 ? 'male' : 'female', _sort: 'birthdate' })),
      writes: false,
      floor: 'handler',
      others: { hapi: 122, medplum: 117 },
    },
    {
      what: 'create Patient',
      promise: 0.4,
      request: (n) => ({
        method: 'POST',
        path: '/fhir/Patient',
        body: JSON.stringify(patient(patients + n, patients)),
        status: 201,
      }),
      writes: true,
      floor: 'handler',
      others: { hapi: 114, medplum: 59 },
    },
    {
      what: 'discharge transaction, 15 creates',
      promise: 0.5,
      request: (n) => ({
        method: 'POST',
        path: '/fhir',
        body: JSON.stringify(discharge(patients + n, patients)),
        status: 200,
      }),
      writes: true,
      floor: 'driver',
      others: { hapi: 22, medplum: 3.4 },
    },
  ];
}
