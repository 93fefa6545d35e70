/** What a mass or irreversible action asks for in production: the environment's name, typed. Pure. */
import type { Field } from './dialog.ts';
import type { State } from './state.ts';

/** A field for the form, or none where nothing real can be harmed. A sandbox that was given a name rehearses its deployment. */
export function environmentField({ environment }: State): readonly Field[] {
  if (environment === null || environment.name === 'sandbox' || environment.name === 'local') return [];
  const { name } = environment;
  return [{ name: 'environment', label: `Type ${name}`, value: '', placeholder: '', mustBe: name }];
}
