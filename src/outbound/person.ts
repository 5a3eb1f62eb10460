/** Patients, visits, persons, places and codes as v2 data types. HL7 v2.5.1 chapters 2A and 3. */
import type { Json } from '../fhir/types.ts';
import type { Destination } from '../mapping/destination.ts';
import { components, dtm, repetitions, segment, st, subcomponents } from './field.ts';
import type { Scene } from './scene.ts';

/** Names of a person that are sent at most. */
const namesMax = 5;

const sexes: Record<string, string> = { male: 'M', female: 'F', other: 'O', unknown: 'U' };

/** Table 0004 by the class of an Encounter. */
const classes: Record<string, string> = {
  IMP: 'I',
  ACUTE: 'I',
  NONAC: 'I',
  EMER: 'E',
  AMB: 'O',
  SS: 'O',
  PRENC: 'P',
};

/** Table 0200 by HumanName.use. */
const nameTypes: Record<string, string> = { official: 'L', usual: 'D', maiden: 'M', nickname: 'N', anonymous: 'S' };

/** Table 0396 by the URI of a code system. */
const codeSystems: Record<string, string> = {
  'http://loinc.org': 'LN',
  'http://snomed.info/sct': 'SCT',
  'http://hl7.org/fhir/sid/icd-10': 'I10',
  'http://unitsofmeasure.org': 'UCUM',
};

/** Identifiers of one system that hold: an old number is not the hospital's any more. */
export function identifiersOf(resource: Json, system: string): Json[] {
  return [resource.identifier ?? []].flat().filter((it: Json) => it.system === system && it.value && it.use !== 'old');
}

function typeOf(identifier: Json): string | undefined {
  return identifier.type?.coding?.[0]?.code;
}

/** PID with what identifies the patient; the hospital knows the rest better. */
export function pid({ patient, destination, zone }: Scene): string {
  const numbers = identifiersOf(patient, destination.patientSystem).map((it) =>
    components(st(it.value), '', '', st(destination.authority), st(typeOf(it))),
  );
  const names = (patient.name ?? []).filter((it: Json) => it.use !== 'old').slice(0, namesMax);
  return segment('PID', {
    1: '1',
    3: repetitions(numbers),
    5: repetitions(names.map(xpn)),
    7: dtm(patient.birthDate, zone),
    8: sexes[patient.gender as string],
  });
}

/** PV1 with the number of the visit; nothing without a visit. */
export function pv1({ encounter, destination }: Scene): string[] {
  if (!encounter) return [];
  const numbers = identifiersOf(encounter, destination.visitSystem);
  const number = numbers.find((it) => typeOf(it) === 'VN') ?? numbers[0];
  return [
    segment('PV1', {
      1: '1',
      2: classes[encounter.class?.code as string] ?? 'U',
      19: number && components(st(number.value), '', '', st(destination.visitAuthority), st(typeOf(number) ?? 'VN')),
    }),
  ];
}

/** Family, given, further given, suffix and prefix: XPN.1 to XPN.5, XCN.2 to XCN.6. */
function nameParts(name: Json): string[] {
  const [first, ...others] = name.given ?? [];
  return [
    st(name.family ?? (first === undefined ? name.text : undefined)),
    st(first),
    st(others.join(' ')),
    st(name.suffix?.join(' ')),
    st(name.prefix?.join(' ')),
  ];
}

function xpn(name: Json): string {
  return components(...nameParts(name), '', nameTypes[name.use as string]);
}

/** XCN of a Practitioner; empty for anything else. */
export function xcn(person: Json | undefined, destination: Destination): string {
  if (person?.resourceType !== 'Practitioner') return '';
  const own = [destination.patientSystem, destination.visitSystem].flatMap((system) => identifiersOf(person, system));
  const number = own[0] ?? person.identifier?.find((it: Json) => it.value);
  return components(
    st(number?.value),
    ...nameParts(person.name?.[0] ?? {}),
    '',
    '',
    number && subcomponents(...authority(number.system, destination)),
  );
}

/** HD of the system of an identifier: the hospital's own name for it, else what the URI says. */
function authority(system: unknown, { authority, patientSystem, visitAuthority, visitSystem }: Destination): string[] {
  if (typeof system !== 'string' || system === '') return [];
  if (system === patientSystem) return [st(authority)];
  if (system === visitSystem) return [st(visitAuthority)];
  const [, local] = /^urn:id:(.+)$/.exec(system) ?? [];
  if (local !== undefined) return [st(decoded(local))];
  const [, oid] = /^urn:oid:(.+)$/.exec(system) ?? [];
  return oid === undefined ? ['', st(system), 'URI'] : ['', st(oid), 'ISO'];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** EI of an identifier; our own ones have our name beside their URI, for engines that read the name only. */
export function ei({ system, value }: Json, destination: Destination): string {
  const [name, ...universal] = authority(system, destination);
  return components(st(value), name || st(destination.sender.application), ...universal);
}

/** EI of a resource: its first identifier, else its id. */
export function eiOf(resource: Json, destination: Destination): string {
  const first = [resource.identifier ?? []].flat().find((it: Json) => it.value);
  return ei(first ?? { value: resource.id }, destination);
}

/** CE or CWE of a CodeableConcept: its first coding, else its text. */
export function cwe(concept: Json | undefined): string {
  const coding = concept?.coding?.find((it: Json) => it.code);
  if (!coding) return components('', st(concept?.text));
  return codingText({ display: concept?.text, ...coding });
}

/** CE or CWE of a Coding. */
export function codingText({ code, display, system }: Json): string {
  return components(st(code), st(display), st(codeSystemName(system)));
}

/** The name of a code system: of table 0396, else what the URI says, else the URI. */
function codeSystemName(system: unknown): string {
  if (typeof system !== 'string') return '';
  const [, table] = /^http:\/\/terminology\.hl7\.org\/CodeSystem\/v2-(\d{4})$/.exec(system) ?? [];
  if (table !== undefined) return `HL7${table}`;
  const [, plain] = /^urn:(?:id|oid):(.+)$/.exec(system) ?? [];
  return codeSystems[system] ?? (plain === undefined ? system : decoded(plain));
}

const levels: Record<string, number> = { si: 4, bu: 7, lvl: 8, wa: 1, ro: 2, bd: 3 };

/** PL of a Location and what it is part of, by the physical types that we give to what a PL says; else its name. */
export function pl(place: Json | undefined, look: Scene['look']): string {
  const parts: string[] = [];
  let at = place;
  // As deep as a PL has levels: a Location may be part of itself.
  for (let depth = 0; at && depth < 6; depth++, at = look(at.partOf?.reference)) {
    const level = levels[at.physicalType?.coding?.[0]?.code as string];
    if (level !== undefined) parts[level] ??= st(at.identifier?.[0]?.value ?? at.name);
  }
  if (parts.length === 0) parts[9] = st(place?.name);
  return components(...Array.from({ length: 9 }, (_, i) => parts[i + 1]));
}
