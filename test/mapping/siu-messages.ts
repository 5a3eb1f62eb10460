/** Appointment messages for tests: a booking of patient 1001 at RENHE, with what a test lays over. */
import { expect } from '@jest/globals';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import type { Built } from '../../src/mapping/context.ts';
import { type Fields, mapped, segment } from './support.ts';

export interface Siu {
  readonly event?: string;
  readonly MSH?: Fields;
  readonly SCH?: Fields;
  /** Between SCH and PID: `TQ1|1|…`, `NTE|1|…`. */
  readonly timing?: readonly string[];
  readonly PID?: Fields;
  /** PV1, OBX, DG1, then RGS, AIS, AIG, AIL, AIP, whole. */
  readonly more?: readonly string[];
}

/** Appointment F7001 of the filler, on 1 April from 9:30 to 10:00; fields given are laid over. */
export function siu({ event = 'S12', MSH, SCH, timing = [], PID, more = [] }: Siu = {}): string {
  const header = {
    2: '^~\\&',
    3: 'SCHED',
    4: 'RENHE',
    7: '20260316103000',
    9: `SIU^${event}^SIU_S12`,
    10: 'C1',
    11: 'P',
    12: '2.5.1',
  };
  return [
    segment('MSH', { ...header, ...MSH }),
    segment('SCH', { 2: 'F7001^RENHE', 11: '^^^20260401093000^20260401100000', ...SCH }),
    ...timing,
    segment('PID', { 1: '1', 3: '1001^^^RENHE^MR', ...PID }),
    ...more,
    '',
  ].join('\r');
}

export function builtAppointment(parts: Siu): Built {
  const all = mapped(siu(parts)).resources.filter((it) => it.resource.resourceType === 'Appointment');
  expect(all).toHaveLength(1);
  return all[0] as Built;
}

/** The Appointment that a message makes; everything beside it is sound, and so is it. */
export function appointment(parts: Siu): StoredResource {
  for (const { resource } of mapped(siu(parts)).resources)
    expect([resource.resourceType, errorsOf(resource)]).toEqual([resource.resourceType, []]);
  return builtAppointment(parts).resource as StoredResource;
}

/** `start` and `end`. */
export function times(parts: Siu): [string | undefined, string | undefined] {
  const { start, end } = appointment(parts) as Json;
  return [start, end];
}

/** The participants whose actor is of a type, each with that resource as `who`. */
export function participants(parts: Siu, type: string): Json[] {
  const { resources } = mapped(siu(parts));
  const byName = new Map(resources.map(({ resource }) => [`${resource.resourceType}/${resource.id}`, resource]));
  return (appointment(parts).participant as Json[])
    .filter((it) => it.actor?.reference?.startsWith(`${type}/`))
    .map((it) => ({ ...it, who: byName.get(it.actor.reference) }));
}

/** The value of an extension of ours, by the last step of its url. */
export function extension(element: Json | undefined, name: string): any {
  const found = (element?.extension ?? []).filter((it: Json) => it.url.endsWith(`/${name}`) || it.url === name);
  const values = found.map(({ url: _, ...value }: Json) => Object.values(value)[0]);
  return values.length > 1 ? values : values[0];
}
