/** Failures ─▶ OperationOutcome. R4 operationoutcome.html. */
import { Failure, failures } from '../outcome.ts';
import type { Json } from './types.ts';

/** Status and body of the answer to a failure. Anything but a {@link Failure} is a defect: 500, without its text. */
export function operationOutcome(error: unknown): { status: number; body: Json } {
  const failure = error instanceof Failure ? error : new Failure('internal', 'an internal error; the log has it');
  const { status, issue } = failures[failure.kind];
  return {
    status,
    body: {
      resourceType: 'OperationOutcome',
      issue: failure.details.map(({ text, expression }) => ({
        severity: 'error',
        code: issue,
        diagnostics: text,
        ...(expression && { expression: [expression] }),
      })),
    },
  };
}

/** An outcome that only informs. */
export function informational(text: string): Json {
  return {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'information', code: 'informational', diagnostics: text }],
  };
}
