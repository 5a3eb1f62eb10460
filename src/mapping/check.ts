/** What keeps a message from being mapped: its header, and the segments and fields that its map requires. */
import { cut, type FieldRef, type Message, parseRef, type Segment } from '../hl7v2/message.ts';
import type { Problem } from '../hl7v2/problem.ts';
import { isValued } from './context.ts';
import type { MessageMap, Required } from './rows.ts';

/** One `require` of a message map: the place to name when it fails, and its test. */
export interface Requirement {
  readonly place: FieldRef;
  /** What is said of it then: names the places that would do as well. */
  readonly text: string;
  valued(message: Message): boolean;
}

/** A list of places is satisfied by any of them, in any repetition. */
export function requirement(places: readonly Required[]): Requirement {
  const tests = places.map((it) => {
    const [place = '', ...values] = typeof it === 'string' ? [it] : it.in;
    return { ...parseRef(place)!, values };
  });
  const others = places
    .slice(1)
    .map((it) => (typeof it === 'string' ? it : `${it.in[0]} of ${it.in.slice(1).join(' or ')}`));
  return {
    place: tests[0]!,
    text: `a required field is empty${others.length > 0 ? `, as is ${others.join(', ')}` : ''}`,
    valued: (message) =>
      tests.some(({ segment, field, component, values }) => {
        const { delimiters } = message;
        for (const raw of message.first(segment)?.repetitions(field) ?? []) {
          const text = component ? cut(raw, delimiters.component, component) : raw;
          if (values.length > 0 ? values.includes(text) : isValued(text, delimiters)) return true;
        }
        return false;
      }),
  };
}

/**
 * Problems of the header alone. HL7 v2.5.1 2.14.9: required fields, tables 0103 and 0104.
 * @param event as {@link messageType} finds it: a sender may say it elsewhere than in MSH-9.2
 */
export function checkHeader(header: Segment, event: string): Problem[] {
  const problems: Problem[] = [];
  const need = (field: number, component?: number): void => {
    if (header.text(field, component ?? 1) !== '') return;
    problems.push({
      code: '101',
      text: 'a required field is empty',
      segment: 'MSH',
      field,
      ...(component && { component }),
    });
  };
  need(9, 1);
  if (!event) need(9, 2);
  need(10);
  const processing = header.text(11);
  if (processing && !['P', 'D', 'T'].includes(processing)) {
    problems.push({ code: '202', text: 'the processing id is not P, D or T', segment: 'MSH', field: 11 });
  }
  const version = header.text(12);
  if (version && !/^2(\.[1-9])?(\.\d)?$/.test(version)) {
    problems.push({ code: '203', text: 'the version is not 2.1 to 2.9', segment: 'MSH', field: 12 });
  }
  return problems;
}

/** Each may become a resource or two, which are decided and written in one unit: 20,000 observations take some 0.9 GB, resident in all. */
const segmentsMax = 20_000;

/** Segments that cannot be told apart, or are too many. */
export function checkSegments({ segments, delimiters }: Message): Problem[] {
  if (segments.length > segmentsMax)
    return [{ code: '207', text: `more than ${segmentsMax} segments: send it in parts` }];
  const isSegment = ({ name, raw }: Segment): boolean =>
    /^[A-Z][A-Z0-9]{2}$/.test(name) && [undefined, delimiters.field].includes(raw[3]);
  return segments.every(isSegment) ? [] : [{ code: '100', text: 'a line that is not a segment' }];
}

/** Required segments and fields that are not there. */
export function missing(message: Message, map: MessageMap, required: readonly Requirement[]): Problem[] {
  const problems: Problem[] = [];
  const absent = new Set(map.segments.filter((name) => !message.first(name)));
  for (const segment of absent) problems.push({ code: '100', text: 'a required segment is missing', segment });
  for (const { place, text, valued } of required) {
    const { segment, field, component } = place;
    if (absent.has(segment) || valued(message)) continue;
    problems.push({
      code: '101',
      text,
      segment,
      field,
      ...(component > 0 && { component }),
    });
  }
  return problems;
}
