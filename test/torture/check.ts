/** Holds a database file against the ledger of what was sent. Reads only. */
import Database from 'better-sqlite3';
import type { Ledger } from './load.ts';

interface MessageRow {
  control_id: string;
  state: string;
  n: number;
}

interface VisitRow {
  visit: string;
  id: string;
  version: number;
  status: string;
  changes: number;
}

/** Runs `look` on the file, read-only. */
function reading<T>(path: string, look: (db: Database.Database) => T): T {
  const db = new Database(path, { readonly: true, fileMustExist: true });
  try {
    return look(db);
  } finally {
    db.close();
  }
}

/** What must hold at every moment. @returns what does not hold */
export function checkAlways(path: string, ledger: Ledger): string[] {
  // What was acknowledged before the look must be there; what comes while looking is no concern of this look.
  const before = [...ledger.sent.values()].map((it) => ({ ...it }));
  return reading(path, (db) => {
    const problems: string[] = [];
    const states = new Map<string, Map<string, number>>();
    const rows = db.prepare('SELECT control_id, state, count(*) AS n FROM received_message GROUP BY 1, 2').all();
    for (const { control_id, state, n } of rows as MessageRow[]) {
      const own = states.get(control_id) ?? new Map<string, number>();
      states.set(control_id, own.set(state, n));
      if (!['received', 'applied', 'duplicate'].includes(state)) problems.push(`${control_id} is ${state}`);
    }
    for (const { controlId, acknowledged } of before) {
      const own = states.get(controlId) ?? new Map<string, number>();
      const kept = [...own.values()].reduce((sum, n) => sum + n, 0);
      const sends = ledger.sent.get(controlId)?.sends ?? 0;
      if (kept < acknowledged) problems.push(`${controlId}: acknowledged ${acknowledged} times, kept ${kept} times`);
      if (kept > sends) problems.push(`${controlId}: sent ${sends} times, kept ${kept} times`);
      if ((own.get('applied') ?? 0) > 1) problems.push(`${controlId}: applied ${own.get('applied')} times`);
    }
    for (const { visit, id, version, changes } of visits(db)) {
      const wanted = ledger.visits.get(visit);
      if (!wanted) problems.push(`Encounter/${id} of ${visit}: nobody sent it`);
      else if (version > wanted.versions) problems.push(`${visit}: ${version} versions, asked for ${wanted.versions}`);
      if (changes !== version) problems.push(`${visit}: version ${version} but ${changes} changes`);
    }
    problems.push(...halfWritten(db));
    return problems;
  });
}

function visits(db: Database.Database): VisitRow[] {
  return db
    .prepare(
      `SELECT json_extract(c.json, '$.identifier[0].value') AS visit, r.id, r.version, json_extract(c.json, '$.status') AS status,
              (SELECT count(*) FROM change h WHERE h.rid = r.rid) AS changes
       FROM resource r JOIN change c ON c.rid = r.rid AND c.version = r.version WHERE r.type = 'Encounter'`,
    )
    .all() as VisitRow[];
}

/** An applied message whose versions are not there, a version that no message wrote, or a version twice. */
function halfWritten(db: Database.Database): string[] {
  const problems: string[] = [];
  const written = new Set<string>();
  const versions = db
    .prepare(
      `SELECT r.type || '/' || r.id || '/_history/' || c.version AS name, c.cause FROM change c JOIN resource r ON r.rid = c.rid`,
    )
    .iterate() as IterableIterator<{ name: string; cause: string }>;
  const names = new Set<string>();
  for (const { name, cause } of versions) {
    if (names.has(name)) problems.push(`${name} is there twice`);
    names.add(name);
    if (cause.startsWith('message:')) written.add(`${cause} ${name}`);
  }
  const applied = db
    .prepare(
      `SELECT 'message:' || id AS cause, control_id AS controlId, wrote FROM received_message WHERE state = 'applied'`,
    )
    .iterate() as IterableIterator<{ cause: string; controlId: string; wrote: string }>;
  for (const { cause, controlId, wrote } of applied) {
    for (const name of JSON.parse(wrote) as string[])
      if (!written.delete(`${cause} ${name}`)) problems.push(`${controlId}: applied, but ${name} is not there`);
  }
  for (const left of written) problems.push(`${left}: no applied message says that it wrote it`);
  return problems;
}

/** What must hold when everything was acknowledged and all stages have done their work. @returns what does not hold */
export function checkEnd(path: string, ledger: Ledger): string[] {
  const problems = checkAlways(path, ledger);
  return reading(path, (db) => {
    const integrity = db.pragma('integrity_check', { simple: true });
    if (integrity !== 'ok') problems.push(`integrity_check: ${integrity}`);
    const applied = new Map(
      (
        db
          .prepare(`SELECT control_id, sum(state = 'applied') AS n FROM received_message GROUP BY 1`)
          .all() as MessageRow[]
      ).map((it) => [it.control_id, it.n]),
    );
    for (const { controlId, acknowledged } of ledger.sent.values()) {
      if (acknowledged === 0) problems.push(`${controlId} was never acknowledged`);
      if (applied.get(controlId) !== 1) problems.push(`${controlId}: applied ${applied.get(controlId) ?? 0} times`);
    }
    const waiting = db.prepare(`SELECT count(*) AS n FROM received_message WHERE state = 'received'`).get() as {
      n: number;
    };
    if (waiting.n > 0) problems.push(`${waiting.n} messages still wait`);
    problems.push(...checkVisits(db, ledger), ...checkEvents(db, ledger));
    return problems;
  });
}

function checkVisits(db: Database.Database, ledger: Ledger): string[] {
  const problems: string[] = [];
  const found = visits(db);
  const plans = db
    .prepare(
      `SELECT substr(json_extract(c.json, '$.encounter.reference'), 11) AS id, json_extract(c.json, '$.status') AS status, count(*) AS n
       FROM resource r JOIN change c ON c.rid = r.rid AND c.version = r.version WHERE r.type = 'CarePlan' GROUP BY 1, 2`,
    )
    .all() as { id: string; status: string; n: number }[];
  const count = (id: string, status: string): number =>
    plans.find((it) => it.id === id && it.status === status)?.n ?? 0;
  for (const { number, versions, discharges } of ledger.visits.values()) {
    const own = found.filter((it) => it.visit === number);
    const [encounter] = own;
    if (!encounter || own.length !== 1) {
      problems.push(`${number}: ${own.length} Encounters`);
      continue;
    }
    if (encounter.version !== versions)
      problems.push(`${number}: ${encounter.version} versions, asked for ${versions}`);
    if (encounter.status !== 'finished') problems.push(`${number} is ${encounter.status}`);
    if (count(encounter.id, 'active') !== 1) problems.push(`${number}: ${count(encounter.id, 'active')} active plans`);
    // A discharge that was cancelled before the care stage looked has no plan at all.
    if (count(encounter.id, 'revoked') > discharges - 1)
      problems.push(`${number}: ${count(encounter.id, 'revoked')} revoked plans of ${discharges} discharges`);
  }
  return problems;
}

/** One event for each discharge, numbered without gaps, in the order of the changes. */
function checkEvents(db: Database.Database, ledger: Ledger): string[] {
  const events = db.prepare('SELECT number, sequence FROM event ORDER BY number').all() as {
    number: number;
    sequence: number;
  }[];
  const discharges = [...ledger.visits.values()].reduce((sum, it) => sum + it.discharges, 0);
  const problems: string[] = [];
  if (events.length !== discharges) problems.push(`${events.length} events for ${discharges} discharges`);
  if (events.some((it, i) => it.number !== i + 1)) problems.push('events are not numbered 1 to n');
  if (events.some((it, i) => i > 0 && it.sequence <= (events[i - 1]?.sequence ?? 0)))
    problems.push('events are not in the order of the changes');
  return problems;
}
