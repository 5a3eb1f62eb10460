// https://hl7.org/fhir/R4/patient-operation-match.html
import { candidateSearches, scoreMatch } from '../../fhir/patient-match.ts';
import { parseQuery } from '../../fhir/search/query.ts';
import type { Json } from '../../fhir/types.ts';
import { errorsOf } from '../../fhir/validate.ts';
import { Failure } from '../../outcome.ts';
import type { Interaction } from '../fhir.ts';
import { OperationParameters } from './parameters.ts';

const countDefault = 10;
const countMax = 100;
/** Candidates that one search may bring: a name that thousands have tells nobody apart. */
const candidatesMax = 200;
const gradeUrl = 'http://hl7.org/fhir/StructureDefinition/match-grade';

/**
 * `Patient/$match`: candidates by searches on identifiers and demographics, each scored, the best first. With
 * `onlyCertainMatches` there is one at most: two that are certain are not certain.
 */
export const match: Interaction = async (request, { store, parameters, base }) => {
  const given = new OperationParameters(request, 'resource');
  const wanted = given.object('resource');
  if (wanted?.resourceType !== 'Patient') throw new Failure('malformed', "the parameter 'resource' is not a Patient");
  const problems = errorsOf(wanted);
  if (problems.length > 0) throw new Failure('invalid', 'the Patient is not valid FHIR R4', problems);
  const count = Math.min(given.number('count') ?? countDefault, countMax);
  if (count < 1) throw new Failure('malformed', 'count: must be above 0');
  const candidates = new Map<string, Json>();
  for (const search of candidateSearches(wanted)) {
    const query = parseQuery('Patient', new URLSearchParams(search.replace(/^Patient\?/, '')), parameters);
    for (const { id, json } of (await store.search({ query: { ...query, count: candidatesMax } })).hits)
      if (!candidates.has(id)) candidates.set(id, JSON.parse(json) as Json);
  }
  const scored = [...candidates.values()]
    .filter((candidate) => candidate.active !== false || wanted.active === false)
    .map((resource) => ({ resource, ...scoreMatch(wanted, resource) }))
    .filter(({ grade }) => grade !== 'certainly-not')
    .sort((a, b) => b.score - a.score || (a.resource.id < b.resource.id ? -1 : 1));
  const certain = scored.filter(({ grade }) => grade === 'certain');
  const found = given.flag('onlyCertainMatches') ? (certain.length === 1 ? certain : []) : scored.slice(0, count);
  return {
    status: 200,
    body: {
      resourceType: 'Bundle',
      type: 'searchset',
      total: found.length,
      ...(found.length > 0 && {
        entry: found.map(({ resource, score, grade }) => ({
          fullUrl: `${base()}/Patient/${resource.id}`,
          resource,
          search: { extension: [{ url: gradeUrl, valueCode: grade }], mode: 'match', score },
        })),
      }),
    },
  };
};
