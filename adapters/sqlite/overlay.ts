/** What has been decided and is not yet in the file: the next decision sees it. */
import { identifierName, nameOf } from '../../src/store/key.ts';
import type { IdentifierKey, PreparedWrite } from '../../src/store/store.ts';
import type { Stored } from '../../src/store/stored.ts';

/** What a unit said last. */
interface Said<T> {
  readonly unit: number;
  readonly value: T;
}

export class Overlay {
  readonly #current = new Map<string, Said<Stored>>();
  /** Identifier ─▶ name of a resource ─▶ whether it has the identifier. */
  readonly #identified = new Map<string, Map<string, Said<boolean>>>();
  /** What each unit touched: names of resources, and of identifiers with their resource. */
  readonly #touched = new Map<number, { names: string[]; identifiers: [identifier: string, name: string][] }>();

  /** The version that a resource will have; undefined for one that nobody changes. */
  get(name: string): Stored | undefined {
    return this.#current.get(name)?.value;
  }

  /** Names of the resources of which that changes ─▶ whether they will have an identifier. */
  identified(key: IdentifierKey): ReadonlyMap<string, boolean> {
    const names = this.#identified.get(identifierName(key)) ?? [];
    return new Map([...names].map(([name, { value }]) => [name, value]));
  }

  /** A unit writes a version, or only its marks. */
  put(unit: number, stored: Stored, { added, removed }: Partial<PreparedWrite> = {}): void {
    const name = nameOf(stored);
    this.#current.set(name, { unit, value: stored });
    this.#of(unit).names.push(name);
    for (const [rows, has] of [
      [removed, false],
      [added, true],
    ] as const)
      for (const { parameter, value } of rows ?? []) {
        if (parameter.code !== 'identifier' || value.kind !== 'token') continue;
        const { system, code } = value;
        this.#identify(unit, identifierName({ type: stored.type, identifier: { system, value: code } }), name, has);
      }
  }

  #identify(unit: number, identifier: string, name: string, value: boolean): void {
    const names = this.#identified.get(identifier) ?? new Map<string, Said<boolean>>();
    this.#identified.set(identifier, names.set(name, { unit, value }));
    this.#of(unit).identifiers.push([identifier, name]);
  }

  #of(unit: number): { names: string[]; identifiers: [string, string][] } {
    const touched = this.#touched.get(unit) ?? { names: [], identifiers: [] };
    this.#touched.set(unit, touched);
    return touched;
  }

  /** A unit is in the file. @returns names of the resources that it changed */
  settle(unit: number): readonly string[] {
    const { names, identifiers } = this.#of(unit);
    this.#touched.delete(unit);
    for (const name of names) if (this.#current.get(name)?.unit === unit) this.#current.delete(name);
    for (const [identifier, name] of identifiers) {
      const all = this.#identified.get(identifier);
      if (all?.get(name)?.unit === unit) all.delete(name);
      if (all?.size === 0) this.#identified.delete(identifier);
    }
    return names;
  }

  clear(): void {
    this.#current.clear();
    this.#identified.clear();
    this.#touched.clear();
  }
}
