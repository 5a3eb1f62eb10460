/** Units of measure: what OBX-6 and CQ.2 say ─▶ the unit of a Quantity, in UCUM where that is sure. */
import { ucum } from '../fhir/search/ucum.ts';
import { leaf, type MappingContext, partOf } from './context.ts';
import { codePattern, codeSystemOf } from './systems.ts';

/** What a unit gives to a Quantity beside its value. */
export interface Unit {
  readonly unit?: string;
  readonly system?: string;
  readonly code?: string;
}

/** Code, text and system of the three triplets of a CWE; components, from 1. */
const triplets: readonly [code: number, text: number, system: number][] = [
  [1, 2, 3],
  [4, 5, 6],
  [10, 11, 12],
];

/** Upper case of old senders is looked up in small letters; shorter ones (G/L) mean different things. Characters. */
const capitalsMin = 4;

/**
 * @param raw a CWE text, as in OBX-6; `level` is its level (1 field, 2 component)
 * @returns the unit as it was written, with its UCUM code when the sender names UCUM or `UnitOfMeasure` knows the
 * unit; otherwise with the sender's own system and code; undefined for an empty text
 */
export function unitOf(raw: string, level: number, context: MappingContext): Unit | undefined {
  if (raw === '') return undefined;
  const part = (n: number): string => {
    const text = partOf(raw, level, n, context.delimiters);
    return text === '' || text === '""' ? '' : leaf(text, level + 1, context.delimiters);
  };
  const all = triplets.map(([c, t, s]) => ({ code: part(c), text: part(t), name: part(s) }));
  const [first, second] = all as [Triplet, Triplet];
  if (isCut(first) && second.code === '') {
    const whole = `${first.code}^${first.text}`;
    const code = knownUnit(whole, context);
    if (code) return { unit: whole, system: ucum, code };
    if (powerPattern.test(first.text)) return { unit: whole };
  }
  const written = all.find((it) => it.text || it.code);
  const unit = written?.text || written?.code || part(9);
  if (!unit) return undefined;
  for (const { code, text, name } of all) {
    const found = ucumOf(code, name, context) ?? (code === '' || name === '' ? knownUnit(text, context) : undefined);
    if (found) return { unit, system: ucum, code: found };
  }
  const own = all.find((it) => it.name && codePattern.test(it.code));
  const system = own && codeSystemOf(own.name, own.code, context);
  // A code that UCUM does not have is none of its codes, whatever the sender says.
  return system !== undefined && system !== ucum ? { unit, system, code: own?.code as string } : { unit };
}

/** One of the three of a CWE: its code, text and coding system. */
interface Triplet {
  readonly code: string;
  readonly text: string;
  readonly name: string;
}

/** What stands behind the `^` of `10^9/L` and `kg/m^2`. */
const powerPattern = /^-?\d\d?(\/\S*)?$/;

/** Two parts and no coding system: of a sender who escapes nothing, they may be one unit. */
function isCut({ code, text, name }: Triplet): boolean {
  return code !== '' && text !== '' && name === '';
}

/** The UCUM code of a coded unit. */
function ucumOf(code: string, name: string, context: MappingContext): string | undefined {
  if (!codePattern.test(code)) return undefined;
  const listed = knownUnit(code, context);
  return listed ?? (name !== '' && codeSystemOf(name, code, context) === ucum ? code : undefined);
}

/** The UCUM code of what people write for a unit, as `UnitOfMeasure` lists it. */
export function knownUnit(text: string, { tables }: MappingContext): string | undefined {
  const table = tables.get('UnitOfMeasure');
  if (!table || text === '') return undefined;
  return (
    table.translate(text)?.code ?? (text.length < capitalsMin ? undefined : table.translate(text.toLowerCase())?.code)
  );
}

const timeUnits = new Set(['s', 'min', 'h', 'd', 'wk', 'mo', 'a']);

/** A unit of time as R4 has it (units-of-time); undefined for what is none. */
export function timeUnitOf(text: string, context: MappingContext): string | undefined {
  const listed = context.tables.get('TimeUnits')?.translate(text)?.code;
  if (listed) return listed;
  // Months of a TQ (HL7 v2.5.1 2.A.81.3); no length of an appointment, so not in that table.
  const code = text === 'L' ? 'mo' : knownUnit(text, context);
  return code !== undefined && timeUnits.has(code) ? code : undefined;
}
