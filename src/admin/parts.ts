/** What the operator's API works with. */
import type { CodeAnswers } from '../ingest/answers.ts';
import type { IngestParts } from '../ingest/apply.ts';

/** What the log is told of what operators do: no data of patients. */
export type Done =
  | { readonly event: 'content-read'; readonly what: string }
  | { readonly event: 'replayed'; readonly messages: number }
  | { readonly event: 'code-answered'; readonly site: string; readonly table: string };

export interface AdminParts extends IngestParts {
  readonly answers: CodeAnswers;
  /** The bell: messages are waiting. */
  readonly ring: () => void;
  /** The bell: a message to this destination waits. */
  readonly send: (destination: string) => void;
  readonly done: (done: Done) => void;
}
