/** Resources of a message under the ids that they have in the store. */
import { parseReference, rewriteReferences } from '../fhir/reference.ts';
import type { Built } from '../mapping/context.ts';

/** @param ids `Type/id` of the message ─▶ the id in the store; references to it follow */
export function renamed(built: readonly Built[], ids: ReadonlyMap<string, string>): readonly Built[] {
  if (ids.size === 0) return built;
  return built.map((it): Built => {
    const { resource } = it;
    const followed = rewriteReferences(resource, (reference) => {
      const named = parseReference(reference);
      const id = named && ids.get(`${named.type}/${named.id}`);
      return id && `${named.type}/${id}`;
    });
    return { ...it, resource: { ...followed, id: ids.get(`${resource.resourceType}/${resource.id}`) ?? resource.id } };
  });
}
