/** What a hospital answers. HL7 v2.5.1 2.9.2 and 2.15.5 (ERR), 2.14.8 (MSA). */
import { decode } from '../hl7v2/charset.ts';
import { type Message, parse } from '../hl7v2/message.ts';
import { errorCodes } from '../hl7v2/problem.ts';

/** An answer as far as it decides something. */
export interface Acknowledgement {
  /** MSA-1. */
  readonly code: string;
  /** MSA-2: MSH-10 of the message that it answers. */
  readonly controlId: string;
  /** `AE PID-3 required field missing (101)`: codes and places. What a hospital writes in words may quote the patient. */
  readonly text: string;
}

/** Errors of one answer that are shown. */
const errorsMax = 10;

const taken = ['AA', 'CA'];

export function isTaken({ code }: Acknowledgement): boolean {
  return taken.includes(code);
}

/** @returns undefined for what is no acknowledgement */
export function readAnswer(bytes: Uint8Array, charset: 'UTF-8' | 'GB18030'): Acknowledgement | undefined {
  const decoded = decode(bytes, charset === 'UTF-8' ? 'utf-8' : 'gb18030');
  // Codes and control ids are ASCII in every set: a wrong declaration does not hide them.
  const message = parse('text' in decoded ? decoded.text : Buffer.from(bytes).toString('latin1'));
  const msa = message?.first('MSA');
  if (!message || !msa) return undefined;
  const code = msa.text(1).toUpperCase();
  const shown = /^[A-Z]{2}$/.test(code) ? code : 'an answer without a code';
  return { code, controlId: msa.text(2), text: [shown, errorsOf(message)].filter((it) => it).join(' ') };
}

function errorsOf(message: Message): string {
  const all = message.segments.filter((it) => it.name === 'ERR').slice(0, errorsMax);
  return all
    .map((err) => {
      // Before v2.5 code and place stood in ERR-1, an ELD.
      const legacy = err.field(3) === '' && err.field(1) !== '';
      const code = legacy ? err.text(1, 4) : err.text(3);
      const [segment, , field, , component] = legacy
        ? [err.text(1), '', err.text(1, 3), '', '']
        : [1, 2, 3, 4, 5].map((n) => err.text(2, n));
      return described(plain(code), place(segment, field, component));
    })
    .filter((it) => it)
    .join('; ');
}

function described(code: string, place: string): string {
  const known = (errorCodes as Readonly<Record<string, string>>)[code]?.toLowerCase();
  return [place, known, code && `(${code})`].filter((it) => it).join(' ');
}

function place(segment = '', field = '', component = ''): string {
  if (!/^[A-Z][A-Z0-9]{2}$/.test(segment)) return '';
  const numbers = [field, component].filter((it) => /^\d{1,3}$/.test(it)).join('.');
  return numbers ? `${segment}-${numbers}` : segment;
}

/** A code of table 0357 or of the hospital's own; anything longer is no code. */
function plain(code: string): string {
  return /^[A-Za-z0-9_.-]{1,10}$/.test(code) ? code : '';
}
