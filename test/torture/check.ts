/** Holds a database against the ledger of what was sent. Reads only. */
import type { Ledger } from './load.ts';
import { type Look, looking } from './look.ts';

/** States that a message of the load may be in. */
const possible = ['received', 'applied', 'duplicate'];

/** What must hold at every moment. @param url as in STORE_URL; @returns what does not hold */
export function checkAlways(url: string, ledger: Ledger): Promise<string[]> {
  return looking(url, (at) => always(at, ledger));
}

async function always(at: Look, ledger: Ledger): Promise<string[]> {
  // What was acknowledged before the look must be there; what comes while looking is no concern of this look.
  const before = [...ledger.sent.values()].map((it) => ({ ...it }));
  const problems: string[] = [];
  const states = new Map<string, Map<string, number>>();
  const rows = await at.rows(
    'SELECT control_id, state, CAST(count(*) AS int) AS n FROM received_message GROUP BY control_id, state',
  );
  for (const { control_id, state, n } of rows) {
    const own = states.get(control_id) ?? new Map<string, number>();
    states.set(control_id, own.set(state, n));
    if (!possible.includes(state)) problems.push(`${control_id} is ${state}`);
  }
  for (const { controlId, acknowledged, applied } of before) {
    const own = states.get(controlId) ?? new Map<string, number>();
    const kept = [...own.values()].reduce((sum, n) => sum + n, 0);
    const sends = ledger.sent.get(controlId)?.sends ?? 0;
    if (kept < acknowledged) problems.push(`${controlId}: acknowledged ${acknowledged} times, kept ${kept} times`);
    if (kept > sends) problems.push(`${controlId}: sent ${sends} times, kept ${kept} times`);
    if ((own.get('applied') ?? 0) > 1) problems.push(`${controlId}: applied ${own.get('applied')} times`);
    if (applied > 0 && own.get('applied') !== 1) problems.push(`${controlId}: AA says applied, and it is not`);
  }
  for (const { visit, id, version, changes } of await visits(at)) {
    const wanted = ledger.visits.get(visit);
    if (!wanted) problems.push(`Encounter/${id} of ${visit}: nobody sent it`);
    else if (version > wanted.versions) problems.push(`${visit}: ${version} versions, asked for ${wanted.versions}`);
    if (changes !== version) problems.push(`${visit}: version ${version} but ${changes} changes`);
  }
  problems.push(...(await halfWritten(at)));
  return problems;
}

interface VisitRow {
  readonly visit: string;
  readonly id: string;
  readonly version: number;
  readonly status: string;
  readonly changes: number;
}

function visits(at: Look): Promise<VisitRow[]> {
  return at.rows(
    `SELECT ${at.text('identifier', 0, 'value')} AS visit, r.id, r.version, ${at.text('status')} AS status,
       CAST((SELECT count(*) FROM change h WHERE h.rid = r.rid) AS int) AS changes
     FROM resource r JOIN change c ON c.rid = r.rid AND c.version = r.version WHERE r.type = 'Encounter'`,
  );
}

/** An applied message whose versions are not there, a version that no message wrote, or a version twice. */
async function halfWritten(at: Look): Promise<string[]> {
  const problems: string[] = [];
  const written = new Set<string>();
  const names = new Set<string>();
  const applied = await at.rows(
    `SELECT 'message:' || id AS cause, control_id, wrote FROM received_message WHERE state = 'applied'`,
  );
  const versions = await at.rows(
    `SELECT r.type || '/' || r.id || '/_history/' || c.version AS name, c.cause FROM change c JOIN resource r ON r.rid = c.rid`,
  );
  for (const { name, cause } of versions) {
    if (names.has(name)) problems.push(`${name} is there twice`);
    names.add(name);
    if (cause.startsWith('message:')) written.add(`${cause} ${name}`);
  }
  for (const { cause, control_id, wrote } of applied) {
    // The others are resources that it says something of and that were so already.
    for (const name of (JSON.parse(wrote) as string[]).filter((it) => it.includes('/_history/')))
      if (!written.delete(`${cause} ${name}`)) problems.push(`${control_id}: applied, but ${name} is not there`);
  }
  for (const left of written) problems.push(`${left}: no applied message says that it wrote it`);
  return problems;
}

/** What must hold when everything was acknowledged and all stages have done their work. @returns what does not hold */
export function checkEnd(url: string, ledger: Ledger): Promise<string[]> {
  return looking(url, async (at) => {
    const problems = await always(at, ledger);
    const unsound = await at.unsound();
    if (unsound) problems.push(unsound);
    const rows = await at.rows(
      `SELECT control_id, state, CAST(count(*) AS int) AS n FROM received_message
       WHERE state IN ('applied', 'received') GROUP BY control_id, state`,
    );
    const applied = new Map(rows.filter((it) => it.state === 'applied').map((it) => [it.control_id, it.n]));
    for (const { controlId, acknowledged } of ledger.sent.values()) {
      if (acknowledged === 0) problems.push(`${controlId} was never acknowledged`);
      if (applied.get(controlId) !== 1) problems.push(`${controlId}: applied ${applied.get(controlId) ?? 0} times`);
    }
    for (const { control_id } of rows.filter((it) => it.state === 'received'))
      problems.push(`${control_id} still waits`);
    for (const check of [checkVisits, checkOthers, checkEvents]) problems.push(...(await check(at, ledger)));
    return problems;
  });
}

async function checkVisits(at: Look, ledger: Ledger): Promise<string[]> {
  const problems: string[] = [];
  const found = await visits(at);
  const plans = await at.rows(
    `SELECT substr(${at.text('encounter', 'reference')}, 11) AS id, ${at.text('status')} AS status
     FROM resource r JOIN change c ON c.rid = r.rid AND c.version = r.version WHERE r.type = 'CarePlan'`,
  );
  const count = (id: string, status: string): number =>
    plans.filter((it) => it.id === id && it.status === status).length;
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

/** Appointments that were booked, measurements that came. */
async function checkOthers(at: Look, ledger: Ledger): Promise<string[]> {
  const problems: string[] = [];
  const current = (type: string, columns: string): Promise<any[]> =>
    at.rows(
      `SELECT ${columns} FROM resource r JOIN change c ON c.rid = r.rid AND c.version = r.version WHERE r.type = '${type}'`,
    );
  const booked = Map.groupBy(
    await current(
      'Appointment',
      `${at.text('identifier', 0, 'value')} AS number, r.version, ${at.text('status')} AS status`,
    ),
    (it) => it.number,
  );
  const observations = await current('Observation', 'r.id');
  let wanted = 0;
  for (const { number, appointment, observations } of ledger.visits.values()) {
    wanted += observations;
    const own = booked.get(`F${number}`) ?? [];
    const said = own.map((it) => `${it.status} ${it.version}`).join();
    const asked = appointment.versions === 0 ? '' : `${appointment.status} ${appointment.versions}`;
    if (said !== asked) problems.push(`${number}: the appointment is '${said}', asked for '${asked}'`);
  }
  if (observations.length !== wanted) problems.push(`${observations.length} Observations for ${wanted} measurements`);
  return problems;
}

/** One event for each discharge, numbered without gaps, in the order of the changes. */
async function checkEvents(at: Look, ledger: Ledger): Promise<string[]> {
  const events = (await at.rows('SELECT number, sequence FROM event ORDER BY number')).map((it) => ({
    number: Number(it.number),
    sequence: Number(it.sequence),
  }));
  const problems: string[] = [];
  if (events.length !== ledger.discharges) problems.push(`${events.length} events for ${ledger.discharges} discharges`);
  if (events.some((it, i) => it.number !== i + 1)) problems.push('events are not numbered 1 to n');
  if (events.some((it, i) => i > 0 && it.sequence <= (events[i - 1]?.sequence ?? 0)))
    problems.push('events are not in the order of the changes');
  return problems;
}
