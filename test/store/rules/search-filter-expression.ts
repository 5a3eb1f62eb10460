/** `_filter`. R4 search_filter.html. */
import type { MakeStore } from './bench.ts';
import { type Found, finds, onTheWard } from './ward.ts';

function filters(type: string, rows: readonly (readonly [expression: string, ids: readonly string[]])[]): Found[] {
  return rows.map(([expression, ids]) => [`${type}?_filter=${expression}`, ids]);
}

export function searchFilterExpressionRules(makeStore: MakeStore): void {
  onTheWard(makeStore, (see) => {
    finds(
      '_filter on Patient',
      see,
      filters('Patient', [
        ['gender eq male', ['zhang']],
        ['family eq "ångstrom"', ['anna']],
        ['family eq ang', []],
        ['family sw ang', ['anna']],
        ['family ew TROM', ['anna']],
        ['name co "stro"', ['anna']],
        ['given ne anna', ['anna', 'zhang']],
        ['gender ne male', ['anna']],
        ['gender pr false', ['bo']],
        ['gender pr true', ['anna', 'zhang']],
        ['birthdate ge 1990', ['bo', 'zhang']],
        ['birthdate ne 1990', ['anna']],
        ['birthdate po 1990-07-04', ['bo', 'zhang']],
        ['identifier eq urn:mrn|1', ['anna']],
        ['identifier sw 1', ['anna', 'bo', 'zhang']],
        ['link re Patient/anna', ['bo']],
        ['organization re https://other.example/Organization/renhe', ['zhang']],
        ['_id eq anna', ['anna']],
        ['_id ne anna', ['bo', 'zhang']],
        ['organization.name co "和"', ['anna']],
        ['link.gender eq female', ['bo']],
        ['link.organization.partof.name sw east', ['bo']],
      ]),
    );

    finds(
      '_filter with and, or, not',
      see,
      filters('Patient', [
        ['gender eq male or gender eq female', ['anna', 'zhang']],
        ['gender eq female and active eq true', ['anna']],
        ['not (gender eq male)', ['anna', 'bo']],
        ['not (gender eq male or gender eq female)', ['bo']],
        ['(gender eq male or gender eq female) and birthdate lt 1985', ['anna']],
        // From left to right: (female or male) and …
        ['gender eq female or gender eq male and birthdate lt 1985', ['anna']],
        ['gender eq female or (gender eq male and birthdate lt 1985)', ['anna']],
        ['gender eq male and birthdate lt 1985 or gender pr false', ['bo']],
        ['((((gender eq male))))', ['zhang']],
        ['not (not (gender eq male))', ['zhang']],
        ['(identifier eq 1 and gender eq female) and not (link.gender pr true)', ['anna']],
        ['gender eq male or link.gender eq female', ['bo', 'zhang']],
        ['gender eq male&gender=female', []],
      ]),
    );

    finds(
      '_filter on Observation',
      see,
      filters('Observation', [
        ['value-quantity eq 5.40|http://unitsofmeasure.org|mg', ['dose', 'gram']],
        ['value-quantity ne 5.4|http://unitsofmeasure.org|mg', ['less']],
        ['value-quantity lt 5.4|http://unitsofmeasure.org|mg or value-string co night', ['less', 'note']],
        ['code-value-quantity eq mass$gt5.4|http://unitsofmeasure.org|mg', ['near']],
        ['patient.name sw ang and code eq mass', ['dose']],
        ['subject.identifier eq 2', ['gram']],
        ['_content eq night', ['note']],
      ]),
    );

    finds('_filter on a number and a uri', see, [
      ['RiskAssessment?_filter=probability ne 80', ['range', 'risk1', 'risk2']],
      ['RiskAssessment?_filter=probability ap 78', ['range', 'risk0', 'risk1']],
      ['ValueSet?_filter=url sw http://a.example/fhir/', ['vs1', 'vs2']],
      ['ValueSet?_filter=url ne urn:oid:1.2.3 and status eq active', ['vs0', 'vs1', 'vs2']],
      ['Location?_filter=near eq 39.9|116.4|1|km', ['gate']],
    ]);
  });
}
