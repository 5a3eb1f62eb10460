/**
 * The closed list of failures. Each says who must act; `src/fhir/operation-outcome.ts` turns one into an HTTP status
 * with an OperationOutcome, `src/hl7v2/ack.ts` turns problems of a message into ERR segments.
 */

/** kind ─▶ HTTP status, FHIR issue type (required value set issue-type), and who must act. */
export const failures = {
  'not-found': { status: 404, issue: 'not-found', who: 'sender' },
  gone: { status: 410, issue: 'deleted', who: 'sender' },
  'not-supported': { status: 404, issue: 'not-supported', who: 'sender' },
  'method-not-allowed': { status: 405, issue: 'not-supported', who: 'sender' },
  'not-acceptable': { status: 406, issue: 'not-supported', who: 'sender' },
  'unsupported-media-type': { status: 415, issue: 'not-supported', who: 'sender' },
  malformed: { status: 400, issue: 'structure', who: 'sender' },
  invalid: { status: 422, issue: 'invalid', who: 'sender' },
  'unknown-system': { status: 422, issue: 'not-supported', who: 'sender' },
  'too-large': { status: 413, issue: 'too-long', who: 'sender' },
  forbidden: { status: 403, issue: 'forbidden', who: 'sender' },
  'too-costly': { status: 403, issue: 'too-costly', who: 'sender' },
  'version-conflict': { status: 412, issue: 'conflict', who: 'sender' },
  'multiple-matches': { status: 412, issue: 'multiple-matches', who: 'sender' },
  conflict: { status: 409, issue: 'conflict', who: 'sender' },
  stopping: { status: 503, issue: 'transient', who: 'operator' },
  internal: { status: 500, issue: 'exception', who: 'operator' },
} as const;

export type FailureKind = keyof typeof failures;

/** Where and why, for one issue. `expression` is FHIRPath; `text` holds no patient data. */
export interface FailureDetail {
  readonly text: string;
  readonly expression?: string;
}

/** A failure that somebody can act on. Everything else that is thrown is a defect and becomes `internal`. */
export class Failure extends Error {
  readonly kind: FailureKind;
  readonly details: readonly FailureDetail[];
  /** The methods that a URL takes, for `method-not-allowed` (RFC 9110 15.5.6). */
  readonly allow: readonly string[];

  constructor(
    kind: FailureKind,
    text: string,
    details: readonly FailureDetail[] = [{ text }],
    allow: readonly string[] = [],
  ) {
    super(text);
    this.kind = kind;
    this.details = details;
    this.allow = allow;
  }
}

/** What JavaScript throws at a mistake in the program; a database throws errors of its own. */
export function isDefect(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof SyntaxError
  );
}

/** True for a failure that is the same when it is tried again: a conflict passes, and so does the stop of the server. */
export function isLastingFailure(error: unknown): error is Failure {
  return error instanceof Failure && error.kind !== 'conflict' && error.kind !== 'stopping';
}

/** True when trying again comes to the same: the reason lies in the data or in the program, not in the moment. */
export function isLasting(error: unknown): boolean {
  return isDefect(error) || isLastingFailure(error);
}
