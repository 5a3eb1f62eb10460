/**
 * The suites that take long begin first, so that no worker is left with one of them at the end. Jest by itself takes the
 * larger file for the longer suite until it has measured; ours that take long are small: they run rules of another file.
 */

/** Beginnings of paths in `test/`, the longest first. */
const long = [
  'judges/validator',
  'store/postgres',
  'docs/mapping-page',
  'store/sqlite',
  'torture/',
  'rest/capabilities',
  'mapping/every-field',
  'cli/map',
  'ingest/',
  'subscriptions/',
  'judges/',
];

interface Suite {
  readonly path: string;
}

/** Jest's `testSequencer`. */
export default class Sequencer {
  sort<T extends Suite>(suites: readonly T[]): T[] {
    const rank = ({ path }: T): number => {
      const name = path.slice(path.lastIndexOf('/test/') + '/test/'.length);
      const at = long.findIndex((it) => name.startsWith(it));
      return at < 0 ? long.length : at;
    };
    return suites.toSorted((a, b) => rank(a) - rank(b) || a.path.localeCompare(b.path));
  }

  /** Nothing is remembered: the order is the same everywhere. */
  cacheResults(): void {}

  allFailedTests<T>(suites: readonly T[]): readonly T[] {
    return suites;
  }

  shard<T>(suites: readonly T[]): readonly T[] {
    return suites;
  }
}
