/** Resources as the server handles them: any R4 type, JSON. */

/** Any JSON object. */
export type Json = Record<string, any>;

/** A resource of any type; `id` is there once it is stored. */
export interface Resource extends Json {
  resourceType: string;
  id?: string;
  meta?: Json;
}

/** A stored resource. */
export type StoredResource = Resource & { id: string };
