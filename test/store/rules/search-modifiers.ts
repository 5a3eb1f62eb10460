/** Modifiers. R4 search.html#modifiers. Those that need a terminology are replaced before the store is asked. */
import type { MakeStore } from './bench.ts';
import { finds, onTheWard } from './ward.ts';

export function searchModifiersRules(makeStore: MakeStore): void {
  onTheWard(makeStore, (see) => {
    finds(':missing', see, [
      ['Patient?gender:missing=true', ['bo']],
      ['Patient?gender:missing=false', ['anna', 'zhang']],
      ['Patient?organization:missing=true&birthdate=1990-07', ['bo']],
      ['Observation?value-quantity:missing=true', ['grade', 'note', 'pressure', 'when']],
      ['Observation?value-quantity:missing=true&code=grade', ['grade']],
      ['Patient?_text:missing=false', ['anna']],
      ['Location?near:missing=false', ['fiji', 'gate', 'harbour', 'park']],
    ]);

    finds(':not', see, [
      ['Patient?gender:not=male', ['anna', 'bo']],
      ['Patient?gender:not=male,female', ['bo']],
      ['Patient?gender:not=male&identifier=|1', ['bo']],
      ['Patient?_id:not=anna,bo', ['zhang']],
      ['Encounter?status:not=finished&status:not=planned', ['visit']],
    ]);

    finds(':exact', see, [
      ['Patient?family:exact=Ångström', ['anna']],
      ['Patient?family:exact=Angström', []],
      ['Patient?family:exact=Ångströ', []],
      ['Patient?family:exact=张,Ångström', ['anna', 'zhang']],
    ]);

    finds(':contains', see, [
      ['Patient?family:contains=STRO', ['anna']],
      ['Patient?address:contains=朝阳', ['zhang']],
      ['Organization?name:contains=医', ['renhe']],
      ['Patient?name:contains=’', ['bo']],
    ]);

    finds(':text', see, [
      ['Observation?value-concept:text=very', ['grade']],
      ['Observation?value-concept:text=ALARM', ['grade']],
      ['Observation?value-concept:text=high', []],
      ['Patient?identifier:text=record', ['anna']],
      ['Patient?identifier:text=record&gender=female', ['anna']],
    ]);

    finds(':of-type', see, [
      ['Patient?identifier:of-type=urn:types|MR|1', ['anna']],
      ['Patient?identifier:of-type=urn:types|SS|1', ['bo']],
      ['Patient?identifier:of-type=urn:types|MR|2', []],
      ['Patient?identifier:of-type=urn:types|MR|1,urn:types|SS|1', ['anna', 'bo']],
    ]);

    finds(':identifier', see, [
      ['Observation?performer:identifier=urn:staff|77', ['celsius']],
      ['Observation?performer:identifier=77', ['celsius']],
      ['Observation?performer:identifier=urn:staff|78', []],
    ]);

    finds(':[type]', see, [
      ['Encounter?subject:Patient=anna', ['stay']],
      ['Encounter?subject:Patient=Patient/anna', ['stay']],
      ['Encounter?subject:Group=anna', []],
    ]);

    finds(':below and :above of a uri', see, [
      ['ValueSet?url:below=http://a.example/fhir', ['vs0', 'vs1', 'vs2']],
      ['ValueSet?url:below=http://a.example/fhir/vs/', ['vs2']],
      ['ValueSet?url:above=http://a.example/fhir/vs/1/_history/5', ['vs0', 'vs1', 'vs2']],
      ['ValueSet?url:above=http://a.example/fhir/vs', ['vs0', 'vs1']],
    ]);
  });
}
