/** Whether what is coded is in a value set, as a profile's required binding asks. */
import { Failure } from '../../outcome.ts';
import type { Content } from '../terminology/content.ts';
import type { Library } from '../terminology/library.ts';
import type { Json } from '../types.ts';
import type { Item } from './items.ts';
import { isObject } from './values.ts';

const contents = new WeakMap<Library, Map<string, Content | undefined>>();

/** True also where it cannot be told: the value set is not there, or not the code system that it takes codes from. */
export function isMember(library: Library, valueSet: string, { value, type }: Item): boolean {
  const content = contentOf(library, valueSet);
  if (!content || value === undefined) return true;
  const within = (system: string | undefined, code: unknown): boolean =>
    typeof code !== 'string' || holds(content, system, code);
  if (!isObject(value)) return within(undefined, value);
  if (type !== 'CodeableConcept') return within(value.system ?? '', value.code);
  const codings: Json[] = value.coding ?? [];
  return codings.some((it) => it.code !== undefined && within(it.system ?? '', it.code));
}

function contentOf(library: Library, url: string): Content | undefined {
  const known = contents.get(library) ?? new Map<string, Content | undefined>();
  contents.set(library, known);
  if (!known.has(url))
    known.set(
      url,
      passing(() => library.content(library.valueSet(url), Number.POSITIVE_INFINITY)),
    );
  return known.get(url);
}

function holds(content: Content, system: string | undefined, code: string): boolean {
  const systems = system === undefined ? [...content.systems()] : [system];
  return passing(() => systems.some((it) => content.find(it, code) !== undefined)) ?? true;
}

/** What is not there is no fault of the resource. */
function passing<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
