/** ORU: reports, orders and specimens, and which segment belongs to which. */
import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { errorsOf } from '../../src/fhir/validate.ts';
import { all, extended, follow, mapped, obr, obx, only, oru, withHeader } from './oru-support.ts';
import { extensions, segment } from './support.ts';

const texts = (notes: Json[] | undefined): string[] => (notes ?? []).map((it) => it.text);
const idsOf = (references: Json[] | undefined): string[] => (references ?? []).map((it) => it.reference.split('/')[1]);

describe('a message with several orders', () => {
  const sent = oru(
    'OBX|1|NM|8302-2^Height^LN||175|cm|||||F|||20260320',
    'ORC|RE|P1^HIS|F1^LAB',
    obr({ 2: 'P1^HIS' }),
    'NTE|1||of the first report',
    obx({ 5: '1' }),
    'NTE|1||of the first result',
    'SPM|1|S1&HIS||BLD^Blood^HL70487',
    obx({ 3: 'HEM^haemolysis^L', 5: '2', 14: '' }),
    obr({ 1: '2', 3: 'F2^LAB', 4: 'SECOND^s^L', 7: '20260321' }),
    obx({ 5: '3', 14: '' }),
    'ORC|RE|P3^HIS|F3^LAB',
    obr({ 1: '3', 2: 'P3^HIS', 3: 'F3^LAB', 4: 'THIRD^t^L' }),
    obx({ 5: '4' }),
  );
  const observations = all(sent, 'Observation');
  const reports = all(sent, 'DiagnosticReport');
  const byValue = (value: number): Json => observations.find((it) => it.valueQuantity?.value === value) as Json;

  test('puts each result into the report of its own OBR', () => {
    expect(reports.map((it) => it.code.coding[0].code)).toEqual(['14743-9', 'SECOND', 'THIRD']);
    expect(reports.map((it) => idsOf(it.result))).toEqual([[byValue(1).id], [byValue(3).id], [byValue(4).id]]);
  });

  test('takes what stands before all OBR as about the patient, in no report', () => {
    expect(byValue(175).code.coding[0].code).toBe('8302-2');
    expect(JSON.stringify(reports)).not.toContain(byValue(175).id);
  });

  test('takes what stands behind an SPM as about the specimen', () => {
    const found = byValue(2);
    expect(follow(sent, found.specimen)).toMatchObject({ resourceType: 'Specimen', identifier: [{ value: 'S1' }] });
    expect(byValue(1).specimen).toBeUndefined();
    expect(idsOf(reports[0]?.specimen)).toEqual(idsOf([found.specimen]));
    expect(reports[1]?.specimen).toBeUndefined();
  });

  test('takes the time of a result from its own OBR, not from the first', () => {
    expect(byValue(3).effectiveDateTime).toBe('2026-03-21');
  });

  test('gives each note to the segment before it', () => {
    expect(texts(byValue(1).note)).toEqual(['of the first result']);
    expect(extended(reports[0])['r5-DiagnosticReport.note']).toEqual({ text: 'of the first report' });
    expect(byValue(3).note).toBeUndefined();
  });

  test('makes an order of each ORC, and of a lone OBR only when it says something of an order', () => {
    const orders = all(sent, 'ServiceRequest');
    expect(orders.map((it) => it.identifier[0].value)).toEqual(['P1', 'P3']);
    expect(reports.map((it) => idsOf(it.basedOn))).toEqual([[orders[0]?.id], [], [orders[1]?.id]]);
    expect(all(oru(obr({ 16: 'D1^Li^Min' })), 'ServiceRequest')).toHaveLength(1);
  });

  test('makes sound resources', () => {
    expect(mapped(sent).resources.flatMap(({ resource }) => errorsOf(resource))).toEqual([]);
  });

  test('names the reports in its header and its provenance', () => {
    const ids = reports.map((it) => it.id);
    expect(idsOf(only(sent, 'MessageHeader').focus)).toEqual(expect.arrayContaining(ids));
    const source = all(sent, 'Provenance').find((it) => it.activity?.text?.startsWith('ORU'));
    expect(idsOf(source?.target)).toEqual(expect.arrayContaining(ids));
  });
});

describe('a message without an event', () => {
  test('is what its structure says', () => {
    const sent = withHeader({ 9: 'ORU^^ORU_R01' }, obr(), obx({ 5: '7' }));
    expect(all(sent, 'Observation')).toHaveLength(1);
    expect(only(sent, 'MessageHeader').eventCoding.code).toBe('R01');
  });
});

describe('a report', () => {
  test.each([
    ['F', 'final'],
    ['C', 'corrected'],
    ['P', 'preliminary'],
    ['R', 'partial'],
    ['X', 'cancelled'],
    ['I', 'registered'],
    ['', 'unknown'],
    ['Z', 'unknown'],
  ])('of status "%s" is %s', (sent, status) => {
    expect(only(oru(obr({ 25: sent })), 'DiagnosticReport').status).toBe(status);
  });

  test('keeps its other results when one of them is corrected', () => {
    const sent = oru(obr(), obx({ 5: '1' }), obx({ 1: '2', 3: 'X^x^L', 5: '2' }));
    const { resource, registers } = mapped(sent).resources.find(
      (it) => it.resource.resourceType === 'DiagnosticReport',
    )!;
    // A register of its own for each: what a later message does not name stays.
    expect(registers.get('result')).toEqual(resource.result.map((it: Json) => it.reference));
    expect(new Set(registers.get('result')).size).toBe(2);
  });

  test('has interpreters, technicians and transcriptionists with their role, place and time', () => {
    const sent = oru(
      obr({ 32: 'D1&Li&Min&&&Dr&&&RENHE^20260320^20260321^W1^2^3', 33: 'D2&Wu&An', 34: 'D3&Gu&Bo', 35: 'D4&Xu&Yi' }),
    );
    const { resultsInterpreter, performer } = only(sent, 'DiagnosticReport');
    const roles = [...resultsInterpreter, ...performer].map((it) => follow(sent, it));
    expect(roles.map((it) => it.code?.[0].coding[0].code)).toEqual([undefined, 'ARI', 'TN', 'TR']);
    expect(roles.map((it) => follow(sent, it.practitioner).identifier[0].value)).toEqual(['D1', 'D2', 'D3', 'D4']);
    expect(roles[0]).toMatchObject({ period: { start: '2026-03-20', end: '2026-03-21' } });
    expect(follow(sent, roles[0]?.location[0]).resourceType).toBe('Location');
  });

  test('has the people whom PRT names, by their part', () => {
    const prt = (role: string, who: string): string => segment('PRT', { 2: 'AD', 4: `${role}^x^HL70912`, 5: who });
    const sent = oru('ORC|RE', obr({ 2: 'P1' }), prt('PRI', 'D1^Li'), prt('TN', 'D2^Wu'), prt('OP', 'D3^Gu'));
    const report = only(sent, 'DiagnosticReport');
    const who = (reference: Json): string =>
      follow(sent, follow(sent, reference).practitioner as Json).identifier[0].value;
    expect([who(report.resultsInterpreter[0]), who(report.performer[0])]).toEqual(['D1', 'D2']);
    expect(who(only(sent, 'ServiceRequest').requester)).toBe('D3');
  });
});

describe('an order', () => {
  const order = (orc: Record<number, string>, obrFields: Record<number, string> = {}, ...more: string[]): Json =>
    only(oru(segment('ORC', { 1: 'RE', ...orc }), obr({ 2: 'P1^HIS', ...obrFields }), ...more), 'ServiceRequest');

  test.each([
    ['CM', 'RE', 'P', 'completed'],
    ['', 'CR', 'F', 'revoked'],
    ['', 'RE', 'F', 'completed'],
    ['', 'RE', 'P', 'active'],
    ['', 'RE', '', 'unknown'],
  ])('of ORC-5 "%s", ORC-1 "%s", OBR-25 "%s" is %s', (status, control, result, expected) => {
    expect(order({ 1: control, 5: status }, { 25: result }).status).toBe(expected);
  });

  test('has its numbers once, from the ORC or the OBR', () => {
    const numbers = (found: Json): string[] => found.identifier.map((it: Json) => it.value);
    expect(numbers(order({ 2: 'P1^HIS', 3: 'F1^LAB' }))).toEqual(['P1', 'F1']);
    expect(numbers(order({}))).toEqual(['P1', 'F1']);
    expect(order({ 2: 'P1^HIS' }).id).toBe(order({}).id);
  });

  test('has the requester of the ORC, with the facility, else that of the OBR', () => {
    const orc = segment('ORC', { 1: 'RE', 2: 'P1', 12: 'D1^Li^Min', 21: 'Clinic One' });
    const sent = oru(orc, obr({ 2: 'P1', 16: 'D2^Wu' }));
    const role = follow(sent, only(sent, 'ServiceRequest').requester);
    expect(follow(sent, role.practitioner).identifier[0].value).toBe('D1');
    expect(follow(sent, role.organization).name).toBe('Clinic One');
    const other = oru('ORC|RE|P1', obr({ 2: 'P1', 16: 'D2^Wu' }));
    expect(follow(other, only(other, 'ServiceRequest').requester).identifier[0].value).toBe('D2');
  });

  test('has its notes from below the ORC, and its secrecy on the report too', () => {
    const orc = segment('ORC', { 1: 'RE', 2: 'P1', 28: 'V^very restricted^HL70177' });
    const sent = oru(orc, 'NTE|1||fasting', obr({ 2: 'P1' }));
    expect(texts(only(sent, 'ServiceRequest').note)).toEqual(['fasting']);
    for (const type of ['ServiceRequest', 'DiagnosticReport'])
      expect(only(sent, type).meta?.security[0].code).toBe('V');
  });

  test.each([
    ['1', '2'],
    ['', ''],
    ['1', '1'],
  ])('keeps the time of every TQ1, numbered %j and %j', (first, second) => {
    const order = only(
      oru(obr({ 2: 'P1' }), `TQ1|${first}||||||20260320080000`, `TQ1|${second}||||||20260327080000`),
      'ServiceRequest',
    );
    expect(order.occurrenceTiming.repeat.boundsPeriod.start).toBe('2026-03-20T08:00:00+08:00');
    expect(extensions(order)).toMatchObject({
      'v2-further-timing': { repeat: { boundsPeriod: { start: '2026-03-27T08:00:00+08:00' } } },
    });
  });

  test.each([
    ['one before its OBR and one behind', ['ORC|RE|P1', 'TQ1|1||Q8H', obr({ 2: 'P1' }), 'TQ1|2||Q12H']],
    ['two OBR below one ORC', ['ORC|RE|P1', obr({ 2: 'P1' }), 'TQ1|1||Q8H', obr({ 1: '2', 2: 'P1' }), 'TQ1|1||Q12H']],
  ])('keeps the time of every TQ1: %s', (_, segments) => {
    const said = JSON.stringify(only(oru(...segments), 'ServiceRequest'));
    for (const pattern of ['Q8H', 'Q12H']) expect(said).toContain(pattern);
  });

  test('has the time of TQ1: pattern, times of day, bounds, number', () => {
    const timing = order(
      {},
      {},
      'TQ1|1|2^mL^UCUM|BID&twice&HL70335^^^^8^h|0800~2000|||20260320|20260330|A|if pain|swallow|||10',
    );
    expect(timing).toMatchObject({
      priority: 'asap',
      quantityQuantity: { value: 2, code: 'mL' },
      note: [{ text: 'swallow' }],
      occurrenceTiming: {
        code: { coding: [{ code: 'BID' }, { code: 'BID' }] },
        repeat: {
          period: 8,
          periodUnit: 'h',
          timeOfDay: ['08:00:00', '20:00:00'],
          boundsPeriod: { start: '2026-03-20', end: '2026-03-30' },
          count: 10,
        },
      },
    });
  });

  test.each([
    ['OBR-27', obr({ 27: '1^^D5^20260310' })],
    ['ORC-7', `${segment('ORC', { 1: 'RE', 2: 'P1', 7: '1^^D5' })}\r${obr({ 2: 'P1' })}`],
  ])('has the duration of %s in its place, and the end of TQ1 beside it', (_, head) => {
    const order = only(oru(head, 'TQ1|1|2^mL||||||20260312'), 'ServiceRequest');
    expect(Object.keys(order.occurrenceTiming.repeat)).toHaveLength(1);
    expect(extensions(order)).toMatchObject({
      'v2-further-timing': { repeat: { boundsPeriod: { end: '2026-03-12' } } },
      'v2-further-quantity': { value: 2, unit: 'mL' },
    });
  });

  test.each([
    ['an offset without an event', 'TQ1|1|||0800|30^min', { 'v2-offset-minutes': 30 }, { timeOfDay: ['08:00:00'] }],
    ['a duration without a unit', 'TQ1|1|||0800|||||||||20', { 'v2-duration': 20 }, { timeOfDay: ['08:00:00'] }],
    [
      'times of day beside an event',
      'TQ1|1||^^^^^^^AC^30^min|0800',
      { 'v2-time-of-day': '08:00:00' },
      { when: ['AC'], offset: 30 },
    ],
    [
      'weekdays over the weekend',
      'TQ1|1||^DW^6^1',
      { 'v2-repeat-pattern': 'DW 6 1' },
      { dayOfWeek: ['sat', 'sun', 'mon'] },
    ],
  ])('with %s keeps to the invariants of Timing', (_, tq1, kept, repeat) => {
    const { occurrenceTiming } = order({}, {}, tq1);
    expect(extended(occurrenceTiming)).toMatchObject(kept);
    expect(occurrenceTiming.repeat).toEqual(repeat);
  });

  test('has the quantity/timing of v2.3 from ORC-7, else from OBR-27', () => {
    const old = '1&mL^Q6H&0600,1800^D10^^^S^when hungry^take care^^^^5';
    const expected = {
      priority: 'stat',
      quantityQuantity: { value: 1, code: 'mL' },
      note: [{ text: 'take care' }],
      occurrenceTiming: {
        repeat: { timeOfDay: ['06:00:00', '18:00:00'], boundsDuration: { value: 10, code: 'd' }, count: 5 },
      },
    };
    expect(order({ 7: old })).toMatchObject(expected);
    expect(order({}, { 27: old })).toMatchObject(expected);
    // Q6H is a pattern, not a code that somebody has to explain.
    expect(mapped(oru(segment('ORC', { 1: 'RE', 7: old }), obr())).codes).toEqual([]);
  });
});

describe('a specimen', () => {
  test('is the same whether SPM-2 or OBX-33 names it', () => {
    const sent = oru(obr(), obx({ 33: 'S1&HIS^SF1&LAB' }), 'SPM|1|S1&HIS^SF1&LAB||BLD^Blood^HL70487');
    expect(follow(sent, only(sent, 'Observation').specimen)).toMatchObject({
      id: only(sent, 'Specimen').id,
      type: { coding: [{ code: 'BLD' }] },
      identifier: [
        { value: 'S1', system: 'urn:id:HIS' },
        { value: 'SF1', system: 'urn:id:LAB' },
      ],
    });
  });

  test('of an OBR of v2.3 has source, additive, site, collector and times', () => {
    const sent = oru(
      obr({ 10: 'D1^Li', 14: '20260320073000', 15: 'BLD&Blood&HL70487^EDTK&x&HL70371^cubital^LA&Left arm&HL70163' }),
    );
    const found = only(sent, 'Specimen');
    expect(found).toMatchObject({
      type: { coding: [{ code: 'BLD' }] },
      container: [{ additiveCodeableConcept: { coding: [{ code: 'EDTK' }] } }],
      collection: { bodySite: { coding: [{ code: 'LA' }] }, collectedDateTime: '2026-03-20T07:05:00+08:00' },
      receivedTime: '2026-03-20T07:30:00+08:00',
      note: [{ text: 'cubital' }],
    });
    expect(follow(sent, found.collection.collector).identifier[0].value).toBe('D1');
    expect(idsOf(only(sent, 'DiagnosticReport').specimen)).toEqual([found.id]);
    // A glucose meter has no specimen.
    expect(all(oru(obr(), obx({})), 'Specimen')).toEqual([]);
  });

  test('that was rejected is unsatisfactory, whatever else is said', () => {
    const found = only(
      oru(obr(), segment('SPM', { 1: '1', 2: 'S1', 20: 'Y', 21: 'RH^hemolyzed^HL70490' })),
      'Specimen',
    );
    expect(found.status).toBe('unsatisfactory');
    expect(extended(found)['v2-reject-reason'].coding[0].code).toBe('RH');
  });
});

describe('the parts of a report that OBX-3 names behind &', () => {
  const part = (suffix: string): Json =>
    only(oru(obr(), obx({ 2: 'TX', 3: `71020${suffix}^Chest^C4`, 5: 'clear' })), 'Observation');

  test('are told apart, and say which they are', () => {
    expect(new Set(['', '&GDT', '&IMP'].map((it) => part(it).id)).size).toBe(3);
    expect(extended(part('&IMP'))).toMatchObject({ 'v2-observation-id-suffix': 'IMP' });
    expect(part('&IMP').code.coding[0].code).toBe('71020');
  });
});

describe('an order of a parent', () => {
  const numbers = (sent: string): string[][] =>
    all(sent, 'ServiceRequest').map((it) => (it.basedOn ?? []).map((other: Json) => other.identifier.value));

  test('is not based on itself where two of one number name each other', () => {
    const first = ['ORC|RE|ORD1^EPC|F1^LAB', obr({ 2: 'ORD1^EPC' })];
    const second = (parent: string): string[] => [
      'ORC|RE|ORD1^EPC|F2^LAB',
      obr({ 1: '2', 2: 'ORD1^EPC', 3: 'F2^LAB', 4: 'SUSC^s^L', 29: parent }),
    ];
    expect(numbers(oru(...first, ...second('ORD1&EPC^F1&LAB')))).toEqual([[]]);
    expect(numbers(oru(...first, ...second('ORD0&EPC^F1&LAB')))).toEqual([['ORD0']]);
  });

  test('is based once on the order that ORC-8 and OBR-29 name', () => {
    const sent = oru('ORC|RE|P1^HIS|||||ORD0&EPC^F0&LAB', obr({ 2: 'P1^HIS', 29: 'ORD0&EPC^F0&LAB' }));
    expect(numbers(sent)).toEqual([['ORD0', 'F0']]);
  });
});

describe('antibiograms', () => {
  const antibiogram = (n: number, parent: string, ...values: readonly string[]): string[] => [
    obr({ 1: String(n), 4: '29576-6^Susceptibility^LN', 26: parent }),
    ...values.map((value) => obx({ 2: 'ST', 3: '18864-9^Ampicillin^LN', 5: value, 14: '' })),
  ];
  const one = antibiogram(2, '600-7&Organism&LN^1', 'R', '32');
  const other = (value: string): string[] => antibiogram(3, '600-7&Organism&LN^2', value);

  test('of two isolates are two reports, each with its own results', () => {
    const sent = oru(obr({ 4: '630-4^Culture^LN' }), ...one, ...other('S'));
    const [, ...reports] = all(sent, 'DiagnosticReport');
    expect(reports.map((it) => it.result.map((result: Json) => follow(sent, result).valueString))).toEqual([
      ['R', '32'],
      ['S'],
    ]);
  });

  test('keep their ids when one of them is corrected', () => {
    const id = (sent: string): string => all(sent, 'Observation').at(-1)?.id as string;
    expect(id(oru(...other('I')))).toBe(id(oru(...one, ...other('S'))));
    const numbered = (parent: string): string =>
      oru(obr({ 26: parent }), obx({ 21: 'R1^LAB' }), obr({ 26: '600-7^2' }), obx({ 21: 'R1^LAB' }));
    expect(id(numbered('600-7^1'))).toBe(id(numbered('600-7^3')));
    expect(all(numbered('600-7^1'), 'Observation')[0]?.id).not.toBe(id(numbered('600-7^1')));
  });

  test('that name their isolate by its words alone are told apart as well', () => {
    const sent = oru(...antibiogram(1, '600-7^^E. coli', 'R'), ...antibiogram(2, '600-7^^S. aureus', 'S'));
    expect(all(sent, 'DiagnosticReport')).toHaveLength(2);
  });
});
