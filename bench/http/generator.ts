/** The load: N connections, on each the next request when the last was answered. */
import { performance } from 'node:perf_hooks';
import { Client, type Dispatcher } from 'undici';
import { lanes } from './lanes.ts';

/** A request, and the status that must come back. */
export interface Exchange {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  readonly status: number;
}

const headers = { accept: 'application/fhir+json', 'content-type': 'application/fhir+json' };

/** The share of a round that the generator computed; near 1 it measures itself and not the server. */
let busiest = 0;

/** The largest share of all rounds so far. */
export function generatorLoad(): number {
  return busiest;
}

/** @returns ms per request @throws Error for another status than the expected */
export async function drive(origin: string, connections: number, ms: number, next: () => Exchange): Promise<number> {
  const clients = Array.from({ length: connections }, () => new Client(origin));
  const before = performance.eventLoopUtilization();
  const took = await lanes(connections, ms, (lane) => send(clients[lane] as Client, next()));
  busiest = Math.max(busiest, performance.eventLoopUtilization(before).utilization);
  await Promise.all(clients.map((client) => client.close()));
  return took;
}

/** `dispatch`, the bottom layer of undici: `request` makes a stream for each body and costs as much as a bare server. */
function send(client: Client, { method, path, body, status }: Exchange): Promise<void> {
  return new Promise((resolve, reject) => {
    let got = 0;
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {},
      onResponseStart(_, code) {
        got = code;
      },
      onResponseData() {},
      onResponseEnd() {
        if (got === status) resolve();
        else reject(new Error(`${method} ${path}: ${got} in place of ${status}`));
      },
      onResponseError(_, error) {
        reject(error);
      },
    };
    client.dispatch({ method, path, headers, ...(body !== undefined && { body }) }, handler);
  });
}

/** One exchange with its answer, for what must be looked at. */
export async function ask(origin: string, { method, path, body, status }: Exchange): Promise<any> {
  const response = await fetch(`${origin}${path}`, { method, headers, ...(body !== undefined && { body }) });
  const text = await response.text();
  if (response.status !== status) throw new Error(`${method} ${path}: ${response.status} in place of ${status}`);
  return JSON.parse(text);
}
