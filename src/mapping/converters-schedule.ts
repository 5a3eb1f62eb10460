/** Converters of schedule messages (SIU): durations and offsets with their units, joined comments. */
import type { Segment } from '../hl7v2/message.ts';
import { leaf, type MappingContext, partOf } from './context.ts';
import type { Converter, ConverterInput } from './converters.ts';
import { standing } from './owner.ts';
import { amountIn, amountOf, instantOf, offsetStart, plus, scheduleOf, unitIn, untilOf } from './schedule-time.ts';

function textOf(raw: string, { level, context }: ConverterInput): string {
  return leaf(raw, level, context.delimiters);
}

/** A duration as it was sent, with the unit that stands in the field behind it. */
function asSent(raw: string, input: ConverterInput, unitField: number): string {
  const text = textOf(raw, input) || leaf(raw, 3, input.context.delimiters);
  return `${text} ${unitIn(input.segment, unitField, input.context)}`.trim();
}

function wholeMinutes(ms: number | undefined): number | undefined {
  return ms !== undefined && ms >= 60_000 && ms % 60_000 === 0 ? ms / 60_000 : undefined;
}

/** SCH-9 in the unit of SCH-10; ms. */
function schAmount({ segment, context }: ConverterInput): number | undefined {
  return amountIn(segment, 9, context);
}

/** TQ.3: `M30`, `H1` (HL7 v2.5.1 2.A.81.3), or the number alone. L (months) and X are no length of an appointment. */
function tqAmount(raw: string, input: ConverterInput): number | undefined {
  const text = textOf(raw, input);
  const [, unit = '', number = text] = /^([SMHDW])(\d{1,9})$/.exec(text) ?? [];
  return amountOf(number, unit, input.context);
}

/** CQ: the amount, and the unit as a CWE in its second component. */
function cqAmount(raw: string, { level, context }: ConverterInput): number | undefined {
  const d = context.delimiters;
  const [amount, unit] = [1, 2].map((n) => leaf(partOf(raw, level, n, d), level + 1, d)) as [string, string];
  return amountOf(amount, unit, context);
}

/** How long it takes, and when it ends: from a start and what `amount` reads. */
function lasting(
  name: string,
  amount: (raw: string, input: ConverterInput) => number | undefined,
): Record<string, Converter> {
  return {
    [`${name}-minutes`]: { makes: ['positiveInt'], convert: (raw, input) => wholeMinutes(amount(raw, input)) },
    [`${name}-end`]: {
      makes: ['instant'],
      convert: (raw, input) => plus(scheduleOf(input.context).start, amount(raw, input)),
    },
  };
}

/** A time of a service or resource, and the words of the field where no time can be made of it. */
function timeOfResource(
  name: string,
  time: (segment: Segment, context: MappingContext) => string | undefined,
): Record<string, Converter> {
  return {
    [name]: { makes: ['dateTime'], convert: (_, { segment, context }) => time(segment, context) },
    [`${name}-unread`]: {
      makes: ['string'],
      convert: (raw, input) => {
        if (time(input.segment, input.context) !== undefined) return undefined;
        return asSent(raw, input, Number(input.field.split('-')[1]) + 1);
      },
    },
  };
}

/** Segments whose notes are comments on the appointment. */
const commented = new Set(['SCH', 'TQ1', 'RGS', 'AIS', 'AIG', 'AIL', 'AIP']);

/** The comments of a message, found once: all in one, and that of each NTE until it is given. */
interface Comments {
  readonly all: string;
  readonly notes: Map<Segment, string>;
}
const comments = new WeakMap<MappingContext, Comments>();

function commentsOf(context: MappingContext): Comments {
  const known = comments.get(context);
  if (known) return known;
  const notes = new Map<Segment, string>();
  for (const segment of context.message.named('NTE')) {
    if (!commented.has(context.owners.ownerOf(segment)?.name ?? '')) continue;
    const lines = segment.repetitions(3).map((raw) => leaf(raw, 3, context.delimiters));
    notes.set(segment, lines.filter((it) => it !== '' && it !== '""').join('\n'));
  }
  const found = { all: [...notes.values()].filter((it) => it !== '').join('\n'), notes };
  comments.set(context, found);
  return found;
}

/** NTE-3 as one text: its repetitions are lines. The second repetition has nothing to add. */
function noteOnce({ segment, context }: ConverterInput): string | undefined {
  const { notes } = commentsOf(context);
  const text = notes.get(segment);
  notes.set(segment, '');
  return text || undefined;
}

/** The converters by the names that rows use in `type:`. */
export const scheduleConverters: Readonly<Record<string, Converter>> = {
  /** A time as an instant; a day without a time of day is none. */
  'DTM-timed': { makes: ['instant'], convert: (raw, input) => instantOf(textOf(raw, input), input.context) },
  'schedule-day': { makes: ['Period'], convert: (_, { context }) => copy(scheduleOf(context).days) },
  ...lasting('SCH', (_, input) => schAmount(input)),
  'SCH-unread': {
    makes: ['string'],
    convert: (raw, input) => (wholeMinutes(schAmount(input)) === undefined ? asSent(raw, input, 10) : undefined),
  },
  ...lasting('TQ', tqAmount),
  ...lasting('CQ', cqAmount),
  ...timeOfResource('AIX-offset', offsetStart),
  ...timeOfResource('AIX-until', untilOf),
  /** The start of the appointment, from the segment of its kind that begins first. */
  'AIX-start': {
    makes: ['instant'],
    convert: (raw, input) =>
      scheduleOf(input.context).first.get(input.segment.name) === input.segment
        ? instantOf(textOf(raw, input), input.context)
        : undefined,
  },
  /** The end of the appointment, from the segment of its kind that ends last. */
  'AIX-end': {
    makes: ['instant'],
    convert: (_, { segment, context }) =>
      scheduleOf(context).last.get(segment.name) === segment ? untilOf(segment, context) : undefined,
  },
  /** The status of a participant by that of the appointment; `table` translates. */
  'AIX-status': {
    makes: ['code'],
    convert: (_, { segment, context, table }) =>
      table?.translate(standing('Appointment', segment, context)?.resource.status ?? '')?.code,
  },
  /** EI.1 of SCH-1 and SCH-2; from the second occurrence on with its number (SCH-3). */
  'EI-occurrence': {
    makes: ['string'],
    convert: (raw, input) => {
      const value = textOf(raw, input);
      const occurrence = input.segment.text(3);
      if (value === '' || value === '""') return undefined;
      return ['', '""', '0', '1'].includes(occurrence) ? value : `${value}#${occurrence}`;
    },
  },
  'NTE-comment': { makes: ['string'], convert: (_, { context }) => commentsOf(context).all || undefined },
  'NTE-text': { makes: ['string', 'markdown'], convert: (_, input) => noteOnce(input) },
};

function copy<T extends object>(value: T | undefined): T | undefined {
  return value && { ...value };
}
