/** JSON ─▶ XML ─▶ JSON gives back what went in: for random resources, and for those that this repository has. */
import { describe, expect, test } from '@jest/globals';
import fc, { type GeneratorValue } from 'fast-check';
import { elementsOf, isPrimitive, isResourceType } from '../../src/fhir/definitions.ts';
import type { Json } from '../../src/fhir/types.ts';
import { formatXml } from '../../src/fhir/xml/format.ts';
import { parseXml } from '../../src/fhir/xml/parse.ts';
import { allTypes, filledResources, realResources } from './examples.ts';

const levelsMax = 4;
const types = ['Patient', 'Observation', 'Bundle', 'Parameters', 'Questionnaire', 'CarePlan', 'Task', 'ValueSet'];

/** Every character that XML can hold; those that need care often. A carriage return is kept as a reference. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom('<', '>', '&', '"', "'", ' ', '\t', '\n', '\r', '&amp;', ']]>', '张', '\u00a0', '\u{1F600}'),
      fc
        .string({ unit: 'binary', maxLength: 3 })
        .filter((it) => !/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.test(it)),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((parts) => parts.join('') || 'x');
const divs = [
  '<div xmlns="http://www.w3.org/1999/xhtml"/>',
  '<div xmlns="http://www.w3.org/1999/xhtml"><p>5 &lt; 6 &amp; 7 &#8211; 8</p></div>',
  `<div class='a"b' xmlns="http://www.w3.org/1999/xhtml">\n  <b>x</b> y <i >z</i>\n</div>`,
  '<div xmlns="http://www.w3.org/1999/xhtml"><!-- <b> & --><![CDATA[<&]]>\u{1F600}<img src="a?b&amp;c"/></div>',
  '<div xmlns="http://www.w3.org/1999/xhtml" xml:lang="zh"><div><div>张</div></div></div>',
];
const primitives: Record<string, fc.Arbitrary<unknown>> = {
  boolean: fc.boolean(),
  integer: fc.integer(),
  positiveInt: fc.integer({ min: 1 }),
  unsignedInt: fc.nat(),
  decimal: fc.double({ noNaN: true, noDefaultInfinity: true }).map((it) => it || 0),
  xhtml: fc.constantFrom(...divs),
};

/** A random node of a type, with the elements of choice as they come: which of them may stand together is not our matter. */
function node(g: GeneratorValue, type: string, level: number): Json {
  const names = Object.keys(elementsOf(type) as object).filter((name) => name !== 'value' || !isPrimitive(type));
  const json: Json = isResourceType(type) ? { resourceType: type } : {};
  for (const name of g(fc.subarray, names, { maxLength: Math.min(6, names.length) }))
    addElement(g, json, type, name, level);
  if (type === 'Extension') json.url = g(() => text);
  return json;
}

function addElement(g: GeneratorValue, json: Json, owner: string, name: string, level: number): void {
  const { type, list } = (elementsOf(owner) as Record<string, { type: string; list?: boolean }>)[name] as {
    type: string;
    list?: boolean;
  };
  const isAttribute = (name === 'id' && !isResourceType(owner)) || (name === 'url' && owner === 'Extension');
  if (!isPrimitive(type) && level >= levelsMax) return;
  const count = list ? g(fc.integer, { min: 1, max: 3 }) : 1;
  const items = Array.from({ length: count }, () => {
    if (!isPrimitive(type)) return { value: complex(g, type, level + 1) };
    // At least one of the two is there; an attribute has no room for the second.
    const which = isAttribute || level >= levelsMax ? 'value' : g(fc.constantFrom, 'value', 'value', 'both', 'extra');
    const extra = which === 'value' ? undefined : node(g, type, level + 1);
    const hasExtra = extra !== undefined && Object.keys(extra).length > 0;
    return {
      ...((which !== 'extra' || !hasExtra) && { value: g(() => primitives[type] ?? text) }),
      ...(hasExtra && { extra }),
    };
  });
  add(json, name, list === true, items);
}

function add(json: Json, name: string, list: boolean, items: { value?: unknown; extra?: unknown }[]): void {
  const [first] = items;
  const full = items.filter(({ value, extra }) => extra || (value !== undefined && !isEmpty(value)));
  if (full.length === 0) return;
  if (list) {
    json[name] = full.map(({ value }) => value ?? null);
    if (full.some(({ extra }) => extra)) json[`_${name}`] = full.map(({ extra }) => extra ?? null);
    return;
  }
  if (first?.value !== undefined) json[name] = first.value;
  if (first?.extra) json[`_${name}`] = first.extra;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function complex(g: GeneratorValue, type: string, level: number): unknown {
  if (type === 'xhtml') return g(() => primitives.xhtml as fc.Arbitrary<unknown>);
  return node(g, type === 'Resource' || isResourceType(type) ? g(fc.constantFrom, ...types) : type, level);
}

/** Random resources of the types that differ most in how they nest, and of any other. */
const resource = fc.gen().map((g) => node(g, g(fc.constantFrom, ...types, ...allTypes), 0));

/** The same with the keys of every object in another order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, part]) => [key, reversed(part)]),
  );
}

describe('a resource that goes through XML', () => {
  test('comes back as it was, pretty or not', () => {
    fc.assert(
      fc.property(resource, fc.boolean(), (json, pretty) => {
        expect(parseXml(formatXml(json, pretty))).toEqual(json);
      }),
      { numRuns: 500 },
    );
  });

  test('makes the same XML whatever the order of its keys', () => {
    fc.assert(
      fc.property(resource, (json) => {
        expect(formatXml(reversed(json) as Json)).toBe(formatXml(json));
      }),
      { numRuns: 200 },
    );
  });

  test('comes back as it was for every type with every element', () => {
    // The examples of these two hold resources that do not say their type.
    const whole = allTypes.filter((type) => type !== 'Bundle' && type !== 'Parameters');
    for (const json of whole.flatMap((type) => filledResources(type, 1)))
      expect(parseXml(formatXml(json))).toEqual(json);
  });

  test('comes back as it was for all that we make ourselves', () => {
    const resources = realResources();
    expect(resources.length).toBeGreaterThan(100);
    for (const json of resources) expect(parseXml(formatXml(json))).toEqual(json);
  });
});

test('random text is read or refused, never more', () => {
  const pieces = [
    '<',
    '>',
    '/',
    '"',
    "'",
    '&',
    ';',
    '#',
    '=',
    ' ',
    '!',
    '-',
    '[',
    ']',
    '?',
    'name',
    'xmlns',
    'id',
    'x:',
    '<!--',
    '<![CDATA[',
    '\u0000',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), fc.nat(60), (parts, at) => {
      const sound = '<Patient xmlns="http://hl7.org/fhir"><name id="a"><given value="b"/></name></Patient>';
      const broken = sound.slice(0, at) + parts.join('') + sound.slice(at);
      try {
        expect(parseXml(broken).resourceType).toBe('Patient');
      } catch (error) {
        expect(error).toMatchObject({ name: 'Error', kind: 'malformed' });
      }
    }),
    { numRuns: 2000 },
  );
});
