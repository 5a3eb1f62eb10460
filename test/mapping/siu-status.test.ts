/** The status of an appointment: what SCH-25 says, then the event. */
import { describe, expect, test } from '@jest/globals';
import { appointment, builtAppointment, extension, participants, type Siu, siu } from './siu-messages.ts';
import { all } from './support.ts';

const status = (event: string, filler = ''): string => appointment({ event, SCH: { 25: filler } }).status;

describe('the event alone says', () => {
  test.each([
    ['S12', 'booked'],
    ['S13', 'booked'],
    ['S14', 'booked'],
    ['S15', 'cancelled'],
    ['S26', 'noshow'],
  ])('%s is %s', (event, expected) => {
    expect(status(event)).toBe(expected);
  });
});

describe('the filler status comes before the event', () => {
  test.each([
    ['S12', 'Pending^Pending^HL70278', 'pending'],
    ['S12', 'Waitlist', 'waitlist'],
    ['S14', 'Started', 'checked-in'],
    ['S14', 'Complete', 'fulfilled'],
    ['S14', 'Cancelled', 'cancelled'],
    ['S15', 'Deleted', 'entered-in-error'],
    ['S15', 'Noshow', 'noshow'],
    ['S14', 'SCHEDULED', 'booked'],
    ['S14', 'Canceled', 'cancelled'],
    ['S14', 'Dc^Discontinued^HL70278', 'cancelled'],
    ['S26', 'No Show', 'noshow'],
    ['S14', '^已取消', 'cancelled'],
    ['S14', '^Cancelled', 'cancelled'],
    ['S14', '7^^L^Cancelled^^HL70278', 'cancelled'],
    ['S14', '^^^Cancelled^^HL70278', 'cancelled'],
    ['S15', '^^^Noshow^^HL70278', 'noshow'],
  ])('%s with %s is %s', (event, filler, expected) => {
    expect(status(event, filler)).toBe(expected);
  });

  test('but a cancellation that repeats the old status is a cancellation, and the old status stays readable', () => {
    const made = appointment({ event: 'S15', SCH: { 25: 'Booked^Booked^HL70278' } });
    expect(made.status).toBe('cancelled');
    expect(made._status.extension[0].valueCodeableConcept.coding[0].code).toBe('Booked');
    expect(status('S26', 'Pending')).toBe('noshow');
  });

  test.each([
    ['a code of the table without a target', 'Overbook', 'Overbook'],
    ['a code of the hospital', 'K7^已改签^RENHE', 'K7'],
    ['words that nobody knows', '^改日再约', '改日再约'],
  ])('%s leaves the event to decide and survives as alternate-codes', (_, filler, code) => {
    const made = appointment({ event: 'S13', SCH: { 25: filler } });
    expect(made.status).toBe('booked');
    expect(made._status.extension).toEqual([
      {
        url: 'http://hl7.org/fhir/StructureDefinition/alternate-codes',
        valueCodeableConcept: { coding: [expect.objectContaining({ code })] },
      },
    ]);
  });

  test('one service that is cancelled does not cancel the appointment, and its status stands at the service', () => {
    const made = appointment({ more: ['AIS|1|A|LAB|||||||Cancelled', 'AIS|2|A|CHEMO|||||||Booked'] });
    expect(made.status).toBe('booked');
    expect(made.serviceType.map((it: object) => extension(it, 'v2-filler-status').coding[0].code)).toEqual([
      'Cancelled',
      'Booked',
    ]);
  });
});

describe('the reason of the event (SCH-6)', () => {
  const reason = { 6: 'PAT^患者要求^RENHE' };

  test('is the cancelationReason of a cancellation', () => {
    expect(appointment({ event: 'S15', SCH: reason }).cancelationReason.coding[0].display).toBe('患者要求');
  });

  test.each(['S12', 'S13', 'S14', 'S26'])(
    'is an extension in %s, as R4 allows the element for cancelled only',
    (event) => {
      const made = appointment({ event, SCH: reason });
      expect(made.cancelationReason).toBeUndefined();
      expect(extension(made, 'v2-event-reason').coding[0].display).toBe('患者要求');
    },
  );

  test('is an extension too when a cancellation says that the appointment was a mistake', () => {
    const made = appointment({ event: 'S15', SCH: { ...reason, 25: 'Deleted' } });
    expect(made.cancelationReason).toBeUndefined();
    expect(extension(made, 'v2-event-reason').coding[0].code).toBe('PAT');
  });

  test('of a cancellation goes when the appointment is booked again', () => {
    expect(builtAppointment({ event: 'S13' }).clear.has('cancelationReason')).toBe(true);
    expect(builtAppointment({ event: 'S15' }).clear.has('cancelationReason')).toBe(false);
  });
});

describe('who takes part has', () => {
  const more = ['AIP|1|A|D071^Li^Min'];

  test.each([
    ['S12', 'accepted'],
    ['S15', 'declined'],
    ['S26', 'tentative'],
  ])('in %s the status %s', (event, expected) => {
    expect(participants({ event, more }, 'Practitioner')[0]?.status).toBe(expected);
  });

  test('the status that the resource itself has', () => {
    const own = [
      'AIP|1|A|D071^Li^Min|||||||||Pending',
      'AIL|1|A|ENDO|||||||||Cancelled',
      'AIG|1|A|P7|EQUIP||||||||||K9',
    ];
    expect(participants({ more: own }, 'Practitioner')[0]?.status).toBe('tentative');
    expect(participants({ more: own }, 'Location')[0]?.status).toBe('declined');
    const [device] = participants({ more: own }, 'Device');
    expect(device?.status).toBe('accepted');
    expect(device?._status.extension[0].valueCodeableConcept.coding[0].code).toBe('K9');
  });

  test('as a patient always accepted', () => {
    expect(participants({ event: 'S15' }, 'Patient')[0]?.status).toBe('accepted');
  });
});

describe('the visit in PV1', () => {
  const visit = (event: string, PV1: string): object[] => all(siu({ event, more: [PV1] } as Siu), 'Encounter');
  const numbered = `PV1|1|O|ENDO${'|'.repeat(16)}V2001^^^RENHE^VN`;

  test.each(['S12', 'S13', 'S14'])(
    'is planned in %s, not in progress, and only while nothing else is known',
    (event) => {
      const [made] = visit(event, numbered);
      expect(made).toMatchObject({ status: 'planned', class: { code: 'AMB' }, location: [{}] });
    },
  );

  test.each(['S15', 'S26'])('is not planned any more after %s', (event) => {
    expect(visit(event, numbered)).toMatchObject([{ status: 'unknown' }]);
  });

  test('without a number is that of the appointment, and is cancelled with it', () => {
    const PV1 = 'PV1|1|O|ENDO||||D071^Li^Min';
    const [booked] = visit('S12', PV1);
    const [cancelled] = visit('S15', PV1);
    expect(booked).toMatchObject({ status: 'planned' });
    expect(cancelled).toMatchObject({ status: 'cancelled', id: (booked as { id: string }).id });
    expect(all(siu({ SCH: { 2: 'F7002^RENHE' }, more: [PV1] }), 'Encounter')[0]?.id).not.toBe(
      (booked as { id: string }).id,
    );
  });

  test('of an outpatient is the visit that was booked; a stay is where it was booked', () => {
    expect(visit('S12', numbered)).toMatchObject([{ appointment: [{}] }]);
    const stay = numbered.replace('|O|', '|I|');
    expect(visit('S12', stay)).toMatchObject([{ status: 'planned' }]);
    expect((visit('S12', stay)[0] as { appointment?: unknown }).appointment).toBeUndefined();
    expect(appointment({ more: [stay] }).supportingInformation[0].reference).toMatch(/^Encounter\//);
  });
});
