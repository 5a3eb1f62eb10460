/** The HTTP edge: Express with the FHIR table, HL7 over HTTP, health and metrics. */
import { createServer, type Server } from 'node:http';
import express, { type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import { operationOutcome } from '../fhir/operation-outcome.ts';
import { assertShallow } from '../fhir/validate.ts';
import type { Receive } from '../journal/receive.ts';
import { Failure } from '../outcome.ts';
import type { FhirResponse, RestParts } from './fhir.ts';
import { dispatch } from './routes.ts';

export interface HttpParts extends RestParts {
  readonly bodyBytesMax: number;
  readonly receive: Receive;
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
  app.use((request, response, next) => {
    const begun = performance.now();
    response.once('finish', () => {
      const route = `/${request.path.split('/')[1] ?? ''}`;
      parts.served({ method: request.method, route, status: response.statusCode, ms: performance.now() - begun });
    });
    next();
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
  app.post('/hl7v2', body, (request, response) => hl7OverHttp(request, response, parts));
  app.use('/fhir', body, (request, response) => fhir(request, response, parts));
  app.use(() => {
    throw new Failure('not-found', 'there is nothing here: the FHIR base is /fhir');
  });
  app.use((error: unknown, _: Request, response: Response, __: NextFunction) => {
    const known = knownError(error, parts.bodyBytesMax);
    if (!(known instanceof Failure)) parts.failed(error);
    const { status, body } = operationOutcome(known);
    if (known instanceof Failure && known.allow.length > 0) response.setHeader('Allow', known.allow.join(', '));
    if (response.headersSent) response.destroy();
    else send(response, { status, body }, false);
  });
  return createServer({ requestTimeout: 60_000, headersTimeout: 20_000, keepAliveTimeout: 65_000 }, app);
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
  const ack = await receive(bytes, { listener: 'http', peer: request.socket.remoteAddress ?? '' });
  response.status(200).type('x-application/hl7-v2+er7').send(ack);
}

async function fhir(request: Request, response: Response, parts: HttpParts): Promise<void> {
  // Cut by hand: `new URL` takes `//host` for a host and throws at `//[`.
  const cut = request.url.indexOf('?');
  const pathname = cut < 0 ? request.url : request.url.slice(0, cut);
  const query = new URLSearchParams(cut < 0 ? '' : request.url.slice(cut + 1));
  assertAcceptable(request, query.get('_format'));
  const answer = await dispatch(
    {
      method: request.method,
      path: pathOf(pathname),
      query,
      header: (name) => request.get(name),
      body: bodyOf(request),
    },
    parts,
  );
  send(response, answer, query.get('_pretty') === 'true');
}

function pathOf(pathname: string): string[] {
  try {
    return pathname
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
  } catch {
    throw new Failure('malformed', 'the URL is not well-formed');
  }
}

const jsonTypes = ['json', 'application/json', 'application/fhir+json', 'text/json'];

/** R4 http.html#mime-type: `_format` wins over Accept. Parameters (`fhirVersion`, `charset`) ask for what we send anyway. */
function assertAcceptable(request: Request, format: string | null): void {
  const bare = (type: string): string => (type.split(';')[0] as string).trim().toLowerCase();
  const wanted = format ? [bare(format.replace(' ', '+'))] : (request.get('accept') ?? '*/*').split(',').map(bare);
  if (wanted.some((type) => jsonTypes.includes(type) || type === '*/*' || type === 'application/*')) return;
  throw new Failure('not-acceptable', 'this server answers in application/fhir+json');
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function bodyOf(request: Request): unknown {
  const bytes: unknown = request.body;
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) return undefined;
  const type = (request.get('content-type') ?? 'application/json').split(';')[0]?.trim().toLowerCase();
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new Failure('malformed', 'the body is not UTF-8');
  }
  if (type === 'application/x-www-form-urlencoded') return new URLSearchParams(text);
  if (type !== 'application/fhir+json' && type !== 'application/json')
    throw new Failure('unsupported-media-type', 'send application/fhir+json');
  assertShallow(text);
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure('malformed', 'the body is not JSON');
  }
}

function send(response: Response, { status, body, etag, lastModified, location }: FhirResponse, pretty: boolean): void {
  response.status(status);
  if (etag) response.setHeader('ETag', etag);
  if (lastModified !== undefined) response.setHeader('Last-Modified', new Date(lastModified).toUTCString());
  if (location) response.setHeader('Location', location);
  response.setHeader('Cache-Control', 'no-store');
  if (body === undefined) {
    response.end();
    return;
  }
  response.setHeader('Content-Type', 'application/fhir+json; charset=utf-8');
  const text = pretty
    ? JSON.stringify(typeof body === 'string' ? JSON.parse(body) : body, null, 2)
    : typeof body === 'string'
      ? body
      : JSON.stringify(body);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}
