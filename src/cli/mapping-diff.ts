/** `mapping diff NAME FOLDER…`: what a site file changes in what messages become, element by element, and by which row. */
import { parseArgs } from 'node:util';
import { changesOf, type ElementChange } from '../fhir/difference.ts';
import { rewriteReferences } from '../fhir/reference.ts';
import type { StoredResource } from '../fhir/types.ts';
import type { UnknownCode } from '../mapping/context.ts';
import type { LineageRow } from '../mapping/lineage.ts';
import type { Mapped } from '../mapping/map.ts';
import { readSite } from '../mapping/read.ts';
import { type Reader, readerOf, receivedAt, type Setting, soundMessage } from './convert.ts';
import { type MessageFile, messagesOf } from './files.ts';
import { unknownCode } from './map.ts';
import { Lineage, RowPlaces } from './row-places.ts';

export const diffUsage = 'mapping diff [--no-values] NAME FILE|FOLDER…\n';

/** The mapping as it ships, and with the site. */
interface Readers {
  readonly shipped: Reader;
  readonly site: Reader;
  readonly places: RowPlaces;
  /** Elements are shown with what they hold: it is the engineer's own folder. */
  readonly values: boolean;
}

/** What is counted over all messages. */
class Tally {
  messages = 0;
  differing = 0;
  troubled = 0;
  readonly resources = { added: 0, changed: 0, removed: 0 };
  readonly elements = { added: 0, changed: 0, removed: 0 };
  /** Resources that got another id. */
  renamed = 0;
  readonly answered = new Set<string>();
  readonly unknown = new Set<string>();
}

/**
 * @returns 0 without a difference, 3 with, 1 when a message can be mapped neither way, 2 for a wrong call
 * @throws MappingError for a mapping that cannot be used
 */
export function diffCommand(args: readonly string[], setting: Setting): number {
  const call = parseCall(args);
  if (!call) {
    process.stderr.write(diffUsage);
    return 2;
  }
  const [shipped, site] = [readerOf(undefined, setting), readerOf(call.site, setting)];
  const places = new RowPlaces(shipped.files, site.files, readSite(setting.mappings, call.site));
  const readers = { shipped, site, places, values: call.values };
  const tally = new Tally();
  for (const file of messagesOf(call.files)) {
    tally.messages++;
    const lines = messageLines(file, readers, tally);
    if (lines.length === 0) continue;
    tally.differing++;
    process.stdout.write(`${file.name}\n${lines.map((line) => `  ${line}\n`).join('')}`);
  }
  process.stdout.write(summary(tally));
  if (tally.troubled > 0) return 1;
  return tally.differing > 0 ? 3 : 0;
}

function parseCall(args: readonly string[]): { site: string; files: string[]; values: boolean } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { 'no-values': { type: 'boolean', default: false } },
    });
    const [site, ...files] = positionals;
    return site && files.length > 0 ? { site, files, values: !values['no-values'] } : undefined;
  } catch {
    return undefined;
  }
}

/** What one message becomes under a reader, or why nothing. */
type Outcome = { readonly mapped: Mapped } | { readonly mapped?: undefined; readonly said: string };

function outcomeOf(file: MessageFile, reader: Reader): Outcome {
  const sound = soundMessage(file, reader);
  if (sound.refused !== undefined) return { said: `${sound.ignored ? 'ignored' : 'refused'}: ${sound.refused}` };
  const { zone, mapping } = reader;
  const { message } = sound;
  return { mapped: mapping.map(message, { zone, receivedAt: zone.isoOf(receivedAt(message, zone)), lineage: 'all' }) };
}

/** The lines that tell of one message; none when the site changes nothing. */
function messageLines(file: MessageFile, readers: Readers, tally: Tally): string[] {
  const [before, after] = [outcomeOf(file, readers.shipped), outcomeOf(file, readers.site)];
  if (before.mapped && after.mapped)
    return [
      ...resourceLines(before.mapped, after.mapped, readers, tally),
      ...codeLines(before.mapped, after.mapped, readers, tally),
    ];
  const say = (outcome: Outcome): string => (outcome.mapped ? 'mapped' : outcome.said);
  if (say(before) !== say(after)) return [`~ the message: ${say(before)} -> ${say(after)}`];
  tally.troubled++;
  process.stderr.write(`${file.name}: ${say(after)}\n`);
  return [];
}

/** A resource without the site, and with it. */
interface Pair {
  readonly before?: StoredResource;
  readonly after?: StoredResource;
}

function resourceLines(before: Mapped, after: Mapped, readers: Readers, tally: Tally): string[] {
  const [earlier, later] = [lineageByResource(before), lineageByResource(after)];
  const pairs = pairsOf(before, after, earlier, later);
  const renamed = new Map<string, string>();
  for (const { before: was, after: is } of pairs)
    if (was && is && was.id !== is.id) renamed.set(nameOf(was), nameOf(is));
  tally.renamed += renamed.size;
  return pairs.flatMap(({ before: was, after: is }) => {
    const moved = was && { ...rewriteReferences(was, (it) => renamed.get(it)), id: is?.id ?? was.id };
    const changes = changesOf(moved ?? bare(is), is ?? bare(was));
    const name =
      was && is && was.id !== is.id ? `${nameOf(was)} -> ${nameOf(is)}` : nameOf((is ?? was) as StoredResource);
    if (changes.length === 0 && !(was && is && was.id !== is.id)) return [];
    const kind = !was ? 'added' : is ? 'changed' : 'removed';
    tally.resources[kind]++;
    const [from, to] = [earlier.get(nameOf(was)) ?? none, later.get(nameOf(is)) ?? none];
    return [
      `${signs[kind]} ${name}`,
      ...changes.map((change) => {
        tally.elements[change.kind]++;
        return `  ${changeLine(change, readers.places.causesOf(change, from, to), readers.values)}`;
      }),
    ];
  });
}

const signs = { added: '+', changed: '~', removed: '-' } as const;
const none = new Lineage([]);

/** Nothing but its type and id: what an added resource was before. */
function bare(resource: StoredResource | undefined): StoredResource {
  const { resourceType, id } = resource as StoredResource;
  return { resourceType, id };
}

function nameOf(resource: StoredResource | undefined): string {
  return resource ? `${resource.resourceType}/${resource.id}` : '';
}

function lineageByResource({ lineage = [] }: Mapped): Map<string, Lineage> {
  const rows = new Map<string, LineageRow[]>();
  for (const row of lineage) {
    const name = row.element.slice(0, row.element.indexOf('.'));
    const own = rows.get(name);
    if (own) own.push(row);
    else rows.set(name, [row]);
  }
  return new Map([...rows].map(([name, own]) => [name, new Lineage(own)]));
}

/** By id; those that are left by type and the field that they came from first: a system of the site changes ids. */
function pairsOf(
  before: Mapped,
  after: Mapped,
  earlier: ReadonlyMap<string, Lineage>,
  later: ReadonlyMap<string, Lineage>,
): Pair[] {
  const left = new Map(before.resources.map(({ resource }) => [nameOf(resource), resource]));
  const byId = new Map<StoredResource, StoredResource>();
  for (const { resource } of after.resources) {
    const same = left.get(nameOf(resource));
    if (same && left.delete(nameOf(resource))) byId.set(resource, same);
  }
  const origin = (resource: StoredResource, lineage: ReadonlyMap<string, Lineage>): string =>
    `${resource.resourceType} ${lineage.get(nameOf(resource))?.origin}`;
  const byOrigin = new Map<string, StoredResource[]>();
  for (const resource of left.values()) {
    const alike = byOrigin.get(origin(resource, earlier));
    if (alike) alike.push(resource);
    else byOrigin.set(origin(resource, earlier), [resource]);
  }
  const pairs = after.resources.map(({ resource }): Pair => {
    const was = byId.get(resource) ?? byOrigin.get(origin(resource, later))?.shift();
    if (was) left.delete(nameOf(was));
    return { after: resource, ...(was && { before: was }) };
  });
  return [...pairs, ...[...left.values()].map((resource): Pair => ({ before: resource }))];
}

const shownMax = 200;

/** A value in one line. */
function show(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
}

function changeLine(change: ElementChange, causes: readonly string[], values: boolean): string {
  const { kind, path, before, after } = change;
  const shown = {
    added: () => show(after),
    removed: () => show(before),
    changed: () => `${show(before)} -> ${show(after)}`,
  };
  const parts = [
    `${signs[kind]} ${path}`,
    ...(values ? [shown[kind]()] : []),
    ...(causes.length > 0 ? [`<- ${causes.join(', ')}`] : []),
  ];
  return parts.join('  ');
}

function codeLines(before: Mapped, after: Mapped, { values }: Readers, tally: Tally): string[] {
  const name = ({ table, code }: UnknownCode): string => `${table} '${code}'`;
  const say = (code: UnknownCode): string => (values ? unknownCode(code) : `${code.field}: not in table ${code.table}`);
  const [was, is] = [before, after].map(({ codes }) => new Map(codes.map((it) => [name(it), it])));
  const lines: string[] = [];
  for (const [key, code] of was ?? []) {
    if (is?.has(key)) continue;
    tally.answered.add(key);
    lines.push(`- unknown code ${say(code)}`);
  }
  for (const [key, code] of is ?? []) {
    if (was?.has(key)) continue;
    tally.unknown.add(key);
    lines.push(`+ unknown code ${say(code)}`);
  }
  return lines;
}

function summary({ messages, differing, troubled, resources, elements, renamed, answered, unknown }: Tally): string {
  const counts = ({ added, changed, removed }: Tally['elements']): string =>
    `${added} added, ${changed} changed, ${removed} removed`;
  return [
    `messages: ${differing} differ, ${messages - differing - troubled} do not, ${troubled} cannot be mapped`,
    `resources: ${counts(resources)}; ${renamed} have another id`,
    `elements: ${counts(elements)}`,
    `unknown codes: ${answered.size} fewer, ${unknown.size} more`,
    '',
  ].join('\n');
}
