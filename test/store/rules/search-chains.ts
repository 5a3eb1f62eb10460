/** From one resource to another: chains, `_has`, `_list`, compartments. R4 search.html#chaining, #has, #list. */
import { describe, expect, test } from '@jest/globals';
import type { Filter } from '../../../src/fhir/search/filter.ts';
import { queryOf, type SearchQuery } from '../../../src/fhir/search/query.ts';
import type { StoredResource } from '../../../src/fhir/types.ts';
import { type MakeStore, parameters, patient, withStore } from './bench.ts';
import { finds, onTheWard, ward } from './ward.ts';

export function searchChainsRules(makeStore: MakeStore): void {
  onTheWard(makeStore, (see) => {
    finds('a chain', see, [
      ['Encounter?subject:Patient.name=ang', ['stay']],
      ['Encounter?patient.identifier=urn:mrn|2', ['visit']],
      ['Encounter?subject.gender=male', ['visit']],
      ['Encounter?patient.gender:not=male', ['stay']],
      ['Encounter?patient.birthdate=lt1985', ['stay']],
      ['Encounter?patient.gender:missing=true', []],
      ['Encounter?patient._id=anna', ['stay']],
      ['Encounter?patient._id=nobody', []],
      ['Encounter?patient._lastUpdated=2026', ['stay', 'visit']],
      ['Encounter?patient:Patient.gender=female&status=finished', ['stay']],
      ['Encounter?subject:Group.identifier=1', []],
      ['Encounter?service-provider.name=仁和', ['stay']],
      ['Observation?encounter.status=finished', ['dose']],
      ['Observation?value-quantity=gt1&patient.name=ang', ['dose']],
    ]);

    finds('a chain of several links', see, [
      ['Encounter?patient.organization.name=仁', ['stay']],
      ['Encounter?patient.organization.partof.name=east', ['stay']],
      ['Observation?patient.organization.partof._id=group', ['dose', 'pressure']],
      ['Observation?has-member.subject:Patient.organization.partof.name=east', ['pressure']],
      ['Encounter?part-of.patient.general-practitioner:Practitioner.name=王', ['visit']],
      ['Patient?link.link.name=x', []],
    ]);

    finds('_has', see, [
      ['Patient?_has:Observation:patient:code=mass', ['anna', 'zhang']],
      ['Patient?_has:Observation:patient:code=pressure,heat', ['anna']],
      ['Patient?_has:Observation:patient:code=mass&_has:Observation:patient:code=pressure', ['anna']],
      ['Patient?_has:Encounter:subject:status=finished&gender=male', []],
      ['Patient?_has:Patient:link:_id=bo', ['anna']],
      ['Patient?_has:Provenance:target:agent=Practitioner/wang', ['anna']],
      ['Organization?_has:Patient:organization:gender=female', ['renhe']],
      ['Organization?_has:Encounter:service-provider:patient.name=ang', ['renhe']],
    ]);

    finds('_has in _has, and in a chain', see, [
      ['Patient?_has:Observation:patient:_has:AuditEvent:entity:altid=u7', ['anna']],
      ['Patient?_has:Observation:patient:_has:AuditEvent:entity:altid=u8', []],
      ['Organization?_has:Organization:partof:_has:Patient:organization:family=ang', ['group']],
      ['Encounter?patient._has:Observation:patient:code=pressure', ['stay']],
      ['Encounter?patient._has:Provenance:target:_id=seal', ['stay']],
    ]);

    finds('_list', see, [
      ['Patient?_list=round', ['anna', 'zhang']],
      ['Patient?_list=round&gender=male', ['zhang']],
      ['Patient?_list=nobody', []],
      ['Encounter?_list=round', []],
      ['Encounter?patient._list=round&status=finished', ['stay']],
    ]);

    test('a compartment is any of its references', async () => {
      const refers = (code: string): Filter => ({
        kind: 'values',
        parameter: parameters.of('Provenance').get(code)!,
        values: [{ kind: 'reference', target: 'Practitioner', id: 'wang' }],
      });
      const any = (...filters: Filter[]): Promise<string[]> =>
        see()
          .store.search({ query: queryOf('Provenance', [{ kind: 'any', filters }], 10) })
          .then(({ hits }) => hits.map(({ id }) => id));
      expect(await any(refers('agent'), refers('entity'))).toEqual(['seal']);
      expect(await any(refers('entity'), refers('location'))).toEqual([]);
      expect(await any()).toEqual([]);
    });
  });

  describe('what is referred to', () => {
    test('is found besides, once each, of the types that are asked for, in pages that hold still', () =>
      withStore(makeStore, async (bench) => {
        await bench.write(...ward);
        const stays = bench.query('Encounter?status=finished,in-progress').branches;
        const found = async (more: object = {}): Promise<string[]> => {
          const query: SearchQuery = {
            ...queryOf('Encounter', stays[0]?.filters ?? [], 2),
            referred: { by: stays, types: ['Patient', 'Organization', 'Encounter'], ...more },
          };
          const snapshot = await bench.store.head();
          const names: string[] = [];
          for (let after: string | undefined = '', n = 0; after !== undefined && n < 9; n++) {
            const page = await bench.store.search({ query, snapshot, ...(after !== '' && { after }) });
            names.push(...page.hits.map(({ type, id }) => `${type}/${id}`));
            after = page.next;
            await bench.write(patient(`later${n}`));
          }
          return names.sort();
        };
        const own = ['Encounter/stay', 'Encounter/visit'];
        expect(await found()).toEqual([...own, 'Organization/renhe', 'Patient/anna', 'Patient/zhang']);
        expect(await found({ types: ['Organization'] })).toEqual([...own, 'Organization/renhe']);
        expect(await found({ types: [] })).toEqual(own);
        const since = bench.clock.now();
        await bench.write(patient('anna', { gender: 'other' }), 'Patient/zhang');
        expect(await found({ since })).toEqual([...own, 'Patient/anna']);
        expect(await found()).toEqual([...own, 'Organization/renhe', 'Patient/anna']);
      }));
  });

  describe('what a chain goes through', () => {
    const encounter = (id: string, subject: string): StoredResource => ({
      resourceType: 'Encounter',
      id,
      status: 'planned',
      class: { code: 'AMB' },
      subject: { reference: subject },
    });

    test('is the state now: an update or a deletion of the target counts, at a snapshot it does not', () =>
      withStore(makeStore, async (bench) => {
        await bench.write(patient('p', { gender: 'male' }), patient('q', { gender: 'male' }));
        await bench.write(encounter('e', 'Patient/p'), encounter('f', 'Patient/q'));
        const snapshot = await bench.store.head();
        await bench.write(patient('p', { gender: 'female' }), 'Patient/q');
        const searches = [
          'Encounter?patient.gender=male',
          'Encounter?patient._id=q',
          'Encounter?patient.gender:not=female',
        ];
        expect(await Promise.all(searches.map((it) => bench.ids(it)))).toEqual([[], [], []]);
        expect(await Promise.all(searches.map((it) => bench.ids(it, snapshot)))).toEqual([
          ['e', 'f'],
          ['f'],
          ['e', 'f'],
        ]);
        await bench.write('Encounter/e');
        expect(await bench.ids('Patient?_has:Encounter:patient:status=planned')).toEqual([]);
        expect(await bench.ids('Patient?_has:Encounter:patient:status=planned', snapshot)).toEqual(['p', 'q']);
      }));
  });
}
