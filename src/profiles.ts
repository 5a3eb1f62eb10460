/** The shipped profiles: read from `profiles/`, put into the store at start. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Commit } from './commit/commit.ts';
import type { StoredResource } from './fhir/types.ts';

/** The resources of the top level of a folder; `xver/` below it is for the validator only. */
export function readProfiles(folder: string): StoredResource[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as StoredResource);
}

/** The questionnaires among them: the mapping knows by them which results are answers. */
export function questionnairesOf(profiles: readonly StoredResource[]): StoredResource[] {
  return profiles.filter((it) => it.resourceType === 'Questionnaire');
}

/** Puts them where apps read them. What has not changed makes no new version. */
export async function publishProfiles(profiles: readonly StoredResource[], commit: Commit): Promise<void> {
  await commit.run({
    cause: 'system:profiles',
    trusted: true,
    keys: profiles.map(({ resourceType: type, id }) => ({ type, id })),
    decide: () => ({ intentions: profiles.map((resource) => ({ kind: 'put', resource })) }),
  });
}
