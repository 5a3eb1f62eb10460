/** What a message is: its type and trigger event. HL7 v2.5.1 2.14.9.9, and what senders make of it. */
import { Message, Segment } from './message.ts';

export interface MessageType {
  /** `ADT`; empty when nobody says it. */
  readonly type: string;
  /** `A03`. */
  readonly event: string;
}

/**
 * MSH-9.1 and MSH-9.2. Where MSH-9.2 is empty: the event of a structure that belongs to one event alone (`ORU_R01`; an
 * ADT structure is shared by many), else EVN-1.
 */
export function messageType(message: Message): MessageType {
  const { header } = message;
  const type = header.text(9, 1);
  const event = header.text(9, 2);
  if (event || !type) return { type, event };
  const named = /^([A-Z]{3})_([A-Z]\d{2})$/.exec(header.text(9, 3));
  const evn = message.first('EVN')?.text(1) ?? '';
  const structure = named?.[1] === type ? (named[2] as string) : '';
  return { type, event: type === 'ADT' ? evn || structure : structure || evn };
}

/** The message with its event in MSH-9.2, where the rows of a mapping look for it; the same object when it is there. */
export function withType(message: Message): Message {
  const { header } = message;
  if (header.text(9, 2)) return message;
  const { event } = messageType(message);
  if (!event) return message;
  const { field, component } = message.delimiters;
  const fields = header.raw.split(field);
  const parts = (fields[8] ?? '').split(component);
  parts[1] = event;
  fields[8] = parts.join(component);
  const first = new Segment(fields.join(field), message.delimiters, 1);
  return new Message(message.delimiters, [first, ...message.segments.slice(1)]);
}
