import { describe, expect, test } from '@jest/globals';
import { decode } from '../../src/hl7v2/charset.ts';
import { parse } from '../../src/hl7v2/message.ts';
import { appointmentRule } from '../../src/outbound/appointment.ts';
import { controlIdOf, messageBytes, messageBytesMax } from '../../src/outbound/message.ts';
import type { Content } from '../../src/outbound/scene.ts';
import { appointment } from './resources.ts';
import { destination, now, scene, zone } from './support.ts';

const content = appointmentRule.tell(undefined, appointment(), scene()) as Content;

describe('the control id of a message', () => {
  test('is the same for the same message, and another for every other', () => {
    const identity = 'SIU^S12 Appointment/1/_history/2';
    expect(controlIdOf('his', identity)).toBe(controlIdOf('his', identity));
    const ids = ['his', 'pas'].flatMap((name) =>
      Array.from({ length: 1000 }, (_, i) => controlIdOf(name, `SIU^S12 Appointment/${i}/_history/2`)),
    );
    expect(new Set(ids).size).toBe(2000);
  });

  test('is as long as v2.5.1 allows', () => {
    expect(controlIdOf('his', 'x')).toMatch(/^[0-9a-f]{20}$/);
  });
});

describe('a message', () => {
  test.each([
    ['UTF-8', 'UNICODE UTF-8'],
    ['GB18030', 'GB 18030-2000'],
  ] as const)('in %s says so and can be read', (charset, name) => {
    const to = destination({ charset });
    const bytes = messageBytes(content, 'C1', { destination: to, zone, now });
    const read = decode(bytes, 'ascii');
    const message = 'text' in read ? parse(read.text) : undefined;
    expect(message?.header.text(18)).toBe(name);
    expect(message?.first('PID')?.text(5)).toBe('张');
    expect(message?.first('NTE')?.text(3)).toBe('带上血糖记录 & bring the log|book');
    // What MLLP frames on is nowhere in it.
    expect([...bytes].some((byte) => byte === 0x0b || byte === 0x1c)).toBe(false);
  });

  test('names both sides, its kind and its version', () => {
    const sender = { application: 'FU', facility: 'CENTRE' };
    const to = destination({ sender, application: 'H&S', version: '2.4', processing: 'T' });
    const header = messageBytes(content, 'C1', { destination: to, zone, now }).toString().split('\r')[0];
    expect(header).toBe(
      'MSH|^~\\&|FU|CENTRE|H\\T\\S|RENHE|20260316103000+0800||SIU^S12^SIU_S12|C1|T|2.4||||||UNICODE UTF-8',
    );
  });

  test('that is too long is not made', () => {
    const long = { ...content, segments: ['NTE|1||'.padEnd(messageBytesMax, 'x')] };
    expect(() => messageBytes(long, 'C1', { destination: destination(), zone, now })).toThrow(RangeError);
  });
});
