/** Converters of coded values (CWE, CE, ID): the codes that their table gives, those that were sent, and what is beside them. */
import { type Json, leaf, partOf } from './context.ts';
import { type Converter, type ConverterInput, ours, Unconverted } from './converters.ts';
import { languageConcept } from './language.ts';
import { codePattern, codeSystemOf, isV2Code } from './systems.ts';
import type { Table, TableTarget } from './tables.ts';
import { codedTexts } from './texts.ts';

/** One of the three code triplets of a CWE; the third has its system in CWE.12 and version in CWE.13 (v2.7). */
const triplets: readonly [code: number, text: number, system: number, version: number, oid: number][] = [
  [0, 1, 2, 6, 13],
  [3, 4, 5, 7, 16],
  [9, 10, 11, 12, 19],
];

/** Of a CWE (v2.9): more are not cut. */
const componentsMax = 22;

function codingsOf(parts: string[], input: ConverterInput): Json[] {
  const codings: Json[] = [];
  for (const [c, t, s, v, o] of triplets) {
    // The OID of the system (v2.7) counts where nothing names it.
    const [code = '', display = '', name = '', version = ''] = [parts[c], parts[t], parts[s] || parts[o], parts[v]];
    if (code === '') {
      // A text beside the original text of CWE.9 is that of a code that was not sent.
      if (display !== '' && parts[8]) codings.push({ display });
      continue;
    }
    const { table, context } = input;
    if (!codePattern.test(code)) {
      // FHIR has no such code (two blanks inside): what was sent stands beside the code that is not there.
      if (display === '' && name === '') continue;
      const own = codeSystemOf(name, code, context);
      codings.push({
        ...(own && { system: own }),
        ...(version && { version }),
        _code: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/originalText', valueString: code }] },
        ...(display && { display }),
      });
      continue;
    }
    const own = name === '' ? ownSystem(code, table) : codeSystemOf(name, code, context);
    const target = table?.translate(code, own);
    if (target && target.system !== own) codings.push({ ...target });
    codings.push({ ...(own && { system: own }), ...(version && { version }), code, ...(display && { display }) });
  }
  return codings;
}

/** Notes a code that its table does not list, so that somebody is asked; one of its triplets is enough to know it. */
function noteUnknown(parts: readonly string[], { table, context, segment, field }: ConverterInput): void {
  if (!table?.name) return;
  const [first] = triplets;
  const code = parts[first?.[0] ?? 0] ?? '';
  if (!codePattern.test(code) || code === '""') return;
  // What was answered is noted as well: when the answer changes, the message is applied again.
  const isKnown = (text: string): boolean => table.knows(text) && !table.answered?.(text);
  if (triplets.some(([c]) => parts[c] && isKnown(parts[c]))) return;
  const place = field.includes('-') ? field : `${segment.name} ${field}`;
  context.unknown.push({ table: table.name, code, system: parts[2] ?? '', display: parts[1] ?? '', field: place });
}

/** A code without a named system belongs to the table of its field, if that table lists it. */
function ownSystem(code: string, table: Table | undefined): string | undefined {
  if (!table?.source) return undefined;
  return isV2Code(table.source, code) ? table.source : undefined;
}

/** Guide 1.5: a coding for each triplet, the table's target before the sender's own; no code but text is `text`. */
function codeableConcept(raw: string, input: ConverterInput): Json | undefined {
  const parts = codedTexts(raw, input, componentsMax);
  noteUnknown(parts, input);
  return conceptOf(parts, input);
}

function conceptOf(parts: string[], input: ConverterInput): Json | undefined {
  const coding = codingsOf(parts, input);
  const spare = triplets
    .map(([c, t]) => (parts[c] && codePattern.test(parts[c]) ? '' : parts[t] || parts[c]))
    .find((it) => it);
  const text = parts[8] || spare;
  if (coding.length === 0 && !text) return undefined;
  return { ...(coding.length > 0 && { coding }), ...(text && { text }) };
}

/** What a single code has no place for: other triplets, and the original text. */
function saysMore(parts: readonly string[]): boolean {
  return [3, 4, 8, 9, 10].some((i) => parts[i]);
}

/**
 * A code of a required value set by its table; a code without a target survives as alternate-codes (guide 1.5), as does what was
 * sent beside one that has a target.
 */
function requiredCode(raw: string, input: ConverterInput): unknown {
  const parts = codedTexts(raw, input, componentsMax);
  const hit = triplets
    .map(([c, , s]) => translated(parts[c], parts[s], input)?.code)
    .find((code) => code !== undefined);
  if (hit !== undefined && !saysMore(parts)) return hit;
  const concept = hit === undefined ? codeableConcept(raw, input) : conceptOf(parts, { ...input, table: undefined });
  if (!concept) return undefined;
  return new Unconverted(
    { url: 'http://hl7.org/fhir/StructureDefinition/alternate-codes', valueCodeableConcept: concept },
    hit,
  );
}

function translated(code = '', system = '', { table, context }: ConverterInput): TableTarget | undefined {
  if (code === '') return undefined;
  return table?.translate(code, system ? codeSystemOf(system, code, context) : undefined);
}

function language(raw: string, input: ConverterInput): Json | undefined {
  const concept = codeableConcept(raw, input);
  return concept && languageConcept(concept);
}

function coding(raw: string, input: ConverterInput): Json | undefined {
  const concept = codeableConcept(raw, input);
  if (!concept) return undefined;
  const own = concept.coding?.[0] ?? { display: concept.text };
  if (!concept.coding || !saysMore(codedTexts(raw, input, componentsMax))) return own;
  return { ...own, extension: [{ url: `${ours}v2-coded-value`, valueCodeableConcept: concept }] };
}

/** Spread into the converters by name. */
export const codedConverters: Readonly<Record<string, Converter>> = {
  'CWE-code': { makes: ['code'], convert: requiredCode },
  'CWE-CodeableConcept': { makes: ['CodeableConcept'], convert: codeableConcept },
  'CWE-language': { makes: ['CodeableConcept'], convert: language },
  // HL7 v2.5.1 7.2.4: behind the & of OBX-3.1, the part of a report that an observation is.
  'CWE-suffix': {
    makes: ['string'],
    convert: (raw, { level, context: { delimiters } }) =>
      (level === 2 && leaf(partOf(raw, level, 2, delimiters), 3, delimiters).replace('""', '')) || undefined,
  },
  'CWE-Coding': { makes: ['Coding'], convert: coding },
};
