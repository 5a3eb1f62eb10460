/** The values of each kind of search parameter. R4 search.html, the section of each kind. */
import type { MakeStore } from './bench.ts';
import { finds, onTheWard } from './ward.ts';

const mg = 'http://unitsofmeasure.org|mg';

export function searchValuesRules(makeStore: MakeStore): void {
  onTheWard(makeStore, (see) => {
    finds('a token', see, [
      ['Patient?gender=male', ['zhang']],
      ['Patient?gender=male,female', ['anna', 'zhang']],
      ['Patient?gender=male&gender=female', []],
      ['Patient?active=true', ['anna']],
      ['Patient?identifier=1', ['anna', 'bo', 'zhang']],
      ['Patient?identifier=urn:mrn|1', ['anna']],
      ['Patient?identifier=urn:mrn|', ['anna', 'zhang']],
      ['Patient?identifier=|1', ['bo', 'zhang']],
      ['Patient?phone=139', ['anna']],
      ['Patient?deceased=false', ['anna', 'zhang']],
      ['Encounter?class=urn:c|IMP', ['stay']],
      ['Encounter?class=|AMB', ['visit']],
      ['Patient?_tag=urn:t|x', ['zhang']],
    ]);

    finds('a string', see, [
      ['Patient?family=angst', ['anna']],
      ['Patient?family=ＡＮＧＳＴ', ['anna']],
      ['Patient?name=anna', ['anna', 'bo']],
      ['Patient?name=张伟', ['zhang']],
      ['Patient?name=伟', ['zhang']],
      ['Patient?address=北京', ['zhang']],
      ['Patient?address=朝阳', []],
      ['Patient?address-city=北京', ['zhang']],
      ['Organization?name=仁和', ['renhe']],
      ['Observation?value-string=nausea', ['note']],
    ]);

    finds('a date', see, [
      ['Patient?birthdate=1980', ['anna']],
      ['Patient?birthdate=1990', ['bo', 'zhang']],
      ['Patient?birthdate=1990-07', ['bo']],
      ['Patient?birthdate=ne1990', ['anna']],
      ['Patient?birthdate=ge1990', ['bo', 'zhang']],
      ['Patient?birthdate=lt1990-07', ['anna', 'zhang']],
      ['Patient?birthdate=gt1990-07', ['zhang']],
      ['Patient?birthdate=le1990-07', ['anna', 'bo', 'zhang']],
      ['Patient?birthdate=ap1981', ['anna']],
      ['Patient?death-date=2026-01-02T02:00Z', ['bo']],
      ['Encounter?date=2026-03', ['stay']],
      ['Encounter?date=sa2026-03-11', ['visit']],
      ['Encounter?date=eb2026-03-17', ['stay']],
      ['Encounter?date=ge2030', ['visit']],
      ['Encounter?date=ap2026-03-20', ['visit']],
      ['Observation?date=2026-03-10T02:30:00Z', ['dose']],
      ['Observation?date=ge2026-03-10T10:00&date=lt2026-03-10T11:00', ['dose']],
      ['Patient?_lastUpdated=2026-03-16', ['anna', 'bo', 'zhang']],
      ['Patient?_lastUpdated=gt2026-03-16', []],
    ]);

    finds('a number', see, [
      ['RiskAssessment?probability=80', ['risk0']],
      ['RiskAssessment?probability=80.0', ['risk0']],
      ['RiskAssessment?probability=8e1', ['risk0']],
      ['RiskAssessment?probability=8.5e1', ['risk1']],
      ['RiskAssessment?probability=1e-1', ['risk2']],
      ['RiskAssessment?probability=ne80', ['range', 'risk1', 'risk2']],
      ['RiskAssessment?probability=gt80', ['range', 'risk1']],
      ['RiskAssessment?probability=ge80', ['range', 'risk0', 'risk1']],
      ['RiskAssessment?probability=lt80', ['range', 'risk2']],
      ['RiskAssessment?probability=le8e1', ['range', 'risk0', 'risk2']],
      ['RiskAssessment?probability=sa10', ['range', 'risk0', 'risk1']],
      ['RiskAssessment?probability=eb85', ['risk0', 'risk2']],
      ['RiskAssessment?probability=ap78', ['range', 'risk0', 'risk1']],
      ['MolecularSequence?variant-start=110', ['gene']],
      ['MolecularSequence?variant-start=111', []],
    ]);

    finds('a quantity', see, [
      [`Observation?value-quantity=5.4|${mg}`, ['dose', 'gram', 'near']],
      [`Observation?value-quantity=5.40|${mg}`, ['dose', 'gram']],
      ['Observation?value-quantity=5.40e-3|http://unitsofmeasure.org|g', ['dose', 'gram']],
      ['Observation?value-quantity=5.4||mg', ['dose', 'near', 'word']],
      ['Observation?value-quantity=5.4', ['dose', 'near', 'word']],
      ['Observation?value-quantity=5.4|http://unitsofmeasure.org|', ['dose', 'near']],
      [`Observation?value-quantity=5.4|urn:other|mg`, []],
      [`Observation?value-quantity=lt5.4|${mg}`, ['less']],
      [`Observation?value-quantity=le5.4|${mg}`, ['dose', 'gram', 'less']],
      [`Observation?value-quantity=gt5400|http://unitsofmeasure.org|ug`, ['near']],
      [`Observation?value-quantity=ap5|${mg}`, ['dose', 'gram', 'less', 'near']],
      [`Observation?value-quantity=ne5.4|${mg}`, ['less']],
      ['Observation?value-quantity=37.0|http://unitsofmeasure.org|Cel', ['celsius', 'fahrenheit']],
      ['Observation?value-quantity=98.60|http://unitsofmeasure.org|[degF]', ['celsius', 'fahrenheit']],
      // A tenth of 36 degrees, not of their kelvins.
      ['Observation?value-quantity=ap36|http://unitsofmeasure.org|Cel', ['celsius', 'fahrenheit']],
      ['Observation?value-quantity=ap30|http://unitsofmeasure.org|Cel', []],
      ['Observation?value-quantity=37||°C', ['celsius']],
      ['Observation?component-value-quantity=16|http://unitsofmeasure.org|kPa', ['pressure']],
      ['Observation?combo-value-quantity=80|http://unitsofmeasure.org|mm[Hg]', ['pressure']],
    ]);

    finds('a reference', see, [
      ['Patient?organization=Organization/renhe', ['anna']],
      ['Patient?organization=renhe', ['anna']],
      ['Patient?organization=https://other.example/Organization/renhe', ['zhang']],
      ['Encounter?subject=Patient/anna', ['stay']],
      ['Encounter?subject=anna,zhang', ['stay', 'visit']],
      ['Encounter?patient=anna', ['stay']],
      ['Encounter?subject=Group/anna', []],
      ['Patient?link=Patient/anna', ['bo']],
      ['Provenance?target=Patient/anna', ['seal']],
      ['Provenance?target=Patient/anna/_history/1', ['seal']],
      ['Provenance?target=Patient/anna/_history/2', []],
      ['CarePlan?instantiates-canonical=http://example.org/PlanDefinition/knee', ['knee']],
      ['CarePlan?instantiates-canonical=http://example.org/PlanDefinition/knee|2.1', ['knee']],
      ['CarePlan?instantiates-canonical=http://example.org/PlanDefinition/knee|2.2', []],
    ]);

    finds('a composite', see, [
      [`Observation?code-value-quantity=mass$5.40|${mg}`, ['dose', 'gram']],
      [`Observation?code-value-quantity=http://loinc.org|mass$gt5.4|${mg}`, ['near']],
      [`Observation?code-value-quantity=heat$5.40|${mg}`, []],
      ['Observation?component-code-value-quantity=systolic$gt100,diastolic$gt100', ['pressure']],
      ['Observation?component-code-value-quantity=diastolic$gt100', []],
      [
        'Observation?component-code-value-quantity=systolic$120&component-code-value-quantity=diastolic$80',
        ['pressure'],
      ],
      ['Observation?combo-code-value-quantity=mass$5.4||mg,systolic$120||mm[Hg]', ['dose', 'near', 'pressure', 'word']],
      ['Observation?code-value-concept=grade$urn:g|high', ['grade']],
      ['Observation?code-value-concept=grade$low', []],
      ['Observation?code-value-string=note$NAUS', ['note']],
      ['Observation?code-value-date=onset$2026-03', ['when']],
      ['Observation?code-value-date=onset$gt2026-03', []],
      ['MolecularSequence?chromosome-variant-coordinate=17$ge150$le160', ['gene']],
      ['MolecularSequence?chromosome-variant-coordinate=17$110$160', []],
    ]);

    finds('a uri', see, [
      ['ValueSet?url=http://a.example/fhir/vs', ['vs1']],
      ['ValueSet?url=urn:oid:1.2.3', ['vs3']],
      ['ValueSet?url=HTTP://A.EXAMPLE/fhir/vs', []],
      ['Patient?_profile=http://example.org/p', ['zhang']],
      ['Patient?_source=urn:feed', ['zhang']],
    ]);

    finds('near', see, [
      ['Location?near=39.9|116.4', ['gate', 'park']],
      ['Location?near=39.9|116.4|1|km', ['gate']],
      ['Location?near=39.9|116.4|1500|m', ['gate', 'park']],
      ['Location?near=39.9|116.4|1100', ['gate', 'harbour', 'park']],
      ['Location?near=-17.7|-179.99|10|km', ['fiji']],
      ['Location?near=0|0|20100|km', ['fiji', 'gate', 'harbour', 'park']],
    ]);

    finds('an id', see, [
      ['Patient?_id=anna', ['anna']],
      ['Patient?_id=anna,bo,nobody', ['anna', 'bo']],
      ['Patient?_id=anna&_id=bo', []],
      ['Patient?_id=anna&gender=male', []],
      ['Patient?gender=female&_id=anna', ['anna']],
    ]);

    finds('an order', see, [
      ['Patient?_sort=birthdate', ['anna', 'zhang', 'bo']],
      ['Patient?_sort=-birthdate', ['zhang', 'bo', 'anna']],
      ['Patient?_sort=gender', ['anna', 'zhang', 'bo']],
      ['Patient?_sort=-gender', ['zhang', 'anna', 'bo']],
      ['Patient?_sort=family', ['anna', 'zhang', 'bo']],
      ['Patient?_sort=name', ['anna', 'bo', 'zhang']],
      ['Patient?_sort=-_id', ['zhang', 'bo', 'anna']],
      ['Patient?_sort=organization,-_id', ['zhang', 'anna', 'bo']],
      ['Patient?_sort=-_lastUpdated,-birthdate', ['zhang', 'bo', 'anna']],
      ['RiskAssessment?_sort=probability', ['risk2', 'range', 'risk0', 'risk1']],
      ['RiskAssessment?_sort=-probability', ['risk1', 'risk0', 'range', 'risk2']],
      // In base units: 5.4 mg are before 5.44 mg, and 0.0054 g beside them; what has no such unit goes by its number.
      ['Observation?code=mass&_sort=value-quantity,_id', ['less', 'dose', 'gram', 'near', 'word']],
      ['Observation?code=mass&_sort=-value-quantity,-_id', ['word', 'near', 'gram', 'dose', 'less']],
      ['ValueSet?_sort=-url', ['vs3', 'vs2', 'vs1', 'vs0']],
      ['Encounter?subject:missing=false&_sort=date', ['stay', 'visit']],
      ['Encounter?subject:missing=false&_sort=-date', ['visit', 'stay']],
      ['Organization,Practitioner?_sort=-name', ['wang', 'renhe', 'group']],
    ]);

    finds('a text', see, [
      ['Patient?_text=cane', ['anna']],
      ['Patient?_text=CANE walks', ['anna']],
      ['Patient?_text=can', []],
      ['Patient?_text=b', []],
      ['CarePlan?_content=operation', ['knee']],
      ['CarePlan?_content=走三十分', ['knee']],
      ['CarePlan?_content=走分', []],
      ['CarePlan?_content=nothing,doctor', ['knee']],
      ['Patient?_content=annabel oneil', []],
      ['Patient?_content=annabel neil', ['bo']],
      ['Patient?_content=cane angstrom', ['anna']],
    ]);
  });
}
