/** `npm run --silent map -- FILE|FOLDER…`: messages ─▶ one Bundle per line, without a server. Same bytes, same output. */
import { parseArgs } from 'node:util';
import { enrol, isExpired } from '../care/enrol.ts';
import { type Protocol, parseProtocol } from '../care/protocol.ts';
import type { Json, StoredResource } from '../fhir/types.ts';
import { errorsOf } from '../fhir/validate.ts';
import type { Message } from '../hl7v2/message.ts';
import type { UnknownCode } from '../mapping/context.ts';
import type { Mapped } from '../mapping/map.ts';
import { counted, type Reader, readerOf, receivedAt, type Setting, soundMessage } from './convert.ts';
import { type MessageFile, messagesOf } from './files.ts';

const usage = 'map [--plan] [--lineage] [--strict] [--site NAME] FILE|FOLDER…\n';

interface Options {
  readonly plan: boolean;
  readonly lineage: boolean;
  /** Unknown codes are errors. */
  readonly strict: boolean;
  readonly site: string | undefined;
  readonly files: string[];
}

/**
 * @param profiles gives the shipped profiles; asked only for `--plan`
 * @returns the exit code: 1 when a message failed, 2 for a wrong call
 * @throws MappingError for a mapping that cannot be used, ENOENT for a file that is not there
 */
export function mapCommand(
  args: readonly string[],
  setting: Setting,
  profiles: () => readonly StoredResource[],
): number {
  const options = parseArguments(args);
  if (!options) {
    process.stderr.write(usage);
    return 2;
  }
  const reader = readerOf(options.site ?? setting.site, setting);
  const protocols = options.plan
    ? profiles()
        .filter((it) => it.resourceType === 'PlanDefinition')
        .map(parseProtocol)
    : [];
  const unknown: UnknownCodes = new Map();
  let failed = false;
  for (const file of messagesOf(options.files)) failed = !mapFile(file, reader, protocols, options, unknown) || failed;
  for (const { code, messages, first } of unknown.values())
    process.stderr.write(
      `${options.strict ? '' : 'warning: '}${unknownCode(code)} (${counted(messages, 'message')}, first ${first})\n`,
    );
  return failed || (options.strict && unknown.size > 0) ? 1 : 0;
}

function parseArguments(args: readonly string[]): Options | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        plan: { type: 'boolean', default: false },
        lineage: { type: 'boolean', default: false },
        strict: { type: 'boolean', default: false },
        site: { type: 'string' },
      },
    });
    const { site, ...flags } = values;
    return positionals.length > 0 ? { ...flags, site, files: positionals } : undefined;
  } catch {
    return undefined;
  }
}

/** Codes that no table lists, each once with how many messages hold it. */
type UnknownCodes = Map<string, { readonly code: UnknownCode; messages: number; readonly first: string }>;

/** @returns false when the message failed */
function mapFile(
  file: MessageFile,
  reader: Reader,
  protocols: readonly Protocol[],
  options: Options,
  unknown: UnknownCodes,
): boolean {
  const tell = (text: string): unknown => process.stderr.write(`${file.name}: ${text}\n`);
  if (file.problem) tell(`the batch: ${file.problem}`);
  const sound = soundMessage(file, reader);
  if (sound.refused !== undefined) {
    tell(sound.ignored ? `ignored: ${sound.refused}` : sound.refused);
    return sound.ignored && !file.problem;
  }
  const { message } = sound;
  const { zone } = reader;
  const now = receivedAt(message, zone);
  const mapped = reader.mapping.map(message, { zone, receivedAt: zone.isoOf(now), lineage: options.lineage });
  const resources: StoredResource[] = mapped.resources.map((it) => it.resource);
  const all = [...resources, ...followUp(resources, protocols, now, reader)];
  const problems = all.flatMap((resource) => errorsOf(resource));
  for (const { expression, text } of problems) tell(`${expression ?? ''} ${text}`);
  for (const code of mapped.codes) {
    const standing = unknown.get(unknownCode(code)) ?? { code, messages: 0, first: file.name };
    standing.messages++;
    unknown.set(unknownCode(code), standing);
  }
  process.stdout.write(`${JSON.stringify(bundle(message, all, mapped))}\n`);
  return problems.length === 0 && !file.problem;
}

/** `PV1-10: 'XK' is not in table HospitalService`. */
export function unknownCode({ field, code, table }: UnknownCode): string {
  return `${field}: '${code}' is not in table ${table}`;
}

/** What the care stage would make of a discharge. */
function followUp(
  resources: readonly StoredResource[],
  protocols: readonly Protocol[],
  now: number,
  { zone }: Reader,
): StoredResource[] {
  const [patient, encounter] = ['Patient', 'Encounter'].map((type) => resources.find((it) => it.resourceType === type));
  if (!patient || encounter?.status !== 'finished' || isExpired(patient, encounter)) return [];
  return protocols.flatMap((protocol) => enrol(protocol, { patient, encounter, flags: [], enrolment: 1, now }, zone));
}

/**
 * A transaction that any FHIR server takes: PUT by the derived ids, so that sending it again changes nothing. Lineage stands at
 * the entry of its resource: a Bundle itself has no extensions.
 */
function bundle(message: Message, resources: readonly StoredResource[], { lineage }: Mapped): Json {
  const controlId = message.header.text(10);
  const rows = Map.groupBy(lineage ?? [], ({ element }) => element.split('.', 1)[0] as string);
  return {
    resourceType: 'Bundle',
    ...(controlId && { identifier: { value: controlId } }),
    type: 'transaction',
    entry: resources.map((resource) => {
      const url = `${resource.resourceType}/${resource.id}`;
      const extension = rows.get(url)?.map(lineageExtension);
      const request = { method: 'PUT', url };
      return { ...(extension && { extension }), fullUrl: `https://aftercare.example/fhir/${url}`, resource, request };
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
