/** A look at the store as a message would find it, that writes nothing. */
import { Failure } from '../outcome.ts';
import { nameOf } from '../store/key.ts';
import type { IdentifierKey, Key, QueryKey, View } from '../store/store.ts';
import type { IngestParts } from './apply.ts';
import { Needs, Reading, Scene } from './scene.ts';

/** Carries what was seen out of a transaction that writes nothing. */
class Seen<T> extends Error {
  readonly what: T;

  constructor(what: T) {
    super('a look, not a write');
    this.what = what;
  }
}

const roundsMax = 50;

/**
 * @param keys what is looked at
 * @param see pure; may run again
 * @throws Failure `conflict` when the store changes faster than it can be read
 */
export async function look<T>(
  keys: readonly (Key | IdentifierKey | QueryKey)[],
  { store, commit, parameters }: Pick<IngestParts, 'store' | 'commit' | 'parameters'>,
  see: (scene: Scene, view: View) => T,
): Promise<T> {
  const named = new Set(keys.flatMap((key) => ('id' in key ? nameOf(key) : [])));
  const reading = new Reading(store, parameters);
  for (let round = 0; round < roundsMax; round++) {
    try {
      await commit.run({
        cause: 'system:look',
        keys: [...keys, ...reading.keys.values()],
        decide: (view) => {
          throw new Seen(see(new Scene(view, named, reading), view));
        },
      });
    } catch (error) {
      if (error instanceof Seen) return error.what as T;
      if (!(error instanceof Needs)) throw error;
      await reading.read(error);
    }
  }
  throw new Failure('conflict', 'the store changes faster than it can be looked at');
}
