import { expect, test } from '@jest/globals';
import { Observer } from '../../src/observe.ts';

test('a state that no message is in any more is not reported with its last number', async () => {
  const observer = new Observer('silent');
  const states: Record<string, number>[] = [{ received: 3 }, { applied: 3 }];
  observer.gauge('messages', 'by state', async () => states.shift() ?? {}, 'state');
  expect(await observer.registry.getSingleMetricAsString('messages')).toContain('messages{state="received"} 3');
  const later = await observer.registry.getSingleMetricAsString('messages');
  expect(later).toContain('messages{state="applied"} 3');
  expect(later).not.toContain('received');
});
