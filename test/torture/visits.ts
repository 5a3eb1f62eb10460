/** What happens to a patient of the load, as messages, and what must stand in the store when all of them are applied. */
import { discharge } from '../support/messages.ts';
import type { Random } from './random.ts';

export interface LoadMessage {
  readonly controlId: string;
  readonly text: string;
}

/** One visit and what its messages ask for. */
export interface Visit {
  readonly number: string;
  /** The sender wants CA when a message is kept and AA when it is applied. */
  readonly enhanced: boolean;
  /** Versions of the Encounter when all its messages are applied. */
  readonly versions: number;
  /** Discharges among its messages; the last message of the visit is one. */
  readonly discharges: number;
  /** Versions of the appointment that was made for it, and what became of that; none was made: 0. */
  readonly appointment: { readonly versions: number; readonly status: string };
  /** Home measurements that came for it. */
  readonly observations: number;
  readonly messages: readonly LoadMessage[];
}

const beds = ['101', '102', '103', '104', '105'];

interface Step {
  readonly type: 'ADT' | 'SIU' | 'ORU';
  readonly event: string;
  /** Of a discharge. */
  readonly at?: string;
}

function stepsOf(random: Random, oru: boolean): Step[] {
  const often = (share: number): boolean => random.next() < share;
  const adt = (event: string, at?: string): Step => ({ type: 'ADT', event, ...(at && { at }) });
  const siu = (event: string): Step => ({ type: 'SIU', event });
  const steps = [adt('A01'), adt('A08')];
  if (oru && often(0.4)) steps.push({ type: 'ORU', event: 'R01' });
  steps.push(adt('A03', '20260316100000'));
  if (often(0.3)) steps.push(adt('A13'), adt('A03', '20260317110000'));
  if (often(0.5)) steps.push(siu('S12'), siu('S13'), ...(often(0.5) ? [siu('S15')] : []));
  return steps;
}

/**
 * A visit with an admission, a move to another bed, the discharge, now and then a cancelled one before; an appointment that is
 * booked, moved, cancelled; a measurement.
 * @param oru whether ORU R01 is mapped
 */
export function makeVisit(number: string, random: Random, oru: boolean): Visit {
  const steps = stepsOf(random, oru);
  const enhanced = random.next() < 0.5;
  const messages = steps.map((step, i) => {
    const controlId = `${number}-${i + 1}`;
    const text = { ADT: adtText, SIU: siuText, ORU: oruText }[step.type](number, step, i, random, controlId);
    return { controlId, text: enhanced ? text.replace('|2.5.1|||||', '|2.5.1|||AL|AL|') : text };
  });
  const count = (type: string, event = ''): number =>
    steps.filter((it) => it.type === type && it.event.includes(event)).length;
  return {
    number,
    enhanced,
    versions: count('ADT'),
    discharges: count('ADT', 'A03'),
    appointment: { versions: count('SIU'), status: count('SIU', 'S15') > 0 ? 'cancelled' : 'booked' },
    observations: count('ORU'),
    messages,
  };
}

/** Each message of a visit is a minute after the one before. */
function sentAt(i: number): string {
  return `2026031610${30 + i}00`;
}

function adtText(number: string, { event, at }: Step, i: number, random: Random, controlId: string): string {
  const text = discharge({
    event,
    controlId,
    patient: `P${number}`,
    visit: number,
    phone: `139${String(random.whole(0, 99_999_999)).padStart(8, '0')}`,
    disposition: event === 'A03' ? '01' : '',
    ...(at && { dischargedAt: at }),
  });
  return text
    .replace('W1^101^01^RENHE', `W1^${beds[i % beds.length]}^01^RENHE`)
    .replaceAll('20260316103000', sentAt(i));
}

function header(type: string, i: number, controlId: string): string {
  return `MSH|^~\\&|HIS|RENHE|AFTERCARE|RENHE|${sentAt(i)}||${type}|${controlId}|P|2.5.1|||||CHN|UNICODE UTF-8`;
}

function siuText(number: string, { event }: Step, i: number, _: Random, controlId: string): string {
  const status = event === 'S15' ? 'Cancelled' : 'Booked';
  return [
    header(`SIU^${event}^SIU_S12`, i, controlId),
    `SCH||F${number}^RENHE|||||||||^^^2026040${i}093000^2026040${i}100000||||||||||||||${status}`,
    `PID|1||P${number}^^^RENHE^MR`,
    '',
  ].join('\r');
}

function oruText(number: string, _: Step, i: number, random: Random, controlId: string): string {
  return [
    header('ORU^R01^ORU_R01', i, controlId),
    `PID|1||P${number}^^^RENHE^MR`,
    `OBR|1||R${number}^RENHE|VITALS^Vital signs^L|||${sentAt(i)}||||||||||||||||||F`,
    `OBX|1|NM|2339-0^Glucose^LN||${random.whole(70, 180)}|mg/dL^mg/dL^UCUM|||||F|||${sentAt(i)}`,
    '',
  ].join('\r');
}
