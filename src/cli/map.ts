/** `npm run --silent map -- FILE…`: messages ─▶ one Bundle per line, without a server. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { enrol, isExpired } from '../care/enrol.ts';
import { parseProtocol } from '../care/protocol.ts';
import type { Json, StoredResource } from '../fhir/types.ts';
import { errorsOf } from '../fhir/validate.ts';
import type { Zone } from '../fhir/zone.ts';
import { decode } from '../hl7v2/charset.ts';
import { type Message, parse } from '../hl7v2/message.ts';
import { describe } from '../hl7v2/problem.ts';
import { type Mapped, Mapping } from '../mapping/map.ts';
import { readMappings } from '../mapping/read.ts';
import { type MessageFile, messagesOf } from './files.ts';

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

interface Options {
  readonly plan: boolean;
  readonly lineage: boolean;
  readonly site: string | undefined;
  readonly files: string[];
}

/**
 * @param profiles gives the shipped profiles; asked only for `--plan`
 * @returns the exit code: 1 when a message failed, 2 for a wrong call
 */
export function mapCommand(args: readonly string[], zone: Zone, profiles: () => readonly StoredResource[]): number {
  const options = parseArguments(args);
  if (!options) {
    process.stderr.write('map [--plan] [--lineage] [--site NAME] FILE…\n');
    return 2;
  }
  const mapping = new Mapping(readMappings(root('mappings'), options.site));
  const protocols = options.plan
    ? profiles()
        .filter((it) => it.resourceType === 'PlanDefinition')
        .map(parseProtocol)
    : [];
  let failed = false;
  for (const file of messagesOf(options.files)) {
    const result = mapFile(file, mapping, zone, options.lineage);
    if (typeof result === 'string') {
      process.stderr.write(`${file.name}: ${result}\n`);
      failed = true;
      continue;
    }
    const { message, mapped } = result;
    const resources: StoredResource[] = mapped.resources.map((it) => it.resource);
    const planned = protocols.flatMap((protocol) => {
      const [patient, encounter] = ['Patient', 'Encounter'].map((type) =>
        resources.find((it) => it.resourceType === type),
      );
      if (!patient || encounter?.status !== 'finished' || isExpired(patient, encounter)) return [];
      return enrol(protocol, { patient, encounter, flags: [], enrolment: 1, now: Date.now() }, zone);
    });
    const all = [...resources, ...planned];
    const problems = all.flatMap((resource) => errorsOf(resource));
    for (const { expression, text } of problems) process.stderr.write(`${file.name}: ${expression ?? ''} ${text}\n`);
    failed ||= problems.length > 0;
    process.stdout.write(`${JSON.stringify(bundle(message, all, mapped))}\n`);
  }
  return failed ? 1 : 0;
}

function parseArguments(args: readonly string[]): Options | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        plan: { type: 'boolean', default: false },
        lineage: { type: 'boolean', default: false },
        site: { type: 'string' },
      },
    });
    return positionals.length > 0
      ? {
          plan: values.plan,
          lineage: values.lineage,
          site: values.site || process.env.SITE || undefined,
          files: positionals,
        }
      : undefined;
  } catch {
    return undefined;
  }
}

function mapFile(
  file: MessageFile,
  mapping: Mapping,
  zone: Zone,
  lineage: boolean,
): string | { message: Message; mapped: Mapped } {
  const decoded = decode(file.bytes, 'utf-8');
  if ('error' in decoded) return `MSH-18: ${decoded.error}`;
  const message = parse(decoded.text);
  if (!message) return 'the message does not begin with a sound MSH segment';
  const problems = mapping.check(message);
  if (problems.length > 0) return problems.map(describe).join('; ');
  return { message, mapped: mapping.map(message, { zone, receivedAt: zone.isoOf(Date.now()), lineage }) };
}

/** A transaction that any FHIR server takes: PUT by the derived ids, so that sending it again changes nothing. */
function bundle(message: Message, resources: readonly StoredResource[], { lineage }: Mapped): Json {
  const controlId = message.header.text(10);
  return {
    resourceType: 'Bundle',
    ...(controlId && { identifier: { value: controlId } }),
    type: 'transaction',
    ...(lineage && { extension: lineage.map(lineageExtension) }),
    entry: resources.map((resource) => {
      const url = `${resource.resourceType}/${resource.id}`;
      return { fullUrl: `https://aftercare.example/fhir/${url}`, resource, request: { method: 'PUT', url } };
    }),
  };
}

function lineageExtension({ field, element, row }: { field: string; element: string; row: string }): Json {
  return {
    url: 'https://aftercare.example/fhir/StructureDefinition/lineage',
    extension: [
      { url: 'field', valueString: field },
      { url: 'element', valueString: element },
      { url: 'row', valueString: row },
    ],
  };
}
