/** The sample day is 2026-03-16; it is moved to today, so that the windows of the care plans lie ahead. */

const sampleDay = Date.UTC(2026, 2, 16);

/**
 * Moves every date of 2026 in a message by whole days, digit for digit, on bytes: the character set does not matter.
 * Identifiers keep their digits: only numbers that stand alone as a date or time are moved.
 */
export function moveDay(message: Buffer, today: Date): Buffer {
  const days = Math.round((Date.UTC(today.getFullYear(), today.getMonth(), today.getDate()) - sampleDay) / 86_400_000);
  const text = message
    .toString('latin1')
    .replace(/(?<=[|^~&])2026(\d\d)(\d\d)(?=\d{0,6}([+-]\d{4})?[|^~&\r])/g, (whole, month: string, day: string) => {
      const at = Date.UTC(2026, Number(month) - 1, Number(day)) + days * 86_400_000;
      return Number.isNaN(at) ? whole : new Date(at).toISOString().slice(0, 10).replaceAll('-', '');
    });
  return Buffer.from(text, 'latin1');
}
