/** Mapping rows ─▶ compiled functions, each row checked against the FHIR definitions while it is compiled. */
import { elementOf, elementsOf, isPrimitive, isResourceType } from '../fhir/definitions.ts';
import { parseRef } from '../hl7v2/message.ts';
import { compileCondition } from './condition.ts';
import {
  type Built,
  draftOf,
  isValued,
  type Json,
  type MappingContext,
  PartsSource,
  partOf,
  type Source,
} from './context.ts';
import { type Converter, converters, defaultConverters, ours, Unconverted } from './converters.ts';
import { compileIdentity, finish, isEmpty } from './identity.ts';
import { standing } from './owner.ts';
import { locations } from './pl-location.ts';
import type { MappingFiles } from './read.ts';
import { type DataTypeMap, keyOf, type Located, MappingError, placeIn, type Row, type SegmentMap } from './rows.ts';
import { placeOf } from './sites.ts';
import { v2Table } from './systems.ts';
import { compileTarget, type Slots, type Target } from './target.ts';

/** The rows of a file, compiled: fills `root` from a source. `built` is there when root is a resource of the message. */
export type Filler = (source: Source, root: Json, context: MappingContext, built?: Built) => void;

/** Gives the value of a type for a raw text: an object, a primitive, a Reference, or nothing. */
interface CompiledType {
  readonly makes: readonly string[];
  /** The resource type that a Reference of this type names. */
  readonly resource?: string;
  convert(raw: string, level: number, source: Source, context: MappingContext): unknown;
}

/** Compiles files on demand, each once. Every error names file and line. */
export class Compiler {
  readonly #files: MappingFiles;
  readonly #types = new Map<string, CompiledType>();
  readonly #segments = new Map<Located<SegmentMap>, Filler>();

  constructor(files: MappingFiles) {
    this.#files = files;
  }

  /** The rows of a segment map, compiled once for all messages that use it. */
  segment(file: Located<SegmentMap>): Filler {
    const known = this.#segments.get(file);
    if (known) return known;
    const filler = this.rows(file, file.content.segment, file.content.resource);
    this.#segments.set(file, filler);
    return filler;
  }

  /** Compiles the rows of one file. `owner` is the segment or data type that places refer to. */
  rows(file: Located<{ rows: readonly Row[] }>, owner: string, type: string): Filler {
    if (!elementsOf(type)) throw new MappingError(file.file, file.line(['makes']), `FHIR R4 has no type '${type}'`);
    const compiled = file.content.rows.flatMap((row, i) => {
      // Why a field goes nowhere is for people.
      if (!row.to) return [];
      try {
        return [
          { run: this.#row(row, row.to, owner, type, `${file.name}#${keyOf(row)}`), field: ownField(row, owner) },
        ];
      } catch (error) {
        if (error instanceof MappingError) throw error;
        const place = placeOf(row) ?? placeIn(file, ['rows', i]);
        throw new MappingError(place.file, place.line, (error as Error).message);
      }
    });
    return (source, root, context, built) => {
      const slots: Slots = { entries: undefined };
      for (const { run, field } of compiled) {
        // Most fields of most segments are empty: their rows are not even called.
        if (field < 0 || source.has(field)) run(source, root, context, slots, built);
      }
    };
  }

  #row(row: Row, to: string, owner: string, type: string, name: string): CompiledRow {
    const when = compileCondition(owner, row.when);
    const target = compileTarget(type, to);
    const cleared = clearedBy(row, target);
    if (row.clear) return clearing(cleared, when);
    const write = writer(target, row, name, registerOf(row, target));
    const value = this.#value(row, target);
    const field = row.field ? parseRef(row.field) : undefined;
    if (field && field.segment !== owner && !/^[A-Z][A-Z0-9]{2}-/.test(row.field as string))
      throw new Error(`'${row.field}' cannot be read by rows of ${owner}`);
    if (field && field.segment !== owner) return otherSegment(row.field as string, value, write, when);
    const each = row.each ? parseRef(row.each) : undefined;
    if (each && each.segment !== owner) throw new Error(`'${row.each}' is not a field of ${owner}`);

    return (source, root, context, slots, built) => {
      if (!field) {
        if (when && !when(source, context)) return;
        if (!each) return write(root, value('', source.level, source, context), context, slots, 0, built);
        for (const i of valuedOf(source.repetitions(each.field), context))
          write(root, value('', source.level, source, context), context, slots, i, built);
        return;
      }
      // Most fields are empty: that is asked first, the condition second.
      const parts = source.repetitions(field.field);
      if (parts.length === 0 || (when && !when(source, context))) return;
      const places = each && valuedOf(source.repetitions(each.field), context);
      for (let k = 0; k < (places ?? parts).length; k++) {
        const i = places?.[k] ?? k;
        const part = (places ? parts[0] : parts[i]) ?? '';
        if (part === '""') {
          if (!elementOf(type, target.root)?.required) built?.clear.add(cleared);
          continue;
        }
        if (!isValued(part, context.delimiters)) continue;
        const raw = field.component ? partOf(part, source.level, field.component, context.delimiters) : part;
        const level = field.field === 0 ? source.level - 1 : field.component ? source.level + 1 : source.level;
        const before = context.place;
        if (context.trace)
          context.place = placeName(before, source.level, field.segment, field.field, i, parts.length, field.component);
        write(root, value(raw, level, source, context), context, slots, i, built);
        context.place = before;
      }
    };
  }

  /** What the row writes, as a function of the raw text. */
  #value(row: Row, target: Target): Valuer {
    const { element } = target;
    if (row.value !== undefined) {
      checkConstant(element.type, row.value, row.to as string);
      return () => clone(row.value);
    }
    if (row.reference) {
      const wanted = row.reference;
      if (element.type !== 'Reference') throw new Error(`'${row.to}' is not a Reference`);
      return (_, __, source, context) => {
        const built = standing(wanted, source.segment, context);
        return built && { reference: `${built.resource.resourceType}/${built.resource.id}` };
      };
    }
    const name = row.type ?? defaultOf(element.type, row.field);
    if (!name) throw new Error(`'${row.to}' is a ${element.type}: name a type`);
    const type = this.#type(name);
    if (!type.makes.includes(element.type)) {
      throw new Error(`type ${name} makes ${type.makes.join(' or ')}, but '${row.to}' is a ${element.type}`);
    }
    if (type.resource && element.targets && !element.targets.includes(type.resource)) {
      throw new Error(`'${row.to}' may refer to ${element.targets.join(', ')}, not to ${type.resource}`);
    }
    const converter = converters[name];
    if (!converter) return (raw, level, source, context) => type.convert(raw, level, source, context);
    const table = this.#table(row.table);
    const field = row.field ?? '';
    return (raw, level, source, context) =>
      converter.convert(raw, { level, context, table, segment: source.segment, field });
  }

  #table(name: string | undefined): ReturnType<MappingFiles['tables']['get']> {
    if (!name) return undefined;
    if (/^v2-\d{4}$/.test(name)) return v2Table(name);
    const table = this.#files.tables.get(name);
    if (!table) throw new Error(`there is no table mappings/tables/${name}.json`);
    return table;
  }

  #type(name: string): CompiledType {
    const known = this.#types.get(name);
    if (known) return known;
    if (name === 'PL-Location') {
      return {
        makes: ['Reference'],
        resource: 'Location',
        convert: (raw, level, _, context) => locations(raw, level, context),
      };
    }
    const converter: Converter | undefined = converters[name];
    if (converter) return { makes: converter.makes, convert: () => undefined };
    const file = this.#files.datatypes.get(name);
    if (!file) throw new Error(`there is no type '${name}': neither mappings/datatypes/${name}.yaml nor a converter`);
    const { datatype, makes, resource } = file.content;
    const type = resource ?? makes;
    if (!type)
      throw new MappingError(file.file, file.line(['datatype']), "name the FHIR type in 'makes' or 'resource'");
    const late: { fill?: Filler } = {};
    const compiled: CompiledType = resource
      ? resourceType(resource, datatype, file, late)
      : {
          makes: [type],
          convert(raw, level, source, context) {
            const object: Json = {};
            late.fill?.(new PartsSource(raw, level, source.segment, context.delimiters), object, context);
            return Object.keys(object).length > 0 ? object : undefined;
          },
        };
    // Registered before its rows are compiled: types may refer to each other in a circle (HD in XON in HD).
    this.#types.set(name, compiled);
    late.fill = this.rows(file, datatype, type);
    return compiled;
  }
}

/** A text that is a field as a whole keeps what stands behind its delimiters: senders forget to escape `^` and `&`. */
function defaultOf(type: string, field = ''): string | undefined {
  const name = defaultConverters[type];
  return name === 'ST-string' && /^[A-Z][A-Z0-9]{2}-\d+$/.test(field) ? 'TX-string' : name;
}

/**
 * The register of a list at the root that a row's entries belong to: its slot, else its field. What a later message says of
 * the same register replaces it; the entries of other fields stay.
 */
function registerOf({ to, field, key }: Row, { list }: Target): string {
  return list?.slot || (field ?? key ?? to ?? '');
}

/** What `""` in a row's field deletes: `birthDate`, `hospitalization.admitSource`, `telecom{PID-13}`, `extension(URL)`. */
function clearedBy(row: Row, target: Target): string {
  const to = row.to as string;
  const extension = /^extension\([^)]*\)/.exec(to)?.[0];
  if (extension) return extension;
  return target.list ? `${target.root}{${registerOf(row, target)}}` : to.replace(/[[(].*$/, '');
}

/** The repetitions that hold something. */
function valuedOf(parts: readonly string[], { delimiters }: MappingContext): number[] {
  return [...parts.keys()].filter((i) => isValued(parts[i] as string, delimiters));
}

/** The field of its own source that a row reads; -1 when it reads none or another segment's. */
function ownField(row: Row, owner: string): number {
  const ref = row.field ? parseRef(row.field) : undefined;
  return ref?.segment === owner ? ref.field : -1;
}

type Valuer = (raw: string, level: number, source: Source, context: MappingContext) => unknown;
type Writer = (
  root: Json,
  value: unknown,
  context: MappingContext,
  slots: Slots,
  repetition: number,
  built?: Built,
) => void;
type CompiledRow = (source: Source, root: Json, context: MappingContext, slots: Slots, built?: Built) => void;

function clearing(path: string, when: ReturnType<typeof compileCondition>): CompiledRow {
  return (source, _, context, __, built) => {
    if (!when || when(source, context)) built?.clear.add(path);
  };
}

function otherSegment(
  place: string,
  value: Valuer,
  write: Writer,
  when: ReturnType<typeof compileCondition>,
): CompiledRow {
  const text = parseRef(place);
  return (source, root, context, slots, built) => {
    if (!text) return;
    const segment = context.owners.segmentNamed(text.segment, source.segment);
    const before = context.place;
    const parts = segment?.repetitions(text.field);
    if (!parts || parts.length === 0 || (when && !when(source, context))) return;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as string;
      if (!isValued(part, context.delimiters)) continue;
      const raw = text.component ? partOf(part, 1, text.component, context.delimiters) : part;
      if (context.trace) context.place = parts.length > 1 ? `${place}[${i + 1}]` : place;
      write(root, value(raw, text.component ? 2 : 1, source, context), context, slots, i, built);
    }
    context.place = before;
  };
}

function placeName(
  before: string,
  level: number,
  segment: string,
  n: number,
  i: number,
  count: number,
  component: number,
): string {
  if (level > 1) return `${before}.${n}`;
  return `${before}${segment}-${n}${count > 1 ? `[${i + 1}]` : ''}${component ? `.${component}` : ''}`;
}

function writer(target: Target, row: Row, name: string, register: string): Writer {
  const defaults = row.with;
  const { root: rootKey, key, list, isTimed } = target;
  const isAlone = target.element.choice === undefined && target.element.type !== 'base64Binary';
  return (root, value, context, slots, repetition, built) => {
    if (value === undefined) return;
    const container = target.enter(root, slots, repetition);
    if (!container) return;
    if (list) note(root[rootKey], rootKey, register, context, built);
    if (row.missing && container[key] !== undefined) return;
    if (value instanceof Unconverted && target.element.list) {
      // A list of codes has no place for an extension without a value: it stands at the parent.
      container.extension ??= [];
      container.extension.push({ ...value.extension, url: `${ours}v2-${key}` });
      context.trace?.push({ container, key: 'extension', field: context.place, row: name });
      if (value.value === undefined) return;
      value = value.value;
    }
    if (value instanceof Unconverted) {
      if (value.value !== undefined && container[key] !== undefined) return;
      const twin = isPrimitive(target.element.type) ? `_${key}` : key;
      container[twin] ??= {};
      container[twin].extension ??= [];
      container[twin].extension.push(value.extension);
      context.trace?.push({ container, key: twin, field: context.place, row: name });
      if (value.value === undefined) {
        context.unconverted.push({ container, key, twin, isAlone });
        return;
      }
      value = value.value;
    }
    if (row.initial && container[key] === undefined) built?.initial.add(rootKey);
    const isSaid = context.trace && target.isSaid(container, value);
    const entry = target.set(container, value, slots, repetition);
    if (isTimed) context.timed.add(entry);
    if (list) note(root[rootKey], rootKey, register, context, built);
    if (isSaid) context.trace?.push({ container, key, field: context.place, row: name });
    if (!defaults) return;
    const whole = typeof value === 'object' && target.element.type !== 'Reference' ? entry : container;
    for (const [name, constant] of Object.entries(defaults)) whole[name] ??= clone(constant);
  };
}

/** Notes to which register the entries belong that a row has just added at the end of a list. */
function note(
  entries: readonly unknown[] | undefined,
  key: string,
  register: string,
  context: MappingContext,
  built: Built | undefined,
): void {
  if (!entries || !built) return;
  let names = built.registers.get(key);
  if (!names) {
    names = [];
    built.registers.set(key, names);
  }
  while (names.length < entries.length) names.push(context.register ?? register);
}

/** Constants are shared by all messages: what a message gets is its own copy. (structuredClone takes 8 times as long.) */
function clone(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(clone);
  const copy: Json = {};
  for (const key in value) copy[key] = clone((value as Json)[key]);
  return copy;
}

/** A constant must fit the element too: its keys are elements of the type. */
function checkConstant(type: string, value: unknown, path: string): void {
  if (typeof value !== 'object' || value === null) {
    if (!isPrimitive(type) && type !== 'xhtml') throw new Error(`'${path}' is a ${type}: its constant is an object`);
    return;
  }
  for (const [key, part] of Object.entries(value)) {
    const element = elementOf(type, key);
    if (!element) throw new Error(`${type} has no element '${key}' (constant of '${path}')`);
    for (const item of Array.isArray(part) ? part : [part]) checkConstant(element.type, item, `${path}.${key}`);
  }
}

/** A data type that makes a resource of its own: what the row's target gets is the Reference to it. */
function resourceType(
  resource: string,
  datatype: string,
  file: Located<DataTypeMap>,
  late: { fill?: Filler },
): CompiledType {
  if (!isResourceType(resource))
    throw new MappingError(file.file, file.line(['resource']), `FHIR R4 has no resource '${resource}'`);
  const identify = compileIdentity(file.content.identity ?? [], datatype, file);
  return {
    makes: ['Reference'],
    resource,
    convert(raw, level, source, context) {
      const parts = new PartsSource(raw, level, source.segment, context.delimiters);
      const draft = draftOf(resource);
      const { register } = context;
      context.register = undefined;
      late.fill?.(parts, draft.resource, context, draft);
      context.register = register;
      if (isEmpty(draft)) return undefined;
      const built = finish(draft, identify, parts, context, [file.name, raw]);
      return { reference: `${resource}/${built.resource.id}` };
    },
  };
}
