/** Small messages for mapping tests: a segment is named fields, a message is an admission with what a test adds. */
import { fileURLToPath } from 'node:url';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import { Zone } from '../../src/fhir/zone.ts';
import { decode } from '../../src/hl7v2/charset.ts';
import { type Message, parse } from '../../src/hl7v2/message.ts';
import type { Built } from '../../src/mapping/context.ts';
import { type Mapped, Mapping } from '../../src/mapping/map.ts';
import { readMappings } from '../../src/mapping/read.ts';

export const mappingFolder = fileURLToPath(new URL('../../mappings', import.meta.url));
export const mapping = new Mapping(readMappings(mappingFolder));
export const shanghai = new Zone('Asia/Shanghai');
export const receivedAt = '2026-03-16T10:31:00+08:00';

/** Fields by number; a segment is written up to the last. */
export type Fields = Readonly<Record<number, string>>;

export function segment(name: string, fields: Fields): string {
  const last = Math.max(...Object.keys(fields).map(Number));
  const texts = Array.from({ length: last }, (_, i) => fields[i + 1] ?? '');
  // MSH-1 is the separator itself.
  return name === 'MSH' ? `MSH|${texts.slice(1).join('|')}` : [name, ...texts].join('|');
}

export interface Parts {
  readonly event?: string;
  readonly MSH?: Fields;
  readonly EVN?: Fields;
  readonly PID?: Fields;
  readonly PV1?: Fields;
  /** Further segments, whole: `NK1|1|…`. */
  readonly more?: readonly string[];
}

/** An admission of patient 1001, visit V1001, at RENHE; fields given are laid over. */
export function text({ event = 'A01', MSH, EVN, PID, PV1, more = [] }: Parts = {}): string {
  const header = {
    2: '^~\\&',
    3: 'HIS',
    4: 'RENHE',
    7: '20260316103000',
    9: `ADT^${event}^ADT_A01`,
    10: 'C1',
    11: 'P',
    12: '2.5.1',
  };
  return [
    segment('MSH', { ...header, ...MSH }),
    segment('EVN', { 1: event, 2: '20260316103000', ...EVN }),
    segment('PID', { 1: '1', 3: '1001^^^RENHE^MR', ...PID }),
    segment('PV1', { 1: '1', 2: 'I', 19: 'V1001^^^RENHE^VN', 44: '20260310090000', ...PV1 }),
    ...more,
    '',
  ].join('\r');
}

export function messageOf(source: string | Uint8Array): Message {
  if (typeof source !== 'string') {
    const decoded = decode(source, 'utf-8');
    if ('error' in decoded) throw new Error(decoded.error);
    return messageOf(decoded.text);
  }
  const message = parse(source);
  if (!message) throw new Error('not a message');
  return message;
}

export function mapped(source: string | Uint8Array | Parts, lineage = false): Mapped {
  const message = messageOf(typeof source === 'string' || source instanceof Uint8Array ? source : text(source));
  const problems = mapping.check(message);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return mapping.map(message, { zone: shanghai, receivedAt, lineage });
}

/** The resources of a type, in the order made. */
export function all(source: Parameters<typeof mapped>[0], type: string): StoredResource[] {
  return mapped(source)
    .resources.map((it) => it.resource)
    .filter((it) => it.resourceType === type);
}

/** The first resource of a type. */
export function first(source: Parameters<typeof mapped>[0], type: string): StoredResource {
  const found = all(source, type)[0];
  if (!found) throw new Error(`the message makes no ${type}`);
  return found;
}

export function builtOf(source: Parameters<typeof mapped>[0], type: string): Built {
  const found = mapped(source).resources.find((it) => it.resource.resourceType === type);
  if (!found) throw new Error(`the message makes no ${type}`);
  return found;
}

/** The resource that a reference of the same message names. */
export function follow(source: Parameters<typeof mapped>[0], reference: Json | undefined): StoredResource {
  const found = mapped(source).resources.find(
    ({ resource }) => `${resource.resourceType}/${resource.id}` === reference?.reference,
  );
  if (!found) throw new Error(`nothing is ${reference?.reference}`);
  return found.resource;
}

/** The parts of an extension list by the last step of their url. */
export function extensions(element: Json | undefined): Json {
  return Object.fromEntries(
    (element?.extension ?? []).map(({ url, ...value }: Json) => [url.split('/').at(-1), Object.values(value)[0]]),
  );
}
