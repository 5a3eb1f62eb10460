/** The mappings of all sites, compiled once each, with the codes that were answered while the server runs. */
import { createHash } from 'node:crypto';
import type { Destination } from './destination.ts';
import { Mapping } from './map.ts';
import type { MappingFiles } from './read.ts';
import type { SiteSettings } from './rows.ts';
import { withAnswers } from './sites.ts';
import type { LocalCodes, TableTarget } from './tables.ts';

/** What one site's messages are read with. */
export interface SiteMapping {
  readonly mapping: Mapping;
  readonly settings: SiteSettings;
  /** Where the hospital is told what the programme learns. */
  readonly destinations?: readonly Destination[];
  /** Of files and answers: remembered with each message that was applied with it. */
  readonly version: string;
}

/** An answered code: a target, or that it has none. */
export interface AnsweredCode {
  readonly site: string;
  readonly table: string;
  readonly code: string;
  readonly target: TableTarget | undefined;
}

/** Where mappings come from. */
export interface MappingSource {
  /** @throws MappingError for a site that is not there, or a file that cannot be used */
  read(site: string): MappingFiles;
  /** Digest of what {@link read} gives. */
  version(site: string): string;
}

export class SiteMappings {
  readonly #source: MappingSource;
  /** As read first: what somebody edits meanwhile counts when the server starts again. */
  readonly #read = new Map<string, { readonly files: MappingFiles; readonly version: string }>();
  readonly #compiled = new Map<string, SiteMapping>();
  #answers: readonly AnsweredCode[] = [];

  constructor(source: MappingSource) {
    this.#source = source;
  }

  /**
   * @param site '' for the mapping as it ships
   * @throws MappingError
   */
  of(site: string): SiteMapping {
    const known = this.#compiled.get(site);
    if (known) return known;
    const answers = this.#answers.filter((it) => it.site === site);
    const own = this.#read.get(site) ?? { files: this.#source.read(site), version: this.#source.version(site) };
    this.#read.set(site, own);
    const files = withAnswers(own.files, byTable(answers));
    const version = versionWith(own.version, answers);
    const { settings, destinations = [] } = files;
    const compiled = { mapping: new Mapping(files), settings, destinations, version };
    this.#compiled.set(site, compiled);
    return compiled;
  }

  /** All answers that hold from now on. */
  answer(answers: readonly AnsweredCode[]): void {
    const touched = new Set([...this.#answers, ...answers].map((it) => it.site));
    this.#answers = answers;
    for (const site of touched) this.#compiled.delete(site);
  }
}

function byTable(answers: readonly AnsweredCode[]): Record<string, LocalCodes> {
  const tables: Record<string, Record<string, TableTarget | null>> = {};
  for (const { table, code, target } of answers) {
    tables[table] ??= {};
    tables[table][code] = target ?? null;
  }
  return tables;
}

function versionWith(files: string, answers: readonly AnsweredCode[]): string {
  if (answers.length === 0) return files;
  const texts = answers.map((it) => JSON.stringify([it.table, it.code, it.target ?? null])).sort();
  return createHash('sha256').update(files).update(texts.join('\n')).digest('hex').slice(0, 12);
}
