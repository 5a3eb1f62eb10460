/** A protocol: a PlanDefinition that we ship, read once. R4 plandefinition.html; our extensions in profiles/. */
import { type FhirPathAtom, parseFhirPath } from '@medplum/core';
import type { Json, Resource } from '../fhir/types.ts';

const base = 'https://aftercare.example/fhir/StructureDefinition/';

export type Owner = 'attending' | 'primary-nurse' | 'centre';
export type Creates = 'Task' | 'Appointment' | 'QuestionnaireResponse' | 'none';

/** One action; days count from the local day of discharge (day 0). */
export interface Action {
  readonly id: string;
  readonly level: number | undefined;
  readonly channels: readonly string[];
  readonly attemptsMax: number | undefined;
  readonly owner: Owner;
  /** The best day inside the window. */
  readonly targetDay: number | undefined;
  readonly creates: readonly Creates[];
  /** First and last day of the window. */
  readonly window: { readonly low: number; readonly high: number } | undefined;
  /** Canonical with version. */
  readonly questionnaire: string | undefined;
  /** All must hold. The text is the key under which an answer serves several actions. */
  readonly conditions: readonly { readonly text: string; readonly atom: FhirPathAtom }[];
  /** Texts with their translations, as they stand in the action: `title`, `_title`, `description`, `_description`. */
  readonly texts: Json;
  readonly code: Json | undefined;
  readonly performer: Json | undefined;
}

export interface Protocol {
  readonly id: string;
  readonly url: string;
  readonly version: string;
  /** `url|version`. */
  readonly canonical: string;
  readonly title: Json;
  readonly actions: readonly Action[];
}

/** @throws Error for an action that cannot be carried out as written: at start, not at the first discharge */
export function parseProtocol(plan: Resource): Protocol {
  const { id, url, version, title, _title, action = [] } = plan;
  if (plan.resourceType !== 'PlanDefinition' || !id || !url || !version)
    throw new Error(`${id ?? 'a profile'} is not a PlanDefinition with url and version`);
  return {
    id,
    url,
    version,
    canonical: `${url}|${version}`,
    title: { title, ...(_title && { _title }) },
    actions: action.map((it: Json) => parseAction(it, id)),
  };
}

function parseAction(action: Json, plan: string): Action {
  const extensions = (name: string): Json[] => (action.extension ?? []).filter((it: Json) => it.url === base + name);
  const creates = extensions('fu-creates').map((it) => it.valueCode as Creates);
  const { title, _title, description, _description } = action;
  const parsed: Action = {
    id: action.id,
    level: extensions('fu-level')[0]?.valueInteger,
    channels: extensions('fu-channel').map((it) => it.valueCode),
    attemptsMax: extensions('fu-maxAttempts')[0]?.valuePositiveInt,
    owner: (extensions('fu-owner')[0]?.valueCode ?? 'centre') as Owner,
    targetDay: extensions('fu-target-day')[0]?.valueInteger,
    creates: creates.length > 0 ? creates : ['none'],
    window: parseWindow(action),
    questionnaire: action.definitionCanonical,
    conditions: (action.condition ?? []).map(({ expression: { expression: text } }: Json) => ({
      text,
      atom: parseFhirPath(text),
    })),
    texts: { title, _title, description, _description },
    code: action.code?.[0],
    performer: action.participant?.[0]?.role,
  };
  const needsWindow = parsed.creates.some((it) => it === 'Task' || it === 'Appointment');
  if (!parsed.id || (needsWindow && !parsed.window))
    throw new Error(`PlanDefinition ${plan}: action ${parsed.id} has no id or no window in days`);
  if (parsed.creates.includes('QuestionnaireResponse') && !parsed.questionnaire)
    throw new Error(`PlanDefinition ${plan}: action ${parsed.id} names no questionnaire`);
  return parsed;
}

function parseWindow(action: Json): Action['window'] {
  const range = action.relatedAction?.[0]?.offsetRange;
  if (range?.low?.code !== 'd' || range?.high?.code !== 'd') return undefined;
  return { low: range.low.value, high: range.high.value };
}
