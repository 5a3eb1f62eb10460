/** Messages as other systems write them: see test/judges/foreign/README.md. */
import { fileURLToPath } from 'node:url';
import { messagesOf } from '../../src/cli/files.ts';
import type { Json, StoredResource } from '../../src/fhir/types.ts';
import { decode } from '../../src/hl7v2/charset.ts';
import { type Message, parse } from '../../src/hl7v2/message.ts';

export const foreignFolder = fileURLToPath(new URL('../judges/foreign/', import.meta.url));

/** Each message with the character set that it is in. */
export function foreignMessages(): { name: string; message: Message; charset: string }[] {
  return [...messagesOf([foreignFolder])].map(({ name, bytes }) => {
    const decoded = decode(bytes, 'utf-8');
    const message = 'text' in decoded ? parse(decoded.text) : undefined;
    if ('error' in decoded || !message) throw new Error(`${name} cannot be read`);
    return { name, message, charset: decoded.charset };
  });
}

/** What `map` printed: the resources of each bundle. */
export function resourcesIn(out: string): StoredResource[][] {
  const bundles: Json[] = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return bundles.map(({ entry }) => entry.map((it: Json) => it.resource));
}
