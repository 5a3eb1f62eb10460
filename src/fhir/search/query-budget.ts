/** How large a query may grow: a chain without types fans out over every type that a reference may name. */
import { Failure } from '../../outcome.ts';

const conditionsMax = 500;
/** References that one chain follows. A database takes no deeper statement. */
const chainMax = 12;

/** Values of all conditions on all types: a database can bind no more. */
const valuesMax = 30_000;

/** What one type of a query may still have. */
export class QueryBudget {
  readonly #query: { values: number };
  #conditions = conditionsMax;
  #depth = 0;

  /** @param query what all types of the query have together */
  constructor(query = { values: valuesMax }) {
    this.#query = query;
  }

  /** One budget for each type, with one number of values for all. */
  static each(types: readonly string[]): QueryBudget[] {
    const query = { values: valuesMax };
    return types.map(() => new QueryBudget(query));
  }

  /**
   * Counts the values of a condition.
   * @throws Failure `too-costly`
   */
  spendValues(name: string, count: number): void {
    this.#query.values -= count;
    if (this.#query.values < 0) throw tooCostly(name, 'has too many values: name fewer types or fewer values');
  }

  /**
   * Counts one condition.
   * @param name the parameter that is named when the budget is spent
   * @throws Failure `too-costly`
   */
  spend(name: string): void {
    if (--this.#conditions < 0)
      throw tooCostly(name, 'goes over too many types; name them, as in subject:Patient.name');
  }

  /**
   * What `parse` gives, one reference further.
   * @throws Failure `too-costly`
   */
  follow<T>(name: string, parse: () => T): T {
    if (this.#depth >= chainMax) throw tooCostly(name, `follows more than ${chainMax} references`);
    this.#depth++;
    try {
      return parse();
    } finally {
      this.#depth--;
    }
  }
}

function tooCostly(name: string, text: string): Failure {
  return new Failure('too-costly', `${name.slice(0, 80)}: ${text}`);
}
