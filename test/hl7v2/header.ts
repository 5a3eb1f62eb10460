/** MSH segments whose fields can be set by number. */

/** `MSH|^~\&|…` with the given fields; field 1 is the separator, 2 the encoding characters. Ended by CR. */
export function header(fields: Record<number, string> = {}, separator = '|', encoding = '^~\\&'): string {
  const component = encoding.charAt(0);
  const values: Record<number, string> = {
    3: 'HIS',
    4: 'RENHE',
    5: 'AFTERCARE',
    6: 'RENHE',
    7: '20260316103000',
    9: ['ADT', 'A03', 'ADT_A03'].join(component),
    10: 'C1',
    11: 'P',
    12: '2.5.1',
    ...fields,
  };
  const last = Math.max(...Object.keys(values).map(Number));
  const cells = Array.from({ length: last - 2 }, (_, i) => values[i + 3] ?? '');
  return `${['MSH', encoding, ...cells].join(separator)}\r`;
}
