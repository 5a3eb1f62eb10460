/** Our rates beside those of the servers that people use now. */
import type { HttpRow } from '../http.ts';

/** Lines for the rows that have figures of other servers; empty when none has. */
export function orientation(rows: readonly HttpRow[]): string {
  const compared = rows.flatMap(({ what, ours, others }) => (others ? [{ what, ours, ...others }] : []));
  if (compared.length === 0) return '';
  const lines = compared.map(({ what, ours, hapi, medplum }) => {
    const factor = ours / Math.max(hapi, medplum);
    return `${what.padEnd(60)}${[ours, hapi, medplum].map((it) => it.toFixed(it < 10 ? 1 : 0).padStart(10)).join('')}${factor.toFixed(1).padStart(10)}`;
  });
  const head = `${'requests/s'.padEnd(60)}${['ours', 'HAPI', 'Medplum', 'factor'].map((it) => it.padStart(10)).join('')}`;
  return `\norientation: figures of design.md, another run; factor: ours to the better of the two\n${[head, ...lines].join('\n')}\n`;
}
