/** What is wrong with a message, precise enough for ERR-2 and ERR-3 (HL7 v2.5.1 2.15.5). */

/** Codes of table 0357 that we answer. 100–103 are errors (AE), 2xx are refusals (AR): 2.9.2, table 0357. */
export const errorCodes = {
  '100': 'Segment sequence error',
  '101': 'Required field missing',
  '102': 'Data type error',
  '103': 'Table value not found',
  '200': 'Unsupported message type',
  '201': 'Unsupported event code',
  '202': 'Unsupported processing id',
  '203': 'Unsupported version id',
  '205': 'Duplicate key identifier',
  '207': 'Application internal error',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** One problem and its place. `text` names fields, never their values: values are patient data. */
export interface Problem {
  readonly code: ErrorCode;
  readonly text: string;
  readonly segment?: string;
  /** ERR-2.2, from 1. */
  readonly sequence?: number;
  readonly field?: number;
  readonly repetition?: number;
  readonly component?: number;
}

/** `PID-3.1: required field missing`, for people. */
export function describe(problem: Problem): string {
  const { segment, field, component } = problem;
  const place = segment ? `${segment}${field ? `-${field}${component ? `.${component}` : ''}` : ''}: ` : '';
  return `${place}${problem.text} (${problem.code})`;
}
