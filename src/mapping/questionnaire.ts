/** Questionnaires (FHIR) by the names that a v2 sender may use for them, and the item that a coded field names. */
import { type Json, leaf, type MappingContext, partOf } from './context.ts';
import { codeSystemOf } from './systems.ts';

/** One question. */
export interface Item {
  readonly sheet: Sheet;
  readonly linkId: string;
  /** R4 item-type: `choice`, `boolean`, `text` … */
  readonly type: string;
  readonly text: string | undefined;
  readonly repeats: boolean;
  readonly required: boolean;
  readonly definition: Json;
}

/** A questionnaire. */
export interface Sheet {
  readonly id: string;
  /** `url|version`. */
  readonly canonical: string;
  readonly version: string;
  /** Questions that can be answered, by linkId. */
  readonly items: ReadonlyMap<string, Item>;
  /** As defined, in their order. */
  readonly definitions: readonly Json[];
}

/** Components of a CWE: code, coding system and its version. */
const triplets: readonly [code: number, system: number, version: number][] = [
  [1, 3, 7],
  [4, 6, 8],
  [10, 12, 13],
];

/** Items that hold no answer. */
const unanswered = new Set(['group', 'display']);

/** All questionnaires, to be asked for items. */
export class Questionnaires {
  readonly #byName = new Map<string, Sheet>();
  readonly #byCode = new Map<string, Item | undefined>();

  /** @param resources Questionnaires; where several have one url, that url alone names the last of them */
  constructor(resources: readonly Json[]) {
    for (const resource of resources) {
      const sheet = sheetOf(resource);
      for (const name of [resource.id, resource.name, resource.url, sheet.canonical])
        if (name) this.#byName.set(name, sheet);
      for (const item of sheet.items.values()) {
        for (const { system, code } of item.definition.code ?? []) {
          const key = `${system ?? ''}|${code}`;
          // A code of two questions names neither.
          this.#byCode.set(key, this.#byCode.has(key) ? undefined : item);
        }
      }
    }
  }

  /** @param canonical `url|version`, as a response names it */
  sheet(canonical: string): Sheet | undefined {
    return this.#byName.get(canonical);
  }

  /**
   * The item that a CWE names (OBX-3): its coding system is a Questionnaire by url, `url|version`, id or name and its code is
   * a linkId, or the coding is one of an item. A version beside it (CWE.7) must be that of the questionnaire.
   * @param raw the text as sent; `level` is its level (1 field, 2 component)
   */
  itemOf(raw: string, level: number, context: MappingContext): Item | undefined {
    if (raw === '' || this.#byName.size === 0) return undefined;
    const d = context.delimiters;
    for (const triplet of triplets) {
      const [code, name, version] = triplet.map((n) => {
        const part = partOf(raw, level, n, d);
        return part === '' ? '' : leaf(part, level + 1, d);
      }) as [string, string, string];
      if (code === '' || name === '') continue;
      const system = codeSystemOf(name, code, context);
      const sheet = this.#byName.get(name) ?? this.#byName.get(system);
      const item = sheet && (version === '' || version === sheet.version) ? sheet.items.get(code) : undefined;
      const found = item ?? this.#byCode.get(`${system}|${code}`);
      if (found) return found;
    }
    return undefined;
  }
}

/** {@link Questionnaires.itemOf} of the questionnaires that are known while a message is mapped. */
export function itemNamed(raw: string, level: number, context: MappingContext): Item | undefined {
  return context.questionnaires?.itemOf(raw, level, context);
}

function sheetOf(resource: Json): Sheet {
  const items = new Map<string, Item>();
  const version: string = resource.version ?? '';
  const canonical = version ? `${resource.url}|${version}` : resource.url;
  const sheet: Sheet = { id: resource.id, canonical, version, items, definitions: resource.item ?? [] };
  const add = (definitions: readonly Json[]): void => {
    for (const definition of definitions) {
      const { linkId, type, text, repeats = false, required = false } = definition;
      if (!unanswered.has(type)) items.set(linkId, { sheet, linkId, type, text, repeats, required, definition });
      add(definition.item ?? []);
    }
  };
  add(sheet.definitions);
  return sheet;
}
