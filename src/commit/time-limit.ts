/** Work that must not stand the program still, whatever a sender has sent. */
import { createContext, Script } from 'node:vm';
import { Failure } from '../outcome.ts';

const room: { work?: () => unknown } = createContext({});
const call = new Script('work()');

/** Work was ended because it took too long. */
export class TooLong extends Failure {
  constructor(ms: number) {
    super('too-costly', `takes longer than ${ms} ms`);
  }
}

/**
 * Runs work that does not wait for anything, and ends it when it takes too long. Costs some 0.2 ms: V8 is interrupted by a
 * thread that is made for it (nodejs.org/api/vm.html, `timeout`).
 * @param ms how long it may take; undefined: as long as it likes
 * @throws TooLong (Failure `too-costly`) when it takes longer; whatever the work throws
 */
export function withinTime<T>(ms: number | undefined, work: () => T): T {
  if (ms === undefined) return work();
  room.work = work;
  try {
    return call.runInContext(room, { timeout: ms }) as T;
  } catch (error) {
    if ((error as { code?: unknown } | undefined)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new TooLong(ms);
  } finally {
    delete room.work;
  }
}
