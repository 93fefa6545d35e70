/** What `--json` prints: one object on one line, with the version of its schema first (docs/json.md, `json-schemas.ts`). */
import { jsonText, toJson } from '../domain/json.ts';

/** Raised when a field is renamed, retyped or taken away; adding one leaves it. */
export const JSON_VERSION = 1;

/** With its line end. Times are in ISO. */
export function jsonLine(value: object): string {
  return `${jsonText({ version: JSON_VERSION, ...(toJson(value) as object) })}\n`;
}
