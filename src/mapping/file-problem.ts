/** Where something stands in a YAML file, and what ajv finds wrong with it, in one sentence. */
import type { ErrorObject } from 'ajv';
import { type Document, isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml';

/** Names and indexes from the root: `['rows', 3]`. */
export type FilePath = readonly (string | number)[];

/** The line (from 1) of a path: that of its key, or of its list entry; of the nearest part above where it is not there. */
export function lineOf(document: Document, lines: LineCounter, path: FilePath): number {
  let node: unknown = document.contents;
  let at = 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (!pair) break;
      at = (pair.key as Node).range?.[0] ?? at;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      if (!node) break;
      at = (node as Node).range?.[0] ?? at;
    } else break;
  }
  return lines.linePos(at).line;
}

/** A mistake of the shape, and the path of what it is about. */
export interface ShapeProblem {
  readonly path: FilePath;
  readonly text: string;
}

/** Keywords by how much they tell; those of alternatives only say that none fits. */
const telling = ['additionalProperties', 'pattern', 'enum', 'const', 'type', 'required', 'minLength', 'minItems'];

function rank({ keyword }: ErrorObject): number {
  const at = telling.indexOf(keyword);
  return at < 0 ? telling.length : at;
}

function depth({ instancePath }: ErrorObject): number {
  return instancePath.split('/').length;
}

/**
 * The one error of many that says most: where a value may have one of several shapes, that of the shape which fits furthest.
 *
 * @param errors as ajv gives them with `allErrors`; at least one
 */
export function shapeProblem(errors: readonly ErrorObject[]): ShapeProblem {
  const alone = errors.filter(({ keyword }) => keyword !== 'anyOf');
  const plain = alone.length > 0 ? alone : errors;
  const deepest = Math.max(...plain.map(depth));
  const candidates = plain.filter((it) => depth(it) === deepest).sort((a, b) => rank(a) - rank(b));
  const [first] = candidates as [ErrorObject];
  const same = candidates.filter((it) => it.instancePath === first.instancePath && it.keyword === first.keyword);
  const { instancePath, keyword, params } = first;
  const path = instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (keyword === 'additionalProperties') {
    const extra = params.additionalProperty as string;
    return { path: [...path, extra], text: `${instancePath || 'file'} ${first.message} '${extra}'` };
  }
  const allowed = keyword === 'enum' ? `: ${(params.allowedValues as unknown[]).join(', ')}` : '';
  const messages = [...new Set(same.map(({ message = '' }) => message))];
  return { path, text: `${instancePath || 'file'} ${messages.join(', or ')}${allowed}` };
}
