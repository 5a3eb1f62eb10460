/** Search by hand: statements made for the one question, the Bundle put together as text. */
import type { FloorDatabase, FloorRow } from './database.ts';

const pageSize = 20;

/** Number of a search parameter in a database. @throws Error when nothing is indexed by it */
export async function parameterNumber(db: FloorDatabase, type: string, code: string): Promise<number> {
  const [row] = await db.prepare('SELECT param FROM parameter WHERE type = ? AND code = ?')(type, code);
  if (!row) throw new Error(`nothing is indexed by ${type}.${code}`);
  return row.param as number;
}

/**
 * `Patient?identifier=…|…` and `Patient?name=…&gender=…&_sort=birthdate`.
 * @param base FHIR base of our server
 * @returns URL and its parameters ─▶ the text of the Bundle that our server sends
 */
export async function patientSearch(
  db: FloorDatabase,
  base: string,
): Promise<(url: string, query: Record<string, string>) => Promise<string>> {
  const number = (code: string): Promise<number> => parameterNumber(db, 'Patient', code);
  const [identifier, name, gender, birthdate] = [
    await number('identifier'),
    await number('name'),
    await number('gender'),
    await number('birthdate'),
  ];
  const [head] = await db.prepare('SELECT max(sequence) AS head FROM change')();
  const byIdentifier = db.prepare(
    `SELECT r.id, c.json FROM token_row t CROSS JOIN resource r ON r.rid = t.rid CROSS JOIN change c ON c.sequence = r.sequence
     WHERE t.param = ? AND t.code = ? AND t.system = ? AND t.gone IS NULL ORDER BY t.rid LIMIT ${pageSize + 1}`,
  );
  // `+b.param`: SQLite would walk all birth dates for each row.
  const byNameAndGender = db.prepare(
    `SELECT f.rid, f.low, r.id, c.json FROM (
       SELECT DISTINCT n.rid AS rid, b.low AS low FROM string_row n
       CROSS JOIN token_row g ON g.rid = n.rid AND g.param = ? AND g.code = ? AND g.gone IS NULL
       CROSS JOIN date_row b ON b.rid = n.rid AND +b.param = ? AND b.gone IS NULL
       WHERE n.param = ? AND n.norm >= ? AND n.norm < ? AND n.gone IS NULL
       ORDER BY b.low, n.rid LIMIT ${pageSize + 1}) f
     CROSS JOIN resource r ON r.rid = f.rid CROSS JOIN change c ON c.sequence = r.sequence ORDER BY f.low, f.rid`,
  );
  const place = (row: FloorRow): string =>
    Buffer.from(JSON.stringify([head?.head, JSON.stringify([row.low, row.rid]), Date.now()])).toString('base64url');

  return async (url, query) => {
    if (query.identifier !== undefined) {
      const [system, code] = query.identifier.split('|') as [string, string];
      return bundle(base, url, await byIdentifier(identifier, code, system), place);
    }
    const norm = (query.name as string).toLowerCase();
    const rows = await byNameAndGender(gender, query.gender as string, birthdate, name, norm, `${norm}\u{10ffff}`);
    return bundle(base, url, rows, place);
  };
}

function bundle(base: string, url: string, rows: readonly FloorRow[], place: (row: FloorRow) => string): string {
  const self = `${base}${url.slice('/fhir'.length)}`;
  let text = `{"resourceType":"Bundle","type":"searchset","link":[{"relation":"self","url":"${self}"}`;
  const last = rows[pageSize - 1];
  if (rows.length > pageSize && last) text += `,{"relation":"next","url":"${self}&_page=${place(last)}"}`;
  text += '],"entry":[';
  for (const [i, { id, json }] of rows.slice(0, pageSize).entries())
    text += `${i > 0 ? ',' : ''}{"fullUrl":"${base}/Patient/${id}","resource":${json},"search":{"mode":"match"}}`;
  return `${text}]}`;
}
