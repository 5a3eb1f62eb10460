/** Discharges for the bench: the A03 messages of the sample day, each time another patient, visit, account and control id. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../demo/hospital-day/', import.meta.url));
const templates = readdirSync(folder)
  .filter((name) => /-A03-.*\.hl7$/.test(name) && !name.includes('died'))
  .sort()
  .map((name) => readFileSync(`${folder}${name}`).toString('latin1'));

/** The nth discharge; doctors, wards and insurers repeat as they do in a hospital. */
export function dischargeMessage(n: number): Buffer {
  const text = templates[n % templates.length] as string;
  const serial = String(1_000_000 + n);
  const moved = text
    .replace(/RH\d+(?=\|P\|)/, `RH${serial}`)
    .replace(/(?<=\rPID\|1\|[^|]*\|)[^^|]+/, `M${serial}`)
    .replace(/(?<=\|)([VA])2026\d+(?=\^)/g, `$1${serial}`);
  return Buffer.from(moved, 'latin1');
}

export function dischargeMessages(from: number, count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => dischargeMessage(from + i));
}
