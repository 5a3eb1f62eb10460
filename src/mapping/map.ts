/** Message ─▶ FHIR resources with lineage. Pure: the same message and instant give the same resources and ids. */
import { isResourceType } from '../fhir/definitions.ts';
import type { Zone } from '../fhir/zone.ts';
import { parseDateTime } from '../hl7v2/datetime.ts';
import type { Message, Segment } from '../hl7v2/message.ts';
import { messageType, withType } from '../hl7v2/message-type.ts';
import type { Problem } from '../hl7v2/problem.ts';
import { checkHeader, checkSegments, missing, type Requirement, requirement } from './check.ts';
import { Compiler, type Filler } from './compile.ts';
import { settle } from './complete.ts';
import { compileCondition, type Predicate } from './condition.ts';
import {
  type Built,
  draftOf,
  isValued,
  type Json,
  type MappingContext,
  segmentSource,
  type UnknownCode,
} from './context.ts';
import { compileIdentity, finish, type Identifier, isEmpty } from './identity.ts';
import { type LineageRow, lineageOf } from './lineage.ts';
import { type OwnerNames, Owners, ownersBySegment, remember, standing } from './owner.ts';
import { nameTargets } from './provenance.ts';
import { Questionnaires } from './questionnaire.ts';
import type { MappingFiles } from './read.ts';
import {
  type DataTypeMap,
  type Located,
  MappingError,
  type MessageEntry,
  type MessageMap,
  placeIn,
  type SegmentMap,
} from './rows.ts';
import { placeOf } from './sites.ts';
import { authoritySystemOf, localSystem } from './systems.ts';
import type { Table } from './tables.ts';

/** What a message becomes. */
export interface Mapped {
  readonly resources: readonly Built[];
  /** Codes that their table does not list, each once: they stand as sent until somebody says what they mean. */
  readonly codes: readonly UnknownCode[];
  readonly lineage?: readonly LineageRow[];
}

export interface MapOptions {
  readonly zone: Zone;
  /** FHIR instant of receipt: `Provenance.recorded`. */
  readonly receivedAt: string;
  /** `all`: also of rows that read no field; their field is empty. */
  readonly lineage?: boolean | 'all';
}

/** An entry of a message map with the file whose rows it runs. */
export interface EntryRows {
  readonly entry: MessageEntry;
  readonly file: Located<SegmentMap>;
}

interface CompiledEntry extends EntryRows {
  /** Lists at the root that its rows fill. */
  readonly lists: readonly string[];
  readonly when: Predicate | undefined;
  readonly resource: string;
  readonly identify: Identifier;
  readonly fill: Filler;
}

interface CompiledMessage {
  readonly map: MessageMap;
  readonly entries: readonly CompiledEntry[];
  readonly required: readonly Requirement[];
  /** Segment name ─▶ names of the segments that one of its kind may belong to. */
  readonly owners: OwnerNames;
}

/** All mapping files, compiled. */
export class Mapping {
  readonly #byEvent = new Map<string, CompiledMessage>();
  readonly #types = new Set<string>();
  readonly tables: MappingFiles['tables'];
  readonly questionnaires: Questionnaires;
  readonly #datatypes: MappingFiles['datatypes'];

  /** @throws MappingError with file and line for the first row that cannot be used */
  constructor(files: MappingFiles) {
    this.tables = files.tables;
    this.questionnaires = new Questionnaires(files.questionnaires ?? []);
    this.#datatypes = files.datatypes;
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
    const { type, event } = messageType(message);
    const problems = checkHeader(message.header, event);
    const compiled = this.#byEvent.get(`${type}^${event}`);
    if (type && !this.#types.has(type)) {
      problems.push({ code: '200', text: 'this message type is not mapped', segment: 'MSH', field: 9, component: 1 });
    } else if (event && !compiled) {
      problems.push({ code: '201', text: 'this event is not mapped', segment: 'MSH', field: 9, component: 2 });
    }
    problems.push(...checkSegments(message));
    if (compiled) problems.push(...missing(message, compiled.map, compiled.required));
    return problems;
  }

  /** Maps a message that {@link check} found nothing wrong with. */
  map(sent: Message, options: MapOptions): Mapped {
    const { type, event } = messageType(sent);
    const compiled = this.#byEvent.get(`${type}^${event}`);
    if (!compiled) throw new Error('map() of a message that check() refuses');
    // Rows ask MSH-9.2; some senders say the event in MSH-9.3 or EVN-1 only.
    const message = withType(sent);
    const context = this.#context(message, compiled, options);
    for (const entry of compiled.entries) {
      for (const segment of message.named(entry.entry.segment)) {
        if (!belongs(entry.entry, segment, context)) continue;
        const traced = context.trace?.length ?? 0;
        apply(entry, segment, context);
        if (context.trace) placeTraces(segment, traced, context);
      }
    }
    settle(context);
    nameTargets(context.built);
    return {
      resources: context.built,
      codes: once(context.unknown),
      ...(context.trace && { lineage: lineageOf(context.built, context, options.lineage === 'all') }),
    };
  }

  /** The entries that a message goes through, in order: the same list for the same event. None for one that is not mapped. */
  entriesOf(message: Message): readonly EntryRows[] {
    const { type, event } = messageType(message);
    return this.#byEvent.get(`${type}^${event}`)?.entries ?? [];
  }

  /** A file of `mappings/datatypes/`, by name. */
  datatype(name: string): Located<DataTypeMap> | undefined {
    return this.#datatypes.get(name);
  }

  /** A table of `mappings/tables/`, with the codes of the site. */
  table(name: string): Table | undefined {
    return this.tables.get(name);
  }

  #context(message: Message, { owners }: CompiledMessage, { zone, receivedAt, lineage }: MapOptions): MappingContext {
    const header = message.header;
    const own = parseDateTime(header.text(7))?.offset;
    const context = {
      message,
      delimiters: message.delimiters,
      zone,
      offsetOf: own ? () => own : (local: string) => zone.offsetOf(local),
      receivedAt,
      senderSystem: '',
      tables: this.tables,
      questionnaires: this.questionnaires,
      built: [],
      byKey: new Map<string, Built>(),
      unconverted: [],
      timed: new Set<Json>(),
      unknown: [],
      owners: new Owners(message, owners),
      register: undefined,
      place: '',
      ...(lineage && { trace: [], aliases: new Map() }),
    };
    context.senderSystem =
      authoritySystemOf(header.text(4, 1), header.text(4, 2), header.text(4, 3), context) ??
      localSystem(header.text(3) || 'unknown-sender');
    return context;
  }
}

/** Notes of which segment the fields are that were read since. */
function placeTraces(segment: Segment, from: number, { trace = [], owners }: MappingContext): void {
  for (const it of trace.slice(from)) {
    const name = it.field.slice(0, 3);
    const read = name === segment.name ? segment : owners.segmentNamed(name, segment);
    it.segment = read?.sequence ?? 0;
  }
}

function once(codes: readonly UnknownCode[]): readonly UnknownCode[] {
  if (codes.length < 2) return codes;
  return [...new Map(codes.map((it) => [`${it.table} ${it.code}`, it])).values()];
}

/** `under`: the entry counts only for segments of these owners. */
function belongs({ under }: MessageEntry, segment: Segment, { owners }: MappingContext): boolean {
  return !under || under.includes(owners.ownerOf(segment)?.name ?? 'none');
}

/** Owners of what segments in snapshot mode make. */
const setOwners = ['Patient', 'Encounter'];

/**
 * `AL1|1|""`: there are none (HL7 v2.5.1 2.10.4.1). A segment with nothing but its number is a placeholder, and says not even that.
 * @returns false when the segment holds something
 */
function isNone({ entry, lists }: CompiledEntry, segment: Segment, context: MappingContext): boolean {
  let deletes = false;
  for (let n = 2; n <= segment.fieldCount; n++) {
    if (isValued(segment.field(n), context.delimiters)) return false;
    deletes ||= segment.field(n).includes('""');
  }
  if (!deletes) return true;
  if (entry.into) {
    const built = standing(entry.into, segment, context);
    for (const list of lists) built?.clear.add(`${list}{${segment.name}}`);
  } else
    for (const name of setOwners) {
      const owner = standing(name, segment, context);
      if (!owner) continue;
      owner.emptied ??= new Set();
      owner.emptied.add(segment.name);
    }
  return true;
}

function apply(compiled: CompiledEntry, segment: Segment, context: MappingContext): void {
  const { entry, when, resource, identify, fill } = compiled;
  const source = segmentSource(segment);
  if (when && !when(source, context)) return;
  if (entry.snapshot && isNone(compiled, segment, context)) return;
  context.register = entry.snapshot ? segment.name : undefined;
  if (entry.into) {
    const built = standing(entry.into, segment, context);
    if (!built || (entry.unlike && built === standing(entry.unlike, segment, context))) return;
    fill(source, built.resource, context, built);
    return;
  }
  const draft = draftOf(resource);
  fill(source, draft.resource, context, draft);
  if (isEmpty(draft) || (entry.identified && !identify(draft.resource, source, context))) return;
  const owner = standing('Encounter', segment, context) ?? standing('Patient', segment, context);
  const built = finish(draft, identify, source, context, [entry.map, owner?.resource.id ?? '', segment.raw]);
  if (entry.snapshot) built.snapshot = segment.name;
  remember(entry.as ?? resource, built, segment, context);
}

function compileMessage(file: Located<MessageMap>, files: MappingFiles, compiler: Compiler): CompiledMessage {
  const map = file.content;
  const made = new Map<string, string>();
  const entries = map.maps.map((entry, i): CompiledEntry => {
    const place = placeOf(entry) ?? placeIn(file, ['maps', i]);
    const fail = (text: string): MappingError => new MappingError(place.file, place.line, text);
    const segments = files.segments.get(entry.map);
    if (!segments) throw fail(`there is no mappings/segments/${entry.map}.yaml`);
    const { segment, resource, identity } = segments.content;
    if (segment !== entry.segment) throw fail(`${entry.map} is for ${segment}`);
    if (!isResourceType(resource))
      throw new MappingError(segments.file, segments.line(['resource']), `no resource '${resource}'`);
    if (entry.into && made.get(entry.into) !== resource)
      throw fail(`no entry before it makes a ${resource} '${entry.into}'`);
    if (entry.unlike && (!entry.into || !made.has(entry.unlike)))
      throw fail(`'unlike' compares what 'into' fills with what an entry before it makes`);
    if (!entry.into) made.set(entry.as ?? resource, resource);
    try {
      return {
        entry,
        file: segments,
        lists: [...new Set(segments.content.rows.flatMap(({ to }) => /^(\w+)\[/.exec(to ?? '')?.[1] ?? []))],
        when: compileCondition(segment, entry.when),
        resource,
        identify: compileIdentity(identity ?? [], segment, segments),
        fill: compiler.segment(segments),
      };
    } catch (error) {
      throw error instanceof MappingError ? error : fail((error as Error).message);
    }
  });
  const owners = ownersBySegment(map.maps);
  return { map, entries, owners, required: map.require.map((it) => requirement(typeof it === 'string' ? [it] : it)) };
}
