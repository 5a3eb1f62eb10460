/** Page links: which state the first page saw, where to go on, and since when. Opaque to clients; good over a restart. */
import { Failure } from '../outcome.ts';

/** Page links are good for an hour: so long the store keeps the rows that a snapshot needs. ms */
export const pageLinkMs = 3_600_000;

export interface Place {
  readonly snapshot: number;
  readonly after: string;
  /** When the first page was given, ms since 1970 UTC. */
  readonly issuedAt: number;
}

export function formatPage({ snapshot, after, issuedAt }: Place): string {
  return Buffer.from(JSON.stringify([snapshot, after, issuedAt])).toString('base64url');
}

/** @throws Failure `malformed` for what is no page link, `gone` for one that is too old */
export function parsePage(token: string | undefined, now: number): Place | undefined {
  if (token === undefined) return undefined;
  const place = readPage(token);
  if (!place) throw new Failure('malformed', 'the page link is damaged: start the search again');
  // What the first page saw is kept for so long; later, rows could be missing in silence.
  if (now - place.issuedAt > pageLinkMs) throw new Failure('gone', 'the page link has expired: start the search again');
  return place;
}

function readPage(token: string): Place | undefined {
  try {
    const [snapshot, after, issuedAt] = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    const sound =
      Number.isSafeInteger(snapshot) && snapshot >= 0 && typeof after === 'string' && Number.isSafeInteger(issuedAt);
    return sound ? { snapshot, after, issuedAt } : undefined;
  } catch {
    return undefined;
  }
}
