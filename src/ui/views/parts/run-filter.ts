/** The filter of the view *Runs*: `worker:health outcome:failed some words`. All of it has to fit. Pure. */

export const RUN_FIELDS = ['worker', 'outcome', 'trigger', 'host', 'by', 'action'] as const;
type RunField = (typeof RUN_FIELDS)[number];

/** What a row can be found by: some of the fields, and its whole text. */
export type Findable = Readonly<Partial<Record<RunField, string>>> & { readonly text: string };

/** Case does not matter; a field fits when it begins with, or has a part that begins with, what is asked. */
export function fitsFilter(row: Findable, filter: string): boolean {
  return filter
    .toLowerCase()
    .split(/\s+/)
    .filter((term) => term !== '')
    .every((term) => fitsTerm(row, term));
}

function fitsTerm(row: Findable, term: string): boolean {
  const [, name, value = ''] = /^([a-z]+):(.*)$/.exec(term) ?? [];
  const field = RUN_FIELDS.find((each) => each === name);
  if (field === undefined) return textOf(row).includes(term);
  const own = row[field]?.toLowerCase();
  // The log and the actions know fewer fields: what a row has not cannot fit.
  if (own === undefined) return false;
  return own.startsWith(value) || own.split(/[-@. ]/).some((part) => part.startsWith(value));
}

function textOf({ text, ...fields }: Findable): string {
  return [text, ...Object.values(fields)].join(' ').toLowerCase();
}
