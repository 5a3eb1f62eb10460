/** XML text ─▶ tree, by fast-xml-parser behind the gate of `wellformed.ts`. */
import { XMLParser } from 'fast-xml-parser';
import { Failure } from '../../outcome.ts';
import { assertWellFormed, depthMax } from './wellformed.ts';

/** An element of the tree. Attributes are raw: references are not resolved. `start` and `end` cut it out of the text. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlNode[];
  readonly start: number;
  readonly end: number;
}

/** A node as the library makes it: its name is its first key. {@link elementOf} reads it. */
export type XmlNode = Readonly<Record<string | symbol, unknown>>;

export interface XmlDocument {
  /** The text that positions refer to: without byte-order mark, lines end with LF. */
  readonly text: string;
  readonly root: XmlElement;
}

const textName = '#text';
// The types of the library say Symbol for symbol.
const position = XMLParser.getMetaDataSymbol() as symbol;
const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  textNodeName: textName,
  parseTagValue: false,
  trimValues: false,
  processEntities: false,
  captureMetaData: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  jPath: false,
  maxNestedTags: depthMax,
  // Indentation makes no nodes.
  tagValueProcessor: (_, text) => (/[^ \t\n]/.test(text) ? text : ''),
});

/**
 * Reads a text as XML without DTD.
 * @throws Failure `malformed` with line and column, `too-large` for more than we read
 */
export function readDocument(source: string): XmlDocument {
  const text = withLineFeeds(source.replace(/^\ufeff/, ''));
  assertWellFormed(text);
  const roots = nodesOf(text).map(elementOf);
  const [root] = roots;
  if (!root || roots.length > 1) throw new Failure('malformed', 'the body is not one XML element');
  return { text, root };
}

/** XML 1.0 section 2.11. By lists: a pattern needs 40 bytes for each line. */
function withLineFeeds(text: string): string {
  return text.includes('\r') ? text.split('\r\n').join('\n').split('\r').join('\n') : text;
}

function nodesOf(text: string): XmlNode[] {
  try {
    return parser.parse(text) as XmlNode[];
  } catch {
    // Names such as `constructor`, which the library refuses. Its messages quote the text, so they stay here.
    throw new Failure('malformed', 'the body cannot be read as XML');
  }
}

/** The element that a node is; undefined for text. */
export function elementOf(node: XmlNode): XmlElement | undefined {
  for (const name in node) {
    if (name === textName) return undefined;
    const { startIndex, endIndex } = node[position] as { startIndex: number; endIndex: number };
    return {
      name,
      attributes: (node[':@'] ?? {}) as Record<string, string>,
      children: node[name] as XmlNode[],
      start: startIndex,
      end: endIndex,
    };
  }
  return undefined;
}
