import { readFileSync } from 'node:fs';
import { readMappings } from '../src/mapping/read.ts';
import { Mapping } from '../src/mapping/map.ts';
import { decode } from '../src/hl7v2/charset.ts';
import { parse } from '../src/hl7v2/message.ts';
import { Zone } from '../src/fhir/zone.ts';
const t = performance.now();
const m = new Mapping(readMappings('mappings'));
console.error('compile', performance.now() - t);
for (const f of process.argv.slice(2)) {
  const d = decode(readFileSync(f), 'utf-8');
  if ('error' in d) throw new Error(d.error);
  const msg = parse(d.text)!;
  console.error(f, m.check(msg));
  const r = m.map(msg, { zone: new Zone('Asia/Shanghai'), receivedAt: '2026-03-16T10:00:00+08:00', lineage: true });
  console.log(JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: r.resources.map((b) => ({ fullUrl: `http://x/fhir/${b.resource.resourceType}/${b.resource.id}`, resource: b.resource, request: { method: 'PUT', url: `${b.resource.resourceType}/${b.resource.id}` } })) }));
  console.error(r.resources.length, r.lineage?.length);
}
