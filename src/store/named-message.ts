/** How a message with a control id is kept, given what its facility has sent: the same rule in every database. */
import type { JournalRow, KeptMessage, NewMessage } from './rows.ts';

/** The newest message of a control id that was not rejected. */
export interface Earlier {
  /** There when it has the same bytes: the first of them, see {@link firstId}. */
  readonly first?: Pick<JournalRow, 'id' | 'state' | 'answer'> | undefined;
}

/** A {@link KeptMessage} that has no number yet. */
type Unnumbered = KeptMessage extends infer K ? (K extends KeptMessage ? Omit<K, 'id'> : never) : never;

/**
 * @param clash see {@link Store.keepNamed}
 * @returns the message as it is to be kept, and what that is
 */
export function namedAs(
  message: NewMessage,
  earlier: Earlier | undefined,
  clash: string | undefined,
): { readonly message: NewMessage; readonly as: Unnumbered } {
  if (earlier?.first) {
    const { id, state, answer } = earlier.first;
    const repeat = { ...message, state: 'duplicate', answer, error: `message ${id} sent again` } as const;
    return { message: repeat, as: { kind: 'repeat', first: { id, state, answer } } };
  }
  if (!earlier || clash === undefined) return { message, as: { kind: 'new' } };
  return {
    message: { ...message, state: 'rejected', answer: new Uint8Array(), error: clash },
    as: { kind: 'clash' },
  };
}

/** The message that a row repeats; itself when it repeats none. */
export function firstId({ id, state, error }: Pick<JournalRow, 'id' | 'state' | 'error'>): number {
  const first = state === 'duplicate' ? /^message (\d+) sent again$/.exec(error ?? '')?.[1] : undefined;
  return first === undefined ? id : Number(first);
}
