/**
 * The target of a row: a path below a resource or type, checked against the FHIR definitions and compiled to a writer.
 * `name[]` appends an entry, `location[assigned]` shares one entry among rows of the same segment and repetition,
 * `extension(url)` is the extension of that url; the step behind a primitive goes to its `_name` (R4 json.html#primitive).
 */
import { isDeepStrictEqual } from 'node:util';
import { type ElementDefinition, elementOf, elementsOf, isPrimitive } from '../fhir/definitions.ts';
import type { Json } from './context.ts';

interface Step {
  readonly key: string;
  readonly mode: 'one' | 'append' | 'slot';
  /** For a shared entry: what makes it the same. */
  readonly slot: string;
  readonly url?: string;
  /** What an entry must have. */
  readonly needs: readonly string[];
  /** Other members of its choice, and their twins: where one of them stands, it stays empty. */
  readonly rivals: readonly string[];
}

/** Entries shared among the rows of one segment (or data type), by slot and repetition; the map is made when one is. */
export interface Slots {
  entries: Map<string, Json> | undefined;
}

/** A compiled path. */
export interface Target {
  /** The element at its end. */
  readonly element: ElementDefinition;
  /** The first step: the root element, also for its twin `_name`. */
  readonly root: string;
  /** There when the root element is a list: the slot that names its entry, empty for one that is appended. */
  readonly list?: { readonly slot: string };
  /** Makes the objects on the way; gives the one that holds the last step, nothing where another of a choice is taken. */
  enter(root: Json, slots: Slots, repetition: number): Json | undefined;
  /** False when the value would say nothing: another stands, or another stands in each of its parts. */
  isSaid(container: Json, value: unknown): boolean;
  /** Sets the last step; a value that stands is kept, objects are completed. Gives the object that `with` completes. */
  set(container: Json, value: unknown, slots: Slots, repetition: number): Json;
  /** The last step's key. */
  readonly key: string;
  /** What the path writes has a begin and an end: it is an end of a Period, or holds one. */
  readonly isTimed: boolean;
}

const stepPattern = /^(?:extension\(([^)\s]+)\)|([A-Za-z]+)(?:\[([A-Za-z0-9-]*)\])?)$/;

function splitPath(path: string): string[] {
  return path.match(/(?:\([^)]*\)|\[[^\]]*\]|[^.([])+/g) ?? [];
}

/** @throws Error that names the element when the path is not of the type */
export function compileTarget(type: string, path: string): Target {
  const steps: Step[] = [];
  let owner = type;
  let holder = type;
  let element: ElementDefinition | undefined;
  for (const text of splitPath(path)) {
    const match = stepPattern.exec(text);
    if (!match) throw new Error(`'${text}' in '${path}' is not a step`);
    const [, url, name = 'extension', slot] = match;
    element = elementOf(owner, name);
    if (!element) throw new Error(`${owner} has no element '${name}'`);
    const repeats = url !== undefined || slot !== undefined;
    if (repeats !== (element.list === true)) {
      throw new Error(`${owner}.${name} ${element.list ? 'repeats: write [] or [slot]' : 'does not repeat'}`);
    }
    const last = steps.at(-1);
    // Behind a primitive only its extensions follow; they stand in the twin property.
    if (last && isPrimitive(owner)) {
      // Its list of extensions would have to stand in step with the list of values.
      if (last.mode !== 'one') throw new Error(`'${text}' in '${path}' stands behind a list of values`);
      steps[steps.length - 1] = { ...last, key: `_${last.key}`, mode: 'one', slot: last.slot };
    }
    const mode = url || slot ? 'slot' : repeats ? 'append' : 'one';
    const prefix = path.slice(0, path.indexOf(text) + text.length);
    const needs = Object.entries(elementsOf(element.type) ?? {}).flatMap(([key, it]) => (it.required ? [key] : []));
    // An extension is an entry of its own for each row: its 50 kinds of value need no look.
    const rivals = owner === 'Extension' ? [] : rivalsOf(owner, name).flatMap((rival) => [rival, `_${rival}`]);
    steps.push({ key: name, mode, slot: prefix, needs, rivals, ...(url && { url }) });
    holder = owner;
    owner = element.type;
  }
  if (!element) throw new Error('an empty path');
  const way = steps.slice(0, -1);
  const root = steps[0] as Step;
  const slot = /^[A-Za-z]+\[([A-Za-z0-9-]+)\]/.exec(path)?.[1] ?? '';
  const last = steps.at(-1) as Step;
  return {
    element,
    key: last.key,
    isTimed: [holder, element.type].some((it) => it === 'Period' || it === 'Timing'),
    root: root.key.replace(/^_/, ''),
    ...(root.mode !== 'one' && !root.url && { list: { slot } }),
    enter(root, slots, repetition) {
      let at = root;
      for (const step of way) {
        if (isTaken(at, step)) return undefined;
        at = enterStep(at, step, slots, shares(step, last) ? 0 : repetition);
      }
      return isTaken(at, last) ? undefined : at;
    },
    isSaid: (container, value) => last.mode !== 'one' || isNews(container[last.key], value),
    set: (container, value, slots, repetition) => setLast(container, last, value, slots, repetition),
  };
}

/** `deceasedBoolean` for `deceasedDateTime`: at most one of a choice is there (R4 formats.html#choice). */
export function rivalsOf(owner: string, key: string): string[] {
  const choice = elementOf(owner, key)?.choice;
  if (!choice) return [];
  return Object.entries(elementsOf(owner) ?? {}).flatMap(([name, it]) =>
    it.choice === choice && name !== key ? [name] : [],
  );
}

function isTaken(at: Json, { rivals }: Step): boolean {
  for (const rival of rivals) if (at[rival] !== undefined) return true;
  return false;
}

/** A list at the end takes all repetitions into one entry; so does an entry that needs what this row does not give. */
function shares(step: Step, last: Step): boolean {
  if (step.mode !== 'slot' || step.url || step.slot.endsWith('each]')) return false;
  return last.mode === 'append' || step.needs.some((key) => key !== last.key);
}

function enterStep(at: Json, step: Step, slots: Slots, repetition: number): Json {
  if (step.mode === 'one') {
    at[step.key] ??= {};
    return at[step.key];
  }
  const slot = step.mode !== 'slot' ? undefined : repetition === 0 ? step.slot : `${step.slot}#${repetition}`;
  const known = slot && slots.entries?.get(slot);
  if (known) return known;
  const entry: Json = step.url ? { url: step.url } : {};
  at[step.key] ??= [];
  at[step.key].push(entry);
  if (slot) {
    slots.entries ??= new Map();
    slots.entries.set(slot, entry);
  }
  return entry;
}

/** As {@link setLast} completes what stands: by its own elements, not by theirs. */
function isNews(standing: unknown, value: unknown): boolean {
  if (standing === undefined || isDeepStrictEqual(standing, value)) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, part]) => {
    const own = (standing as Json)[key];
    return own === undefined || isDeepStrictEqual(own, part);
  });
}

function setLast(container: Json, step: Step, value: unknown, slots: Slots, repetition: number): Json {
  const isObject = typeof value === 'object' && value !== null;
  if (step.mode === 'append' || (step.mode === 'slot' && !isObject)) {
    container[step.key] ??= [];
    container[step.key].push(value);
    return isObject ? (value as Json) : container;
  }
  const entry = step.mode === 'slot' ? enterStep(container, step, slots, repetition) : undefined;
  if (!isObject) {
    container[step.key] ??= value;
    return container;
  }
  if (!entry && container[step.key] === undefined) {
    container[step.key] = value;
    return value as Json;
  }
  const standing: Json = entry ?? container[step.key];
  for (const [key, part] of Object.entries(value as Json)) standing[key] ??= part;
  return standing;
}
