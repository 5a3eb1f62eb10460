/** What every delivery channel keeps: the conformance suite of the Channel seam. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Channel, Notification } from '../../src/subscriptions/channel.ts';

/** A channel with a far end whose behaviour the suite sets. */
export interface ChannelHarness {
  readonly channel: Channel;
  /** An endpoint that the channel does not refuse and that the far end listens on. */
  readonly endpoint: string;
  /** An endpoint where nobody listens. */
  readonly nobody: string;
  /** An endpoint that the channel has to refuse. */
  readonly forbidden: string;
  /** How the far end takes what comes from now on. */
  behave(behaviour: 'takes' | 'not-now' | 'never' | 'hangs'): void;
  /** What the far end got, in order. */
  got(): readonly { body: string; headers: Readonly<Record<string, string | string[] | undefined>> }[];
  close(): Promise<void>;
}

const secret = 's3cr3t-t0ken';

export function channelConformance(name: string, make: () => Promise<ChannelHarness>): void {
  describe(`${name} as a channel`, () => {
    let harness: ChannelHarness;
    beforeEach(async () => {
      harness = await make();
    });
    afterEach(() => harness.close());

    const notification = (overrides: Partial<Notification> = {}): Notification => ({
      method: 'POST',
      url: harness.endpoint,
      headers: [`Authorization: Bearer ${secret}`],
      contentType: 'application/fhir+json',
      body: '{"resourceType":"Bundle"}',
      timeoutMs: 5000,
      ...overrides,
    });

    test('an endpoint that it may call is not refused, one that it may not call is, with a reason', () => {
      expect(harness.channel.refuses(harness.endpoint)).toBeUndefined();
      expect(harness.channel.refuses(harness.forbidden)).toEqual(expect.any(String));
    });

    test('what the far end takes is delivered, once and unchanged', async () => {
      const body = JSON.stringify({ resourceType: 'Bundle', note: '张伟 𠮷 \\ ^ "' });
      expect(await harness.channel.deliver(notification({ body }))).toEqual({ kind: 'delivered' });
      expect(harness.got().map((it) => it.body)).toEqual([body]);
    });

    test('the header values of the subscription arrive', async () => {
      await harness.channel.deliver(notification());
      expect(harness.got()[0]?.headers.authorization).toBe(`Bearer ${secret}`);
    });

    test('a far end that cannot take it now is tried again', async () => {
      harness.behave('not-now');
      expect(await harness.channel.deliver(notification())).toMatchObject({ kind: 'try-again' });
    });

    test('a far end that will never take it ends the subscription', async () => {
      harness.behave('never');
      expect(await harness.channel.deliver(notification())).toMatchObject({ kind: 'permanent' });
    });

    test('a far end that is not there is tried again', async () => {
      expect(await harness.channel.deliver(notification({ url: harness.nobody }))).toMatchObject({ kind: 'try-again' });
    });

    test('a far end that hangs is given up after the timeout and tried again', async () => {
      harness.behave('hangs');
      const begun = performance.now();
      expect(await harness.channel.deliver(notification({ timeoutMs: 100 }))).toMatchObject({ kind: 'try-again' });
      expect(performance.now() - begun).toBeLessThan(3000);
    });

    test('a reason is a text that names the kind of failure and holds no secret', async () => {
      const reasons: unknown[] = [];
      const url = (base: string): string => `${base}?key=${secret}`;
      for (const behaviour of ['not-now', 'never', 'hangs'] as const) {
        harness.behave(behaviour);
        const outcome = await harness.channel.deliver(notification({ url: url(harness.endpoint), timeoutMs: 100 }));
        if (outcome.kind !== 'delivered') reasons.push(outcome.reason);
      }
      for (const bad of [url(harness.nobody), `nonsense ${secret}`]) {
        const outcome = await harness.channel.deliver(notification({ url: bad }));
        if (outcome.kind !== 'delivered') reasons.push(outcome.reason);
      }
      expect(reasons).toHaveLength(5);
      for (const reason of reasons) {
        expect(typeof reason).toBe('string');
        // A bare number or nothing helps nobody who reads Subscription.error.
        expect(reason).toMatch(/[A-Za-z]{3}/);
        expect(reason).not.toContain(secret);
      }
    });

    test('an endpoint that is no address makes an outcome, not an exception', async () => {
      for (const url of ['', 'nonsense', 'http://', 'http://[::1', 'mailto:'])
        expect((await harness.channel.deliver(notification({ url }))).kind).not.toBe('delivered');
    });

    test('after a failure the next notification is delivered', async () => {
      harness.behave('hangs');
      await harness.channel.deliver(notification({ timeoutMs: 100 }));
      harness.behave('takes');
      expect(await harness.channel.deliver(notification())).toEqual({ kind: 'delivered' });
    });

    test('many notifications at a time all arrive', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, (_, i) => harness.channel.deliver(notification({ body: `{"n":${i}}` }))),
      );
      expect(outcomes.every((it) => it.kind === 'delivered')).toBe(true);
      expect(new Set(harness.got().map((it) => it.body)).size).toBe(40);
    });

    test('closing it ends what is under way', async () => {
      harness.behave('hangs');
      const pending = harness.channel.deliver(notification({ timeoutMs: 60_000 }));
      await harness.channel.close();
      expect((await pending).kind).toBe('try-again');
    });
  });
}
