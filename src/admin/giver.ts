/** Who gave a register of a stored resource. */
import { messageOf, timeOf } from '../ingest/stamp.ts';
import { isoOf } from './request.ts';

/** A message, a client's change, nobody any more (its message was replayed and does not say it), or from before all messages. */
export interface Giver {
  readonly message?: number;
  readonly by?: 'client' | 'withdrawn' | 'merge' | 'unknown';
  /** When the event happened, or the client wrote. */
  readonly at?: string;
}

/** Who is behind a stamp. */
export function giverOf(stamp: string): Giver {
  const message = messageOf(stamp);
  const at = isoOf(timeOf(stamp));
  if (message !== undefined) return { message, at };
  if (stamp.endsWith('@client')) return { by: 'client', at };
  return { by: stamp.endsWith('@withdrawn') ? 'withdrawn' : 'unknown' };
}
