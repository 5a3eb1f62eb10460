/** `Narrative.div`, the one element that is not FHIR but XHTML. JSON holds it as text. R4 narrative.html, json.html#xhtml. */
import { Failure } from '../../outcome.ts';
import { elementOf, readDocument, type XmlElement } from './document.ts';
import { failAt, type Place, xhtmlNamespace } from './place.ts';

/**
 * The text of a `div` of the XHTML namespace. It stands on its own: without a prefix, with its own `xmlns`.
 * @param text what `div` has its positions in
 * @throws Failure `malformed` when other namespaces are in it
 */
export function narrativeOf(text: string, div: XmlElement, place: Place): string {
  const prefix = div.name.slice(0, -'div'.length);
  const own = div.attributes.xmlns;
  if ((own !== undefined && own !== xhtmlNamespace) || !isPlain(div, prefix))
    failAt('malformed', 'a narrative must be all XHTML', place);
  const cut = text.slice(div.start, div.end);
  const plain = prefix ? cut.replaceAll(`<${prefix}`, '<').replaceAll(`</${prefix}`, '</') : cut;
  return own === undefined ? withNamespace(plain) : plain;
}

/**
 * The text of a `div` of JSON, as it may stand in XML. What is not well-formed would spoil the document around it.
 * @throws Failure `not-acceptable`
 */
export function narrativeXml(json: unknown, place: Place): string {
  const narrative = typeof json === 'string' ? readNarrative(json.trim()) : undefined;
  return narrative ?? failAt('not-acceptable', 'the narrative is not an XHTML div, so it has no XML form', place);
}

function readNarrative(json: string): string | undefined {
  try {
    const { root, text } = readDocument(json);
    const { xmlns } = root.attributes;
    const whole = root.start === 0 && root.end === text.length;
    if (!whole || root.name !== 'div' || !isPlain(root, '')) return undefined;
    if (xmlns === undefined) return withNamespace(text);
    return xmlns === xhtmlNamespace ? text : undefined;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** All names with this prefix. Another one may hang on a declaration that is outside of the text. */
function isPlain(element: XmlElement, prefix: string): boolean {
  if (!element.name.startsWith(prefix) || element.name.includes(':', prefix.length)) return false;
  for (const name in element.attributes) if (name.includes(':') && !/^xml(ns)?:/.test(name)) return false;
  return element.children.every((node) => {
    const child = elementOf(node);
    return !child || isPlain(child, prefix);
  });
}

function withNamespace(div: string): string {
  return `<div xmlns="${xhtmlNamespace}"${div.slice('<div'.length)}`;
}
