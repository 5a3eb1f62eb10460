/** Text that was made to hurt is found as what it is, and finds nothing else. */
import { describe, expect, test } from '@jest/globals';
import type { StoredResource } from '../../../src/fhir/types.ts';
import { type Bench, type MakeStore, patient, withStore } from './bench.ts';
import { ends } from './search-hostile.ts';

/** A family name, and what finds it by prefix, contained, and exactly. */
const names = [
  '100%',
  '50%_off',
  'under_score',
  'back\\slash',
  "O'Neil",
  'say "hi"',
  '$1 \\1 {0} $&',
  'a|b,c$d',
  '*?[a-z]',
  '-- ; DROP TABLE resource',
  '\u{1F600}\u{1F469}\u{200D}\u{1F4BB}',
  'x\u{10ffff}y',
  '\ud7ff\ue000',
  'tab\tand line',
  'AND OR NOT NEAR',
];

const escaped = (text: string): string => encodeURIComponent(text.replace(/[\\,|$]/g, '\\$&'));

async function ids(bench: Bench, type: string, ...pairs: readonly string[]): Promise<string[]> {
  return (await bench.ids(`${type}?${pairs.join('&')}`)).sort();
}

export function searchHostileTextRules(makeStore: MakeStore): void {
  describe('hostile text', () => {
    test('in a name is found as what it is, and finds nothing else', () =>
      withStore(makeStore, async (bench) => {
        await bench.write(
          ...names.map((family, i) => patient(`p${i}`, { name: [{ family }] })),
          patient('plain', { name: [{ family: 'zzz' }] }),
        );
        for (const [i, name] of names.entries()) {
          const whole = escaped(name);
          expect([name, await ids(bench, 'Patient', `family=${whole}`)]).toEqual([name, [`p${i}`]]);
          expect([name, await ids(bench, 'Patient', `family:exact=${whole}`)]).toEqual([name, [`p${i}`]]);
          expect([name, await ids(bench, 'Patient', `family:contains=${whole}`)]).toEqual([name, [`p${i}`]]);
          const [first, ...rest] = [...name];
          expect(await ids(bench, 'Patient', `family=${escaped(first as string)}`)).toContain(`p${i}`);
          expect(await ids(bench, 'Patient', `family:contains=${escaped(rest.join(''))}`)).toContain(`p${i}`);
          const end = JSON.stringify(rest.slice(-2).join('')).replaceAll('\\t', '\t');
          expect(await ids(bench, 'Patient', `_filter=family ew ${encodeURIComponent(end)}`)).toContain(`p${i}`);
        }
        expect(await ids(bench, 'Patient', 'family:contains=%25')).toEqual(['p0', 'p1']);
        expect(await ids(bench, 'Patient', 'family:contains=_')).toEqual(['p1', 'p2']);
      }));

    test('in codes, systems and ids is found as what it is', () =>
      withStore(makeStore, async (bench) => {
        const system = (i: number): string => `urn:${names.at(-1 - i)?.replaceAll(/\s/g, '_')}`;
        await bench.write(...names.map((value, i) => patient(`p${i}`, { identifier: [{ system: system(i), value }] })));
        for (const [i, name] of names.entries()) {
          const token = `${escaped(system(i))}|${escaped(name)}`;
          expect([name, await ids(bench, 'Patient', `identifier=${token}`)]).toEqual([name, [`p${i}`]]);
          expect(await ids(bench, 'Patient', `_id=${escaped(name)}`)).toEqual([]);
        }
      }));

    test('of two values that would be one if they were simply put together is told apart', () =>
      withStore(makeStore, async (bench) => {
        const identifier = [
          { system: 'urn:a', value: 'b|c' },
          { system: 'urn:a|b', value: 'c' },
        ];
        await bench.write(patient('both', { identifier }), patient('one', { identifier: identifier.slice(0, 1) }));
        expect(await ids(bench, 'Patient', 'identifier=urn:a|b\\|c')).toEqual(['both', 'one']);
        expect(await ids(bench, 'Patient', 'identifier=urn:a\\|b|c')).toEqual(['both']);
        await bench.write(patient('both', { identifier: identifier.slice(0, 1) }));
        expect(await ids(bench, 'Patient', 'identifier=urn:a\\|b|c')).toEqual([]);
        expect(await ids(bench, 'Patient', 'identifier=urn:a|b\\|c')).toEqual(['both', 'one']);
      }));

    test('with NUL or half of a character is kept, and does not stop a search', () =>
      withStore(makeStore, async (bench) => {
        await bench.write(
          patient('nul', { name: [{ family: 'a\0b' }], identifier: [{ system: 'urn:\0', value: 'x\0' }] }),
          patient('half', { name: [{ family: 'c\ud800d' }], identifier: [{ value: '\udc00' }] }),
        );
        expect(JSON.parse((await bench.store.read({ type: 'Patient', id: 'nul' }))?.json as string).name).toEqual([
          { family: 'a\0b' },
        ]);
        expect(await ids(bench, 'Patient', 'family=ab')).toEqual(['nul']);
        expect(await ids(bench, 'Patient', 'family=a%00b')).toEqual(['nul']);
        expect(await ids(bench, 'Patient', 'identifier=urn:%00|x%00')).toEqual(['nul']);
        expect(await ids(bench, 'Patient', 'identifier=x')).toEqual([]);
        expect(await ids(bench, 'Patient', '_id=%00')).toEqual([]);
        expect(await ids(bench, 'Patient', '_content=%00b')).toEqual(['nul']);
        expect(await ends(bench, 'Patient?name=%00')).toBe('malformed');
        await bench.write(patient('nul', { active: true }), patient('half', { active: true }));
        expect(await ids(bench, 'Patient', 'identifier=urn:%00|x%00')).toEqual([]);
        expect(await ids(bench, 'Patient', 'family=ab')).toEqual([]);
      }));

    test('of 10,000 characters is found by itself, and goes when it changes', () =>
      withStore(makeStore, async (bench) => {
        const long = (text: string): string => text.repeat(10_000 / text.length);
        const all = ['a', '张', '\u{1F600}', 'ab\u0301c'].map(long);
        const made = (i: number, text: string): StoredResource =>
          patient(`p${i}`, {
            name: [{ family: text }],
            identifier: [{ system: `urn:${text}`, value: text }],
            managingOrganization: { reference: `https://x.example/${text}` },
            meta: { profile: [`http://p.example/${text}`] },
          });
        await bench.write(...all.map((text, i) => made(i, text)));
        // Alike but for the last character: cut, they would be the same.
        await bench.write(made(9, `${long('a').slice(0, -1)}b`));
        for (const [i, text] of all.entries())
          for (const [name, value] of [
            ['identifier', text],
            ['identifier', `urn:${text}|${text}`],
            ['organization', `https://x.example/${text}`],
            ['_profile', `http://p.example/${text}`],
          ] as const)
            expect([name, i, await ids(bench, 'Patient', `${name}=${encodeURIComponent(value)}`)]).toEqual([
              name,
              i,
              [`p${i}`],
            ]);
        expect(await ids(bench, 'Patient', `family=${all[1]}`)).toEqual(['p1']);
        expect(await ids(bench, 'Patient', `family:exact=${all[2]}`)).toEqual(['p2']);
        expect(await ids(bench, 'Patient', `family:contains=${all[2]?.slice(0, 400)}`)).toEqual(['p2']);
        await bench.write(...all.map((_, i) => patient(`p${i}`)));
        expect(await ids(bench, 'Patient', `identifier=${all[0]}`)).toEqual([]);
        expect(await ids(bench, 'Patient', `family=${all[1]}`)).toEqual([]);
      }));

    test('in _content is words, not the syntax of a full-text index', () =>
      withStore(makeStore, async (bench) => {
        await bench.write(patient('p', { name: [{ text: 'near the "old" mill AND not the NEW* one: ẞ Ως 𞤀𞤁 ½' }] }));
        for (const found of [
          'near',
          'not',
          'AND',
          '"old"',
          'NEW*',
          'col:mill',
          '(mill',
          'mill)',
          '-mill',
          'mill^2',
          'ß',
          'ως',
          'ΩΣ',
          '𞤢𞤣',
          '1⁄2',
        ])
          expect([found, await ends(bench, `Patient?_content=${encodeURIComponent(found)}`)]).toEqual([
            found,
            found === 'col:mill' ? '0 found' : '1 found',
          ]);
        for (const none of ['NEAR(old nothing)', 'mil*', 'old OR nothing', 'mill NOT there'])
          expect([none, await ends(bench, `Patient?_content=${encodeURIComponent(none)}`)]).toEqual([none, '0 found']);
        for (const empty of ['*', '"', '()', '--', '\u{1F600}'])
          expect([empty, await ends(bench, `Patient?_content=${encodeURIComponent(empty)}`)]).toEqual([
            empty,
            'malformed',
          ]);
      }));
  });
}
