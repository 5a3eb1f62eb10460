/**
 * Invariants txt-1 and txt-2: the XHTML of a Narrative. R4 narrative.html: well-formed, one `div`, "only the basic html
 * formatting elements and attributes described in chapters 7-11 (except section 4 of chapter 9) and 15 of the HTML 4.0
 * standard, <a> elements (either name or href), images and internally contained style attributes", some content.
 */

const elements = new Set(
  (
    'a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 ' +
    'h6 hr i img kbd li map ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var'
  ).split(' '),
);

const anywhere = new Set(
  (
    'abbr accesskey align axis border char charoff class colspan dir headers id ID lang rowspan scope span style tabindex ' +
    'title valign width xml:lang'
  ).split(' '),
);

const somewhere = new Map(
  Object.entries({
    a: 'charset coords href hreflang name rel rev shape type',
    area: 'alt coords href nohref shape',
    blockquote: 'cite',
    div: 'xmlns',
    img: 'alt height ismap longdesc src usemap',
    map: 'name',
    pre: 'xml:space',
    q: 'cite',
    table: 'cellpadding cellspacing frame rules summary',
    td: 'nowrap',
  }).map(([element, names]) => [element, new Set(names.split(' '))]),
);

const startOfTag = /<(\/?)([A-Za-z][A-Za-z0-9]*)/y;
const attribute = /\s+([A-Za-z_:][\w:.-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const endOfTag = /\s*(\/?)>/y;
const entity = /&(?:[A-Za-z][A-Za-z0-9]*|#\d+|#x[0-9A-Fa-f]+);/y;
const active = /^\s*(?:javascript|vbscript):/i;

/** Whether a `div` is allowed (txt-1), and whether it says anything (txt-2). Linear in its length. */
export function readNarrative(div: unknown): { readonly allowed: boolean; readonly content: boolean } {
  return typeof div === 'string' ? new Reader(div.trim()).read() : { allowed: false, content: false };
}

/** Goes through the text once; each token is tried where the one before it ended. */
class Reader {
  readonly #text: string;
  #at = 0;
  /** The elements that are begun and not ended. */
  readonly #open: string[] = [];
  #hasContent = false;

  constructor(text: string) {
    this.#text = text;
  }

  read(): { allowed: boolean; content: boolean } {
    let allowed = this.#text.startsWith('<div');
    while (allowed && this.#at < this.#text.length)
      allowed = this.#token() && (this.#open.length > 0 || this.#at === this.#text.length);
    return { allowed: allowed && this.#open.length === 0, content: this.#hasContent };
  }

  #token(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    if (code === 0x3c) return this.#text.startsWith('<!--', this.#at) ? this.#comment() : this.#tag();
    if (code > 0x20) this.#hasContent = true;
    if (code === 0x26) return this.#next(entity) !== undefined;
    this.#at++;
    return true;
  }

  #next(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match ?? undefined;
  }

  #comment(): boolean {
    const end = this.#text.indexOf('-->', this.#at + 4);
    this.#at = end + 3;
    return end >= 0;
  }

  #tag(): boolean {
    const [, isEnd, name = ''] = this.#next(startOfTag) ?? [];
    if (isEnd) return this.#open.pop() === name && this.#next(endOfTag)?.[1] === '';
    if (!elements.has(name) || !this.#attributes(name)) return false;
    const end = this.#next(endOfTag);
    if (end?.[1] === '') this.#open.push(name);
    if (name === 'img') this.#hasContent = true;
    return end !== undefined;
  }

  #attributes(element: string): boolean {
    const own = somewhere.get(element);
    for (let it = this.#next(attribute); it; it = this.#next(attribute)) {
      const [, name = '', double, single] = it;
      if (!anywhere.has(name) && !own?.has(name)) return false;
      if (active.test(double ?? single ?? '')) return false;
    }
    return true;
  }
}
