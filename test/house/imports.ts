/** Which file may import which: section 2 of the design as a table, and a pure function that applies it. */
import { posix } from 'node:path';

/** The floors of the house, from the ground up. */
const floors: Record<string, readonly string[]> = {
  ground: ['src/clock.ts', 'src/ids.ts', 'src/outcome.ts', 'src/observe.ts'],
  pure: ['src/hl7v2/', 'src/mapping/', 'src/fhir/'],
  core: ['src/commit/', 'src/journal/', 'src/store/', 'src/queue/'],
  stages: ['src/ingest/', 'src/care/', 'src/subscriptions/', 'src/indexing/', 'src/outbound/'],
  edges: ['src/rest/', 'src/cli/', 'src/admin/', 'src/reporting/', 'src/access/', 'src/console/'],
  adapters: ['adapters/'],
  // Reading the configuration and the profiles folder is wiring that knows no stage and no edge.
  reading: ['src/config.ts', 'src/listeners.ts', 'src/profiles.ts'],
  wiring: ['src/app.ts', 'src/main.ts', 'src/mllp.ts'],
};

const below: Record<string, readonly string[]> = {
  ground: [],
  pure: ['pure', 'ground'],
  core: ['core', 'pure', 'ground'],
  stages: ['core', 'pure', 'ground'],
  edges: ['stages', 'core', 'pure', 'ground'],
  adapters: [],
  reading: ['reading', 'core', 'pure', 'ground'],
  wiring: ['wiring', 'reading', 'adapters', 'edges', 'stages', 'core', 'pure', 'ground'],
};

/** Floors whose rooms know nothing of one another. */
const apart = ['stages', 'edges', 'adapters'];

/** The seam of each adapter: from there it may import types. */
const seams: Record<string, readonly string[]> = {
  'adapters/mllp/': ['src/journal/receive.ts'],
  'adapters/sqlite/': ['src/store/', 'src/fhir/', 'src/outcome.ts'],
  'adapters/postgres/': ['src/store/', 'src/fhir/', 'src/outcome.ts'],
  'adapters/fhir-server/': ['src/store/', 'src/fhir/'],
  'adapters/bullmq/': ['src/queue/queue.ts'],
  'adapters/rest-hook/': ['src/subscriptions/channel.ts'],
  'adapters/hl7-client/': ['src/outbound/line.ts'],
  'adapters/websocket/': ['src/subscriptions/channel.ts'],
  'adapters/email/': ['src/subscriptions/channel.ts'],
};

/** Everything that the table above forbids and that is allowed all the same: from, to, and why. */
const exceptions: readonly { from: string; to: string; why: string }[] = [
  ...['adapters/sqlite/', 'adapters/postgres/'].flatMap((from) => [
    { from, to: 'src/store/', why: 'values: the search compiler makes the SQL, and LostClaim is thrown by databases' },
    { from, to: 'src/fhir/', why: 'values: the list of resource types numbers the resources' },
    { from, to: 'src/outcome.ts', why: 'values: a search that takes too long is a failure that the client can act on' },
  ]),
  { from: 'adapters/hl7-client/', to: 'adapters/mllp/', why: 'an answer comes in the frame of MLLP too' },
  {
    from: 'src/cli/',
    to: 'adapters/mllp/',
    why: 'files hold MLLP frames, and `send` is a client: the framer and the sender are not a server part',
  },
];

export interface Import {
  readonly specifier: string;
  /** `import type`: nothing is left of it at run time. */
  readonly typeOnly: boolean;
}

/** The imports of a file: static, re-exports, side effects, and dynamic ones with a literal name. */
export function importsOf(text: string): Import[] {
  const found: Import[] = [];
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  for (const [, type, specifier] of code.matchAll(
    /^[ \t]*(?:import|export)\b(?:([ \t]+type\b(?!\s*(?:,|from)))?[^'"`;()=]*?\bfrom)?\s*['"]([^'"]+)['"]/gm,
  ))
    found.push({ specifier: specifier as string, typeOnly: type !== undefined });
  for (const [, specifier] of code.matchAll(/\bimport\s*\(\s*['"`]([^'"`]+)['"`]/g))
    found.push({ specifier: specifier as string, typeOnly: false });
  return found;
}

function floorOf(path: string): string | undefined {
  return Object.keys(floors).find((floor) => floors[floor]?.some((prefix) => within(path, prefix)));
}

function within(path: string, prefix: string): boolean {
  return prefix.endsWith('/') ? path.startsWith(prefix) : path === prefix;
}

/** The folder that a file belongs to: `src/care/`, `adapters/mllp/`; the file itself where there is none. */
function roomOf(path: string): string {
  const parts = path.split('/');
  return parts.length > 2 ? `${parts[0]}/${parts[1]}/` : path;
}

function isException(from: string, to: string): boolean {
  return exceptions.some((it) => within(from, it.from) && within(to, it.to));
}

function fault(from: string, to: string, typeOnly: boolean): string | undefined {
  const [lower, upper] = [floorOf(to), floorOf(from) as string];
  if (roomOf(from) === roomOf(to) || isException(from, to)) return undefined;
  if (!lower) return 'is in no room of the house';
  if (upper === 'adapters' && lower !== 'adapters') {
    if (!seams[roomOf(from)]?.some((seam) => within(to, seam))) return 'is not the seam of this adapter';
    return typeOnly ? undefined : 'is imported as a value, an adapter takes types only';
  }
  if (lower === upper && apart.includes(upper)) return `is another room of the ${upper}`;
  return below[upper]?.includes(lower) ? undefined : `is ${lower}, not below ${upper}`;
}

/** Every arrow that points up or across: `from ─▶ to: why not`. */
export function violations(files: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const [path, text] of files) {
    const floor = floorOf(path);
    if (!floor) {
      found.push(`${path} is in no room of the house`);
      continue;
    }
    if (floor === 'adapters' && !(roomOf(path) in seams)) {
      found.push(`${path} is of an adapter without a seam`);
      continue;
    }
    for (const { specifier, typeOnly } of importsOf(text)) {
      if (!specifier.startsWith('.')) continue;
      const to = posix.join(posix.dirname(path), specifier);
      const reason = fault(path, to, typeOnly);
      if (reason) found.push(`${path} ─▶ ${to} ${reason}`);
    }
  }
  return found;
}

/** Exceptions that nothing needs any more. */
export function idleExceptions(files: ReadonlyMap<string, string>): string[] {
  const arrows = [...files].flatMap(([path, text]) =>
    importsOf(text)
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => [path, posix.join(posix.dirname(path), specifier)] as const),
  );
  return exceptions
    .filter((it) => !arrows.some(([from, to]) => within(from, it.from) && within(to, it.to)))
    .map(({ from, to }) => `${from} ─▶ ${to}`);
}
