/**
 * The main job, end to end, on embedded defaults: a server, a subscriber, and the sample hospital day sent over MLLP by a
 * foreign sender (node-hl7-client). `--once` ends when all has arrived: 0, or 1 when something is missing.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type App, startApp } from '../src/app.ts';
import { type Config, readConfig } from '../src/config.ts';
import type { Change } from '../src/store/store.ts';
import { moveDay } from './day.ts';
import { HospitalSender } from './sender.ts';
import { type Notified, Subscriber } from './subscriber.ts';

const folder = fileURLToPath(new URL('./hospital-day/', import.meta.url));
const once = process.argv.includes('--once');
/** Everything is local: what has not arrived by then will not. ms */
const patienceMs = 20_000;

const print = (text = ''): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const data = mkdtempSync(join(tmpdir(), 'aftercare-demo-'));
  const app = await start({
    ...readConfig({ LOG_LEVEL: 'warn', ...process.env }),
    storeUrl: `sqlite:${join(data, 'demo.db')}`,
  });
  const subscriber = new Subscriber();
  const sender = new HospitalSender(app.mllp);
  try {
    print(`FHIR      ${app.http}\nHL7 v2    ${app.mllp}\ndatabase  ${data}\n`);
    await subscribe(app, await subscriber.listen());
    const complete = await hospitalDay(app, sender, subscriber);
    if (!once && complete) await untilStopped(app);
    return complete ? 0 : 1;
  } finally {
    sender.close();
    await app.stop();
    await subscriber.close();
    rmSync(data, { recursive: true, force: true });
  }
}

/** On the usual ports, or on free ones when those are taken or nobody is to look. */
async function start(config: Config): Promise<App> {
  const free = { ...config, httpPort: 0, mllpPort: 0 };
  if (once && !process.env.HTTP_PORT && !process.env.MLLP_PORT) return startApp(free);
  try {
    return await startApp(config);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return startApp(free);
  }
}

async function subscribe(app: App, endpoint: string): Promise<void> {
  const level = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content';
  const response = await fetch(`${app.http}/Subscription`, {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify({
      resourceType: 'Subscription',
      status: 'requested',
      reason: 'demo: tell me of every discharge',
      criteria: 'https://aftercare.example/fhir/SubscriptionTopic/discharge-final',
      channel: {
        type: 'rest-hook',
        endpoint,
        payload: 'application/fhir+json',
        _payload: { extension: [{ url: level, valueCode: 'full-resource' }] },
      },
    }),
  });
  if (response.status !== 201) throw new Error(`the subscription was refused: ${await response.text()}`);
  await app.queue.idle();
}

/** Sends the day and shows what becomes of each message. @returns false when something did not arrive */
async function hospitalDay(app: App, sender: HospitalSender, subscriber: Subscriber): Promise<boolean> {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.hl7'))
    .sort();
  let complete = true;
  for (const name of names) {
    const before = await app.store.head();
    const ack = await sender.send(moveDay(readFileSync(join(folder, name)), new Date()));
    await app.queue.idle();
    const changes = await app.store.changes(before, 1000);
    print(`${ack}  ${name}`);
    for (const line of describe(changes)) print(`      ${line}`);
    complete &&= ack === 'AA' && changes.length > 0;
  }
  const expected = await liveDischarges(app);
  const arrived = await subscriber.wait(expected, patienceMs);
  print();
  for (const notification of arrived) print(line(notification));
  print(`\n${names.length} messages sent, ${arrived.length} of ${expected} notifications arrived`);
  return complete && arrived.length === expected;
}

function describe(changes: readonly Change[]): string[] {
  const groups = new Map<string, Map<string, number>>();
  for (const { cause, interaction, type } of changes) {
    const who = cause.startsWith('plan:') ? 'care plan' : cause.startsWith('message:') ? 'message' : undefined;
    if (!who) continue;
    const key = `${who} ${interaction}d`;
    const types = groups.get(key) ?? new Map<string, number>();
    groups.set(key, types.set(type, (types.get(type) ?? 0) + 1));
  }
  return [...groups].map(
    ([key, types]) => `${key}: ${[...types].map(([type, n]) => (n > 1 ? `${n} ${type}` : type)).join(', ')}`,
  );
}

/** Finished visits of patients who live: each is one event of the topic. */
async function liveDischarges(app: App): Promise<number> {
  const response = await fetch(`${app.http}/Encounter?status=finished&_count=200`);
  const bundle = (await response.json()) as { entry?: { resource: any }[] };
  const expired = (it: any): boolean =>
    (it.hospitalization?.dischargeDisposition?.coding ?? []).some((coding: { code?: string }) => coding.code === 'exp');
  return (bundle.entry ?? []).filter(({ resource }) => !expired(resource)).length;
}

function line({ number, focus, status, patient }: Notified): string {
  return `notification ${number}: ${focus} is ${status}, ${patient}`;
}

async function untilStopped(app: App): Promise<void> {
  print(`
Look around (Ctrl-C ends):
  ${app.http}/metadata
  ${app.http}/Patient
  ${app.http}/CarePlan?_include=CarePlan:subject
  ${app.http}/Task?status=requested&_sort=period
Send your own message:
  npm run --silent send -- FILE --to ${app.mllp.replace('mllp://', '')}`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

process.exitCode = await main();
