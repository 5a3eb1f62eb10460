/** A server with a local subscriber, and the few things that the tests of the stage do with it. */
import { expect } from '@jest/globals';
import type { App } from '../../src/app.ts';
import type { Json } from '../../src/fhir/types.ts';
import { fhir, settled } from '../support/app.ts';
import { encounter, patient } from './resources.ts';

/** Writes a Subscription and gives what the server answered. */
export async function subscribe(app: App, subscription: Json): Promise<Json> {
  const { status, body } = await fhir(app, 'POST', 'Subscription', subscription);
  expect({ status, body }).toMatchObject({ status: 201 });
  return body;
}

/** The same, and waits until its handshake is over. */
export async function subscribed(app: App, subscription: Json): Promise<Json> {
  const { id } = await subscribe(app, subscription);
  await settled(app);
  const { body } = await fhir(app, 'GET', `Subscription/${id}`);
  return body;
}

/** Discharges a patient by FHIR: one event for the topic. */
export async function discharge(app: App, id: string, patientId = 'p1'): Promise<void> {
  const { status } = await fhir(app, 'PUT', `Encounter/${id}`, encounter(id, 'finished', patientId));
  expect(status).toBe(201);
}

export async function putPatient(app: App, id = 'p1'): Promise<void> {
  expect((await fhir(app, 'PUT', `Patient/${id}`, patient(id))).status).toBe(201);
}

/** `$status` as an object: subscription, status, type, total. */
export async function statusOf(app: App, id: string): Promise<Record<string, string>> {
  const { status, body } = await fhir(app, 'GET', `Subscription/${id}/$status`);
  expect(status).toBe(200);
  const parameters: Json[] = body.entry[0].resource.parameter;
  return Object.fromEntries(
    parameters.map((it) => [
      it.name,
      it.valueReference?.reference ?? it.valueCode ?? it.valueString ?? it.valueCanonical,
    ]),
  );
}

/** Writes the stored Subscription again with changes. */
export async function rewrite(app: App, id: string, changes: Json): Promise<Json> {
  const { body } = await fhir(app, 'GET', `Subscription/${id}`);
  const answer = await fhir(app, 'PUT', `Subscription/${id}`, { ...body, ...changes });
  expect(answer.status).toBe(200);
  return answer.body;
}
