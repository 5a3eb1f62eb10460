import { describe, expect, test } from '@jest/globals';
import { refreshed } from '../../src/care/refresh.ts';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import type { Key } from '../../src/store/store.ts';

const reason = (code: string): Json => ({
  coding: [{ system: 'https://aftercare.example/fhir/CodeSystem/withdrawal-reason', code }],
});
const task = (id: string, content: Json = {}): StoredResource => ({
  resourceType: 'Task',
  id,
  status: 'requested',
  executionPeriod: { end: '2026-03-23' },
  restriction: { repetitions: 4, period: { end: '2026-03-23' } },
  ...content,
});
const plan = (activities: readonly string[], content: Json = {}): StoredResource => ({
  resourceType: 'CarePlan',
  id: 'p',
  status: 'active',
  period: { start: '2026-03-16' },
  activity: activities.map((reference) => ({ reference: { reference } })),
  ...content,
});

/** What is written when an enrolment would make this now, and that stands. */
function written(made: readonly StoredResource[], stored: readonly StoredResource[]): StoredResource[] {
  const of = ({ type, id }: Key): StoredResource | undefined =>
    stored.find((it) => it.resourceType === type && it.id === id);
  const keys = [...made, ...stored].map((it): Key => ({ type: it.resourceType, id: it.id }));
  const known = [...new Map(keys.map((key) => [`${key.type}/${key.id}`, key])).values()];
  return refreshed(made, known, of).filter(
    (it) => JSON.stringify(it) !== JSON.stringify(of({ type: it.resourceType, id: it.id })),
  );
}

describe('an open plan', () => {
  test('is left alone when nothing has changed', () => {
    expect(written([plan(['Task/a']), task('a')], [plan(['Task/a']), task('a')])).toEqual([]);
  });

  test('gets the Task that has become possible, and names it', () => {
    expect(written([plan(['Task/a', 'Task/b']), task('a'), task('b')], [plan(['Task/a']), task('a')])).toEqual([
      plan(['Task/a', 'Task/b']),
      task('b'),
    ]);
  });

  test('moves a Task that nobody has begun to the new window, and keeps its owner', () => {
    const later = task('a', { executionPeriod: { end: '2026-03-25' }, restriction: { period: { end: '2026-03-25' } } });
    expect(written([plan(['Task/a']), later], [plan(['Task/a']), task('a', { owner: { display: 'nurse' } })])).toEqual([
      task('a', {
        owner: { display: 'nurse' },
        executionPeriod: { end: '2026-03-25' },
        restriction: { repetitions: 4, period: { end: '2026-03-25' } },
      }),
    ]);
  });

  test.each(['in-progress', 'completed', 'accepted', 'cancelled'])('leaves a Task that is %s as it is', (status) => {
    const later = task('a', { executionPeriod: { end: '2026-03-25' } });
    expect(written([plan(['Task/a']), later], [plan(['Task/a']), task('a', { status })])).toEqual([]);
    expect(written([plan([])], [plan(['Task/a']), task('a', { status })])).toEqual([]);
  });

  test('takes back a Task whose condition does not hold any more, with the reason', () => {
    const [dropped] = written([plan([])], [plan(['Task/a']), task('a')]);
    expect(dropped).toMatchObject({ id: 'a', status: 'cancelled', statusReason: reason('not-applicable') });
  });

  test('opens it again when the condition holds again', () => {
    const dropped = task('a', { status: 'cancelled', statusReason: reason('not-applicable') });
    expect(written([plan(['Task/a']), task('a')], [plan(['Task/a']), dropped])).toEqual([task('a')]);
  });

  test('follows a discharge that was corrected to a day so early that the window has passed: the Task is missed', () => {
    const period = { end: '2026-03-13' };
    const why = { status: 'failed', businessStatus: { text: 'missed' }, statusReason: { text: 'passed' } };
    const passed = task('a', { ...why, executionPeriod: period, restriction: { repetitions: 4, period } });
    expect(written([plan(['Task/a']), passed], [plan(['Task/a']), task('a')])).toEqual([passed]);
    const missedBefore = task('a', { ...why, executionPeriod: { end: '2026-03-14' } });
    expect(written([plan(['Task/a']), passed], [plan(['Task/a']), missedBefore])).toEqual([passed]);
  });

  test('makes a missed Task due when the window turns out to be later', () => {
    const missed = task('a', { status: 'failed', businessStatus: { text: 'missed' } });
    expect(written([plan(['Task/a']), task('a')], [plan(['Task/a']), missed])).toEqual([task('a')]);
    expect(written([plan(['Task/a']), missed], [plan(['Task/a']), task('a')])).toEqual([]);
  });
});

test('a plan that was completed or revoked is not opened again', () => {
  for (const status of ['completed', 'revoked', 'on-hold'])
    expect(written([plan(['Task/a']), task('a')], [plan([], { status }), task('a')])).toEqual([]);
});
