/**
 * Messages of one hospital in any order, repeated, lost and sent again: the state in the end is the same, and so are the open
 * Tasks. The messages stand in a hospital's own order, one event an hour.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { discharged, event, left, person, visit } from './orders.ts';

/** A set of messages that ends in one state of the hospital. */
const stories: Readonly<Record<string, readonly string[]>> = {
  'a stay with a discharge that was cancelled and made again': [
    event(0, 'ADT^A05', person('1'), visit('V1', { 2: 'P' })),
    event(1, 'ADT^A01', person('1', '||19800229|F'), visit('V1', { 3: 'W1^1^1' })),
    event(2, 'ADT^A08', person('1', '||19800229|F|||Road 1||13900001111'), visit('V1', { 3: 'W1^1^1' })),
    event(3, 'ADT^A02', person('1'), visit('V1', { 3: 'W2^2^2', 6: 'W1^1^1' })),
    event(4, 'ADT^A03', person('1'), visit('V1', discharged('20260310040000'))),
    event(5, 'ADT^A13', person('1'), visit('V1', { 45: '20260310040000' })),
    event(6, 'ADT^A08', person('1', '||""|F|||||13900002222'), visit('V1')),
    event(7, 'ADT^A03', person('1'), visit('V1', { 36: '02', 45: '20260310070000' })),
    event(8, 'ADT^A08', person('1', '||19800229'), visit('V1')),
  ],
  'a discharge whose time was corrected, and a telephone that came late and went': [
    event(0, 'ADT^A01', person('1'), visit('V1')),
    event(1, 'ADT^A01', person('2', '||||||||13900003333'), visit('V2')),
    event(24, 'ADT^A03', person('1'), visit('V1', discharged('20260311000000'))),
    event(25, 'ADT^A03', person('2'), visit('V2', discharged('20260311010000'))),
    event(26, 'ADT^A08', person('1', '||||||||13900001111'), visit('V1', { 45: '20260312000000' })),
    event(27, 'ADT^A31', person('2', '||||||||""')),
  ],
  'two records of one patient that are merged': [
    event(0, 'ADT^A01', person('1'), visit('V1')),
    event(1, 'ADT^A01', person('2', '||1980|F'), visit('V2'), 'DG1|1||E11.9^Diabetes^I10'),
    event(2, 'ADT^A03', person('2'), visit('V2', discharged('20260310020000'))),
    event(3, 'ADT^A40', person('1'), 'MRG|2^^^RENHE^MR'),
    event(4, 'ADT^A08', person('1', '||19800229|F'), visit('V1')),
    event(5, 'ADT^A08', person('2', '||19810101|F'), visit('V2')),
    event(6, 'ADT^A03', person('1'), visit('V1', discharged('20260310060000'))),
  ],
  'allergies of two records that are merged, twice and the other way round, and told anew before and after': [
    event(0, 'ADT^A28', person('1'), 'AL1|1|DA|PCN^Penicillin'),
    event(1, 'ADT^A28', person('2'), 'AL1|1|FA|NUT^Nuts', 'AL1|2|DA|PCN^Penicillin'),
    event(2, 'ADT^A40', person('1'), 'MRG|2^^^RENHE^MR'),
    event(3, 'ADT^A31', person('1'), 'AL1|1|DA|ASA^Aspirin'),
    event(4, 'ADT^A40', person('1'), 'MRG|2^^^RENHE^MR'),
    event(5, 'ADT^A31', person('2'), 'AL1|1|FA|EGG^Eggs', 'AL1|2|FA|NUT^Nuts'),
    event(6, 'ADT^A40', person('2'), 'MRG|1^^^RENHE^MR'),
    event(7, 'ADT^A31', person('2'), 'AL1|1|FA|EGG^Eggs'),
  ],
  'allergies of three records, of which one was merged into another first': [
    event(0, 'ADT^A28', person('1'), 'AL1|1|FA|NUT^Nuts'),
    event(1, 'ADT^A28', person('2'), 'AL1|1|FA|EGG^Eggs'),
    event(2, 'ADT^A28', person('3'), 'AL1|1|DA|PCN^Penicillin'),
    event(3, 'ADT^A40', person('2'), 'MRG|3^^^RENHE^MR'),
    event(4, 'ADT^A31', person('2'), 'AL1|1|DA|ASA^Aspirin'),
    event(5, 'ADT^A40', person('1'), 'MRG|3^^^RENHE^MR'),
    event(6, 'ADT^A31', person('1'), 'AL1|1|FA|NUT^Nuts'),
  ],
  'a diagnosis that was deleted, and is not in the sets that follow, of a visit that goes on under another number': [
    event(0, 'ADT^A04', person('1'), visit('V1', { 2: 'O' }), `DG1|1||K35^Appendicitis^I10${'|'.repeat(18)}A`),
    event(1, 'ADT^A08', person('1'), visit('V1', { 2: 'O' }), `DG1|1||K35^Appendicitis^I10${'|'.repeat(18)}D`),
    event(2, 'ADT^A08', person('1'), visit('V1', { 2: 'O' }), 'DG1|1||I10^Hypertension^I10'),
    event(3, 'ADT^A06', person('1'), 'MRG|1^^^RENHE^MR||||V1^^^RENHE^VN', visit('V2'), 'DG1|1||E11^Diabetes^I10'),
  ],
  'a visit that goes on under another number, and back under the first': [
    event(0, 'ADT^A04', person('1'), visit('V1', { 2: 'O' })),
    event(1, 'ADT^A06', person('1'), 'MRG|1^^^RENHE^MR||||V1^^^RENHE^VN', visit('V2')),
    event(2, 'ADT^A06', person('1'), 'MRG|1^^^RENHE^MR||||V2^^^RENHE^VN', visit('V1')),
    event(3, 'ADT^A08', person('1', '||1980|F'), visit('V1')),
  ],
  'merges in a chain, and one sent the other way round': [
    event(0, 'ADT^A01', person('1'), visit('V1')),
    event(1, 'ADT^A01', person('2'), visit('V2')),
    event(2, 'ADT^A01', person('3'), visit('V3'), 'DG1|1||I10^Hypertension^I10'),
    event(3, 'ADT^A40', person('2'), 'MRG|3^^^RENHE^MR'),
    event(4, 'ADT^A40', person('1'), 'MRG|2^^^RENHE^MR'),
    event(5, 'ADT^A40', person('2'), 'MRG|1^^^RENHE^MR'),
    event(6, 'ADT^A03', person('3'), visit('V3', discharged('20260310060000'))),
  ],
  'a visit that was booked to the wrong patient': [
    event(0, 'ADT^A01', person('1'), visit('V1'), 'DG1|1||E11.9^Diabetes^I10'),
    event(1, 'ADT^A01', person('2'), visit('V2')),
    event(2, 'ADT^A45', person('2'), 'MRG|1^^^RENHE^MR||||V1^^^RENHE^VN', visit('V1')),
    event(3, 'ADT^A03', person('2'), visit('V1', discharged('20260310030000'))),
  ],
  'a visit that moved away after its patient had been given another number': [
    event(0, 'ADT^A47', person('9'), 'MRG|1^^^RENHE^MR'),
    event(1, 'ADT^A03', person('1'), visit('V1', discharged('20260310010000'))),
    event(2, 'ADT^A45', person('2'), 'MRG|1^^^RENHE^MR||||V1^^^RENHE^VN', visit('V1')),
  ],
  'a visit that moved to a patient who had been merged into the first': [
    event(0, 'ADT^A01', person('1'), visit('V1'), 'DG1|1||E11.9^Diabetes^I10'),
    event(1, 'ADT^A40', person('1'), 'MRG|2^^^RENHE^MR'),
    event(2, 'ADT^A45', person('2'), 'MRG|1^^^RENHE^MR||||V1^^^RENHE^VN', visit('V1')),
  ],
  'a death that was said by mistake': [
    event(0, 'ADT^A01', person('1'), visit('V1')),
    event(1, 'ADT^A03', `${person('1')}${'|'.repeat(25)}Y`, visit('V1', discharged('20260310010000'))),
    event(2, 'ADT^A08', `${person('1')}${'|'.repeat(25)}N`, visit('V1')),
  ],
  'a death that only the merged record knows of': [
    event(0, 'ADT^A01', person('1'), visit('V1')),
    event(1, 'ADT^A01', person('2', '||||||||13900004444'), visit('V2')),
    event(2, 'ADT^A31', `${person('2')}${'|'.repeat(24)}20260310020000|Y`),
    event(3, 'ADT^A03', person('1'), visit('V1', discharged('20260310030000'))),
    event(4, 'ADT^A40', person('1'), 'MRG|2^^^RENHE^MR'),
  ],
  'an identifier that was changed': [
    event(0, 'ADT^A28', person('1', '||1980|F')),
    event(1, 'ADT^A01', person('1'), visit('V1')),
    event(2, 'ADT^A47', person('9'), 'MRG|1^^^RENHE^MR'),
    event(3, 'ADT^A31', person('9', '||19800229|F')),
    event(4, 'ADT^A03', person('9'), visit('V1', discharged('20260310040000'))),
  ],
  'allergies and diagnoses that come and go': [
    event(
      0,
      'ADT^A01',
      person('1'),
      visit('V1'),
      'AL1|1|DA|PCN^Penicillin',
      'DG1|1||E11.9^Diabetes^I10',
      'DG1|2||I10^Hypertension^I10',
    ),
    event(1, 'ADT^A08', person('1'), visit('V1'), 'AL1|1|DA|ASA^Aspirin', 'DG1|1||I10^Hypertension^I10'),
    event(2, 'ADT^A08', person('1'), visit('V1'), 'AL1|1|DA|PCN^Penicillin', 'AL1|2|FA|NUT^Nuts'),
    event(3, 'ADT^A08', person('1'), visit('V1'), 'AL1|1|""', 'DG1|1||""', 'NK1|1|Doe^Jim|SPO'),
    event(4, 'ADT^A08', person('1'), visit('V1'), 'AL1|1|DA|ASA^Aspirin', 'NK1|1|""'),
    event(5, 'ADT^A11', person('1'), visit('V1')),
  ],
  'a visit that began again under its number, with results and appointments that know it by its first ward': [
    event(0, 'ADT^A01', person('1'), visit('V1', { 3: 'W1^1^1' })),
    event(1, 'ORU^R01', person('1'), visit('V1', { 2: 'O', 3: 'W1^1^1' }), 'OBR|1|||G', 'OBX|1|NM|G||5|mmol/L|||||F'),
    event(2, 'ADT^A02', person('1'), visit('V1', { 3: 'W2^2^2', 6: 'W1^1^1' })),
    event(3, 'ORU^R01', person('1'), visit('V1', { 2: 'O', 3: 'W1^1^1' }), 'OBR|1|||H', 'OBX|1|NM|H||6|mmol/L|||||F'),
    event(4, 'ADT^A03', person('1'), visit('V1', { 3: 'W2^2^2', ...discharged('20260310040000') })),
    event(26, 'ADT^A01', person('1'), visit('V1', { 3: 'W3^3^3', 44: '20260311020000' })),
  ],
  'an allergy and a diagnosis that were deleted and came again': [
    event(0, 'ADT^A01', person('1'), visit('V1'), `DG1|1||K35^Appendicitis^I10${'|'.repeat(18)}A`),
    event(1, 'ADT^A60', person('1'), 'IAM|1|DA|P^Penicillin|||A'),
    event(2, 'ADT^A60', person('1'), 'IAM|1|DA|P^Penicillin|||D'),
    event(3, 'ADT^A08', person('1'), visit('V1'), `DG1|1||K35^Appendicitis^I10${'|'.repeat(18)}D`),
    event(4, 'ADT^A60', person('1', '||||||||13900005555'), 'IAM|1|DA|P^Penicillin|MO||A'),
    event(5, 'ADT^A08', person('1'), visit('V1'), `DG1|1||K35^Appendicitis^I10${'|'.repeat(18)}A`),
  ],
  'an outpatient who stayed under another number, with messages of the old one': [
    event(0, 'ADT^A04', person('1'), visit('V1', { 2: 'O' })),
    event(1, 'ADT^A06', person('1'), 'MRG|1^^^RENHE^MR||||V1^^^RENHE^VN', visit('V2')),
    event(2, 'ADT^A08', person('1', '||1980|F'), visit('V1', { 2: 'O' })),
    event(3, 'ADT^A03', person('1'), visit('V1', { 2: 'O', ...discharged('20260310030000') })),
    event(4, 'ADT^A03', person('1'), visit('V2', discharged('20260310040000'))),
  ],
  'an account and a record that were merged, with messages of the old numbers': [
    event(0, 'ADT^A01', `${person('1')}${'|'.repeat(13)}A1^^^RENHE^AN`, visit('V1')),
    event(1, 'ADT^A41', `${person('1')}${'|'.repeat(13)}A2^^^RENHE^AN`, 'MRG|1^^^RENHE^MR||A1^^^RENHE^AN'),
    event(2, 'ADT^A08', `${person('1')}${'|'.repeat(13)}A1^^^RENHE^AN`, visit('V1')),
    event(3, 'ADT^A40', person('3'), 'MRG|1^^^RENHE^MR'),
    event(4, 'ADT^A08', person('1', '||1980|F'), visit('V1')),
  ],
  'an admission that was cancelled, and a patient who died': [
    event(0, 'ADT^A04', person('1'), visit('V0', { 2: 'E' })),
    event(1, 'ADT^A01', person('1'), visit('V1')),
    event(2, 'ADT^A11', person('1'), visit('V1')),
    event(3, 'ADT^A01', person('1'), visit('V2')),
    event(4, 'ADT^A12', person('1'), visit('V2', { 3: 'W1^1^1' })),
    event(5, 'ADT^A03', `${person('1')}${'|'.repeat(24)}20260310050000|Y`, visit('V2', discharged('20260310050000'))),
  ],
};

describe.each(Object.entries(stories))('%s', (_, messages) => {
  test('leaves the same state and the same open Tasks in any order, repeated, lost and sent again', async () => {
    const expected = await left(messages);
    expect(Object.keys(expected.resources).length).toBeGreaterThan(2);
    const orders = fc.array(fc.nat(messages.length - 1), { maxLength: 4 }).chain((again) => {
      const all = [...messages, ...again.map((i) => messages[i] as string)];
      return fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length });
    });
    await fc.assert(
      fc.asyncProperty(orders, async (order) => {
        expect(await left(order)).toEqual(expected);
      }),
      { numRuns: 12, verbose: 0 },
    );
  });
});
