/** The HTTP edge: Express with the FHIR table, HL7 over HTTP, health and metrics. */
import { createServer, type Server } from 'node:http';
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import helmet from 'helmet';
import { operationOutcome } from '../fhir/operation-outcome.ts';
import type { Receive } from '../journal/receive.ts';
import { Failure } from '../outcome.ts';
import { givesContent, takesContent, unwrapped, wrapped } from './binary.ts';
import type { FhirRequest, FhirResponse, RestParts } from './fhir.ts';
import { type Format, formatBody, formatOf, mediaType, parseBody } from './format.ts';
import { dispatch } from './routes.ts';

export interface HttpParts extends RestParts {
  readonly bodyBytesMax: number;
  readonly receive: Receive;
  /** The operator's API. */
  readonly admin: RequestHandler;
  /** Throws when the store or the queue does not answer. */
  readonly ready: () => Promise<void>;
  readonly metrics: () => Promise<{ type: string; text: string }>;
  /** Told of each request that ended. `route` never holds an id or a value. */
  readonly served: (request: { method: string; route: string; status: number; ms: number }) => void;
  /** Told of defects: what no {@link Failure} describes. */
  readonly failed: (error: unknown) => void;
}

/** Builds the server; the caller listens. */
export function httpServer(parts: HttpParts): Server {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(helmet());
  app.set('query parser', false);
  app.use((request, response, next) => {
    const begun = performance.now();
    // Now: within what is mounted the path begins behind the mount.
    const route = `/${request.path.split('/')[1] ?? ''}`;
    response.once('finish', () => {
      parts.served({ method: request.method, route, status: response.statusCode, ms: performance.now() - begun });
    });
    next();
  });
  app.use((_, response, next) => {
    if (server.listening) return next();
    // A client that keeps its connection would go on for ever.
    response.setHeader('Connection', 'close');
    throw new Failure('stopping', 'the server stops: it takes nothing new');
  });
  app.get('/healthz', (_, response) => response.type('text/plain').send('ok\n'));
  app.get('/readyz', async (_, response) => {
    await parts.ready();
    response.type('text/plain').send('ok\n');
  });
  app.get('/metrics', async (_, response) => {
    const { type, text } = await parts.metrics();
    response.type(type).send(text);
  });
  // Read as bytes and parsed here: a body that is not UTF-8 or not JSON gets an OperationOutcome as every other error.
  const body = express.raw({ type: () => true, limit: parts.bodyBytesMax });
  app.post('/hl7v2', refuseOthers, body, (request, response) => hl7OverHttp(request, response, parts));
  app.all('/hl7v2', () => {
    throw new Failure('method-not-allowed', 'this path takes POST', undefined, ['POST']);
  });
  app.use('/admin', parts.admin);
  app.use('/fhir', body, (request, response) => fhir(request, response, parts));
  app.use(() => {
    throw new Failure('not-found', 'there is nothing here: the FHIR base is /fhir');
  });
  app.use((error: unknown, request: Request, response: Response, _: NextFunction) => {
    const known = knownError(error, parts.bodyBytesMax);
    if (!(known instanceof Failure)) parts.failed(error);
    const { status, body } = operationOutcome(known);
    if (known instanceof Failure && known.allow.length > 0) response.setHeader('Allow', known.allow.join(', '));
    if (response.headersSent) response.destroy();
    else send(response, { status, body }, formatAsked(request) ?? 'json', queryOf(request).get('_pretty') === 'true');
  });
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 20_000, keepAliveTimeout: 65_000 }, app);
  return server;
}

/**
 * A message may be text/plain, which a page of another origin may send without being asked (fetch.spec.whatwg.org, simple
 * requests); browsers say where the page is from, and interface engines say nothing.
 */
function refuseOthers(request: Request, _: Response, next: NextFunction): void {
  const origin = request.get('origin');
  const isOwn = origin === undefined || (URL.canParse(origin) && new URL(origin).host === request.get('host'));
  if (!isOwn) throw new Failure('forbidden', 'pages of other origins send no messages');
  next();
}

/** Errors of Express and its body reader as failures of ours. */
function knownError(error: unknown, bodyBytesMax: number): unknown {
  const { type, status } = error as { type?: string; status?: number };
  if (type === 'entity.too.large') return new Failure('too-large', `a body has at most ${bodyBytesMax} bytes`);
  if (type === 'encoding.unsupported')
    return new Failure('unsupported-media-type', 'this content encoding is not supported');
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new Failure('malformed', 'the request is malformed');
  return error;
}

async function hl7OverHttp(request: Request, response: Response, { receive }: HttpParts): Promise<void> {
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const site = queryOf(request).get('site');
  const origin = { listener: 'http', peer: request.socket.remoteAddress ?? '', ...(site && { site }) };
  const { accept, application, single } = await receive(bytes, origin);
  // One answer to one request: of enhanced mode's two the one that says more.
  const answer = single ? await single() : ((await application) ?? accept);
  if (!answer) return void response.status(204).end();
  response.status(200).type('x-application/hl7-v2+er7').send(answer);
}

async function fhir(request: Request, response: Response, parts: HttpParts): Promise<void> {
  const query = queryOf(request);
  const head = { method: request.method, path: pathOf(request), query, header: (name: string) => request.get(name) };
  const raw = givesContent(head);
  const format = formatAsked(request);
  if (!format && !raw)
    throw new Failure('not-acceptable', 'this server answers in application/fhir+json and application/fhir+xml');
  const answer = await dispatch({ ...head, body: bodyOf(request, head) }, parts);
  send(response, raw ? unwrapped(answer) : answer, format ?? 'json', query.get('_pretty') === 'true');
}

// Cut by hand: `new URL` takes `//host` for a host and throws at `//[`.
function queryOf({ url }: Request): URLSearchParams {
  return new URLSearchParams(url.replace(/^[^?]*/, ''));
}

function formatAsked(request: Request): Format | undefined {
  return formatOf(request.get('accept'), queryOf(request).get('_format'));
}

function pathOf({ url }: Request): string[] {
  try {
    return url
      .replace(/\?.*$/s, '')
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
  } catch {
    throw new Failure('malformed', 'the URL is not well-formed');
  }
}

function bodyOf(request: Request, head: Omit<FhirRequest, 'body'>): unknown {
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (takesContent(head)) return wrapped(bytes, head);
  return bytes.length === 0 ? undefined : parseBody(bytes, request.get('content-type'));
}

function send(response: Response, answer: FhirResponse, format: Format, pretty: boolean): void {
  const { status, body, contentType, securityContext, etag, lastModified, location } = answer;
  const content = body === undefined || body instanceof Uint8Array ? body : formatBody(body, format, pretty);
  response.status(status);
  if (etag) response.setHeader('ETag', etag);
  if (lastModified !== undefined) response.setHeader('Last-Modified', new Date(lastModified).toUTCString());
  if (location) response.setHeader('Location', location);
  if (securityContext) response.setHeader('X-Security-Context', securityContext);
  response.setHeader('Cache-Control', 'no-store');
  if (content === undefined) {
    response.end();
    return;
  }
  // What a client stored is never run by a browser that shows it.
  if (contentType) response.setHeader('Content-Disposition', 'attachment');
  response.setHeader('Content-Type', contentType ?? mediaType[format]);
  response.setHeader('Content-Length', Buffer.byteLength(content));
  response.end(content);
}
