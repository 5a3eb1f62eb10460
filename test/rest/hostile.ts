/** What hostile tests share: requests that no answer may be a defect to, and the texts that programs trip over. */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { App } from '../../src/app.ts';
import { settled } from '../support/app.ts';

const answerMsMax = 5000;

/**
 * Asks in any way.
 * @returns gives the status; fails for a defect, for an error without an outcome, and for a write under an error
 */
export function askerOf(app: () => App) {
  return async (
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: unknown,
  ): Promise<number> => {
    // What stages have still to write, the handshake of a Subscription, is not the client's.
    await settled(app());
    const before = await app().store.head();
    const begun = performance.now();
    const response = await fetch(`${app().http}${path === '' ? '' : `/${path}`}`, {
      method,
      headers,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const { status } = response;
    expect(performance.now() - begun).toBeLessThan(answerMsMax);
    expect([status, status >= 500 ? text : '']).toEqual([status < 500 ? status : 'below 500', '']);
    if (status >= 400) {
      expect(await app().store.head()).toBe(before);
      if (method !== 'HEAD') expect(text).toContain('OperationOutcome');
    }
    return status;
  };
}

export const json = { 'content-type': 'application/fhir+json' };

/** Names that elements have, and names that every object has. */
const names = fc.constantFrom(
  ...'__proto__ constructor prototype toString valueOf hasOwnProperty length _ $x resourceType id meta contained'.split(
    ' ',
  ),
  ...'extension name given _given active identifier value valueString reference link other text div'.split(' '),
  ...['status', 'profile', 'tag', '', ' '],
);

export const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    ...[
      '\ud800',
      '\u0000',
      '\u202e',
      '../..',
      "'; DROP TABLE resource; --",
      '2026-02-30',
      '9'.repeat(22),
      'Patient/a',
      '#x',
    ],
    ...['urn:uuid:x', 'Patient?name=x', '<div/>', '\r\nX: y', 'a'.repeat(10_000)],
  ),
);

export const scalars = fc.oneof(
  texts,
  fc.double(),
  fc.constantFrom(null, true, 1e308, -0, Number.MAX_SAFE_INTEGER + 1),
  fc.integer(),
);

/** Any JSON, with names that an element could have. */
export const anything = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    scalars,
    fc.array(tie('node'), { maxLength: 4 }),
    fc.array(fc.tuple(names, tie('node')), { maxLength: 4 }).map((all) => Object.fromEntries(all)),
  ),
})).node;

const types =
  'Patient Observation Subscription SearchParameter Binary Bundle Parameters ValueSet StructureDefinition'.split(' ');

export const anyResource = fc
  .tuple(fc.constantFrom(...types), fc.array(fc.tuple(names, anything), { maxLength: 6 }))
  .map(([resourceType, all]): Record<string, unknown> => ({ ...Object.fromEntries(all), resourceType, id: 'fuzz' }));
