/**
 * The gate before fast-xml-parser, which reads loosely and sets no bound on what a text may cost. One pass over the text,
 * linear in its length: what comes through is well-formed XML 1.0 without DTD, and cheap. See docs/decisions/0011-xml.md.
 */
import { Failure } from '../../outcome.ts';
import { decode, isLegal } from './characters.ts';

/** As for JSON: deeper than any R4 resource needs. */
export const depthMax = 100;
/** Elements and attributes. Each costs about 250 bytes while it is read; a transaction of 5,000 entries has some 600,000. */
const partsMax = 1_500_000;
/** No element of FHIR or XHTML has a fifth of these. */
const attributesMax = 100;
/** Different names of elements and attributes; R4 has some 4,000. The library makes a shape of object for each. */
const namesMax = 10_000;
const instructionLengthMax = 1_000;
/** The longest string of R4 (datatypes.html#string). The library puts text together one character at a time. */
const textLengthMax = 1_048_576;

// Every name of FHIR and XHTML is ASCII. Counted repeats, so that no text makes a match long.
const name = String.raw`[A-Za-z_][\w.-]{0,99}(?::[A-Za-z_][\w.-]{0,99})?`;
const space = String.raw`[ \t\n]{0,200}`;
const opening = new RegExp(`<(/?)(${name})`, 'y');
const attribute = new RegExp(`[ \\t\\n]${space}(${name})${space}=${space}(["'])`, 'y');
const closing = new RegExp(`${space}(/?)>`, 'y');
/** ` version="1.0"` */
const said = (property: string, value: string) =>
  `[ \\t\\n]${space}${property}${space}=${space}(?:"${value}"|'${value}')`;
const version = said('version', String.raw`1\.\d`);
const encoding = said('encoding', String.raw`[A-Za-z][\w.-]*`);
const standalone = said('standalone', '(?:yes|no)');
const declaration = new RegExp(String.raw`^<\?xml${version}(?:${encoding})?(?:${standalone})?${space}\?>$`);
const instruction = /^<\?(?!xml[ \t\n?])[A-Za-z_][\w.-]*(?:[ \t\n].*)?\?>$/is;
const blank = /^[ \t\n]*$/;

/** Where the pass is. */
interface Cursor {
  readonly text: string;
  at: number;
  /** Names of the open elements. */
  readonly open: string[];
  readonly names: Set<string>;
  parts: number;
  /** Of the text since the last tag. */
  textLength: number;
}

/**
 * @param text with LF as the only line ending (XML 1.0 section 2.11)
 * @throws Failure `malformed` with line and column, `too-large` for more than we read
 */
export function assertWellFormed(text: string): void {
  if (!isLegal(text)) throw new Failure('malformed', 'a character that XML does not allow');
  const cursor: Cursor = { text, at: 0, open: [], names: new Set(), parts: 0, textLength: 0 };
  while (cursor.at < text.length) {
    if (text[cursor.at] !== '<') passText(cursor);
    else if (text.startsWith('<!--', cursor.at)) passComment(cursor);
    else if (text.startsWith('<![CDATA[', cursor.at)) passCharacters(cursor);
    else if (text.startsWith('<?', cursor.at)) passInstruction(cursor);
    else if (text.startsWith('<!', cursor.at))
      throw new Failure('malformed', 'a document type or entity declaration is not allowed');
    else passTag(cursor);
  }
  if (cursor.open.length > 0 || cursor.parts === 0) throw notWellFormed(cursor);
}

function passText(cursor: Cursor): void {
  const next = cursor.text.indexOf('<', cursor.at);
  const end = next < 0 ? cursor.text.length : next;
  cursor.textLength += end - cursor.at;
  if (cursor.textLength > textLengthMax) throw tooMuch(`text of more than ${textLengthMax} characters`);
  const run = cursor.text.slice(cursor.at, end);
  if (!blank.test(run) && (cursor.open.length === 0 || run.includes(']]>') || decode(run) === undefined))
    throw notWellFormed(cursor);
  cursor.at = end;
}

function passComment(cursor: Cursor): void {
  const end = cursor.text.indexOf('--', cursor.at + 4);
  if (end < 0 || cursor.text[end + 2] !== '>') throw notWellFormed(cursor);
  cursor.at = end + 3;
}

function passCharacters(cursor: Cursor): void {
  const end = cursor.text.indexOf(']]>', cursor.at);
  if (end < 0 || cursor.open.length === 0) throw notWellFormed(cursor);
  cursor.at = end + 3;
}

function passInstruction(cursor: Cursor): void {
  const end = cursor.text.indexOf('?>', cursor.at + 2);
  if (end < 0) throw notWellFormed(cursor);
  if (end - cursor.at > instructionLengthMax)
    throw tooMuch(`a processing instruction of more than ${instructionLengthMax} characters`);
  const whole = cursor.text.slice(cursor.at, end + 2);
  if (!instruction.test(whole) && !(cursor.at === 0 && declaration.test(whole))) throw notWellFormed(cursor);
  cursor.at = end + 2;
}

function passTag(cursor: Cursor): void {
  const [, slash, tag] = match(opening, cursor) ?? [];
  if (!tag) throw notWellFormed(cursor);
  if (!slash) passAttributes(cursor);
  const [end, empty] = match(closing, cursor) ?? [];
  if (!end || (slash && empty)) throw notWellFormed(cursor);
  cursor.textLength = 0;
  if (slash) {
    if (cursor.open.pop() !== tag) throw notWellFormed(cursor);
    return;
  }
  count(cursor, tag);
  if (cursor.open.length === depthMax)
    throw new Failure('malformed', `the body is nested deeper than ${depthMax} levels`);
  if (!empty) cursor.open.push(tag);
}

function passAttributes(cursor: Cursor): void {
  const names: string[] = [];
  for (let found = match(attribute, cursor); found; found = match(attribute, cursor)) {
    const [, attributeName, quote] = found as unknown as [string, string, string];
    const end = cursor.text.indexOf(quote, cursor.at);
    const value = cursor.text.slice(cursor.at, end);
    if (end < 0 || value.includes('<') || decode(value) === undefined || names.includes(attributeName))
      throw notWellFormed(cursor);
    if (names.push(attributeName) > attributesMax)
      throw tooMuch(`an element with more than ${attributesMax} attributes`);
    count(cursor, attributeName);
    cursor.at = end + 1;
  }
}

function count(cursor: Cursor, partName: string): void {
  if (++cursor.parts > partsMax) throw tooMuch(`more than ${partsMax} XML elements and attributes`);
  if (cursor.names.add(partName).size > namesMax) throw tooMuch(`more than ${namesMax} different XML names`);
}

/** Matches where the cursor is and moves it behind the match. */
function match(pattern: RegExp, cursor: Cursor): RegExpExecArray | undefined {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text);
  if (found) cursor.at = pattern.lastIndex;
  return found ?? undefined;
}

function tooMuch(what: string): Failure {
  return new Failure('too-large', `the body has ${what}`);
}

function notWellFormed({ text, at }: Cursor): Failure {
  let line = 1;
  let start = 0;
  for (let next = text.indexOf('\n'); next >= 0 && next < at; next = text.indexOf('\n', start)) {
    line++;
    start = next + 1;
  }
  return new Failure('malformed', `the body is not well-formed XML: line ${line}, column ${at - start + 1}`);
}
