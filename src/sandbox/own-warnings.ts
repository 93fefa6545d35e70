/**
 * Gives warnings back to Node. `@supabase/lite` puts a function in the place of `process.emitWarning` that throws where a
 * warning is an error object, as of too many listeners: a warning would break whatever caused it.
 */
import process, { emitWarning } from 'node:process';

/** To be called once that package is loaded. The name imported here is Node's own, whatever was put in its place. */
export function restoreWarnings(): void {
  process.emitWarning = emitWarning;
}
