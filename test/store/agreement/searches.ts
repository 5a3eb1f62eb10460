/** Random searches on the random resources. */
import fc from 'fast-check';
import { prefixes } from '../../../src/fhir/search/filter.ts';
import type { SearchParameter } from '../../../src/fhir/search/parameters.ts';
import { dates, ids, numbers, systems, ucum, units } from './resources.ts';
import { asWritten, code, escaped, one, parametersOf, type Stored, text, token, valueFor } from './values.ts';

/** A name and a value of a URL. */
export type Pair = [name: string, value: string];

/** What a modifier is followed by. */
function modifiedFor(parameter: SearchParameter, stored: Stored): fc.Arbitrary<Pair> {
  const list = (value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.array(value, { minLength: 1, maxLength: 3 }).map((it) => it.join(','));
  const named = (modifier: string, value: fc.Arbitrary<string>): fc.Arbitrary<Pair> =>
    list(value).map((it): Pair => [parameter.code + modifier, it]);
  const value = valueFor(parameter, stored);
  const aspect = (name: string, any: fc.Arbitrary<string>): fc.Arbitrary<string> => {
    const looked = parameter.modified.find((it) => it.aspect === name);
    const written = looked ? stored(looked).map(asWritten) : [];
    return written.length === 0 ? any : fc.oneof(one(written), any);
  };
  const missing = one(['true', 'false']).map((it): Pair => [`${parameter.code}:missing`, it]);
  const own: Record<string, fc.Arbitrary<Pair>[]> = {
    token: [
      named(':not', value),
      named(':text', aspect('text', text.map(escaped))),
      ...(parameter.code === 'identifier'
        ? [
            named(
              ':of-type',
              fc.tuple(one([...systems, '']), code, code).map(([s, c, v]) => `${escaped(s)}|${c}|${v}`),
            ),
          ]
        : []),
    ],
    uri: [named(':below', value), named(':above', value)],
    string: parameter.kind === 'text' ? [] : [named(':exact', value), named(':contains', value)],
    reference: [
      named(':identifier', aspect('identifier', token)),
      named(':Patient', one(ids)),
      named(':Group', one(ids)),
    ],
  };
  return fc.oneof(
    { weight: 6, arbitrary: named('', value) },
    { weight: 1, arbitrary: missing },
    ...(own[parameter.declared] ?? []).map((arbitrary) => ({ weight: 2, arbitrary })),
  );
}

/** A condition that the resource alone decides. */
export function localPair(type: string, stored: Stored): fc.Arbitrary<Pair> {
  // Made when it is their turn: all of them for each search would keep the garbage collector busy.
  return fc.nat(11).chain((turn): fc.Arbitrary<Pair> => {
    if (turn === 0)
      return fc
        .tuple(one(['_id', '_id:not']), fc.subarray([...ids, 'r9'], { minLength: 1 }))
        .map(([name, it]) => [name, it.join(',')]);
    const parameter = one(parametersOf(type));
    if (turn > 3) return parameter.chain((it) => modifiedFor(it, stored));
    return expression(parameter.chain((it) => comparison(it, stored))).map((it) => ['_filter', it]);
  });
}

const quoted = (value: string): string => `"${value.replace(/["\\]/g, '\\$&')}"`;

/** `parameter operator value` of `_filter`. */
function comparison(parameter: SearchParameter, stored: Stored): fc.Arbitrary<string> {
  const { code: name, declared, kind } = parameter;
  const by = (operators: readonly string[], value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.tuple(one(operators), value).map(([operator, it]) => `${name} ${operator} ${quoted(it)}`);
  const present = one(['true', 'false']).map((it) => `${name} pr ${it}`);
  if (kind === 'text') return by(['eq', 'co'], valueFor(parameter, stored));
  switch (declared) {
    case 'string':
      return fc.oneof(present, by(['eq', 'ne', 'co', 'sw', 'ew'], text));
    case 'date':
      return fc.oneof(present, by([...prefixes, 'po'], one(dates)));
    case 'number':
      return by(prefixes, one(numbers.map(String)));
    case 'quantity':
      return by(
        prefixes,
        fc.tuple(one(numbers), one(units)).map(([value, unit]) => `${value}|${ucum}|${unit}`),
      );
    case 'token':
    case 'uri':
      return fc.oneof(present, by(['eq', 'ne', 'sw'], valueFor(parameter, stored)));
    default:
      return by(['eq', 'ne'], valueFor(parameter, stored));
  }
}

/** and, or, not around comparisons. */
function expression(comparison: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      { weight: 3, arbitrary: comparison },
      { weight: 1, arbitrary: tie('tree').map((it) => `not (${it})`) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(tie('tree'), fc.array(fc.tuple(one(['and', 'or']), tie('tree')), { minLength: 1, maxLength: 2 }))
          .map(([first, rest]) => [`(${first})`, ...rest.map(([operator, it]) => `${operator} (${it})`)].join(' ')),
      },
    ),
  }));
  return tree;
}

interface Link {
  readonly code: string;
  readonly from: string;
  readonly to: string;
}

/** References between the random resources. */
const links: readonly Link[] = [
  { from: 'Patient', code: 'link', to: 'Patient' },
  { from: 'Encounter', code: 'subject', to: 'Patient' },
  { from: 'Encounter', code: 'patient', to: 'Patient' },
  { from: 'Encounter', code: 'part-of', to: 'Encounter' },
  { from: 'Encounter', code: 'location', to: 'Location' },
  { from: 'Observation', code: 'subject', to: 'Patient' },
  { from: 'Observation', code: 'subject', to: 'Location' },
  { from: 'Observation', code: 'encounter', to: 'Encounter' },
  { from: 'Observation', code: 'has-member', to: 'Observation' },
  { from: 'RiskAssessment', code: 'patient', to: 'Patient' },
  { from: 'Location', code: 'partof', to: 'Location' },
];

/** A condition on what the resource refers to, or what refers to it; up to three steps away. */
export function graphPair(type: string, stored: Stored, steps = 3): fc.Arbitrary<Pair> {
  const chains = links.filter(({ from }) => from === type);
  const back = links.filter(({ to }) => to === type);
  const onward = (to: string): fc.Arbitrary<Pair> =>
    fc.nat(2).chain((turn) => (turn === 0 && steps > 1 ? graphPair(to, stored, steps - 1) : localPair(to, stored)));
  const compared = [
    ...parametersOf(type).map((parameter) => ['', parameter] as const),
    ...chains.flatMap(({ code, to }) => parametersOf(to).map((parameter) => [`${code}.`, parameter] as const)),
  ];
  const chained = one(compared).chain(([head, it]) => comparison(it, stored).map((text) => head + text));
  const ways: (() => fc.Arbitrary<Pair>)[] = [
    ...chains.map(
      ({ code, to }) =>
        () =>
          onward(to).map(([name, value]): Pair => [`${code}:${to}.${name}`, value]),
    ),
    ...back.map(
      ({ code, from }) =>
        () =>
          onward(from).map(([name, value]): Pair => [`_has:${from}:${code}:${name}`, value]),
    ),
    () => expression(chained).map((it): Pair => ['_filter', it]),
  ];
  return one(ways).chain((way) => way());
}

const unsorted = new Set(['composite', 'text', 'position']);

/** Some keys of an order. */
export function order(type: string): fc.Arbitrary<string> {
  const known = parametersOf(type).filter(({ kind }) => !unsorted.has(kind));
  const key = fc.tuple(one(['', '-']), one([...known.map(({ code }) => code), '_id'])).map((it) => it.join(''));
  return fc.array(key, { maxLength: 3 }).map((it) => it.join(','));
}
