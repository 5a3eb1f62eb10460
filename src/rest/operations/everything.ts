// https://hl7.org/fhir/R4/patient-operation-everything.html, encounter-operation-everything.html
import { isResourceType } from '../../fhir/definitions.ts';
import { dateRange, type Range } from '../../fhir/search/date-range.ts';
import type { Filter } from '../../fhir/search/filter.ts';
import { type Branch, parseQuery } from '../../fhir/search/query.ts';
import { Failure } from '../../outcome.ts';
import type { Key } from '../../store/store.ts';
import { inCompartment, memberTypes } from '../compartment.ts';
import { assertThere, type Interaction, type RestParts } from '../fhir.ts';
import { searchset } from '../search.ts';
import { OperationParameters } from './parameters.ts';

/** The parameters that tell when the care was; `start` and `end` are about that, not about the record. */
const careDates = [
  'date',
  'period',
  'onset-date',
  'effective-time',
  'occurrence',
  'authored',
  'authoredon',
  'authored-on',
  'sent',
  'issued',
  'created',
  'recorded-date',
  'whenhandedover',
];

/** What a client may ask for; the links of the pages repeat it, also when it came in the body of a POST. */
const names = ['start', 'end', '_since', '_type', '_count', '_page'];
const ofTheAnswer = ['_summary', '_elements', '_format', '_pretty'];

type Pair = [name: string, value: string];

/**
 * `Patient/[id]/$everything` and `Encounter/[id]/$everything`: the compartment, and what its resources refer to. One query,
 * so that its pages hold no resource twice and are stable while others write.
 */
export const everything: Interaction = async (request, parts) => {
  const [type = '', id = ''] = request.path;
  const version = await parts.store.read({ type, id });
  assertThere(type, version);
  const given = new OperationParameters(request);
  const there = await parts.store.types();
  const types = given.texts('_type').flatMap((text) => text.split(','));
  if (!types.every(isResourceType)) throw new Failure('malformed', '_type: is not a list of resource types of FHIR R4');
  const wanted = (it: string): boolean => types.length === 0 || types.includes(it);
  const members = there.filter((it) => it === type || memberTypes(type).includes(it));
  const bounds = boundsOf(given, parts);
  const compartment = members.map((member) => branchOf({ type, id }, member, bounds, parts));
  const [since, conditions] = sinceOf(given, parts);
  const found = compartment.filter((branch) => wanted(branch.type));
  const query = parseQuery(
    found.map((branch) => branch.type),
    [['_count', given.text('_count') ?? '100'], ...conditions],
    parts.parameters,
  );
  const branches = query.branches.map(({ filters }, i): Branch => {
    const own = found[i] as Branch;
    return { type: own.type, filters: [...own.filters, ...filters] };
  });
  const referred = {
    by: compartment,
    types: there.filter((it) => !members.includes(it) && wanted(it)),
    ...(since !== undefined && { since }),
  };
  const pairs = [
    ...names.flatMap((name) => given.texts(name).map((text): Pair => [name, text])),
    ...[...request.query].filter(([name]) => ofTheAnswer.includes(name)),
  ];
  return searchset({ ...query, branches, referred }, { path: request.path, pairs, parts });
};

/** A blank is the plus sign of a time zone that was not encoded. */
function dateIn(given: OperationParameters, name: string, { parameters }: RestParts): [string, Range] | undefined {
  const text = given.text(name)?.replace(/ (\d\d:\d\d)$/, '+$1');
  if (text === undefined) return undefined;
  const range = dateRange(text, parameters.zone);
  if (!range) throw new Failure('malformed', `${name}: is not a date`);
  return [text, range];
}

/** The dates of care as values of a date parameter. @throws Failure `malformed` */
function boundsOf(given: OperationParameters, parts: RestParts): string[] {
  const [start, end] = [dateIn(given, 'start', parts), dateIn(given, 'end', parts)];
  return [...(start ? [`ge${start[0]}`] : []), ...(end ? [`le${end[0]}`] : [])];
}

/** The resources of a type in the compartment; those without a date of care are in, whatever the dates asked for. */
function branchOf(key: Key, type: string, bounds: readonly string[], { parameters }: RestParts): Branch {
  if (type === key.type) return { type, filters: [{ kind: 'ids', ids: [key.id] }] };
  const within = inCompartment(key, type, parameters);
  const dates = careDates.flatMap((code) => parameters.of(type).get(code) ?? []).filter(({ kind }) => kind === 'date');
  if (dates.length === 0 || bounds.length === 0) return { type, filters: [within] };
  const undated = dates.map((parameter): Filter => ({ kind: 'missing', parameter, missing: true }));
  const dated = dates.map(({ code }): Filter => {
    const pairs = bounds.map((bound): Pair => [code, bound]);
    return { kind: 'all', filters: parseQuery(type, pairs, parameters).branches[0]?.filters ?? [] };
  });
  return { type, filters: [within, { kind: 'any', filters: [{ kind: 'all', filters: undated }, ...dated] }] };
}

/** @throws Failure `malformed` */
function sinceOf(given: OperationParameters, parts: RestParts): [number | undefined, Pair[]] {
  const [text, range] = dateIn(given, '_since', parts) ?? [];
  return range ? [range.low, [['_lastUpdated', `ge${text}`]]] : [undefined, []];
}
