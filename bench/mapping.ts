/** Row 3: mapping alone against splitting the same messages down to subcomponents and reading every one. */
import { Hl7Message } from '@medplum/core';
import { decode } from '../src/hl7v2/charset.ts';
import { type Message, parse } from '../src/hl7v2/message.ts';
import { Mapping } from '../src/mapping/map.ts';
import { readMappings } from '../src/mapping/read.ts';
import { dischargeMessages } from './messages.ts';
import { alternate, type Row, time, zone } from './support.ts';

export async function mapping(count: number, rounds: number): Promise<Row> {
  const compiled = new Mapping(readMappings('mappings'));
  const texts = dischargeMessages(0, count).map((bytes) => {
    const decoded = decode(bytes, 'utf-8');
    if ('error' in decoded) throw new Error(decoded.error);
    return decoded.text;
  });
  const receivedAt = '2026-03-16T10:00:00+08:00';
  let sum = 0;
  const ours = (): Promise<number> =>
    time(() => {
      for (const text of texts) sum += compiled.map(parse(text) as Message, { zone, receivedAt }).resources.length;
    });
  const floor = (): Promise<number> =>
    time(() => {
      for (const text of texts) sum += readAll(Hl7Message.parse(text));
    });
  const times = await alternate(rounds, ours, floor);
  if (sum === 0) throw new Error('nothing was read');
  const perSecond = (ms: number): number => (count / ms) * 1000;
  return {
    what: 'mapping alone',
    unit: 'messages/s',
    ours: perSecond(times.ours),
    floor: perSecond(times.floor),
    ratio: times.floor / times.ours,
    promise: 0.15,
  };
}

/** @medplum/core as the splitter; every subcomponent is read. */
function readAll(message: Hl7Message): number {
  let length = 0;
  for (const segment of message.segments) {
    for (const field of segment.fields) {
      for (const [r, repetition] of field.components.entries()) {
        for (let c = 0; c < repetition.length; c++) {
          const count = (repetition[c] as string).split('&').length;
          for (let s = 0; s < count; s++) length += field.getComponent(c + 1, s, r).length;
        }
      }
    }
  }
  return length;
}
