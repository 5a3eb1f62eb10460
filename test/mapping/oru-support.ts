/** Results for tests: one patient, and the segments that a test is about; with the questionnaires that we ship. */
import { fileURLToPath } from 'node:url';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import { type Mapped, Mapping } from '../../src/mapping/map.ts';
import { readMappings } from '../../src/mapping/read.ts';
import { readProfiles } from '../../src/profiles.ts';
import { type Fields, mappingFolder, messageOf, receivedAt, segment, shanghai } from './support.ts';

const profileFolder = fileURLToPath(new URL('../../profiles', import.meta.url));
export const questionnaires = readProfiles(profileFolder).filter((it) => it.resourceType === 'Questionnaire');
export const mapping = new Mapping({ ...readMappings(mappingFolder), questionnaires });

/** A result message of patient 1001 at RENHE: header and PID, then the segments given. */
export function oru(...segments: readonly string[]): string {
  return withHeader({}, ...segments);
}

/** The same with other fields in the header. */
export function withHeader(header: Fields, ...segments: readonly string[]): string {
  const msh = {
    ...{ 2: '^~\\&', 3: 'LAB', 4: 'RENHE', 7: '20260320081500', 9: 'ORU^R01^ORU_R01', 10: 'R1', 11: 'P', 12: '2.5.1' },
    ...header,
  };
  return [segment('MSH', msh), 'PID|1||1001^^^RENHE^MR', ...segments, ''].join('\r');
}

/** An OBX: set id 1, NM, glucose, final, at 7:05 on 20 March; fields given are laid over. */
export function obx(fields: Fields): string {
  const glucose = { 1: '1', 2: 'NM', 3: '14743-9^Glucose^LN', 11: 'F', 14: '20260320070500' };
  return segment('OBX', { ...glucose, ...fields });
}

/** An OBR: order F1 of the filler, glucose, at 7:05; fields given are laid over. */
export function obr(fields: Fields = {}): string {
  return segment('OBR', { 1: '1', 3: 'F1^LAB', 4: '14743-9^Glucose^LN', 7: '20260320070500', ...fields });
}

export function mapped(sent: string, lineage = false): Mapped {
  const message = messageOf(sent);
  const problems = mapping.check(message);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return mapping.map(message, { zone: shanghai, receivedAt, lineage });
}

/** The resources of a type, in the order made. */
export function all(sent: string, type: string): StoredResource[] {
  return mapped(sent)
    .resources.map((it) => it.resource)
    .filter((it) => it.resourceType === type);
}

/** The only resource of a type. */
export function only(sent: string, type: string): StoredResource {
  const found = all(sent, type);
  if (found.length !== 1) throw new Error(`the message makes ${found.length} ${type}`);
  return found[0] as StoredResource;
}

/** The Observation of one OBX below an OBR. */
export function observed(fields: Fields): StoredResource {
  return only(oru(obr(), obx(fields)), 'Observation');
}

/** The resource that a reference of the same message names. */
export function follow(sent: string, reference: Json | undefined): StoredResource {
  const found = mapped(sent).resources.find(
    ({ resource }) => `${resource.resourceType}/${resource.id}` === reference?.reference,
  );
  if (!found) throw new Error(`nothing is ${reference?.reference}`);
  return found.resource;
}

/** Values of the extensions of an element, by the last step of their url. */
export function extended(element: Json | undefined): Json {
  return Object.fromEntries(
    (element?.extension ?? []).map(({ url, ...value }: Json) => [url.split('/').at(-1), Object.values(value)[0]]),
  );
}
