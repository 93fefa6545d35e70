/** What panels say of text from outside, as the operator wants it, and words with the role that they are painted in. */
import { cleanText, maskEmailsIn } from '../domain/text.ts';
import type { Role } from './line.ts';

export interface Words {
  readonly text: string;
  readonly role: Role;
}

/** `m@example.org` masked unless the operator asked to see addresses. */
export function addressed(text: string, isMasked: boolean, maxLength = 300): string {
  const clean = cleanText(text, maxLength);
  return isMasked ? maskEmailsIn(clean) : clean;
}
