// https://hl7.org/fhir/R4/http.html#delete, #3.1.0.7.1 (conditional delete)
import { Failure } from '../outcome.ts';
import { condition, deleteMax } from './conditional.ts';
import { assertVersion, checkId } from './fhir.ts';
import { alone, type Plan } from './write.ts';

/** `DELETE [base]/[type]/[id]`; 204, also when it was deleted before or there never was one. */
export const planDelete: Plan = (request) => {
  const [type, id] = request.path as [string, string];
  checkId(id);
  const key = { type, id };
  return {
    keys: [key],
    targets: (view) => [{ ...key, current: view.get(key) }],
    become: ({ current }) => {
      assertVersion(request, current);
      return { kind: 'delete', key };
    },
  };
};

/** `DELETE [base]/[type]?…`: all that fit, in one transaction; more than {@link deleteMax} are refused and none is deleted. */
export const planConditionalDelete: Plan = async (request, parts) => {
  const [type] = request.path as [string];
  const query = await condition(type, request.query, parts, deleteMax + 1);
  return {
    keys: [{ query }],
    targets: (view) => {
      const found = view.search(query);
      if (found.length > deleteMax)
        throw new Failure('too-costly', `the condition fits more than ${deleteMax} resources; nothing was deleted`);
      return found.map((current) => ({ type, id: current.id, current }));
    },
    become: ({ id, current }) => {
      assertVersion(request, current);
      return { kind: 'delete', key: { type, id } };
    },
  };
};

export const remove = alone(planDelete);
export const conditionalDelete = alone(planConditionalDelete);
