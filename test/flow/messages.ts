/** The small messages that the hospital of these stories sends: a segment is named fields, a message is segments. */

/** Fields by number; a segment is written up to the last. */
export type Fields = Readonly<Record<number, string>>;

/** `PV1|1|I||…`: a segment with these fields. */
export function segment(name: string, fields: Fields): string {
  const last = Math.max(...Object.keys(fields).map(Number));
  const texts = Array.from({ length: last }, (_, i) => fields[i + 1] ?? '');
  // MSH-1 is the separator itself.
  return name === 'MSH' ? `MSH|${texts.slice(1).join('|')}` : [name, ...texts].join('|');
}

let sent = 0;

/** `2026-03-10 09:00` ─▶ `20260310090000`. */
export function dtm(at: string): string {
  return at.replace(/[^0-9]/g, '').padEnd(14, '0');
}

/** Any message: its header with the next control id, and segments. @param type `SIU^S12` @param at local time of MSH-7 */
export function message(type: string, at: string, ...segments: readonly string[]): string {
  const header = { 2: '^~\\&', 3: 'HIS', 4: 'RENHE', 7: dtm(at), 9: type, 10: `M${++sent}`, 11: 'P', 12: '2.5.1' };
  return [segment('MSH', header), ...segments, ''].join('\r');
}

/** An ADT message of an event that happened (EVN-2) and was sent (MSH-7) at a local time. */
export function adt(event: string, at: string, ...segments: readonly string[]): string {
  return message(`ADT^${event}`, at, segment('EVN', { 1: event, 2: dtm(at) }), ...segments);
}

/** A patient by his number: Jane Doe, born in 1980, with a telephone, and what a story lays over. */
export function pid(number: string, fields: Fields = {}): string {
  return segment('PID', {
    1: '1',
    3: `${number}^^^RENHE^MR`,
    5: 'Doe^Jane',
    7: '19800229',
    8: 'F',
    13: '13900009999',
    ...fields,
  });
}

/** An inpatient visit by its number: ward W1, Dr Li, since 10 March at 9:00, with what a story lays over. */
export function pv1(number: string, fields: Fields = {}): string {
  const [place, doctor] = ['W1^101^01', 'D012^Li^Min'];
  return segment('PV1', {
    1: '1',
    2: 'I',
    3: place,
    7: doctor,
    19: number && `${number}^^^RENHE^VN`,
    44: '20260310090000',
    ...fields,
  });
}

/** What PV1 says of a discharge: home, on 16 March at 10:00. */
export const home: Fields = { 36: '01', 45: '20260316100000' };

/** A patient's number that retires. */
export function mrg(number: string, fields: Fields = {}): string {
  return segment('MRG', { 1: number && `${number}^^^RENHE^MR`, ...fields });
}

/** The same message with another field of MSH: MSH-10 for a new control id. */
export function withHeader(text: string, fields: Fields): string {
  const [header = '', ...rest] = text.split('\r');
  const texts = header.split('|');
  for (const [n, value] of Object.entries(fields)) {
    while (texts.length < Number(n)) texts.push('');
    texts[Number(n) - 1] = value;
  }
  return [texts.join('|'), ...rest].join('\r');
}

/** The same content under the next control id. */
export function renumbered(text: string): string {
  return withHeader(text, { 10: `M${++sent}` });
}

/** An appointment F7001 of Jane Doe, 1001, on 1 April from 9:30 to 10:00, by the fields of SCH that a story lays over. */
export function siu(event: string, at: string, sch: Fields = {}, ...segments: readonly string[]): string {
  const booking = { 2: 'F7001^RENHE', 11: '^^^20260401093000^20260401100000', ...sch };
  const patient = segments.some((it) => it.startsWith('PID')) ? [] : [pid('1001')];
  return message(`SIU^${event}^SIU_S12`, at, segment('SCH', booking), ...patient, ...segments);
}

/** A result message of Jane Doe, 1001, unless a segment says who: PID, then what the story adds. */
export function oru(at: string, ...segments: readonly string[]): string {
  const patient = segments.some((it) => it.startsWith('PID')) ? [] : [pid('1001')];
  return message('ORU^R01^ORU_R01', at, ...patient, ...segments);
}

/** An order with results: the filler's number F1 and what was measured, on 20 March at 7:05. */
export function obr(fields: Fields = {}): string {
  return segment('OBR', { 1: '1', 3: 'F1^LAB', 4: '14743-9^Glucose^LN', 7: '20260320070500', 25: 'F', ...fields });
}

/** A result: blood glucose 6.1 mmol/L, final, on 20 March at 7:05. */
export function obx(fields: Fields = {}): string {
  const glucose = { 1: '1', 2: 'NM', 3: '14743-9^Glucose^LN', 5: '6.1', 6: 'mmol/L', 11: 'F', 14: '20260320070500' };
  return segment('OBX', { ...glucose, ...fields });
}
