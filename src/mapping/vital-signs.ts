/**
 * R4's vital signs profiles (observation-vitalsigns.html) hold for every Observation with one of their LOINC codes, whether it
 * claims them or not. What a message says otherwise than they allow is kept in an extension, and the value is absent with a
 * reason; nothing is guessed, least of all a unit.
 */
import { ucum } from '../fhir/search/ucum.ts';
import type { Built, Json, MappingContext } from './context.ts';
import { ours } from './converters.ts';
import { unknownElement } from './data-absent.ts';
import { knownUnit } from './unit.ts';

const loinc = 'http://loinc.org';
const bloodPressure = '85354-9';
const pressures = [
  { code: '8480-6', display: 'Systolic blood pressure' },
  { code: '8462-4', display: 'Diastolic blood pressure' },
] as const;

/** UCUM codes that the profile of a code allows; of those without a profile of their own any quantity will do. */
const unitsOf: Readonly<Record<string, readonly string[]>> = {
  '8867-4': ['/min'],
  '9279-1': ['/min'],
  '2708-6': ['%'],
  '59408-5': ['%'],
  '8310-5': ['Cel', '[degF]'],
  '8302-2': ['cm', '[in_i]'],
  '9843-4': ['cm', '[in_i]'],
  '29463-7': ['kg', 'g', '[lb_av]'],
  '39156-5': ['kg/m2'],
  '8480-6': ['mm[Hg]'],
  '8462-4': ['mm[Hg]'],
};
const profiled = new Set([...Object.keys(unitsOf), bloodPressure, '85353-1']);

/** Exact conversions to a unit that is allowed. */
const conversions: Readonly<Record<string, readonly [code: string, factor: number]>> = {
  m: ['cm', 100],
  mm: ['cm', 0.1],
  '[ft_i]': ['[in_i]', 12],
};

/** The LOINC code of a vital sign; undefined for all others. */
function vitalSignOf({ code }: Json): string | undefined {
  return code?.coding?.find((it: Json) => it.system === loinc && profiled.has(it.code))?.code;
}

/** Completes an Observation of a vital sign; leaves all others as they are. */
export function completeVitalSign(built: Built, context: MappingContext): void {
  const code = vitalSignOf(built.resource);
  if (code === undefined) return;
  completeTime(built);
  if (code === bloodPressure) completePanel(built, context);
  else if (unitsOf[code]) completeValue(built, unitsOf[code]);
}

/** vs-1, and an effective time at all: what is no day stands in an extension. */
function completeTime({ resource, initial }: Built): void {
  const time: unknown = resource.effectiveDateTime;
  if (resource.effectivePeriod || resource._effectiveDateTime) return;
  if (typeof time === 'string' && time.length >= 10) return;
  if (typeof time === 'string') {
    setAside(resource, 'v2-effective', { valueDateTime: time });
    delete resource.effectiveDateTime;
  } else initial.add('effectiveDateTime');
  resource._effectiveDateTime = unknownElement();
}

function setAside(resource: Json, name: string, value: Json): void {
  resource.extension = [...(resource.extension ?? []), { url: `${ours}${name}`, ...value }];
}

function absent(code: string): Json {
  return { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code }] };
}

/** The quantity in an allowed unit; undefined when it is none. Annotations (`{beats}/min`) say nothing of the unit. */
function allowed({ value, system, code, _value, ...rest }: Json, units: readonly string[]): Json | undefined {
  if (typeof value !== 'number' || system !== ucum || typeof code !== 'string') return undefined;
  const plain = code.replace(/\{[^}]*\}/g, '');
  if (units.includes(plain)) return { value, ...(_value && { _value }), ...rest, system, code: plain };
  const [to, factor] = conversions[plain] ?? ['', 1];
  if (!units.includes(to)) return undefined;
  return { value: Number((value * factor).toPrecision(12)), ...rest, unit: to, system, code: to };
}

function valueKey(resource: Json): string | undefined {
  return Object.keys(resource).find((key) => /^value[A-Z]/.test(key));
}

function completeValue({ resource, clear }: Built, units: readonly string[]): void {
  const key = valueKey(resource);
  if (key === undefined) {
    // A document or another value in an extension, or an array: there is no value and no reason yet (vs-2).
    if (!resource.component && !resource.dataAbsentReason) resource.dataAbsentReason = absent('unsupported');
    return;
  }
  const value = resource[key];
  const quantity = key === 'valueQuantity' ? allowed(value, units) : undefined;
  if (quantity && quantity.code === value.code) return;
  setAside(resource, 'v2-value', { [key]: value });
  if (quantity) {
    resource.valueQuantity = quantity;
    return;
  }
  delete resource[key];
  delete resource[`_${key}`];
  clear.add('valueQuantity');
  resource.dataAbsentReason = absent(isText(key, value) ? 'as-text' : 'unsupported');
}

function isText(key: string, value: Json): boolean {
  return (
    key === 'valueString' || key === 'valueCodeableConcept' || (key === 'valueQuantity' && value.value === undefined)
  );
}

/** Two numbers of one OBX-5: `128/82`, `^128^/^82`, `128~82`. */
function pairIn(resource: Json, context: MappingContext): (Json | undefined)[] {
  const { valueString, valueRatio, component } = resource;
  if (valueRatio) return [valueRatio.numerator, valueRatio.denominator];
  if (component?.length === 2) return component.map((it: Json) => it.valueQuantity);
  const [, high, low] = /^(\d{1,3}(?:\.\d+)?)\s*\/\s*(\d{1,3}(?:\.\d+)?)$/.exec(valueString ?? '') ?? [];
  if (high === undefined) return [];
  const units = (resource.extension ?? []).find((it: Json) => it.url === `${ours}v2-units`)?.valueCodeableConcept;
  const written: string = units?.coding?.[0]?.code ?? units?.text ?? '';
  const code = knownUnit(written, context);
  return [high, low].map((it) => ({ value: Number(it), unit: written, ...(code && { system: ucum, code }) }));
}

/** Systolic and diastolic pressures that the same message gives on their own, by code, patient and time. */
const singles = new WeakMap<MappingContext, Map<string, Json | undefined>>();

function singleOf(code: string, { subject, effectiveDateTime }: Json, context: MappingContext): Json | undefined {
  let all = singles.get(context);
  if (!all) {
    all = new Map();
    for (const { resource } of context.built) {
      if (resource.resourceType !== 'Observation' || !resource.valueQuantity) continue;
      const key = [resource.code?.coding?.[0]?.code, resource.subject?.reference, resource.effectiveDateTime].join('|');
      // Two at one time: nobody knows which of them the panel means.
      all.set(key, all.has(key) ? undefined : resource.valueQuantity);
    }
    singles.set(context, all);
  }
  return all.get([code, subject?.reference, effectiveDateTime].join('|'));
}

/** The profile bp: no value, and two components, each with a pressure in mm[Hg] or the reason why there is none. */
function completePanel({ resource, clear, registers }: Built, context: MappingContext): void {
  const pair = pairIn(resource, context).map((it) => it && allowed(it, ['mm[Hg]']));
  const key = valueKey(resource);
  const said = pair.length === 2 && pair.every((it) => it);
  if (key !== undefined) {
    if (!said) setAside(resource, 'v2-value', { [key]: resource[key] });
    clear.add(key);
    delete resource[key];
    delete resource[`_${key}`];
  } else if (!said) {
    for (const { code: _, ...component } of (resource.component as Json[] | undefined) ?? []) {
      const own = valueKey(component);
      if (own) setAside(resource, 'v2-value', { [own]: component[own] });
    }
  }
  resource.component = pressures.map((pressure, i) => {
    const value = said ? pair[i] : key === undefined ? singleOf(pressure.code, resource, context) : undefined;
    const quantity = value && allowed(value, ['mm[Hg]']);
    const code = { coding: [{ system: loinc, ...pressure }] };
    return quantity
      ? { code, valueQuantity: { ...quantity } }
      : { code, dataAbsentReason: absent(key ? 'unsupported' : 'unknown') };
  });
  registers.set(
    'component',
    pressures.map((it) => it.code),
  );
  if (resource.component.every((it: Json) => it.valueQuantity)) delete resource.dataAbsentReason;
}
