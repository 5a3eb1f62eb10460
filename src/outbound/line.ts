/** The seam to a hospital: a connection that takes messages and gives answers. It moves bytes and decides nothing. */

/** An open connection. */
export interface Line {
  /** Sends a message in a frame. What becomes of it, the answer says, or that the line is closed. */
  write(message: Uint8Array): void;
  /** Closes at once; {@link LineListener.closed} is called all the same. */
  close(): void;
}

/** Who uses a line. */
export interface LineListener {
  /** An answer without its frame; which message it answers stands in it. */
  answered(answer: Uint8Array): void;
  /** The line is gone, whoever closed it. Called once. */
  closed(): void;
}

/**
 * Opens a line. It settles within a bound, at once when the signal is given, and leaves no connection open that it did not
 * give. It rejects when there is no connection; the `code` of the error is shown to the operator.
 */
export type Dial = (listener: LineListener, signal: AbortSignal) => Promise<Line>;
