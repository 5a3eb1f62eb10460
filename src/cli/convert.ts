/** A message of a file ─▶ FHIR resources, without a server: what `map`, `mapping diff` and `mapping coverage` have in common. */
import type { Json } from '../fhir/types.ts';
import type { Zone } from '../fhir/zone.ts';
import { type Charset, charsetOf, decode } from '../hl7v2/charset.ts';
import { eventTimes } from '../hl7v2/event-time.ts';
import { type Message, parse } from '../hl7v2/message.ts';
import { describe } from '../hl7v2/problem.ts';
import { Mapping } from '../mapping/map.ts';
import { type MappingFiles, readMappings } from '../mapping/read.ts';
import type { MessageFile } from './files.ts';

/** `1 message`, `2 messages`. */
export function counted(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}

/** What the environment says, of all that a server would ask for. */
export interface Setting {
  readonly zone: Zone;
  /** The character set when MSH-18 is empty and the site names none. */
  readonly charsetDefault: Charset;
  /** `SITE`, when no option names one. */
  readonly site: string | undefined;
  /** The folder of the mapping files. */
  readonly mappings: string;
  /** Gives the questionnaires whose answers come in results. */
  readonly questionnaires?: () => readonly Json[];
}

/** The mapping of a site, ready to read messages with. */
export interface Reader {
  readonly files: MappingFiles;
  readonly mapping: Mapping;
  readonly charset: Charset;
  readonly zone: Zone;
}

/** A message that can be mapped, or why it cannot; `ignored`: the site says that it need not. */
export type Sound =
  | { readonly message: Message; readonly refused?: undefined }
  | { readonly message: Message | undefined; readonly refused: string; readonly ignored: boolean };

/** @throws MappingError with file and line */
export function readerOf(site: string | undefined, setting: Setting): Reader {
  const { zone, charsetDefault, mappings, questionnaires = () => [] } = setting;
  const files = { ...readMappings(mappings, site), questionnaires: questionnaires() };
  const named = files.settings.charset && charsetOf(files.settings.charset);
  return { files, mapping: new Mapping(files), charset: named || charsetDefault, zone };
}

/** Decodes, parses and checks. What it says names fields and sets, never content. */
export function soundMessage({ bytes }: Pick<MessageFile, 'bytes'>, { mapping, charset, files }: Reader): Sound {
  const decoded = decode(bytes, charset);
  if ('error' in decoded) return { message: undefined, refused: `MSH-18: ${decoded.error}`, ignored: false };
  const message = parse(decoded.text);
  if (!message) return { message, refused: 'the message does not begin with a sound MSH segment', ignored: false };
  const problems = mapping.check(message);
  if (problems.length === 0) return { message };
  const other = problems.every(({ code }) => code === '200' || code === '201');
  const ignored = other && files.settings.otherEvents === 'ignore';
  return { message, refused: problems.map(describe).join('; '), ignored };
}

/**
 * When the message counts as received: when it was sent (MSH-7, else EVN-2, EVN-6, ZBE-2), so that the same bytes always give
 * the same resources. 1970 for one that names no time.
 *
 * @returns ms since 1970 UTC
 */
export function receivedAt(message: Message, zone: Zone): number {
  return eventTimes(message, (local) => zone.offsetOf(local)).sent ?? 0;
}
