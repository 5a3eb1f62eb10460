// https://hl7.org/fhir/R4/http.html#update, #upsert, #cond-update
import type { Resource } from '../fhir/types.ts';
import { Failure } from '../outcome.ts';
import { condition, theOne } from './conditional.ts';
import { assertVersion, checkId, resourceOf } from './fhir.ts';
import { alone, type Plan, toPut } from './write.ts';

/** `PUT [base]/[type]/[id]`; makes the resource when there is none, restores a deleted one, 412 when If-Match is another version. */
export const planUpdate: Plan = (request, parts) => {
  const [type, id] = request.path as [string, string];
  checkId(id);
  if (resourceOf(request, type).id !== id) throw otherId(type, 'the id of the body is not the id of the URL');
  const key = { type, id };
  return {
    keys: [key],
    targets: (view) => [{ ...key, current: view.get(key) }],
    become: ({ current }, body) => {
      assertVersion(request, current);
      return toPut(body as Resource, id, current, parts);
    },
    check: (body) => parts.canonicals.assertProfiles(body as Resource),
  };
};

/**
 * `PUT [base]/[type]?…`: updates the one that fits; with none, creates, under the id of the body if it has one. An id in
 * the body that is not that of the match is refused, and one of a resource that does not fit: 409, as R5 says where R4 is silent.
 */
export const planConditionalUpdate: Plan = async (request, parts) => {
  const [type] = request.path as [string];
  const { id: wanted } = resourceOf(request, type);
  if (wanted !== undefined) checkId(wanted);
  const query = await condition(type, request.query, parts);
  const key = { type, id: wanted ?? parts.ids.next() };
  return {
    keys: [key, { query }],
    condition: `${type}?${request.query}`,
    targets: (view) => {
      const match = theOne(query, view);
      if (match) return [match];
      const current = view.get(key);
      if (current?.json !== undefined)
        throw new Failure('conflict', 'nothing fits the condition, and the id of the body is that of another resource');
      return [{ ...key, current }];
    },
    become: ({ id, current }, body) => {
      if (wanted !== undefined && wanted !== id) throw otherId(type, 'the id of the body is not that of the match');
      assertVersion(request, current);
      return toPut(body as Resource, id, current, parts);
    },
    check: (body) => parts.canonicals.assertProfiles(body as Resource),
  };
};

function otherId(type: string, text: string): Failure {
  return new Failure('malformed', text, [{ text, expression: `${type}.id` }]);
}

export const update = alone(planUpdate);
export const conditionalUpdate = alone(planConditionalUpdate);
