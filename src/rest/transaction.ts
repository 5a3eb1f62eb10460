// https://hl7.org/fhir/R4/http.html#trules
import type { Intention } from '../commit/commit.ts';
import { rewriteLinks } from '../fhir/reference.ts';
import type { Json, Resource } from '../fhir/types.ts';
import { Failure } from '../outcome.ts';
import { answerOf, type Dispatcher, type Entry, inEntry, inEntryLater, ofEntry, runAlone } from './bundle.ts';
import { conditionalReferences } from './conditional-references.ts';
import { type FhirRequest, preference, type RestParts } from './fhir.ts';
import { answer, type Outcome, outcomeOf, type Target, type Write } from './write.ts';

/** A write of a transaction. */
export interface Planned {
  readonly entry: Entry;
  readonly write: Write;
  /** Conditional creates with the same condition: whoever comes later finds what the first one found or made. */
  readonly same: Entry[];
}

/** Order of the specification: DELETE, POST, PUT or PATCH, then GET. */
const order = ['DELETE', 'POST', 'PUT', 'PATCH'];

/**
 * All or nothing: every write of the Bundle is one commit. What is only read runs after it, so a GET sees the PUT beside it.
 * @returns the entries of the response, in the order of the request
 */
export async function transaction(
  entries: readonly Entry[],
  request: FhirRequest,
  parts: RestParts,
  dispatcher: Dispatcher,
): Promise<Json[]> {
  const { writes, reads } = await plansOf(entries, parts, dispatcher);
  for (const { entry, write } of writes) await inEntryLater(entry.index, async () => write.check?.(entry.body));
  const outside = await conditionalReferences(
    writes.map(({ entry }) => entry),
    parts,
  );
  let targets: (readonly Target[])[] = [];
  let places: (number | undefined)[][] = [];
  const written = await parts.commit.run({
    cause: 'client:rest',
    keys: [...writes.flatMap(({ write }) => write.keys), ...outside.keys],
    decide: (view) => {
      targets = writes.map(({ entry, write }) => inEntry(entry.index, () => write.targets(view)));
      assertOnce(writes, targets);
      const intentions: Intention[] = [];
      const entryOf: number[] = [];
      const rewrite = rewriting(writes, targets, outside.resolver(view, writes, targets));
      places = writes.map(({ entry, write }, i) =>
        inEntry(entry.index, () =>
          (targets[i] as readonly Target[]).map((target) => {
            const intention = write.become(target, rewrite(entry), view);
            if (!intention) return undefined;
            entryOf.push(entry.index);
            return intentions.push(intention) - 1;
          }),
        ),
      );
      return { intentions, refusal: (i, error) => ofEntry(entryOf[i] as number, error) };
    },
  });
  const answers: Json[] = [];
  for (const [i, { entry, write, same }] of writes.entries()) {
    const outcomes = (targets[i] as readonly Target[]).map((target, n) =>
      outcomeOf(target, written[places[i]?.[n] ?? -1]),
    );
    // R4 bundle.html: without a wish of the client, the entries of a transaction's response hold no resources.
    const wish = preference(request, 'return') ? entry : withMinimal(entry);
    answers[entry.index] = answerOf(answer(wish, write, outcomes, parts));
    const found = outcomes.map((it): Outcome => ({ ...it, interaction: 'none' }));
    for (const { index } of same) answers[index] = answerOf(answer(wish, write, found, parts));
  }
  for (const entry of reads) answers[entry.index] = await runAlone(() => entry, parts, dispatcher);
  return answers;
}

function withMinimal(entry: Entry): Entry {
  return { ...entry, header: (name) => (name === 'prefer' ? 'return=minimal' : entry.header(name)) };
}

/** @returns the writes in the order of their processing, and what only reads */
async function plansOf(
  entries: readonly Entry[],
  parts: RestParts,
  dispatcher: Dispatcher,
): Promise<{ writes: readonly Planned[]; reads: readonly Entry[] }> {
  const writes: Planned[] = [];
  const reads: Entry[] = [];
  const creates = new Map<string, Planned>();
  for (const entry of entries) {
    const write = await inEntryLater(entry.index, () => planOf(entry, parts, dispatcher));
    const condition = entry.method === 'POST' ? write?.condition : undefined;
    const first = condition === undefined ? undefined : creates.get(condition);
    if (!write) reads.push(entry);
    else if (first) first.same.push(entry);
    else {
      const planned = { entry, write, same: [] };
      writes.push(planned);
      if (condition !== undefined) creates.set(condition, planned);
    }
  }
  writes.sort((a, b) => order.indexOf(a.entry.method) - order.indexOf(b.entry.method));
  return { writes, reads };
}

/** @returns undefined for what only reads */
async function planOf(entry: Entry, parts: RestParts, dispatcher: Dispatcher): Promise<Write | undefined> {
  const route = dispatcher.route(entry);
  if (route.code === 'transaction' || route.code === 'batch')
    throw new Failure('malformed', 'a Bundle inside a Bundle is not run');
  return route.plan?.(entry, parts);
}

/**
 * R4 http.html#trules: "If any resource identities (including resolved identities from conditional update/delete) overlap …
 * then the transaction SHALL fail." A conditional create that fits a resource leaves it as it is, beside another write too.
 */
function assertOnce(writes: readonly Planned[], targets: readonly (readonly Target[])[]): void {
  const seen = new Set<string>();
  const deleted = new Set<string>();
  for (const [i, { entry, write }] of writes.entries())
    for (const { type, id, current } of targets[i] as readonly Target[]) {
      const name = `${type}/${id}`;
      const stays = entry.method === 'POST' && write.condition !== undefined && current !== undefined;
      const isNew = write.condition !== undefined && current?.json === undefined;
      if (stays ? deleted.has(name) : seen.has(name) || (isNew && seen.has(write.condition as string)))
        throw ofEntry(entry.index, new Failure('malformed', 'writes a resource that another entry writes'));
      if (!stays) seen.add(name);
      if (isNew) seen.add(write.condition as string);
      if (entry.method === 'DELETE') deleted.add(name);
    }
}

type Resolve = (reference: string, entry: Entry) => string | undefined;

/**
 * The body of an entry with its references as they are to be stored: `urn:uuid:` and absolute fullUrls of the Bundle,
 * relative ones resolved against the base of the entry's own fullUrl (R4 bundle.html#references), and conditional ones.
 */
function rewriting(
  writes: readonly Planned[],
  targets: readonly (readonly Target[])[],
  resolve: Resolve,
): (entry: Entry) => unknown {
  const names = namesOf(writes, targets);
  return (entry) => {
    if (typeof entry.body !== 'object' || entry.body === null) return entry.body;
    const base = /^(https?:\/\/.+\/)[A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.exec(entry.fullUrl ?? '')?.[1];
    return rewriteLinks(entry.body as Resource, (reference) => {
      const known = names.get(reference) ?? (base && names.get(base + reference));
      return known ?? (reference.includes('?') ? resolve(reference, entry) : undefined);
    });
  };
}

/** fullUrl ─▶ the resource that it stands for. @throws Failure for one that stands for two: R4 bundle.html, bdl-7 */
function namesOf(writes: readonly Planned[], targets: readonly (readonly Target[])[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [i, { entry, same }] of writes.entries()) {
    const [target] = targets[i] as readonly Target[];
    if (!target || entry.method === 'DELETE') continue;
    for (const { index, fullUrl } of [entry, ...same]) {
      if (!fullUrl) continue;
      const name = `${target.type}/${target.id}`;
      if ((names.get(fullUrl) ?? name) !== name)
        throw ofEntry(index, new Failure('malformed', 'its fullUrl is that of another entry'));
      names.set(fullUrl, name);
    }
  }
  return names;
}
