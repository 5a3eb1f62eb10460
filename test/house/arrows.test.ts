import { describe, expect, test } from '@jest/globals';
import { idleExceptions, importsOf, violations } from './imports.ts';
import { textsUnder } from './repository.ts';

const ours = textsUnder(['src', 'adapters'], ['.ts']);

describe('the arrows of the house', () => {
  test('point down only', () => {
    expect(violations(ours)).toEqual([]);
  });

  test('have no exception that nothing needs', () => {
    expect(idleExceptions(ours)).toEqual([]);
  });

  test('are read from every file', () => {
    expect(ours.size).toBeGreaterThan(60);
    const all = [...ours.values()].flatMap(importsOf);
    expect(all.length).toBeGreaterThan(300);
    // Counted in another way: lines that end an import or a re-export.
    const ends = [...ours.values()].join('\n').match(/^(?:import|export|\}).*\bfrom '[^']+';$/gm) ?? [];
    const effects = [...ours.values()].join('\n').match(/^import '[^']+';$/gm) ?? [];
    const dynamic = [...ours.values()].join('\n').match(/\bimport\('[^']+'\)/g) ?? [];
    expect(all).toHaveLength(ends.length + effects.length + dynamic.length);
  });
});

describe('an arrow is refused', () => {
  test.each<[string, string, string, string]>([
    ['from the ground to anything of ours', 'src/clock.ts', "import { x } from './ids.ts';", 'ground'],
    ['from pure to core', 'src/mapping/map.ts', "import type { Store } from '../store/store.ts';", 'core'],
    ['from pure to a stage', 'src/fhir/types.ts', "import { x } from '../care/stage.ts';", 'stages'],
    ['from core to a stage', 'src/commit/commit.ts', "import { x } from '../ingest/apply.ts';", 'stages'],
    ['from core to wiring', 'src/journal/receive.ts', "import { x } from '../config.ts';", 'reading'],
    ['from a stage to another', 'src/care/stage.ts', "import { x } from '../ingest/merge.ts';", 'another room'],
    ['from a stage to an edge', 'src/ingest/apply.ts', "import { x } from '../rest/server.ts';", 'edges'],
    [
      'from a stage to an adapter',
      'src/care/stage.ts',
      "import { x } from '../../adapters/sqlite/store.ts';",
      'adapters',
    ],
    ['from an edge to another', 'src/rest/server.ts', "import { x } from '../console/page.ts';", 'another room'],
    ['from an edge to wiring', 'src/rest/server.ts', "import { x } from '../app.ts';", 'wiring'],
    [
      'from an edge to an adapter',
      'src/rest/server.ts',
      "import { x } from '../../adapters/mllp/frame.ts';",
      'adapters',
    ],
    ['from reading to a stage', 'src/profiles.ts', "import { x } from './care/protocol.ts';", 'stages'],
    [
      'from an adapter to another',
      'adapters/mllp/a.ts',
      "import type { X } from '../sqlite/store.ts';",
      'another room',
    ],
    [
      'from an adapter to a value',
      'adapters/mllp/a.ts',
      "import { x } from '../../src/journal/receive.ts';",
      'as a value',
    ],
    [
      'from an adapter to a type beside its seam',
      'adapters/mllp/a.ts',
      "import type { X } from '../../src/store/store.ts';",
      'not the seam',
    ],
    [
      'with types in braces, which stay an import',
      'adapters/rest-hook/a.ts',
      "import { type X } from '../../src/subscriptions/channel.ts';",
      'as a value',
    ],
    [
      'over several lines',
      'src/care/stage.ts',
      "import {\n  a,\n  type B,\n} from '../ingest/merge.ts';",
      'another room',
    ],
    ['as a re-export', 'src/care/stage.ts', "export { a } from '../ingest/merge.ts';", 'another room'],
    ['as an export of everything', 'src/care/stage.ts', "export * from '../ingest/merge.ts';", 'another room'],
    ['for its side effect', 'src/care/stage.ts', "import '../ingest/merge.ts';", 'another room'],
    ['as a dynamic import', 'src/care/stage.ts', "const m = await import('../ingest/merge.ts');", 'another room'],
    ['as a default import', 'src/care/stage.ts', "import merge from '../ingest/merge.ts';", 'another room'],
    ['to a file outside', 'src/care/stage.ts', "import { x } from '../../test/support/app.ts';", 'in no room'],
  ])('%s', (_, path, text, reason) => {
    expect(violations(new Map([[path, text]]))).toEqual([expect.stringContaining(reason)]);
  });

  test('when the file itself has no place in the house', () => {
    const files = new Map([
      ['src/helpers/misc.ts', ''],
      ['src/utils.ts', ''],
      ['adapters/fax/sender.ts', ''],
    ]);
    expect(violations(files)).toHaveLength(3);
  });
});

test.each<[string, string, string]>([
  ['within a room', 'src/care/stage.ts', "import { x } from './enrol.ts';"],
  ['within a room, deeper', 'src/fhir/search/query.ts', "import { x } from '../types.ts';"],
  [
    'from pure to pure and ground',
    'src/mapping/map.ts',
    "import { x } from '../fhir/types.ts';\nimport { y } from '../ids.ts';",
  ],
  ['from core to core', 'src/journal/receive.ts', "import type { Store } from '../store/store.ts';"],
  ['from an edge to a stage', 'src/rest/server.ts', "import { x } from '../subscriptions/subscription.ts';"],
  [
    'from the wiring to anything',
    'src/app.ts',
    "import { x } from '../adapters/mllp/listener.ts';\nimport { y } from './config.ts';",
  ],
  [
    'from an adapter to the types of its seam',
    'adapters/mllp/a.ts',
    "import type { X } from '../../src/journal/receive.ts';",
  ],
  ['to a package', 'src/hl7v2/charset.ts', "import { Hl7Message } from '@medplum/core';"],
  ['in a comment', 'src/clock.ts', "/*\nimport { x } from './app.ts';\n*/\n// import { y } from './main.ts';"],
])('an arrow %s is allowed', (_, path, text) => {
  expect(violations(new Map([[path, text]]))).toEqual([]);
});
