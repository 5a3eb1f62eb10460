/** Characters and references of XML 1.0. Nothing but the five named references and numbers: there is no DTD to name others. */

/** What XML 1.0 cannot hold (2.2 Char), not even as a reference: most controls, half a surrogate pair, U+FFFE, U+FFFF. */
const illegal = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;
/** What does not stand for itself in an attribute: markup, and white space that a reader would make a blank. */
const marked = /[<>&"\t\n\r]/;
const markedAll = new RegExp(marked, 'g');

const encoded: Record<string, string> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};
const named = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** True when XML can hold every character of the text. */
export function isLegal(text: string): boolean {
  return !illegal.test(text);
}

/** A legal text as it stands between the double quotes of an attribute. */
export function encodeAttribute(text: string): string {
  return marked.test(text) ? text.replace(markedAll, (character) => encoded[character] as string) : text;
}

/** The text with its references resolved; undefined when one of them is not XML. XML 1.0 section 4.1. */
export function decode(raw: string): string | undefined {
  if (!raw.includes('&')) return raw;
  // A list: `replace` with a function needs a hundred bytes for each reference.
  const parts: string[] = [];
  let from = 0;
  for (let at = raw.indexOf('&'); at >= 0; at = raw.indexOf('&', from)) {
    const end = raw.indexOf(';', at);
    const character = end < 0 ? undefined : resolve(raw.slice(at + 1, end));
    if (!character) return undefined;
    parts.push(raw.slice(from, at), character);
    from = end + 1;
  }
  return parts.join('') + raw.slice(from);
}

/** As {@link decode}; white space that is written as such becomes a blank. XML 1.0 section 3.3.3. */
export function decodeAttribute(raw: string): string | undefined {
  return decode(/[\t\n\r]/.test(raw) ? raw.replace(/[\t\n\r]/g, ' ') : raw);
}

function resolve(name: string): string | undefined {
  const [, hex, digits] = /^#(?:x([\dA-Fa-f]+)|(\d+))$/.exec(name) ?? [];
  if (!hex && !digits) return named.get(name);
  const code = hex ? Number.parseInt(hex, 16) : Number(digits);
  if (code > 0x10ffff) return undefined;
  const character = String.fromCodePoint(code);
  return isLegal(character) ? character : undefined;
}
