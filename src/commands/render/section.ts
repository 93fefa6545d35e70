/** The shape of a section of the status page: its name in the first column, text beside it, tables below. */
import { formatAge } from '../../domain/format.ts';
import type { Loaded } from '../../domain/loaded.ts';
import { wrap } from '../../domain/width.ts';
import { type Look, paint } from './look.ts';

export const LABEL_WIDTH = 11;

/** A name with text beside it, wrapped below itself. */
export function labelled(label: string, text: string, look: Look): string[] {
  return wrap(text, look.columns - LABEL_WIDTH).map((line, index) =>
    index === 0 && label !== ''
      ? `${paint('heading', label.padEnd(LABEL_WIDTH), look)}${line}`
      : `${' '.repeat(LABEL_WIDTH)}${line}`,
  );
}

/**
 * The lines that `render` makes of the value; of a stale one with its age said; of a missing one nothing but that it is
 * missing. Why is said once, in the section of what could not be read.
 */
export function sectionOf<T>(
  label: string,
  part: Loaded<T>,
  context: { readonly look: Look; readonly nowEpochMs: number },
  render: (value: T) => string[],
): string[] {
  const { look, nowEpochMs } = context;
  if (part.state === 'failed') {
    const isMeant = part.error.code === 'not-configured';
    return labelled(label, isMeant ? 'not configured' : 'not known', look);
  }
  if (part.state === 'ok') return render(part.value);
  const age = paint('warning', `as of ${formatAge(nowEpochMs - part.atEpochMs)} ago`, look);
  return [...render(part.value), `${' '.repeat(LABEL_WIDTH)}${age}`];
}
