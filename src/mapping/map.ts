/** Message ─▶ FHIR resources with lineage. Pure: the same message and instant give the same resources and ids. */
import { isResourceType } from '../fhir/definitions.ts';
import { dateRange } from '../fhir/search/date-range.ts';
import type { Zone } from '../fhir/zone.ts';
import { parseDateTime } from '../hl7v2/datetime.ts';
import { cut, type Message, parseRef, type Segment } from '../hl7v2/message.ts';
import type { Problem } from '../hl7v2/problem.ts';
import { Compiler, type Filler } from './compile.ts';
import { compileCondition, type Predicate } from './condition.ts';
import { type Built, isValued, type Json, type MappingContext, segmentSource, type Trace } from './context.ts';
import { ours } from './converters.ts';
import { compileIdentity, finish, type Identifier } from './identity.ts';
import type { MappingFiles } from './read.ts';
import { type Located, MappingError, type MessageEntry, type MessageMap } from './rows.ts';
import { authoritySystemOf, localSystem } from './systems.ts';

/** Which field made which element by which row. */
export interface LineageRow {
  /** `PID-3[2].4.1`. */
  readonly field: string;
  /** `Patient/ID.identifier[0].system`: indexes from 0, as in the JSON. */
  readonly element: string;
  /** `CX-Identifier#CX.4 system`. */
  readonly row: string;
}

/** What a message becomes. */
export interface Mapped {
  readonly resources: readonly Built[];
  readonly lineage?: readonly LineageRow[];
}

export interface MapOptions {
  readonly zone: Zone;
  /** FHIR instant of receipt: `Provenance.recorded`. */
  readonly receivedAt: string;
  readonly lineage?: boolean;
}

interface CompiledEntry {
  readonly entry: MessageEntry;
  readonly when: Predicate | undefined;
  readonly resource: string;
  readonly identify: Identifier;
  readonly fill: Filler;
}

interface CompiledMessage {
  readonly map: MessageMap;
  readonly entries: readonly CompiledEntry[];
  /** One test per `require`, with the place to name when it fails. */
  readonly required: readonly { place: string; valued: (message: Message) => boolean }[];
}

/** All mapping files, compiled. */
export class Mapping {
  readonly #byEvent = new Map<string, CompiledMessage>();
  readonly #types = new Set<string>();
  readonly #tables: MappingFiles['tables'];

  /** @throws MappingError with file and line for the first row that cannot be used */
  constructor(files: MappingFiles) {
    this.#tables = files.tables;
    const compiler = new Compiler(files);
    for (const file of files.messages) {
      const compiled = compileMessage(file, files, compiler);
      const type = file.content.message.split('_')[0] as string;
      this.#types.add(type);
      for (const event of file.content.events) this.#byEvent.set(`${type}^${event}`, compiled);
    }
  }

  /**
   * Everything that keeps a message from being mapped; none means that {@link map} gives resources.
   * Cheap: the ACK waits for it. MSH-9 decides on the map, not EVN-1 and not the structure in MSH-9.3.
   */
  check(message: Message): Problem[] {
    const header = message.header;
    const problems = checkHeader(header);
    const type = header.text(9, 1);
    const event = header.text(9, 2);
    const compiled = this.#byEvent.get(`${type}^${event}`);
    if (type && !this.#types.has(type)) {
      problems.push({ code: '200', text: 'this message type is not mapped', segment: 'MSH', field: 9, component: 1 });
    } else if (event && !compiled) {
      problems.push({ code: '201', text: 'this event is not mapped', segment: 'MSH', field: 9, component: 2 });
    }
    for (const segment of message.segments) {
      if (/^[A-Z][A-Z0-9]{2}$/.test(segment.name) && [undefined, message.delimiters.field].includes(segment.raw[3]))
        continue;
      problems.push({ code: '100', text: 'a line that is not a segment' });
      break;
    }
    if (compiled) problems.push(...missing(message, compiled));
    return problems;
  }

  /** Maps a message that {@link check} found nothing wrong with. */
  map(message: Message, options: MapOptions): Mapped {
    const header = message.header;
    const compiled = this.#byEvent.get(`${header.text(9, 1)}^${header.text(9, 2)}`);
    if (!compiled) throw new Error('map() of a message that check() refuses');
    const context = this.#context(message, options);
    for (const entry of compiled.entries) {
      for (const segment of message.segments) {
        if (segment.name === entry.entry.segment) apply(entry, segment, context);
      }
    }
    settle(context);
    return { resources: context.built, ...(context.trace && { lineage: lineageOf(context.built, context.trace) }) };
  }

  #context(message: Message, { zone, receivedAt, lineage }: MapOptions): MappingContext {
    const header = message.header;
    const own = parseDateTime(header.text(7))?.offset;
    const context = {
      message,
      delimiters: message.delimiters,
      zone,
      offsetOf: own ? () => own : (local: string) => zone.offsetOf(local),
      receivedAt,
      senderSystem: '',
      tables: this.#tables,
      built: [],
      byKey: new Map<string, Built>(),
      unconverted: [],
      named: new Map<string, Built>(),
      bySegment: new Map(),
      place: '',
      ...(lineage && { trace: [] }),
    };
    context.senderSystem =
      authoritySystemOf(header.text(4, 1), header.text(4, 2), header.text(4, 3), context) ??
      localSystem(header.text(3) || 'unknown-sender');
    return context;
  }
}

/**
 * A code without a target stands as alternate-codes beside the value of its element (guide 1.5). Where no other row gave
 * a value, it goes to the parent as an extension of ours: a required binding wants a code or nothing.
 */
function settle({ unconverted, built, zone }: MappingContext): void {
  for (const { container, key, twin } of unconverted) {
    if (twin === key || container[key] !== undefined || !container[twin]) continue;
    for (const extension of container[twin].extension) {
      container.extension ??= [];
      container.extension.push(extension.valueCodeableConcept ? { ...extension, url: `${ours}v2-${key}` } : extension);
    }
    delete container[twin];
    // cpt-2: a ContactPoint with a value has a system; the code that nobody knows stands beside it.
    if (key === 'system' && container.value !== undefined) container.system = 'other';
  }
  for (const { resource } of built) complete(resource, zone);
}

const dataAbsent = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';

/**
 * per-1: a Period does not end before it begins. The end is what a discharge is about, so the begin goes aside, into an
 * extension; which of the two the sender got wrong, nobody can tell here.
 */
function straighten(node: Json, zone: Zone): void {
  const { start, end } = node;
  const [begun, ended] = [start, end].map((it) => (typeof it === 'string' ? dateRange(it, zone) : undefined));
  if (begun && ended && begun.low >= ended.high) {
    node.extension = [...(node.extension ?? []), { url: `${ours}v2-period-start`, valueDateTime: start }];
    delete node.start;
  }
  for (const value of Object.values(node))
    for (const item of Array.isArray(value) ? value : [value])
      if (typeof item === 'object' && item !== null) straighten(item, zone);
}

/** What invariants of R4 ask of a resource and a message may leave out. */
function complete(resource: Json, zone: Zone): void {
  if (resource.resourceType === 'Organization' && !resource.name && !resource.identifier)
    // org-1: a name or an identifier.
    resource._name = { extension: [{ url: dataAbsent, valueCode: 'unknown' }] };
  straighten(resource, zone);
  // obs-6: a reason for a value that is not there, only when it is not there.
  if (resource.resourceType === 'Observation' && Object.keys(resource).some((it) => /^value[A-Z]/.test(it)))
    delete resource.dataAbsentReason;
  if (resource.resourceType !== 'Patient' || !resource.contact) return;
  // pat-1: who cannot be named or reached is no contact; the RelatedPerson says what the message does.
  const contacts = (resource.contact as Json[]).filter((it) => it.name ?? it.telecom ?? it.address ?? it.organization);
  if (contacts.length > 0) resource.contact = contacts;
  else delete resource.contact;
}

function apply(
  { entry, when, resource, identify, fill }: CompiledEntry,
  segment: Segment,
  context: MappingContext,
): void {
  const source = segmentSource(segment);
  if (when && !when(source, context)) return;
  if (entry.into) {
    const built = context.named.get(entry.into);
    if (built) fill(source, built.resource, context, built);
    return;
  }
  const draft: Json = { resourceType: resource };
  const marks = { clear: new Set<string>(), initial: new Set<string>(), keeps: new Map<string, readonly string[]>() };
  fill(source, draft, context, marks as Built);
  if (Object.keys(draft).length === 1) return;
  const owner = context.named.get('Encounter') ?? context.named.get('Patient');
  const built = finish(draft, identify, source, context, [entry.map, owner?.resource.id ?? '', segment.raw]);
  for (const key of marks.clear) built.clear.add(key);
  for (const key of marks.initial) built.initial.add(key);
  for (const [key, values] of marks.keeps) built.keeps.set(key, values);
  const name = entry.as ?? resource;
  context.named.set(name, built);
  const own = context.bySegment.get(segment) ?? new Map<string, Built>();
  context.bySegment.set(segment, own.set(name, built));
}

function compileMessage(file: Located<MessageMap>, files: MappingFiles, compiler: Compiler): CompiledMessage {
  const map = file.content;
  const made = new Map<string, string>();
  const entries = map.maps.map((entry, i): CompiledEntry => {
    const fail = (text: string): MappingError => new MappingError(file.file, file.line(['maps', i]), text);
    const segments = files.segments.get(entry.map);
    if (!segments) throw fail(`there is no mappings/segments/${entry.map}.yaml`);
    const { segment, resource, identity } = segments.content;
    if (segment !== entry.segment) throw fail(`${entry.map} is for ${segment}`);
    if (!isResourceType(resource))
      throw new MappingError(segments.file, segments.line(['resource']), `no resource '${resource}'`);
    if (entry.into && made.get(entry.into) !== resource)
      throw fail(`no entry before it makes a ${resource} '${entry.into}'`);
    if (!entry.into) made.set(entry.as ?? resource, resource);
    try {
      return {
        entry,
        when: compileCondition(segment, entry.when),
        resource,
        identify: compileIdentity(identity ?? [], segment, segments),
        fill: compiler.rows(segments, segment, resource),
      };
    } catch (error) {
      throw error instanceof MappingError ? error : fail((error as Error).message);
    }
  });
  return { map, entries, required: map.require.map((it) => requirement(typeof it === 'string' ? [it] : it)) };
}

function requirement(places: readonly string[]): CompiledMessage['required'][number] {
  const refs = places.map((place) => parseRef(place)!);
  return {
    place: places[0] as string,
    valued: (message) =>
      refs.some(({ segment, field, component }) => {
        const { delimiters } = message;
        for (const raw of message.first(segment)?.repetitions(field) ?? []) {
          if (isValued(component ? cut(raw, delimiters.component, component) : raw, delimiters)) return true;
        }
        return false;
      }),
  };
}

function checkHeader(header: Segment): Problem[] {
  const problems: Problem[] = [];
  const need = (field: number, component?: number): void => {
    if (header.text(field, component ?? 1) !== '') return;
    problems.push({
      code: '101',
      text: 'a required field is empty',
      segment: 'MSH',
      field,
      ...(component && { component }),
    });
  };
  need(9, 1);
  need(9, 2);
  need(10);
  const processing = header.text(11);
  if (processing && !['P', 'D', 'T'].includes(processing)) {
    problems.push({ code: '202', text: 'the processing id is not P, D or T', segment: 'MSH', field: 11 });
  }
  const version = header.text(12);
  if (version && !/^2(\.[1-9])?(\.\d)?$/.test(version)) {
    problems.push({ code: '203', text: 'the version is not 2.1 to 2.9', segment: 'MSH', field: 12 });
  }
  return problems;
}

function missing(message: Message, { map, required }: CompiledMessage): Problem[] {
  const problems: Problem[] = [];
  const absent = new Set(map.segments.filter((name) => !message.first(name)));
  for (const segment of absent) problems.push({ code: '100', text: 'a required segment is missing', segment });
  for (const { place, valued } of required) {
    const { segment, field, component } = parseRef(place)!;
    if (absent.has(segment) || valued(message)) continue;
    problems.push({
      code: '101',
      text: 'a required field is empty',
      segment,
      field,
      ...(component > 0 && { component }),
    });
  }
  return problems;
}

function lineageOf(built: readonly Built[], traces: readonly Trace[]): LineageRow[] {
  const paths = new Map<object, string>();
  const walk = (node: object, path: string): void => {
    paths.set(node, path);
    for (const [key, value] of Object.entries(node)) {
      if (typeof value !== 'object' || value === null) continue;
      for (const [i, item] of Array.isArray(value) ? value.entries() : []) {
        if (typeof item === 'object' && item !== null) walk(item, `${path}.${key}[${i}]`);
      }
      if (!Array.isArray(value)) walk(value, `${path}.${key}`);
    }
  };
  for (const { resource } of built) walk(resource, `${resource.resourceType}/${resource.id}`);
  const rows: LineageRow[] = [];
  for (const { container, key, field, row } of traces) {
    const path = paths.get(container);
    if (path && field) rows.push({ field, element: `${path}.${key}`, row });
  }
  return rows;
}
