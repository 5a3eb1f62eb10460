/** One received message ─▶ resources in the store, in one unit with the message's own state. */
import type { Clock } from '../clock.ts';
import type { Commit, Intention, Work, Written } from '../commit/commit.ts';
import { TooLong, withinTime } from '../commit/time-limit.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import type { StoredResource } from '../fhir/types.ts';
import type { Zone } from '../fhir/zone.ts';
import { type Charset, decode } from '../hl7v2/charset.ts';
import { parseDateTime } from '../hl7v2/datetime.ts';
import { type Message, parse } from '../hl7v2/message.ts';
import { messageType } from '../hl7v2/message-type.ts';
import { describe } from '../hl7v2/problem.ts';
import { stateOf } from '../journal/receive.ts';
import type { Built } from '../mapping/context.ts';
import { type Coverage, coverageOf } from '../mapping/coverage.ts';
import type { MapOptions, Mapped } from '../mapping/map.ts';
import { MappingError } from '../mapping/rows.ts';
import type { SiteMapping } from '../mapping/site-mappings.ts';
import { Failure, isDefect, isLastingFailure } from '../outcome.ts';
import { nameOf } from '../store/key.ts';
import type { JournalRow, MessageState } from '../store/rows.ts';
import { type Effect, LostClaim, type Store, type View } from '../store/store.ts';
import { appliedBefore, snapshotPath } from './again.ts';
import { decide, followers, holds, keysOf, type Outcome } from './decide.ts';
import { hasStamp } from './marks.ts';
import { type Part, registersOf } from './registers.ts';
import { Needs, Reading } from './scene.ts';
import { ownerOf } from './snapshot.ts';
import { type Stamp, stampOf } from './stamp.ts';
import { type Says, Surroundings } from './surroundings.ts';
import { Surveys } from './survey.ts';

export interface IngestParts {
  readonly store: Store;
  readonly commit: Commit;
  readonly parameters: SearchParameters;
  /** The mapping for a site; '' for none. */
  readonly mappingOf: (site: string) => SiteMapping;
  readonly zone: Zone;
  readonly clock: Clock;
}

/** Looks at the store that a decision may ask for. */
const roundsMax = 50;

/** A message that is ready to be applied. */
export interface Prepared {
  /** What it is about: messages with a name in common are applied one after the other. */
  readonly lanes: readonly string[];
  /**
   * Hands the work to the writer before it first waits.
   * @returns the state it is in now; undefined when another worker had it
   * @throws what the store throws when it cannot write at all: the message stays `received` and is tried again
   */
  run(): Promise<MessageState | undefined>;
}

/**
 * Reads and maps a message.
 * @param sentAgain the same message was applied before: nothing is to be done
 */
export function prepareMessage(row: JournalRow, sentAgain: boolean, parts: IngestParts): Prepared {
  const site = mappingThere(row.site, parts);
  const settled = (to: MessageState, error?: string): Prepared => ({
    lanes: [],
    run: () => settle(row, to, error, site, parts),
  });
  if (!site) return settled('failed', siteGone(row));
  try {
    const message = readAgain(row);
    if (!message) return settled('unmapped', 'the bytes cannot be read any more');
    const problems = site.mapping.check(message);
    const isIgnored = stateOf(problems, site) === 'ignored';
    if (problems.length > 0) return settled(isIgnored ? 'ignored' : 'unmapped', problems.map(describe).join('; '));
    if (sentAgain) return settled('duplicate');
    const mapped = mapMessage(message, row, site, parts.zone);
    return { lanes: lanesOf(mapped), run: () => applied(row, message, mapped, site, parts) };
  } catch (error) {
    // A defect of ours on this one message must not hold up the journal behind it.
    const reason = reasonOfFailed(error);
    if (reason) return settled('failed', reason);
    throw error;
  }
}

/** The mapping of a site; undefined when its file is gone: a hospital may leave. */
export function mappingThere(site: string, { mappingOf }: Pick<IngestParts, 'mappingOf'>): SiteMapping | undefined {
  try {
    return mappingOf(site);
  } catch (error) {
    if (error instanceof MappingError) return undefined;
    throw error;
  }
}

/** Why a message whose site has no file any more cannot be applied. */
export function siteGone({ site }: JournalRow): string {
  return `there is no mapping of the site '${site}' any more`;
}

/** Applies a message and moves its row on. See {@link prepareMessage}. */
export async function applyMessage(
  row: JournalRow,
  sentAgain: boolean,
  parts: IngestParts,
): Promise<MessageState | undefined> {
  return prepareMessage(row, sentAgain, parts).run();
}

const laneTypes = new Set(['Patient', 'Encounter', 'Account', 'Appointment']);

function lanesOf({ resources }: Mapped): string[] {
  return resources.flatMap(({ resource: { resourceType, id } }) =>
    laneTypes.has(resourceType) ? [`${resourceType}/${id}`] : [],
  );
}

async function applied(
  row: JournalRow,
  message: Message,
  mapped: Mapped,
  site: SiteMapping,
  parts: IngestParts,
): Promise<MessageState | undefined> {
  try {
    return await write(row, message, mapped, site, parts);
  } catch (error) {
    if (error instanceof LostClaim) return undefined;
    if (error instanceof Outdated) return prepareMessage(row, false, parts).run();
    const reason = reasonOfFailed(error);
    if (reason) return settle(row, 'failed', reason, site, parts);
    // Only what our own gate refuses is the message's fate; a database that is away is not, and a conflict passes.
    if (!isLastingFailure(error)) throw error;
    return settle(row, 'unmapped', reasonOf(error), site, parts);
  }
}

/** Why it is not the message's fault, nor the database's. */
export function reasonOfFailed(error: unknown): string | undefined {
  if (error instanceof TooLong) return reasonOf(error);
  return isDefect(error) ? `a defect: ${(error as Error).name}` : undefined;
}

/**
 * How long a message may be mapped, and how long decided; ms. Undefined for a small one: what grows with the square of its
 * length is quick, too. Not so one that was under way when the program ended.
 */
function msMaxOf({ bytes, tries }: JournalRow): number | undefined {
  if (bytes.length < 16_384 && tries === undefined) return undefined;
  return Math.round(10_000 * (1 + bytes.length / 1_000_000));
}

/** What our own gate refused: without values. */
export function reasonOf({ kind, details }: Failure): string {
  return `${kind}: ${details.map(({ expression, text }) => `${expression ?? ''} ${text}`.trim()).join('; ')}`;
}

/** The message of a row; undefined when its bytes cannot be read. */
export function readAgain(row: JournalRow): Message | undefined {
  const decoded = decode(row.bytes, row.charset as Charset);
  return 'text' in decoded ? parse(decoded.text) : undefined;
}

/**
 * What a message becomes, as it is applied.
 * @param lineage with the rows that made it
 * @throws TooLong
 */
export function mapMessage(
  message: Message,
  row: JournalRow,
  { mapping }: SiteMapping,
  zone: Zone,
  lineage = false,
): Mapped {
  return withinTime(msMaxOf(row), () => mapping.map(message, { ...optionsOf(row, zone), lineage }));
}

/**
 * What becomes of the fields of a message, as it is applied.
 * @throws TooLong
 */
export function coverMessage(
  message: Message,
  row: JournalRow,
  { mapping }: SiteMapping,
  zone: Zone,
  fieldsMax: number,
): Coverage {
  return withinTime(msMaxOf(row), () => coverageOf(message, mapping, optionsOf(row, zone), fieldsMax));
}

function optionsOf({ receivedAt }: JournalRow, zone: Zone): Pick<MapOptions, 'zone' | 'receivedAt'> {
  return { zone, receivedAt: zone.isoOf(receivedAt) };
}

/** When a message counts among others. */
export function stampOfRow(message: Message, row: JournalRow, zone: Zone): string {
  const own = parseDateTime(message.header.text(7))?.offset;
  const offsetOf = own ? () => own : (local: string) => zone.offsetOf(local);
  return stampOf(message, messageType(message).event, row.receivedAt, offsetOf, row.id);
}

/** A code was answered while the message waited: it is mapped again. */
class Outdated extends Error {}

/** What a message would write, and what becomes of it. */
export interface Decided extends Outcome {
  readonly to: 'applied' | 'stale';
  /** Why it is stale. */
  readonly error?: string;
  readonly stamp: Stamp;
  readonly written: readonly Written[];
  readonly view: View;
}

/**
 * Decides in the transaction; what turns out to be needed is read, and it decides again.
 * @param effects what it throws ends the transaction, and nothing is written
 */
export async function decideMessage(
  row: JournalRow,
  message: Message,
  { resources }: Mapped,
  parts: IngestParts,
  effects: (decided: Decided) => readonly Effect[],
): Promise<Reading> {
  const { zone, store, parameters } = parts;
  const stamp = stampOfRow(message, row, zone);
  const reading = new Reading(store, parameters);
  const before = row.attempts > 0 ? await appliedBefore(row, store) : undefined;
  const again = before && { before, around: new Surroundings(store, parameters, (other) => saying(other, parts)) };
  const read = (needs: Needs): Promise<void> => again?.around.read(needs) ?? reading.read(needs);
  const surveys = new Surveys(resources, parameters, before?.wrote);
  const keys = [...keysOf(resources), ...surveys.keys(), ...(before?.wrote ?? [])];
  await inRounds({ cause: `message:${row.id}`, msMax: msMaxOf(row) }, keys, reading, read, parts, (view) => {
    const outcome = decide(surveys.joined(resources, view), stamp, view, reading, zone, again);
    const isLate = outcome.lost > 0 && !before?.inTime;
    const error = isLate && { error: `older than what is stored: ${outcome.lost} elements stay as they are` };
    const to = isLate ? 'stale' : 'applied';
    const { intentions } = outcome;
    return { intentions, effects: (written) => effects({ ...outcome, to, ...error, stamp, written, view }) };
  });
  return reading;
}

/** What a message says of resources by the mapping that stands now. */
function saying(row: JournalRow, parts: IngestParts): (of: StoredResource) => Says {
  const site = mappingThere(row.site, parts);
  const message = readAgain(row);
  if (!site || !message || site.mapping.check(message).length > 0) return () => new Map();
  const { resources } = mapMessage(message, row, site, parts.zone);
  return (of) => {
    const built = resources.find((it) => isSame(it, of));
    const says = built ? registersOf(built) : new Map<string, Part | undefined>();
    for (const segment of built?.emptied ?? []) says.set(snapshotPath(segment), undefined);
    for (const { resource, snapshot } of resources)
      if (snapshot && ownerOf(resource)?.id === of.id) says.set(snapshotPath(snapshot), undefined);
    return says;
  };
}

/** True when what a message made is a stored resource: by its id, or a client's by its identifier. */
export function isSame({ resource, identifier, others = [] }: Built, stored: StoredResource): boolean {
  if (resource.resourceType !== stored.resourceType) return false;
  const identifiers = [...(identifier ? [identifier] : []), ...others];
  return resource.id === stored.id || identifiers.some((it) => holds(stored, it));
}

async function write(
  row: JournalRow,
  message: Message,
  mapped: Mapped,
  site: SiteMapping,
  parts: IngestParts,
): Promise<MessageState> {
  let reached: MessageState = 'applied';
  const reading = await decideMessage(
    row,
    message,
    mapped,
    parts,
    ({ to, error, stamp, written, intentions, recalled }) => {
      if (parts.mappingOf(row.site).version !== site.version) throw new Outdated();
      reached = to;
      const at = parts.clock.now();
      const [id, wrote, mappingVersion] = [row.id, names(written, intentions, stamp), site.version];
      const met = mapped.codes.map((it) => ({ ...it, site: row.site }));
      return [
        { kind: 'message', claim: { id, from: 'received', to, at, mappingVersion, wrote, ...(error && { error }) } },
        ...(met.length > 0 ? [{ kind: 'codes' as const, message: id, at, codes: met }] : []),
        ...[...recalled].map(([id, from]) => ({
          kind: 'message' as const,
          claim: { id, from, to: 'received' as const, at },
        })),
      ];
    },
  );
  await followUp(row, reading, parts);
  return reached;
}

/** @throws Failure `too-costly` after so many looks: the message must not hold up those behind it */
async function inRounds(
  unit: Pick<Work, 'cause' | 'msMax'>,
  keys: Work['keys'],
  reading: Reading,
  read: (needs: Needs) => Promise<void>,
  { commit }: IngestParts,
  decide: Work['decide'],
): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    try {
      await commit.run({ ...unit, keys: [...keys, ...reading.keys.values()], decide });
      return;
    } catch (error) {
      if (!(error instanceof Needs)) throw error;
      await read(error);
    }
  }
  throw new Failure('too-costly', `not decided after ${roundsMax} looks at the store`);
}

/** What began to refer to a merged resource while the merge was decided follows it now. */
async function followUp(row: JournalRow, reading: Reading, parts: IngestParts): Promise<void> {
  for (const [name, known] of reading.referrers) {
    const [type, id] = name.split('/') as [string, string];
    const names = new Set(known.map(nameOf));
    const late = (await reading.referrersOf({ type, id })).filter((key) => !names.has(nameOf(key)));
    if (late.length === 0) continue;
    const again = new Reading(parts.store, parts.parameters);
    const decide = (view: View) => ({ intentions: followers({ type, id }, late, view, again, parts.zone) });
    // The message is applied: what is left to follow it has no limit.
    await inRounds({ cause: `message:${row.id}` }, late, again, (needs) => again.read(needs), parts, decide);
  }
}

/** The versions that it wrote, and the resources that say what it said without a new version. */
function names(written: readonly Written[], intentions: readonly Intention[], stamp: Stamp): string[] {
  return written.flatMap(({ type, id, version, interaction }, i) => {
    if (interaction !== 'none') return [`${type}/${id}/_history/${version}`];
    const intention = intentions[i];
    const marks = intention?.kind === 'put' ? intention.marks : undefined;
    return marks && hasStamp(marks, stamp) ? [`${type}/${id}`] : [];
  });
}

/** Moves a message that writes nothing on. @returns undefined when another worker had it */
export async function settle(
  row: JournalRow,
  to: MessageState,
  error: string | undefined,
  mapping: SiteMapping | undefined,
  { commit, clock }: IngestParts,
): Promise<MessageState | undefined> {
  const claim = {
    id: row.id,
    from: 'received',
    to,
    at: clock.now(),
    ...(mapping && { mappingVersion: mapping.version }),
    ...(error && { error }),
  } as const;
  return (await commit.effects(`message:${row.id}`, [{ kind: 'message', claim }])) ? to : undefined;
}
