/** What may be told, and how: one rule for each kind. */
import type { OutgoingKind } from '../mapping/destination.ts';
import { appointmentRule } from './appointment.ts';
import { noteRule } from './note.ts';
import { responseRule } from './response.ts';
import type { Rule } from './scene.ts';

const rules: Readonly<Record<OutgoingKind, Rule>> = {
  'SIU^S12': appointmentRule,
  'ORU^R01': responseRule,
  'MDM^T02': noteRule,
};

/** The rule for a resource type, of those that a hospital asks for. */
export function ruleFor(resourceType: string, asked: readonly OutgoingKind[]): Rule | undefined {
  return asked.map((kind) => rules[kind]).find((rule) => rule.resourceType === resourceType);
}
