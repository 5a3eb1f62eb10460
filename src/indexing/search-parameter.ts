/** A SearchParameter of a client, read into what the index needs, or refused. R4 searchparameter.html. */
import { isResourceType, loadSearchParameters, resourceTypes, type SearchParameterRow } from '../fhir/definitions.ts';
import { compileExpression } from '../fhir/search/expression.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import type { Resource } from '../fhir/types.ts';
import { Failure } from '../outcome.ts';

/** Kinds that an expression alone can make. */
const kinds = ['token', 'uri', 'string', 'date', 'reference', 'number', 'quantity'];
const expressionLengthMax = 2000;
/**
 * What may visit a whole resource many times over, or a text for ever; and what could hide it: comments, quoted names. The
 * variables lead from inside of a condition back to the whole.
 */
const costly = /\b(repeat|descendants|children|trace|aggregate|matches|matchesFull|replaceMatches)\s*\(|\/[*/]|[%`]/;

let published: ReadonlyMap<string, SearchParameterRow> | undefined;

function refuse(text: string, element: string): never {
  throw new Failure('invalid', text, [{ text, expression: `SearchParameter.${element}` }]);
}

/** Names a version of a SearchParameter: whose rows are made, and who uses a url. */
export function versionName({ id, meta }: Resource): string {
  return `index:${id}/${meta?.versionId}`;
}

/**
 * @returns undefined for one that is kept and not used: it is not active, or R4 has it already
 * @throws Failure `invalid` that names the element which stands against it
 */
export function parseSearchParameter(resource: Resource, parameters: SearchParameters): SearchParameterRow | undefined {
  if (resource.status !== 'active' || isPublished(resource)) return undefined;
  const { id, url, code, type, expression, base, target = [] } = resource;
  if (!(parameters.added.get(url) ?? `index:${id}/`).startsWith(`index:${id}/`))
    refuse('another search parameter with this url is in use', 'url');
  if (!/^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(code))
    refuse('a code is a letter, and then letters, digits and dashes', 'code');
  if (!kinds.includes(type)) refuse(`this server makes rows for ${kinds.join(', ')}`, 'type');
  if (typeof expression !== 'string') refuse('an active parameter needs an expression', 'expression');
  if (expression.length > expressionLengthMax || costly.test(withoutTexts(expression)))
    refuse(
      `at most ${expressionLengthMax} characters, no comment or variable, and no function that visits everything`,
      'expression',
    );
  for (const it of base as string[]) {
    if (!isResourceType(it) && !isEvery(it)) refuse('is not a resource type', 'base');
    for (const of of isEvery(it) ? resourceTypes : [it])
      if ((parameters.of(of).get(code)?.url ?? url) !== url)
        refuse(`${of} has a search parameter with this code already`, 'code');
  }
  if (!(base as string[]).some((it) => compiles(isEvery(it) ? 'Patient' : it, expression)))
    refuse('cannot be compiled, or says nothing of the base', 'expression');
  return { url, code, type, base, expression, target };
}

function isEvery(base: string): boolean {
  return base === 'Resource' || base === 'DomainResource';
}

/** True for one of R4: who loads the definitions of the specification changes nothing. @throws Failure when it says something else */
function isPublished({ url, code, type, expression }: Resource): boolean {
  published ??= new Map(loadSearchParameters().map((row) => [row.url, row]));
  const row = published.get(url);
  if (!row) return false;
  const same = (a = '', b = ''): boolean => a.replace(/\s/g, '') === b.replace(/\s/g, '');
  if (row.code !== code || row.type !== type || !same(row.expression, expression))
    refuse('R4 has a search parameter with this url, and it says something else', 'url');
  return true;
}

/** What stands in quotation marks is no code: a url has two slashes. */
function withoutTexts(expression: string): string {
  return expression.replace(/'(?:[^'\\]|\\.)*'/gs, "''");
}

function compiles(type: string, expression: string): boolean {
  try {
    const walk = compileExpression(type, expression);
    walk?.({ resourceType: type }, []);
    return walk !== undefined;
  } catch {
    return false;
  }
}
