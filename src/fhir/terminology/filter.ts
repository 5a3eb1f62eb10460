/** The filters of a value set, compiled to a question about a concept. R4 valueset-filter-operator, valueset.html#compositions. */
import { Failure } from '../../outcome.ts';
import type { Json } from '../types.ts';
import { type CodeSystem, type Concept, propertyValue } from './code-system.ts';
import { compilePattern } from './pattern.ts';

export type ConceptTest = (concept: Concept) => boolean;

/** Takes steps from the budget of an operation. @throws Failure `too-costly` when it is used up */
export type Spend = (steps: number) => void;

/** So many steps of a pattern cost as much as a look at a concept. */
const patternStepsPerStep = 200;

/** @throws Failure `invalid` for a property, operation or concept that the system does not have */
export function compileFilter(system: CodeSystem, filter: Json, spend: Spend): ConceptTest {
  const { property, op, value } = filter;
  if (typeof property !== 'string' || typeof op !== 'string' || typeof value !== 'string')
    throw new Failure('invalid', 'a filter needs property, op and value');
  if (!system.properties.has(property))
    throw new Failure('invalid', `filter '${property.slice(0, 50)}' is not a property of ${system.url} that we know`);
  return hierarchy(system, property, op, value, spend) ?? onValues(property, op, value, spend);
}

/** Operations on the hierarchy; they go by the concept whatever name the property has. */
function hierarchy(
  system: CodeSystem,
  property: string,
  op: string,
  value: string,
  spend: Spend,
): ConceptTest | undefined {
  if (!/^(?:is-a|descendent-of|is-not-a|generalizes)$/.test(op)) return undefined;
  if (property !== 'concept' && property !== 'code')
    throw new Failure('invalid', `operation '${op}' of a filter needs the property 'concept'`);
  const root = system.get(value);
  if (!root) throw new Failure('invalid', `a filter '${op}' starts from a code that ${system.url} does not have`);
  const set = op === 'generalizes' ? system.ancestors(root) : system.descendants(root);
  spend(set.size);
  if (op === 'is-not-a') return (concept) => !set.has(concept);
  if (op === 'descendent-of') return (concept) => concept !== root && set.has(concept);
  return (concept) => set.has(concept);
}

function onValues(property: string, op: string, value: string, spend: Spend): ConceptTest {
  const values = valuesOf(property);
  if (op === '=') return (concept) => values(concept).includes(value);
  if (op === 'exists') return (concept) => values(concept).length > 0 === (value === 'true');
  if (op === 'in' || op === 'not-in') {
    const listed = new Set(value.split(',').map((it) => it.trim()));
    return (concept) => values(concept).some((it) => listed.has(it)) === (op === 'in');
  }
  if (op === 'regex') {
    const pattern = compilePattern(value);
    return (concept) =>
      values(concept).some((it) => {
        spend(pattern.steps(it.length) / patternStepsPerStep);
        return pattern.test(it);
      });
  }
  throw new Failure('invalid', `there is no filter operation '${op.slice(0, 50)}'`);
}

/** The values of a property: of the concept itself, of the hierarchy, or as the code system writes them. */
function valuesOf(property: string): (concept: Concept) => readonly string[] {
  const own = (concept: Concept): string[] =>
    concept.property.filter((it) => it.code === property).flatMap((it) => propertyValue(it) ?? []);
  switch (property) {
    case 'concept':
    case 'code':
      return (it) => [it.code];
    case 'display':
      return (it) => (it.display === undefined ? [] : [it.display]);
    case 'definition':
      return (it) => (it.definition === undefined ? [] : [it.definition]);
    case 'parent':
      return (it) => it.parents.map((one) => one.code);
    case 'child':
      return (it) => it.children.map((one) => one.code);
    case 'inactive':
      return (it) => [String(it.inactive)];
    case 'notSelectable':
      return (it) => [String(it.abstract)];
    default:
      return own;
  }
}
