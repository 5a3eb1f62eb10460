/**
 * Answers of a survey that come by message (ORU): where the programme has opened a QuestionnaireResponse for that patient and
 * questionnaire, they complete that one. Where it has opened none, or several, they are a response of their own.
 */
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { parseQuery, type SearchQuery } from '../fhir/search/query.ts';
import type { Json } from '../fhir/types.ts';
import type { Built } from '../mapping/context.ts';
import type { Current, IdentifierKey, Key, QueryKey, View } from '../store/store.ts';
import { renamed } from './rename.ts';

/** Open responses of one patient that are looked at. */
const openMax = 50;

/** The searches that a message with answers asks for. */
export class Surveys {
  readonly #queries = new Map<string, SearchQuery>();
  /** Of the order that they answer: a correction finds what it corrects. */
  readonly #numbers = new Map<string, IdentifierKey>();
  readonly #answered: readonly Key[];

  /** @param wrote what the message wrote when it was applied before: a response that it completed is not open any more */
  constructor(built: readonly Built[], parameters: SearchParameters, wrote: readonly Key[] = []) {
    this.#answered = wrote.filter(({ type }) => type === 'QuestionnaireResponse');
    for (const { resource } of built) {
      const subject: string | undefined = resource.subject?.reference;
      if (resource.resourceType !== 'QuestionnaireResponse' || !subject?.startsWith('Patient/')) continue;
      const pairs: [string, string][] = [
        ['subject', subject],
        ['status', 'in-progress'],
        ['_count', String(openMax)],
      ];
      this.#queries.set(resource.id, parseQuery('QuestionnaireResponse', pairs, parameters));
      const { system, value } = resource.identifier ?? {};
      if (system && value)
        this.#numbers.set(resource.id, { type: 'QuestionnaireResponse', identifier: { system, value } });
    }
  }

  /** What the commit names. */
  keys(): (IdentifierKey | QueryKey)[] {
    return [...this.#numbers.values(), ...[...this.#queries.values()].map((query) => ({ query }))];
  }

  /**
   * The resources of the message, where answers have the id of the one open response to the same questionnaire, and of the
   * same visit where both name one.
   */
  joined(built: readonly Built[], view: View): readonly Built[] {
    const ids = new Map<string, string>();
    for (const { resource } of built) {
      const query = this.#queries.get(resource.id);
      if (!query || view.get({ type: 'QuestionnaireResponse', id: resource.id })?.resource) continue;
      const fits = (it: Current | undefined): it is Current => !!it?.resource && isAnsweredBy(it.resource, resource);
      const number = this.#numbers.get(resource.id);
      const before = number ? view.find(number).filter(fits) : [];
      const answered = before.length > 0 ? before : this.#answered.map((key) => view.get(key)).filter(fits);
      const open = answered.length > 0 ? answered : view.search(query).filter(fits);
      if (open.length === 1) ids.set(`QuestionnaireResponse/${resource.id}`, open[0]?.id as string);
    }
    return renamed(built, ids);
  }
}

function isAnsweredBy(open: Json, answers: Json): boolean {
  const url = (it: Json): string => String(it.questionnaire ?? '').replace(/\|.*$/, '');
  if (url(open) === '' || url(open) !== url(answers)) return false;
  if (open.subject?.reference !== answers.subject?.reference) return false;
  const [own, other] = [open, answers].map((it) => it.encounter?.reference as string | undefined);
  return !own || !other || own === other;
}
