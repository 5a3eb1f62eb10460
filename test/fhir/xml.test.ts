import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { formatXml } from '../../src/fhir/xml/format.ts';
import { parseXml } from '../../src/fhir/xml/parse.ts';

const declaration = '<?xml version="1.0" encoding="UTF-8"?>';
const div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Zhang &amp; <b>Li</b><br/></p></div>';

const patient = {
  json: {
    resourceType: 'Patient',
    birthDate: '1956-02-03',
    _birthDate: { extension: [{ url: 'http://example.org/birthTime', valueDateTime: '1956-02-03T08:15:00+08:00' }] },
    name: [
      {
        given: ['Wei', null, 'X'],
        _given: [null, { id: 'g2', extension: [{ url: 'http://example.org/why', valueCode: 'unknown' }] }, null],
        family: 'Zhang',
        id: 'n1',
      },
    ],
    text: { div, status: 'generated' },
    active: true,
    multipleBirthInteger: 2,
    contained: [{ id: 'o', resourceType: 'Organization', name: 'A "B" <C>\n' }],
    id: 'p1',
  },
  xml: `${declaration}
<Patient xmlns="http://hl7.org/fhir">
  <id value="p1"/>
  <text>
    <status value="generated"/>
    ${div}
  </text>
  <contained>
    <Organization>
      <id value="o"/>
      <name value="A &quot;B&quot; &lt;C&gt;&#10;"/>
    </Organization>
  </contained>
  <active value="true"/>
  <name id="n1">
    <family value="Zhang"/>
    <given value="Wei"/>
    <given id="g2">
      <extension url="http://example.org/why">
        <valueCode value="unknown"/>
      </extension>
    </given>
    <given value="X"/>
  </name>
  <birthDate value="1956-02-03">
    <extension url="http://example.org/birthTime">
      <valueDateTime value="1956-02-03T08:15:00+08:00"/>
    </extension>
  </birthDate>
  <multipleBirthInteger value="2"/>
</Patient>
`,
};

const observation = {
  json: {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '29463-7', userSelected: false }] },
    subject: { reference: 'Patient/p1' },
    effectiveDateTime: '2026-03-16',
    valueQuantity: { value: 72.5, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
    component: [{ code: { text: 'x' }, valueInteger: -1 }],
  },
  xml: `${declaration}
<Observation xmlns="http://hl7.org/fhir">
  <status value="final"/>
  <code>
    <coding>
      <system value="http://loinc.org"/>
      <code value="29463-7"/>
      <userSelected value="false"/>
    </coding>
  </code>
  <subject>
    <reference value="Patient/p1"/>
  </subject>
  <effectiveDateTime value="2026-03-16"/>
  <valueQuantity>
    <value value="72.5"/>
    <unit value="kg"/>
    <system value="http://unitsofmeasure.org"/>
    <code value="kg"/>
  </valueQuantity>
  <component>
    <code>
      <text value="x"/>
    </code>
    <valueInteger value="-1"/>
  </component>
</Observation>
`,
};

const bundle = {
  json: {
    resourceType: 'Bundle',
    type: 'searchset',
    total: 1,
    link: [{ relation: 'self', url: 'http://localhost/fhir/Patient?name=a&_count=1' }],
    entry: [
      {
        fullUrl: 'http://localhost/fhir/Patient/p1',
        resource: { resourceType: 'Patient', id: 'p1' },
        search: { mode: 'match', score: 1 },
        response: {
          status: '200',
          outcome: { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'informational' }] },
        },
      },
    ],
  },
  xml: `${declaration}
<Bundle xmlns="http://hl7.org/fhir">
  <type value="searchset"/>
  <total value="1"/>
  <link>
    <relation value="self"/>
    <url value="http://localhost/fhir/Patient?name=a&amp;_count=1"/>
  </link>
  <entry>
    <fullUrl value="http://localhost/fhir/Patient/p1"/>
    <resource>
      <Patient>
        <id value="p1"/>
      </Patient>
    </resource>
    <search>
      <mode value="match"/>
      <score value="1"/>
    </search>
    <response>
      <status value="200"/>
      <outcome>
        <OperationOutcome>
          <issue>
            <severity value="warning"/>
            <code value="informational"/>
          </issue>
        </OperationOutcome>
      </outcome>
    </response>
  </entry>
</Bundle>
`,
};

describe.each([
  ['Patient', patient],
  ['Observation', observation],
  ['Bundle', bundle],
])('a %s', (_, { json, xml }) => {
  test('is written in the order of the specification', () => {
    expect(formatXml(json, true)).toBe(xml);
  });

  test('is written without white space when it need not be pretty', () => {
    expect(formatXml(json)).toBe(xml.replace(/\n */g, ''));
  });

  test('is read into the JSON form', () => {
    expect(parseXml(xml)).toEqual(json);
  });
});

const read = (inside: string): Json => parseXml(`<Patient xmlns="http://hl7.org/fhir">${inside}</Patient>`);

describe('XML is read', () => {
  test('with a byte-order mark, carriage returns, comments, instructions and single quotes', () => {
    const xml = `\ufeff<?xml version='1.0'?>\r\n<?xml-stylesheet href="x.xsl"?><!-- <a> & -->\r\n<Patient\r\n\txmlns='http://hl7.org/fhir'><!-- x --><id value='p1'\r\n/></Patient>\r\n<!-- y -->`;
    expect(parseXml(xml)).toEqual({ resourceType: 'Patient', id: 'p1' });
  });

  test('with namespace prefixes, which are bound where JAXB binds them', () => {
    const xml = `<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><f:text><f:status value="generated"/><h:div><h:b>x</h:b></h:div></f:text><active xmlns="http://hl7.org/fhir" value="true"/></f:Patient>`;
    expect(parseXml(xml)).toEqual({
      resourceType: 'Patient',
      text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><b>x</b></div>' },
      active: true,
    });
  });

  test('with its elements in any order, those of a list in theirs', () => {
    expect(
      read(
        '<birthDate value="1956"/><name><text value="a"/></name><active value="true"/><name><text value="b"/></name>',
      ),
    ).toEqual({ resourceType: 'Patient', birthDate: '1956', name: [{ text: 'a' }, { text: 'b' }], active: true });
  });

  test.each([
    ['references', '&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;&#10;&#13;', '<>&"\'A\u{1F600}\n\r'],
    ['white space that is written as such as blanks', 'a\n\tb', 'a  b'],
    ['no reference twice', '&amp;lt;', '&lt;'],
    ['blanks at both ends', ' a ', ' a '],
    ['digits as text', '0012', '0012'],
    ['the word true as text', 'true', 'true'],
  ])('with %s', (_, raw, text) => {
    expect(read(`<name><text value="${raw}"/></name>`).name[0].text).toBe(text);
  });

  test.each([
    ['multipleBirthInteger', '-3', -3],
    ['multipleBirthInteger', '0', 0],
    ['multipleBirthBoolean', 'false', false],
  ])('as a literal: %s %s', (name, raw, value) => {
    expect(read(`<${name} value="${raw}"/>`)[name]).toBe(value);
  });

  test.each([
    ['1.50', 1.5],
    ['-0.001', -0.001],
    ['1e-7', 1e-7],
    ['2E+3', 2000],
  ])('as a decimal: %s', (raw, value) => {
    const xml = `<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="${raw}"/></valueQuantity></Observation>`;
    expect(parseXml(xml).valueQuantity.value).toBe(value);
  });

  test('with an id in place of a value, and a list that has nothing else', () => {
    expect(read('<birthDate id="b"/><name><given id="g"/></name>')).toEqual({
      resourceType: 'Patient',
      _birthDate: { id: 'b' },
      name: [{ given: [null], _given: [{ id: 'g' }] }],
    });
  });

  test.each([
    [
      'comments, CDATA and references',
      '<div xmlns="http://www.w3.org/1999/xhtml"><!-- a --><![CDATA[<&]]>&#160;</div>',
    ],
    ['attributes as they are quoted', `<div xmlns="http://www.w3.org/1999/xhtml" title='"a"'>\n  <i >x</i>\n</div>`],
    ['an empty div', '<div xmlns="http://www.w3.org/1999/xhtml"/>'],
  ])('with a narrative to the letter: %s', (_, narrative) => {
    expect(read(`<text><status value="generated"/>${narrative}</text>`).text.div).toBe(narrative);
  });
});

describe('XML is written', () => {
  const written = (json: Json): string => formatXml({ resourceType: 'Patient', ...json }).replace(declaration, '');

  test('with a namespace for a narrative that has none', () => {
    expect(written({ text: { status: 'empty', div: ' <div class="a">x</div>\n' } })).toContain(
      '<div xmlns="http://www.w3.org/1999/xhtml" class="a">x</div></text>',
    );
  });

  test('without elements that are empty', () => {
    expect(written({ name: [{}], _birthDate: {}, _active: undefined, gender: undefined })).toBe(
      '<Patient xmlns="http://hl7.org/fhir"></Patient>',
    );
  });

  test('with an element that has the name of the key that types a resource', () => {
    const json = { resourceType: 'ExampleScenario', instance: [{ resourceId: 'a', resourceType: 'Patient' }] };
    expect(parseXml(formatXml(json))).toEqual(json);
  });

  test.each<[string, Json, string]>([
    ['a control character', { name: [{ given: ['a', 'b\u0000'] }] }, 'Patient.name[0].given[1]'],
    ['half of a surrogate pair', { id: '\ud800' }, 'Patient.id'],
    ['U+FFFF in an attribute', { name: [{ id: '\uffff' }] }, 'Patient.name[0].id'],
    ['a narrative that is not well-formed', { text: { div: '<div>a<br></div>' } }, 'Patient.text.div'],
    ['a narrative with entities of HTML', { text: { div: '<div>&nbsp;</div>' } }, 'Patient.text.div'],
    ['a narrative that goes on after its div', { text: { div: '<div>a</div><id value="x"/>' } }, 'Patient.text.div'],
    ['a narrative that is no div', { text: { div: '<p>a</p>' } }, 'Patient.text.div'],
    ['a narrative with a DTD', { text: { div: '<!DOCTYPE div><div>a</div>' } }, 'Patient.text.div'],
    ['a narrative of FHIR', { text: { div: '<div xmlns="http://hl7.org/fhir"/>' } }, 'Patient.text.div'],
    ['a prefix in a narrative that nobody declares', { text: { div: '<div><o:p/></div>' } }, 'Patient.text.div'],
    ['an element that R4 does not have', { name: [{ nick: 'x' }] }, 'Patient.name[0]'],
    ['an extension of an attribute', { name: [{ _id: { id: 'x' } }] }, 'Patient.name[0]'],
    ['one where a list belongs', { name: { text: 'x' } }, 'Patient'],
    ['a list where one belongs', { maritalStatus: [{ text: 'x' }] }, 'Patient.maritalStatus'],
    ['an object where text belongs', { gender: { a: 1 } }, 'Patient.gender'],
    ['text where an object belongs', { name: ['x'] }, 'Patient.name[0]'],
    ['a contained resource of no type', { contained: [{ id: 'x' }] }, 'Patient.contained[0]'],
    ['a key that is not an element', { constructor: 'x' }, 'Patient'],
  ])('unless there is %s', (_, json, expression) => {
    expect(() => written(json)).toThrow(
      expect.objectContaining({ kind: 'not-acceptable', details: [expect.objectContaining({ expression })] }),
    );
  });
});
