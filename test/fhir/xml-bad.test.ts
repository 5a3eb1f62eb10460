/** Hostile and broken XML: refused in bounded time with `malformed` or `too-large`, never read in part. */
import { describe, expect, test } from '@jest/globals';
import { parseXml } from '../../src/fhir/xml/parse.ts';
import { Failure, type FailureKind } from '../../src/outcome.ts';

const fhir = 'xmlns="http://hl7.org/fhir"';
const patient = (inside: string): string => `<Patient ${fhir}>${inside}</Patient>`;

function failureOf(xml: string): Failure {
  try {
    parseXml(xml);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe('XML that is not well-formed', () => {
  test.each([
    ['nothing', ''],
    ['only a comment', '<!-- -->'],
    ['text', 'Patient'],
    ['JSON', '{"resourceType":"Patient"}'],
    ['an open element', `<Patient ${fhir}>`],
    ['crossed tags', patient('<name><text></name></text>')],
    ['a closing tag too many', `${patient('')}</Patient>`],
    ['two roots', `${patient('')}${patient('')}`],
    ['two roots, the first empty', `<Patient ${fhir}/><Patient ${fhir}/>`],
    ['text after the root', `<Patient ${fhir}/>x`],
    ['CDATA after the root', `<Patient ${fhir}/><![CDATA[x]]>`],
    ['an attribute twice', patient('<id value="a" value="b"/>')],
    ['an attribute without a value', patient('<id value/>')],
    ['an attribute without quotes', patient('<id value=a/>')],
    ['no space between attributes', patient('<name id="a"url="b"/>')],
    ['< in an attribute', patient('<id value="<"/>')],
    ['a bare &', patient('<id value="a&b"/>')],
    ['an unknown entity', patient('<id value="&nbsp;"/>')],
    ['a reference to a character that XML does not have', patient('<id value="&#0;"/>')],
    ['a reference to half a surrogate pair', patient('<id value="&#xD800;"/>')],
    ['a reference beyond Unicode', patient('<id value="&#x110000;"/>')],
    ['a control character', patient('<id value="\u0001"/>')],
    ['an open comment', patient('<!-- ')],
    ['a comment with two hyphens', patient('<!-- a -- b -->')],
    ['an open CDATA section', patient('<![CDATA[x')],
    ['the end of a CDATA section in text', patient(']]>')],
    ['a declaration in the middle', patient('<?xml version="1.0"?>')],
    ['a declaration after a blank', ` <?xml version="1.0"?>${patient('')}`],
    ['a declaration with other things', `<?xml version="1.0" x="y"?>${patient('')}`],
    ['a name that begins with a digit', patient('<1/>')],
    [
      'an unknown entity in a narrative',
      patient('<text><div xmlns="http://www.w3.org/1999/xhtml">&nbsp;</div></text>'),
    ],
  ])('%s is refused', (_, xml) => {
    expect(failureOf(xml).kind).toBe('malformed');
  });

  test('is told by line and column', () => {
    expect(failureOf(`<Patient ${fhir}>\n  <id value="a"/>\n  <name></Name>\n</Patient>`).message).toBe(
      'the body is not well-formed XML: line 3, column 16',
    );
  });
});

describe('a document type declaration is refused', () => {
  const lol = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
  test.each([
    ['alone', `<!DOCTYPE Patient>${patient('')}`],
    [
      'with an external entity',
      `<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>${patient('<name><text value="&x;"/></name>')}`,
    ],
    ['with a parameter entity', `<!DOCTYPE p [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]>${patient('')}`],
    ['with a billion laughs', `<!DOCTYPE p [<!ENTITY l0 "lol">${lol}]>${patient('<id value="&l9;"/>')}`],
    ['in the document', patient('<!DOCTYPE Patient>')],
    ['as a lone entity', `<!ENTITY x "y">${patient('')}`],
  ])('%s', (_, xml) => {
    expect(failureOf(xml)).toMatchObject({
      kind: 'malformed',
      message: 'a document type or entity declaration is not allowed',
    });
  });
});

describe('XML that is not FHIR is refused where it is not', () => {
  const html = 'xmlns="http://www.w3.org/1999/xhtml"';
  test.each<[string, string, string | undefined, string]>([
    ['no namespace', '<Patient/>', undefined, 'the namespace of the root'],
    ['another namespace', '<Patient xmlns="urn:hl7-org:v3"/>', undefined, 'the namespace of the root'],
    ['a prefix that nobody declares', '<f:Patient/>', undefined, 'the namespace of the root'],
    ['a root that is a type', `<HumanName ${fhir}/>`, undefined, "'HumanName' is not a resource"],
    ['a root of no known name', `<patient ${fhir}/>`, undefined, "'patient' is not a resource"],
    ['an unknown element', patient('<name><nick value="x"/></name>'), 'Patient.name[0]', "no element 'nick'"],
    ['resourceType as an element', patient('<resourceType value="x"/>'), 'Patient', "no element 'resourceType'"],
    [
      'a choice without its type',
      `<Observation ${fhir}><value value="1"/></Observation>`,
      'Observation',
      "no element 'value'",
    ],
    [
      'an id of an element as an element',
      patient('<name><id value="x"/></name>'),
      'Patient.name[0]',
      "no element 'id'",
    ],
    [
      'an element of another namespace',
      patient('<active xmlns="urn:x" value="true"/>'),
      'Patient.active',
      'the namespace must be',
    ],
    ['an unknown attribute', patient('<active value="true" lang="en"/>'), 'Patient.active', "no attribute 'lang'"],
    [
      'an attribute with a prefix',
      patient('<active xml:lang="en" value="true"/>'),
      'Patient.active',
      "no attribute 'xml:lang'",
    ],
    ['the id of a resource as an attribute', `<Patient ${fhir} id="x"/>`, 'Patient', "no attribute 'id'"],
    ['a value of an element that has none', patient('<name value="x"/>'), 'Patient.name[0]', "no attribute 'value'"],
    ['a url outside of extensions', patient('<name url="x"/>'), 'Patient.name[0]', "no attribute 'url'"],
    [
      'an attribute around a resource',
      patient('<contained id="x"><Basic/></contained>'),
      'Patient.contained[0]',
      "no attribute 'id'",
    ],
    ['an empty attribute', patient('<gender value=""/>'), 'Patient.gender', "'value' is empty"],
    ['an empty element', patient('<name><given value="x"/><given/></name>'), 'Patient.name[0].given[1]', 'never empty'],
    ['an empty complex element', patient('<name></name>'), 'Patient.name[0]', 'never empty'],
    ['text', patient('<name>Zhang</name>'), 'Patient.name[0]', 'text is not allowed'],
    [
      'text between elements',
      patient('<active value="true"/>x<gender value="male"/>'),
      'Patient',
      'text is not allowed',
    ],
    ['text as CDATA', patient('<name><![CDATA[x]]></name>'), 'Patient.name[0]', 'text is not allowed'],
    ['text as a reference', patient('<name>&#65;</name>'), 'Patient.name[0]', 'text is not allowed'],
    [
      'an element twice',
      patient('<gender value="male"/><gender value="male"/>'),
      'Patient.gender',
      'must not be repeated',
    ],
    [
      'an element twice, once without a value',
      patient('<gender id="a"/><gender value="male"/>'),
      'Patient.gender',
      'must not be repeated',
    ],
    [
      'a complex element twice',
      patient('<maritalStatus><text value="a"/></maritalStatus><maritalStatus><text value="a"/></maritalStatus>'),
      'Patient.maritalStatus',
      'must not be repeated',
    ],
    ['no boolean', patient('<active value="True"/>'), 'Patient.active', 'true or false'],
    ['no integer', patient('<multipleBirthInteger value="1.0"/>'), 'Patient.multipleBirthInteger', 'integer'],
    ['an integer of hex', patient('<multipleBirthInteger value="0x1"/>'), 'Patient.multipleBirthInteger', 'integer'],
    [
      'no decimal',
      `<Location ${fhir}><position><latitude value="1,5"/></position></Location>`,
      'Location.position.latitude',
      'decimal',
    ],
    [
      'a decimal that JSON cannot hold',
      `<Location ${fhir}><position><latitude value="1e999"/></position></Location>`,
      'Location.position.latitude',
      'decimal',
    ],
    [
      'no resource where one belongs',
      `<Bundle ${fhir}><entry><resource></resource></entry></Bundle>`,
      'Bundle.entry[0].resource',
      'exactly one resource',
    ],
    [
      'two resources where one belongs',
      patient('<contained><Basic/><Basic/></contained>'),
      'Patient.contained[0]',
      'exactly one resource',
    ],
    [
      'no R4 resource where one belongs',
      patient('<contained><Foo/></contained>'),
      undefined,
      "'Foo' is not a resource",
    ],
    ['a narrative of FHIR', patient('<text><div>x</div></text>'), 'Patient.text.div', 'the namespace must be'],
    [
      'a narrative that is half FHIR',
      `<Patient ${fhir} xmlns:h="http://www.w3.org/1999/xhtml"><text><h:div><p/></h:div></text></Patient>`,
      'Patient.text.div',
      'must be all XHTML',
    ],
    [
      'a narrative with a prefix from outside',
      `<Patient ${fhir} xmlns:o="urn:o"><text><div ${html}><o:p/></div></text></Patient>`,
      'Patient.text.div',
      'must be all XHTML',
    ],
    [
      'many namespaces',
      `<Patient ${fhir} ${Array.from({ length: 21 }, (_, i) => `xmlns:a${i}="x"`).join(' ')}/>`,
      'Patient',
      'prefixes',
    ],
  ])('%s', (_, xml, expression, text) => {
    const { kind, details } = failureOf(xml);
    expect({ kind, expression: details[0]?.expression }).toEqual({ kind: 'malformed', expression });
    expect(details[0]?.text).toContain(text);
  });

  test('and says nothing of the values', () => {
    const said = [
      '<gender value="secret"><name/></gender>',
      '<active value="secret"/>',
      '<id value="a">secret</id>',
      '<id value=secret/>',
    ];
    for (const inside of said) expect(JSON.stringify(failureOf(patient(inside)).details)).not.toContain('secret');
  });
});

describe('names that JavaScript knows', () => {
  test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__'])(
    '%s',
    (name) => {
      for (const inside of [
        `<${name} value="x"/>`,
        `<name ${name}="x"/>`,
        `<name><${name}><text value="x"/></${name}></name>`,
      ])
        expect(failureOf(patient(inside)).kind).toBe('malformed');
      expect(failureOf(`<${name} ${fhir}/>`).kind).toBe('malformed');
      expect(({} as Record<string, unknown>).value).toBeUndefined();
    },
  );
});

describe('XML that costs too much is refused before it is read', () => {
  const extension = (levels: number, inside: string): string =>
    `${'<extension url="x">'.repeat(levels)}${inside}${'</extension>'.repeat(levels)}`;

  test('a hundred levels are read', () => {
    expect(parseXml(patient(extension(98, '<valueCode value="x"/>'))).resourceType).toBe('Patient');
  });

  test.each<[string, string, FailureKind]>([
    ['101 levels', patient(extension(99, '<valueCode value="x"/>')), 'malformed'],
    [
      '101 levels in a narrative',
      patient(`<text><div xmlns="http://www.w3.org/1999/xhtml">${'<b>'.repeat(98)}${'</b>'.repeat(98)}</div></text>`),
      'malformed',
    ],
    ['a million levels', '<a>'.repeat(1_000_000), 'malformed'],
    ['a million closing tags', '</a>'.repeat(1_000_000), 'malformed'],
    ['1.5 million elements', patient('<id/>'.repeat(1_500_000)), 'too-large'],
    [
      'a hundred attributes',
      patient(`<name ${Array.from({ length: 101 }, (_, i) => `a${i}=""`).join(' ')}/>`),
      'too-large',
    ],
    ['ten thousand names', patient(Array.from({ length: 10_001 }, (_, i) => `<a${i}/>`).join('')), 'too-large'],
    ['a megabyte of text', patient('x'.repeat(1_100_000)), 'too-large'],
    ['a megabyte of text between comments', patient('x<!---->'.repeat(1_100_000)), 'too-large'],
    ['a megabyte of blanks', patient(' '.repeat(1_100_000)), 'too-large'],
    ['a long instruction', patient(`<?a ${'b '.repeat(1_000)}?>`), 'too-large'],
    ['a tag full of blanks', patient(`<name${' '.repeat(1_000_000)}/>`), 'malformed'],
    ['a tag full of names', patient(`<name${' a'.repeat(1_000_000)}/>`), 'malformed'],
    ['a tag full of quotes', patient(`<name a="${'" a="'.repeat(1_000_000)}"/>`), 'malformed'],
    ['a long name', patient(`<${'a'.repeat(1_000_000)}/>`), 'malformed'],
    ['a million ampersands', patient(`<id value="${'&'.repeat(1_000_000)}"/>`), 'malformed'],
    ['a million openings', patient('<'.repeat(1_000_000)), 'malformed'],
    ['a million open comments', patient('<!--'.repeat(1_000_000)), 'malformed'],
  ])('%s', (_, xml, kind) => {
    expect(failureOf(xml).kind).toBe(kind);
  });

  test('but a long value is read: an attachment may be megabytes', () => {
    const data = 'QUJD'.repeat(1_000_000);
    expect(parseXml(`<Binary ${fhir}><data value="${data}"/></Binary>`).data).toBe(data);
  });
});
