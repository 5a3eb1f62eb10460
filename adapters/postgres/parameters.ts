/** Numbers of search parameters: given at the first use by whoever writes, never changed, so remembered by every process. */
import type { SearchParameter } from '../../src/fhir/search/parameters.ts';
import type { Row } from './transactions.ts';
import { columnsOf, type Value } from './values.ts';

export type Parameter = Pick<SearchParameter, 'type' | 'code'>;

/** Runs a statement, in a transaction or outside. */
export type Run = (text: string, values: readonly Value[]) => Promise<readonly Row[]>;

/** What a search is compiled with. */
export interface Numbers {
  get(parameter: Parameter): number | undefined;
  /** Looks up parameters that another process may have numbered. */
  look(parameters: readonly Parameter[], run: Run): Promise<void>;
}

export class Parameters implements Numbers {
  readonly #numbers = new Map<string, number>();

  get({ type, code }: Parameter): number | undefined {
    return this.#numbers.get(`${type}.${code}`);
  }

  /** Takes over rows `param`, `type`, `code` that are committed. */
  learn(rows: readonly Row[]): void {
    for (const { param, type, code } of rows) this.#numbers.set(`${type}.${code}`, param);
  }

  async look(parameters: readonly Parameter[], run: Run): Promise<void> {
    this.learn(await stored(parameters, run));
  }
}

/**
 * The numbers as one transaction sees them: what it gives itself holds for others when it is committed, and is forgotten
 * when it is not.
 */
export class Numbering implements Numbers {
  readonly #known: Parameters;
  readonly #given = new Parameters();
  readonly #rows: Row[] = [];

  constructor(known: Parameters) {
    this.#known = known;
  }

  get(parameter: Parameter): number | undefined {
    return this.#known.get(parameter) ?? this.#given.get(parameter);
  }

  async look(parameters: readonly Parameter[], run: Run): Promise<void> {
    this.#take(await stored(parameters, run));
  }

  /** Numbers parameters that have none. Only under the lock of the writer. */
  async give(parameters: readonly Parameter[], run: Run): Promise<void> {
    const rows = await run(
      `INSERT INTO parameter (type, code) SELECT * FROM unnest($1::text[], $2::text[])
       ON CONFLICT (type, code) DO UPDATE SET code = excluded.code RETURNING param, type, code`,
      columnsOf(distinct(parameters), ['type', 'code']),
    );
    this.#take(rows);
  }

  /** The transaction is committed. */
  keep(): void {
    this.#known.learn(this.#rows);
  }

  #take(rows: readonly Row[]): void {
    this.#rows.push(...rows);
    this.#given.learn(rows);
  }
}

function stored(parameters: readonly Parameter[], run: Run): Promise<readonly Row[]> {
  return run(
    `SELECT p.param, p.type, p.code FROM unnest($1::text[], $2::text[]) AS k (type, code)
     JOIN parameter p ON p.type = k.type AND p.code = k.code`,
    columnsOf(distinct(parameters), ['type', 'code']),
  );
}

function distinct(parameters: readonly Parameter[]): Parameter[] {
  return [...new Map(parameters.map((it) => [`${it.type}.${it.code}`, it])).values()];
}
