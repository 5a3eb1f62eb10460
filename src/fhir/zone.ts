/** Civil time of one zone: offsets of local times, and days as patients count them. */

/** A time zone by its IANA name. Days are `YYYY-MM-DD` in that zone. */
export class Zone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #offsets = new Map<string, string>();
  #quarter = Number.NaN;
  #quarterOffset = '';

  /** @throws RangeError when nobody knows the name */
  constructor(name: string) {
    this.name = name;
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  }

  /** `+08:00` at an instant. Zones change at whole quarters of an hour (since about 1901), so one answer serves for a quarter. */
  offsetAt(epochMs: number): string {
    const quarter = Math.floor(epochMs / 900_000);
    if (quarter !== this.#quarter) {
      this.#quarterOffset = this.#formatOffset(epochMs);
      this.#quarter = quarter;
    }
    return this.#quarterOffset;
  }

  #formatOffset(epochMs: number): string {
    const part = this.#format.formatToParts(epochMs).find((it) => it.type === 'timeZoneName')?.value ?? 'GMT';
    return part.length > 3 ? part.slice(3, 9) : '+00:00';
  }

  /**
   * `+08:00` for a local time `YYYY-MM-DDTHH:MM:SS`. A time that comes twice is taken at its first coming; one that a
   * change leaves out is taken with the offset before the change. One answer is kept per quarter: formatting costs 20 µs.
   */
  offsetOf(local: string): string {
    const quarter = local.slice(0, 14) + Math.floor(Number(local.slice(14, 16)) / 15);
    const known = this.#offsets.get(quarter);
    if (known) return known;
    const utc = Date.parse(`${local}Z`);
    const [before, after] = [this.#formatOffset(utc - 86_400_000), this.#formatOffset(utc + 86_400_000)];
    const isRight = (offset: string): boolean => this.#formatOffset(Date.parse(local + offset)) === offset;
    const offset = before === after || isRight(before) || !isRight(after) ? before : after;
    if (this.#offsets.size > 20_000) this.#offsets.clear();
    this.#offsets.set(quarter, offset);
    return offset;
  }

  /** The local day of an instant. */
  dayOf(epochMs: number): string {
    return this.isoOf(epochMs).slice(0, 10);
  }

  /** An instant as FHIR writes it in this zone, to the second. */
  isoOf(epochMs: number): string {
    const offset = this.offsetAt(epochMs);
    const sign = offset.startsWith('-') ? -1 : 1;
    const shift = sign * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6))) * 60_000;
    return new Date(epochMs + shift).toISOString().slice(0, 19) + offset;
  }

  /** Local midnight at the beginning of a day, as a FHIR dateTime. */
  startOfDay(day: string): string {
    return `${day}T00:00:00${this.offsetOf(`${day}T00:00:00`)}`;
  }

  /** The last second of a day, as a FHIR dateTime. */
  endOfDay(day: string): string {
    return `${day}T23:59:59${this.offsetOf(`${day}T23:59:59`)}`;
  }
}

/** A day, some days later; calendar arithmetic, so no zone and no daylight saving is in it. */
export function addDays(day: string, days: number): string {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number];
  return new Date(Date.UTC(year, month - 1, date + days)).toISOString().slice(0, 10);
}
