/**
 * Hospitals that nobody thought of: some events of two patients, two visits and an appointment, one an hour, in their own order
 * and in another. What they leave is the same. HOSPITALS and SEED make it longer and other.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { discharged, event, left, person, visit } from './orders.ts';

const demographics = fc
  .record({
    birthDate: fc.constantFrom('', '', '1980', '19800229', '""'),
    sex: fc.constantFrom('', 'F', 'M', 'U'),
    address: fc.constantFrom('', '', 'Road 1^^Town', 'Road 2^^Town', '""'),
    telephone: fc.constantFrom('', '', '13900001111', '13900002222', '""'),
  })
  .map(({ birthDate, sex, address, telephone }) => `||${birthDate}|${sex}|||${address}||${telephone}`);

/** What is about the person may come with an A28 or A31 too. */
const segments = fc.constantFrom(
  [],
  [],
  ['AL1|1|DA|PCN^Penicillin'],
  ['AL1|1|DA|ASA^Aspirin'],
  ['NK1|1|Doe^John|SPO'],
  ['DG1|1||E11.9^Diabetes^I10'],
  ['DG1|1||I10^Hypertension^I10'],
  ['PV2|||^Chest pain'],
  ['IN1|1|P1|C1|Insurer'],
);

const ofVisit = ['A01', 'A02', 'A03', 'A04', 'A05', 'A06', 'A07', 'A08', 'A11', 'A12', 'A13', 'A38'] as const;
const others = ['A28', 'A31', 'A40', 'A45', 'A47', 'A60', 'S12', 'S13', 'S14', 'S15', 'S26'] as const;
const happening = fc.record({
  trigger: fc.constantFrom(...ofVisit, ...others, 'A01', 'A03', 'A03', 'A08'),
  /** Visit V2 is of patient 2. */
  patient: fc.constantFrom('1', '2'),
  demographics,
  bed: fc.constantFrom('', 'W1^1^1', 'W2^2^2', 'W3^3^3'),
  doctor: fc.constantFrom('', 'D012^Li^Min', 'D013^Wu^Gang', '""'),
  segments,
  hour: fc.integer({ min: 1, max: 20 }).map((it) => String(it).padStart(2, '0')),
  died: fc.constantFrom('', '', '', '', 'Y', 'N'),
});
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

function messageOf(
  n: number,
  { trigger, patient, demographics, bed, doctor, segments, hour, died }: Happening,
): string {
  const known = person(patient, demographics);
  switch (trigger) {
    case 'A28':
    case 'A31':
      return event(n, `ADT^${trigger}`, known, ...segments.filter((it) => /^(AL1|NK1)/.test(it)));
    case 'A40':
      return event(n, 'ADT^A40', person('1'), 'MRG|2^^^RENHE^MR');
    case 'A45':
      return event(n, 'ADT^A45', person('2'), 'MRG|1^^^RENHE^MR||||V1^^^RENHE^VN', visit('V1'));
    case 'A47':
      return event(n, 'ADT^A47', person('9'), 'MRG|1^^^RENHE^MR');
    case 'A60':
      return event(n, 'ADT^A60', known, 'IAM|1|DA|PCN^Penicillin|SV||A');
    case 'S12':
    case 'S13':
    case 'S14':
    case 'S15':
    case 'S26': {
      const time = `^^^202604${hour}0900^202604${hour}0930`;
      return event(n, `SIU^${trigger}`, `SCH||F1^RENHE|||||CHK^Checkup|||||${time}`, person('1', demographics));
    }
    default: {
      const left: Record<number, string> = trigger === 'A03' ? discharged(`20260310${hour}0000`) : {};
      const kind = trigger === 'A07' ? 'O' : 'I';
      const prior: Record<number, string> = trigger === 'A02' ? { 6: 'W1^1^1' } : {};
      const pid = died ? `${known}${'|'.repeat(31 - known.split('|').length)}${died}` : known;
      const pv1 = visit(`V${patient}`, { 2: kind, 3: bed, 7: doctor, ...prior, ...left });
      return event(n, `ADT^${trigger}`, pid, pv1, ...segments);
    }
  }
}

const numRuns = Number(process.env.HOSPITALS ?? 40);

test(
  'a hospital leaves the same state and the same open Tasks in whatever order its messages come',
  async () => {
    const days = fc.array(happening, { minLength: 2, maxLength: 10 }).chain((all) => {
      const places = fc.shuffledSubarray([...all.keys()], { minLength: all.length, maxLength: all.length });
      return fc.tuple(fc.constant(all), places);
    });
    await fc.assert(
      fc.asyncProperty(days, async ([all, order]) => {
        const messages = all.map((it, n) => messageOf(n, it));
        expect(await left(order.map((i) => messages[i] as string))).toEqual(await left(messages));
      }),
      { numRuns },
    );
  },
  20_000 + numRuns * 1000,
);
