import { expect, test } from '@jest/globals';
import { Observer } from '../../src/observe.ts';
import { startTestApp } from '../support/app.ts';

test('a state that no message is in any more is not reported with its last number', async () => {
  const observer = new Observer('silent');
  const states: Record<string, number>[] = [{ received: 3 }, { applied: 3 }];
  observer.gauge('messages', 'by state', async () => states.shift() ?? {}, 'state');
  expect(await observer.registry.getSingleMetricAsString('messages')).toContain('messages{state="received"} 3');
  const later = await observer.registry.getSingleMetricAsString('messages');
  expect(later).toContain('messages{state="applied"} 3');
  expect(later).not.toContain('received');
});

test('requests under /fhir, /admin and elsewhere are told apart', async () => {
  const app = await startTestApp();
  const at = (path: string): Promise<Response> => fetch(new URL(path, app.http));
  try {
    for (const path of ['/fhir/Patient?family=Li', '/admin/messages', '/healthz', '/nowhere'])
      await (await at(path)).text();
    const counts = (await (await at('/metrics')).text()).match(/aftercare_http_request_seconds_count.*/g);
    expect(counts?.toSorted()).toEqual(
      [
        ['/admin', 200],
        ['/fhir', 200],
        ['/healthz', 200],
        ['other', 404],
      ].map(
        ([route, status]) => `aftercare_http_request_seconds_count{method="GET",route="${route}",status="${status}"} 1`,
      ),
    );
  } finally {
    await app.stop();
  }
});
