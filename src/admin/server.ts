/** The operator's API: plain JSON under `/admin`. docs/operating.md lists it. */
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import { MappingError } from '../mapping/rows.ts';
import { Failure, failures } from '../outcome.ts';
import { listCodes, postAnswer, readCode } from './codes.ts';
import { readCoverage } from './coverage.ts';
import { readMessageLineage } from './message-lineage.ts';
import { listMessages, readContent, readMessage } from './messages.ts';
import { listOutgoing, retryOutgoing } from './outgoing.ts';
import type { AdminParts } from './parts.ts';
import { postMessageReplay, postReplay } from './replay.ts';
import type { AdminAnswer, AdminRequest } from './request.ts';
import { readResourceLineage } from './resource-lineage.ts';

/** A body longer than this says nothing that an operator says; bytes. */
const bodyBytesMax = 1_048_576;

type Handler = (request: AdminRequest, parts: AdminParts) => Promise<AdminAnswer>;

const routes: Readonly<Record<string, { readonly get?: Handler; readonly post?: Handler }>> = {
  '/messages': { get: listMessages },
  '/messages/:id': { get: readMessage },
  '/messages/:id/content': { get: readContent },
  '/messages/:id/lineage': { get: readMessageLineage },
  '/messages/:id/replay': { post: postMessageReplay },
  '/replay': { post: postReplay },
  '/lineage/:type/:id': { get: readResourceLineage },
  '/coverage': { get: readCoverage },
  '/codes': { get: listCodes },
  '/codes/:id': { get: readCode, post: postAnswer },
  '/outgoing': { get: listOutgoing },
  '/outgoing/:id/retry': { post: retryOutgoing },
};

/**
 * To be mounted under `/admin`.
 * @param failed told of defects: what no Failure describes
 */
export function adminRouter(parts: AdminParts, failed: (error: unknown) => void): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  const body = express.raw({ type: () => true, limit: bodyBytesMax });
  for (const [path, { get, post }] of Object.entries(routes)) {
    if (get) router.get(path, (request, response) => answer(request, response, get, parts));
    if (post) router.post(path, body, (request, response) => answer(request, response, post, parts));
    const allowed = [...(get ? ['GET', 'HEAD'] : []), ...(post ? ['POST'] : [])];
    router.all(path, () => {
      throw new Failure('method-not-allowed', `this path takes ${allowed.join(', ')}`, undefined, allowed);
    });
  }
  router.use(() => {
    throw new Failure('not-found', 'the operator’s API has no such path');
  });
  router.use((error: unknown, _: Request, response: Response, __: NextFunction) => refuse(error, response, failed));
  return router;
}

async function answer(request: Request, response: Response, handler: Handler, parts: AdminParts): Promise<void> {
  const path = Object.fromEntries(Object.entries(request.params).map(([name, value]) => [name, String(value)]));
  const query = new URLSearchParams(request.url.replace(/^[^?]*/, ''));
  const { status, body, contentType, file } = await handler({ path, query, body: bodyOf(request) }, parts);
  response.status(status).setHeader('Cache-Control', 'no-store');
  if (!(body instanceof Uint8Array)) {
    response.json(body);
    return;
  }
  // What a sender sent is never run by a browser that shows it.
  response.setHeader('Content-Disposition', `attachment; filename="${file ?? 'content'}"`);
  response.setHeader('Content-Type', contentType ?? 'application/octet-stream');
  response.end(body);
}

/**
 * @throws Failure `unsupported-media-type`: what a page of another origin may send without being asked (a form) is not JSON
 */
function bodyOf(request: Request): unknown {
  if (request.method !== 'POST') return undefined;
  if (!/^application\/json\s*(;|$)/i.test(request.get('content-type') ?? ''))
    throw new Failure('unsupported-media-type', 'a POST takes application/json');
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(request.body as Buffer));
  } catch {
    throw new Failure('malformed', 'the body is not JSON in UTF-8');
  }
}

function refuse(error: unknown, response: Response, failed: (error: unknown) => void): void {
  if (response.headersSent) {
    failed(error);
    response.destroy();
    return;
  }
  const known = knownError(error);
  if (known.kind === 'internal' && !(error instanceof MappingError)) failed(error);
  if (known.allow.length > 0) response.setHeader('Allow', known.allow.join(', '));
  response.setHeader('Cache-Control', 'no-store');
  response.status(failures[known.kind].status).json({ error: known.message, kind: known.kind });
}

function knownError(error: unknown): Failure {
  if (error instanceof Failure) return error;
  // Names a file and a line of the mapping, nothing else.
  if (error instanceof MappingError) return new Failure('internal', error.message);
  const { type, status } = error as { type?: string; status?: number };
  if (type === 'entity.too.large') return new Failure('too-large', `a body has at most ${bodyBytesMax} bytes`);
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new Failure('malformed', 'the request is malformed');
  return new Failure('internal', 'an internal error; the log has it');
}
