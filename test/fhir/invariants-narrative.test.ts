import { describe, expect, test } from '@jest/globals';
import { readNarrative } from '../../src/fhir/validation/narrative.ts';

const div = (content: string): string => `<div xmlns="http://www.w3.org/1999/xhtml">${content}</div>`;

describe('a narrative is taken', () => {
  test.each([
    ['text', div('张伟')],
    ['elements of text', div('<p>a <b>b</b> <i>c</i><br/></p><h1>x</h1><blockquote>y</blockquote>')],
    ['lists', div('<ul><li>a</li></ul><dl><dt>b</dt><dd>c</dd></dl>')],
    [
      'a table',
      div(
        '<table summary="s" border="1"><thead><tr><th colspan="2">a</th></tr></thead><tbody><tr><td nowrap="nowrap">b</td></tr></tbody></table>',
      ),
    ],
    ['links and anchors', div('<a href="https://example.org/?a=1&amp;b=2">x</a><a name="y">y</a>')],
    ['an image alone', div('<img src="#pic" alt="x"/>')],
    ['style and class', div('<p style="color: red" class=\'x\' id="a" title="b" xml:lang="zh">x</p>')],
    ['comments', div('<!-- <script> -->x')],
    ['entities', div('&lt;&#169;&#xA9;&nbsp;')],
    ['blanks around it', `\n ${div('x')} \n`],
    ['an element that is empty', div('<p></p>x')],
  ])('with %s', (_, text) => {
    expect(readNarrative(text)).toEqual({ allowed: true, content: true });
  });
});

describe('a narrative is refused', () => {
  test.each<[string, unknown]>([
    ['that is no text', 5],
    ['that is no div', '<p>x</p>'],
    ['that is no XHTML', 'x'],
    ['that is nothing', ''],
    ['with a script', div('<script>x</script>')],
    ['with a script in a link', div('<a href=" JavaScript:x">x</a>')],
    ['with an event', div('<p onclick="x">x</p>')],
    ['with a form', div('<form><input/></form>')],
    ['with a frame', div('<iframe src="x"/>')],
    ['with a style sheet', div('<style>p {}</style>x')],
    ['with a head', '<html><head/><body/></html>'],
    ['with an attribute of another element', div('<p href="x">x</p>')],
    ['with an element that does not end', div('<p>x')],
    ['with elements that cross', div('<p><b>x</p></b>')],
    ['with an end that has no beginning', div('x</p>')],
    ['with an end that has an attribute', div('<p>x</p id="a">')],
    ['with an attribute that has no quotation marks', div('<p id=a>x</p>')],
    ['with an attribute that has no value', div('<td nowrap>x</td>')],
    ['with a tag that does not end', div('<p id="a"')],
    ['with a comment that does not end', div('<!-- x')],
    ['with an ampersand', div('a & b')],
    ['with CDATA', div('<![CDATA[x]]>')],
    ['with a processing instruction', div('<?php x ?>')],
    ['with a document type', `<!DOCTYPE html>${div('x')}`],
    ['with two divs', div('x') + div('y')],
    ['with text behind it', `${div('x')}y`],
  ])('%s', (_, text) => {
    expect(readNarrative(text).allowed).toBe(false);
  });

  test.each(['', ' \n\t', '<p></p>', '<br/>', '<!-- x -->'])('that says nothing: %j', (content) => {
    expect(readNarrative(div(content))).toEqual({ allowed: true, content: false });
  });
});

describe('a long narrative is read without a stack that overflows', () => {
  test.each([
    ['attributes', div(`<p${' id="a"'.repeat(300_000)}>x</p>`)],
    ['a comment', div(`<!--${'x'.repeat(5_000_000)}-->x`)],
    ['a data URL', div(`<img src="data:image/png;base64,${'A'.repeat(5_000_000)}"/>`)],
    ['elements in elements', div(`${'<span>'.repeat(200_000)}x${'</span>'.repeat(200_000)}`)],
  ])('%s', (_, text) => {
    expect(readNarrative(text)).toEqual({ allowed: true, content: true });
  });
});
