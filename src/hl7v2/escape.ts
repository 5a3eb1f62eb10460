/** Escape sequences of HL7 v2.5.1 chapter 2, 2.7: undone when a value is read, made when one is written. */
import { isUtf8 } from 'node:buffer';
import type { Delimiters } from './message.ts';

/**
 * Undoes `\F\ \S\ \T\ \R\ \E\ \P\ \Xhh…\ \H\ \N\` and the commands of formatted text. What nobody knows stays as it was sent, so
 * that nothing is lost.
 */
export function unescapeText(text: string, delimiters: Delimiters): string {
  const mark = delimiters.escape;
  if (!text.includes(mark)) return text;
  let out = '';
  let at = 0;
  for (;;) {
    const from = text.indexOf(mark, at);
    const to = from < 0 ? -1 : text.indexOf(mark, from + 1);
    if (to < 0) return out + text.slice(at);
    const replaced = sequence(text.slice(from + 1, to), delimiters);
    if (replaced === undefined) {
      // Not a sequence: the second mark may open a real one.
      out += text.slice(at, to);
      at = to;
    } else {
      out += text.slice(at, from) + replaced;
      at = to + 1;
    }
  }
}

function sequence(body: string, delimiters: Delimiters): string | undefined {
  switch (body) {
    case 'F':
      return delimiters.field;
    case 'S':
      return delimiters.component;
    case 'T':
      return delimiters.subcomponent;
    case 'R':
      return delimiters.repetition;
    case 'E':
      return delimiters.escape;
    case 'P':
      return delimiters.truncation;
    case '.br':
      return '\n';
    case 'H':
    case 'N':
      return '';
  }
  if (body.startsWith('.')) return formatted(body);
  if (!/^X(?:[0-9A-Fa-f]{2})+$/.test(body)) return undefined;
  const bytes = Buffer.from(body.slice(1), 'hex');
  if (!bytes.every((byte) => byte >= 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09)) return undefined;
  // In which character set the bytes are, nobody says. UTF-8 shows itself; everything else stays as it was sent.
  return isUtf8(bytes) ? bytes.toString('utf8').replace(/\r\n?/g, '\n') : undefined;
}

/** Commands of formatted text (FT, 2.7.6): what they do to lines and blanks stays, how they indent and wrap does not. */
function formatted(body: string): string | undefined {
  // More than two digits are no layout of a page; they would make a text of any length out of a few letters.
  const [, command, sign, digits] = /^\.(sp|ce|sk|in|ti|fi|nf)([+-]?)(\d{0,2})$/.exec(body) ?? [];
  const count = digits ? Number(digits) : 1;
  switch (command) {
    case 'sp':
      return sign === '-' ? undefined : '\n'.repeat(count);
    case 'sk':
      return sign === '-' ? undefined : ' '.repeat(count);
    case 'ce':
      return '\n';
    case 'in':
    case 'ti':
    case 'fi':
    case 'nf':
      return '';
  }
  return undefined;
}

/** Makes a text safe as one subcomponent: delimiters escaped, line ends as `\.br\`. */
export function escapeText(text: string, delimiters: Delimiters): string {
  const { field, component, subcomponent, repetition, escape: mark } = delimiters;
  let out = '';
  for (const char of text) {
    if (char === mark) out += `${mark}E${mark}`;
    else if (char === field) out += `${mark}F${mark}`;
    else if (char === component) out += `${mark}S${mark}`;
    else if (char === subcomponent) out += `${mark}T${mark}`;
    else if (char === repetition) out += `${mark}R${mark}`;
    else if (char === '\n') out += `${mark}.br${mark}`;
    else if (char >= ' ') out += char;
  }
  return out;
}
