/** Quantities in UCUM base units, so that 5.4 mg and 0.0054 g are found by each other (R4 search.html#quantity). */
import { UcumLhcUtils } from '@lhncbc/ucum-lhc';

export const ucum = 'http://unitsofmeasure.org';

/** A unit in base units. */
interface Canonical {
  readonly code: string;
  convert(value: number): number;
}

const known = new Map<string, Canonical | undefined>();
/** Units of clients are remembered, at most so many. */
const knownMax = 5000;

/**
 * @param code a UCUM code, `mg/dL`
 * @returns the value in base units with their code; undefined for what UCUM does not know, or no number can hold
 */
export function toBaseUnits(value: number, code: string): { value: number; code: string } | undefined {
  let canonical = known.get(code);
  if (canonical === undefined && !known.has(code)) {
    canonical = canonicalOf(code);
    if (known.size >= knownMax) known.clear();
    known.set(code, canonical);
  }
  const converted = canonical?.convert(value);
  return converted !== undefined && Number.isFinite(converted)
    ? { value: converted, code: (canonical as Canonical).code }
    : undefined;
}

/** Longer ones are made up to keep the library busy. Characters. */
const codeLengthMax = 50;

/**
 * UCUM is printable ASCII, with annotations in braces behind a unit. The library prints what it stumbles over, which is a
 * client's text: it gets none of that.
 */
const possible = /^(?!.*\(\))(?:[!-z|~]|\{[!-z|~]*\}(?=$|[./)]))+$/;

const units = new Map<string, boolean>();

/** True for a UCUM code, also for one that has no base units (`[iU]/mL`). At most 50 characters. */
export function isUnit(code: string): boolean {
  if (code.length > codeLengthMax || !possible.test(code)) return false;
  let valid = units.get(code);
  if (valid === undefined) {
    valid = UcumLhcUtils.getInstance().validateUnitString(code).status === 'valid';
    if (units.size >= knownMax) units.clear();
    units.set(code, valid);
  }
  return valid;
}

function canonicalOf(code: string): Canonical | undefined {
  if (code.length > codeLengthMax || !possible.test(code)) return undefined;
  const base = (value: number): { magnitude: number; code: string } | undefined => {
    const result = UcumLhcUtils.getInstance().convertToBaseUnits(code, value);
    if (result.status !== 'succeeded') return undefined;
    const exponents = Object.entries(result.unitToExp as Record<string, number>).sort();
    return { magnitude: result.magnitude, code: exponents.map(([unit, exponent]) => unit + exponent).join('.') || '1' };
  };
  const [none, one, two] = [base(0), base(1), base(2)];
  if (!none || !one || !two) return undefined;
  // Most units, also those with a zero of their own (Celsius), cost a multiplication from now on; logarithms ask each time.
  const factor = one.magnitude - none.magnitude;
  const isLinear = Math.abs((two.magnitude - one.magnitude) / factor - 1) < 1e-9;
  const convert = isLinear
    ? (value: number) => rounded(value * factor + none.magnitude)
    : (value: number) => rounded(base(value)?.magnitude ?? Number.NaN);
  return { code: one.code, convert };
}

/** 5.4 * 0.001 is 0.0054000000000000003: what was written with few digits is compared with as many. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}
