/** Commands in this process, with what they write. */
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import type { Setting } from '../../src/cli/convert.ts';
import { mapCommand } from '../../src/cli/map.ts';
import { mappingCommand } from '../../src/cli/mapping.ts';
import { Zone } from '../../src/fhir/zone.ts';
import { questionnairesOf, readProfiles } from '../../src/profiles.ts';
import { temporaryFolder } from '../support/app.ts';

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function written(command: () => number): Run {
  const texts = { out: '', err: '' };
  const spies = [
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      texts.out += text;
      return true;
    }),
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
      texts.err += text;
      return true;
    }),
  ];
  try {
    return { code: command(), ...texts };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** A folder with a copy of the mapping, to put sites and messages into. */
export class Workbench {
  readonly #folder = temporaryFolder();
  readonly setting: Setting;

  constructor() {
    const mappings = this.at('mappings');
    cpSync('mappings', mappings, { recursive: true });
    this.setting = {
      zone: new Zone('Asia/Shanghai'),
      charsetDefault: 'utf-8',
      site: undefined,
      mappings,
      questionnaires: () => questionnairesOf(readProfiles('profiles')),
    };
  }

  at(path: string): string {
    return join(this.#folder.path, path);
  }

  write(path: string, content: string | Uint8Array): string {
    writeFileSync(this.at(path), content);
    return this.at(path);
  }

  mapping(...args: string[]): Run {
    return written(() => mappingCommand(args, this.setting));
  }

  map(...args: string[]): Run {
    return written(() => mapCommand(args, this.setting, () => readProfiles('profiles')));
  }

  remove(): void {
    this.#folder.remove();
  }
}
