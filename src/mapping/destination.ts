/**
 * Where a hospital wants to be told what the programme learns: `destinations` of a site file. docs/outbound.md explains each key.
 */
import type { Located, SiteFile } from './rows.ts';
import { MappingError } from './rows.ts';
import { localSystem } from './systems.ts';
import type { Table } from './tables.ts';

/** What may be sent: S12 stands for all events of an appointment. */
export const outgoingKinds = ['SIU^S12', 'ORU^R01', 'MDM^T02'] as const;
export type OutgoingKind = (typeof outgoingKinds)[number];

/** Sets that have every character: nothing is lost on the way out. */
export const outgoingCharsets = ['UTF-8', 'GB18030'] as const;

/** Versions of HL7 that node-hl7-client knows, from the first with a message structure in MSH-9.3. */
export const outgoingVersions = ['2.3.1', '2.4', '2.5', '2.5.1', '2.6', '2.7', '2.7.1', '2.8'] as const;

/** TLS of a connection; files are read at the start, their paths relative to the working folder. */
export interface DestinationTls {
  /** PEM file of the authority that signed the hospital's certificate; absent: the authorities of Node. */
  readonly ca?: string;
  /** PEM files of our own certificate, for mutual TLS. */
  readonly cert?: string;
  readonly key?: string;
  /** The name in the hospital's certificate, where it is not `host`. */
  readonly serverName?: string;
}

/** One entry of `destinations`, as written. */
export interface DestinationEntry {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls?: true | DestinationTls;
  /** MSH-5. */
  readonly application: string;
  /** MSH-6. */
  readonly facility: string;
  /** MSH-3 and MSH-4. */
  readonly sender?: { readonly application?: string; readonly facility?: string };
  /** MSH-4 of the hospital's own messages, where it is not `facility`: who is known by these is known there. */
  readonly from?: readonly string[];
  /** Assigning authority (CX.4) of patient numbers and of visit numbers. */
  readonly authority?: string;
  readonly visitAuthority?: string;
  readonly send: readonly OutgoingKind[];
  readonly charset?: (typeof outgoingCharsets)[number];
  readonly version?: (typeof outgoingVersions)[number];
  /** MSH-11. */
  readonly processing?: 'P' | 'T' | 'D';
  /** Whom to ask about an appointment (SCH-16, SCH-20). */
  readonly contact?: string;
  /** Patients whose messages may be on the way at a time. */
  readonly lanesMax?: number;
  readonly timeoutMs?: number;
  readonly giveUpHours?: number;
}

/** A destination with everything that the entry leaves out. */
export interface Destination extends Required<Omit<DestinationEntry, 'tls' | 'sender'>> {
  readonly tls: DestinationTls | undefined;
  readonly sender: { readonly application: string; readonly facility: string };
  /** Systems of the identifiers by which the hospital knows patients and visits. */
  readonly patientSystem: string;
  readonly visitSystem: string;
}

const text = (description: string): object => ({ description, type: 'string', minLength: 1, maxLength: 200 });
const number = (description: string, minimum: number, maximum: number): object => ({
  description,
  type: 'integer',
  minimum,
  maximum,
});
const object = (properties: Record<string, object>, required: readonly string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});

/** JSON schema of `destinations`. */
export const destinationsSchema = {
  description: 'Hospitals that are told what the programme learns, over MLLP.',
  type: 'array',
  maxItems: 50,
  items: object(
    {
      name: {
        description: 'Its name in the queue of outgoing messages; unique over all sites.',
        type: 'string',
        pattern: '^[A-Za-z0-9_-]{1,50}$',
      },
      host: text('Name or address of its MLLP listener.'),
      // node-hl7-client 4.0.0 takes no higher port.
      port: number('Port of its MLLP listener.', 1, 65_353),
      tls: {
        description: 'TLS: true, or files for certificates.',
        anyOf: [
          { const: true },
          object({
            ca: text('PEM file of the authority that signed its certificate.'),
            cert: text('PEM file of our certificate, for mutual TLS.'),
            key: text('PEM file of the key of our certificate.'),
            serverName: text('The name in its certificate, where it is not host.'),
          }),
        ],
      },
      application: text('Receiving application: MSH-5.'),
      facility: text('Receiving facility: MSH-6.'),
      sender: object({
        application: text('MSH-3; by default AFTERCARE.'),
        facility: text('MSH-4; by default AFTERCARE.'),
      }),
      from: {
        description: 'MSH-4 of its own messages; by default facility.',
        type: 'array',
        minItems: 1,
        items: { type: 'string', minLength: 1 },
      },
      authority: text('Assigning authority (CX.4) of its patient numbers; by default facility.'),
      visitAuthority: text('Assigning authority of its visit numbers; by default authority.'),
      send: {
        description: 'What it is told: appointments, answers to questionnaires, follow-up notes.',
        type: 'array',
        minItems: 1,
        uniqueItems: true,
        items: { enum: outgoingKinds },
      },
      charset: { description: 'MSH-18; by default UTF-8.', enum: outgoingCharsets },
      version: { description: 'MSH-12; by default 2.5.1.', enum: outgoingVersions },
      processing: { description: 'MSH-11; by default P.', enum: ['P', 'T', 'D'] },
      contact: text('Whom to ask about an appointment (SCH-16, SCH-20); by default Follow-up centre.'),
      lanesMax: number('Messages on the way at a time, each of another patient; by default 8.', 1, 64),
      timeoutMs: number('Wait for an answer; by default 30000 ms.', 100, 600_000),
      giveUpHours: number('A message without an answer for so long has failed; by default 72.', 1, 720),
    },
    ['name', 'host', 'port', 'application', 'facility', 'send'],
  ),
};

/**
 * Fills in what the entries leave out.
 * @param tables of the site: `systems` of the site file are in AssigningAuthority
 */
export function destinationsOf(
  entries: readonly DestinationEntry[],
  tables: ReadonlyMap<string, Table>,
): readonly Destination[] {
  // As an inbound CX.4 of the same name is read (systems.ts).
  const systemOf = (authority: string): string =>
    tables.get('AssigningAuthority')?.translate(authority)?.code ?? localSystem(authority);
  return entries.map(({ tls, sender, ...entry }): Destination => {
    const authority = entry.authority ?? entry.facility;
    const visitAuthority = entry.visitAuthority ?? authority;
    return {
      from: [entry.facility],
      charset: 'UTF-8',
      version: '2.5.1',
      processing: 'P',
      contact: 'Follow-up centre',
      lanesMax: 8,
      timeoutMs: 30_000,
      giveUpHours: 72,
      ...entry,
      authority,
      visitAuthority,
      sender: { application: 'AFTERCARE', facility: 'AFTERCARE', ...sender },
      tls: tls === true ? {} : tls,
      patientSystem: systemOf(authority),
      visitSystem: systemOf(visitAuthority),
    };
  });
}

/** @throws MappingError for a name that is given twice, and for half a certificate */
export function checkDestinations({ file, content, line }: Located<SiteFile>): void {
  const seen = new Set<string>();
  for (const [i, { name, tls }] of (content.destinations ?? []).entries()) {
    if (seen.has(name)) throw new MappingError(file, line(['destinations', i]), `there are two destinations '${name}'`);
    seen.add(name);
    if (typeof tls === 'object' && (tls.cert === undefined) !== (tls.key === undefined))
      throw new MappingError(file, line(['destinations', i]), 'a certificate and its key belong together');
  }
}
